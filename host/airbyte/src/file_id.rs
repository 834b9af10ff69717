//! Tells whether two paths are the same file.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::links::{folder, follow};

/// What distinguishes a file from all others, whatever path or link leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileId(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A file that is there.
    Present(Inode),
    /// A file that would be made: its folder, and its name.
    Absent(Inode, OsString),
}

impl FileId {
    /// The file at `path`, after following links. It need not exist, but its folder must.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Self(Place::Present(inode(path, &metadata)?))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let target = follow(path)?;
                let folder = folder(&target);
                let name = target.file_name().ok_or(error)?.to_owned();
                Ok(Self(Place::Absent(inode(folder, &fs::metadata(folder)?)?, name)))
            }
            Err(error) => Err(error),
        }
    }

    /// An open file. `None` if it is something else, such as a pipe, which holds nothing that could
    /// be lost.
    #[cfg(unix)]
    pub fn of_open(file: &File) -> Option<Self> {
        let metadata = file.metadata().ok().filter(Metadata::is_file)?;
        Some(Self(Place::Present(inode(Path::new(""), &metadata).ok()?)))
    }

    /// As on Unix. Which file it is cannot be known here.
    #[cfg(not(unix))]
    pub fn of_open(_: &File) -> Option<Self> {
        None
    }
}

/// Device and number of the file.
#[cfg(unix)]
type Inode = (u64, u64);
#[cfg(not(unix))]
type Inode = std::path::PathBuf;

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems must look at the path")]
fn inode(_: &Path, metadata: &Metadata) -> io::Result<Inode> {
    use std::os::unix::fs::MetadataExt as _;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(path: &Path, _: &Metadata) -> io::Result<Inode> {
    fs::canonicalize(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_the_same_whatever_leads_to_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("file"), "").unwrap();
        fs::hard_link(at("file"), at("hard")).unwrap();
        symlink("file", at("soft")).unwrap();
        symlink("folder", at("way")).unwrap();
        symlink("way/new", at("dangling")).unwrap();
        let id = |name: &str| FileId::of(&at(name)).unwrap();
        for same in ["hard", "soft", "folder/../file", "way/../soft"] {
            assert_eq!(id(same), id("file"), "{same}");
        }
        assert_eq!(FileId::of_open(&File::open(at("soft")).unwrap()), Some(id("file")));
        for same in ["way/new", "dangling", "folder/./new"] {
            assert_eq!(id(same), id("folder/new"), "{same}");
        }
        for (one, other) in [("file", "folder/file"), ("new", "folder/new"), ("new", "newer")] {
            assert_ne!(id(one), id(other), "{one}");
        }
        assert!(FileId::of(&at("none/new")).is_err());
    }
}
