//! Compares a folder with its source: reads every stream in full, and looks for each record among
//! the newest rows of the folder.
//!
//! It knows the primary keys of the streams and nothing else of the source. Records go to files
//! without a name first, and are then compared in portions that fit into memory.

mod compare;
mod report;
mod spill;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use elt_airbyte::{Message, Redacted, Sink, StreamDescriptor, StreamStatus};
use elt_host::types::{Record, Stream};
use elt_host::{Error, Result};
use json_text::{Fields, Json};

pub use self::report::{Comparison, Report};

use self::compare::{Sides, normal};
use self::spill::Spill;
use crate::folder::stream_folder;
use crate::problem::Problem;
use crate::stored;

/// A [`Sink`] that compares what a sync reads with a folder.
///
/// It must be told of the streams by a [`Message::Catalog`] before their first records.
#[derive(Debug)]
pub struct Verification {
    folder: PathBuf,
    catalog: HashMap<String, Stream>,
    streams: HashMap<Arc<StreamDescriptor>, Spill>,
    count: i64,
    report: Report,
}

impl Verification {
    /// Compares with this folder.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be opened.
    pub fn of(folder: &Path) -> Result<Self> {
        match std::fs::read_dir(folder) {
            Ok(_) => Ok(Self {
                folder: folder.to_owned(),
                catalog: HashMap::new(),
                streams: HashMap::new(),
                count: 0,
                report: Report::default(),
            }),
            Err(error) => {
                Err(Error::config(format!("the folder {} cannot be read: {error}", folder.display())))
            }
        }
    }

    /// What was found. Streams that were not read to their end are not in it.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// The error for a failure of comparing.
    pub fn error(&self, error: &io::Error) -> Error {
        Error::system(format!("the folder {} cannot be compared: {error}", self.folder.display()))
    }

    fn take(&mut self, message: &Message) -> Result<(), Problem> {
        match message {
            Message::Catalog(streams) => {
                self.catalog = streams.iter().map(|stream| (stream.name.clone(), stream.clone())).collect();
                Ok(())
            }
            Message::Records { stream, records, .. } => {
                records.iter().try_for_each(|record| self.push(stream, record))
            }
            Message::StreamStatus { stream, status: StreamStatus::Complete, .. } => self.compare(stream),
            _ => Ok(()),
        }
    }

    fn key_of(&self, stream: &StreamDescriptor) -> Vec<Vec<String>> {
        self.catalog.get(&stream.name).map(|stream| stream.primary_key.clone()).unwrap_or_default()
    }

    fn push(&mut self, stream: &Arc<StreamDescriptor>, record: &Record) -> Result<(), Problem> {
        let key = self.key_of(stream);
        let fields = Fields::decode(record.as_str()).map_err(io::Error::other)?;
        let text = |name: Json<'_>| name.text().map_or_else(|| name.get().to_owned(), Into::into);
        let fields = fields.iter().map(|(name, value)| (text(name), value.get().to_owned())).collect();
        let record = normal(fields);
        self.count += 1;
        let spill = self.streams.entry(stream.clone()).or_default();
        Ok(spill.push(&compare::key(&key, &record), self.count, &record)?)
    }

    /// Compares a stream that was read to its end.
    fn compare(&mut self, stream: &Arc<StreamDescriptor>) -> Result<(), Problem> {
        let key = self.key_of(stream);
        let source = self.streams.remove(stream).unwrap_or_default();
        let mut folder = Spill::default();
        let place = self.folder.join(stream_folder(stream.namespace.as_deref(), &stream.name));
        for file in stored::files(&place)? {
            stored::read(&file, &mut |row| {
                let record = normal(row.fields);
                Ok(folder.push(&compare::key(&key, &record), row.extracted_at, &record)?)
            })?;
        }
        let mut comparison = Comparison::of(stream);
        compare::compare(Sides { source, folder }, 0, &mut comparison)?;
        self.report.streams.push(comparison);
        Ok(())
    }
}

impl Sink for Verification {
    fn write(&mut self, message: &Redacted) -> io::Result<()> {
        self.take(message.message()).map_err(io::Error::from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
