//! Keeps records, and beside them the state that covers them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use elt_host::types::JsonObject;

/// A folder with two files per stream. A database would take both in one transaction.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens a folder, which is created if it is missing.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// The state from which the next read of a stream continues.
    pub(crate) fn state(&self, stream: &str) -> io::Result<Option<JsonObject>> {
        match fs::read_to_string(self.path(stream, "state.json")) {
            Ok(text) => JsonObject::parse(&text).map(Some).map_err(|_| io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Appends records.
    pub(crate) fn append(&self, stream: &str, records: &str) -> io::Result<()> {
        let path = self.path(stream, "jsonl");
        OpenOptions::new().append(true).create(true).open(path)?.write_all(records.as_bytes())
    }

    /// Stores the state that covers all records so far. They are on disk before it is, so a crash
    /// in between repeats records and loses none.
    pub(crate) fn save(&self, stream: &str, state: &JsonObject) -> io::Result<()> {
        match File::open(self.path(stream, "jsonl")) {
            Ok(records) => records.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let new = self.path(stream, "state.json.new");
        let mut file = File::create(&new)?;
        file.write_all(state.as_str().as_bytes())?;
        file.sync_all()?;
        fs::rename(new, self.path(stream, "state.json"))
    }

    fn path(&self, stream: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{stream}.{extension}"))
    }
}
