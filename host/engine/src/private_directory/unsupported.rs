//! Who may write to a directory is not known on this system, so none is private.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// There is none.
#[derive(Debug)]
pub(crate) enum PrivateDirectory {}

/// A file in a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    pub(crate) modified: SystemTime,
    pub(crate) size: u64,
    pub(crate) name: OsString,
}

impl PrivateDirectory {
    pub(crate) fn open(_: &Path) -> Result<Self, &'static str> {
        Err("this system is not supported")
    }

    pub(crate) fn read(&self, _: &str, _: u64) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn write(&self, _: &str, _: &str, _: [&[u8]; 2]) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn files(&self, _: &str) -> io::Result<Vec<Listed>> {
        match *self {}
    }

    pub(crate) fn remove(&self, _: &OsStr) -> io::Result<()> {
        match *self {}
    }
}
