//! The sink: takes the messages of a sync, and writes the records among them to a folder.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use elt_airbyte::{Message, Redacted, Sink, StreamDescriptor, StreamStatus};
use elt_host::types::{JsonObject, Record, Stream};
use elt_host::{Error, Result};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::column;
use crate::folder::{Folder, stream_folder};
use crate::instant::{Instant, Spelling};
use crate::manifest::{Manifest, Program, Status, StreamEntry};
use crate::options::Options;
use crate::problem::Problem;
use crate::run::RunId;
use crate::stream::StreamFiles;

/// Bytes of rows that are in memory at most where one stream is read: a row group.
const HELD: usize = 4 << 20;
/// The same where several streams are read at a time, of all of them together. Each of them takes
/// memory for its connector as well.
const HELD_TOGETHER: usize = 2 << 20;

/// Milliseconds after which a file ends with the next state, however small it is: a run that goes
/// on after a kill reads again what was in files that had not ended.
const OLD: i64 = 5 * 60 * 1000;

/// Writes the records of a sync to a folder: `{stream}/{run}-{part}.parquet`, for instance.
///
/// It must be told of the streams by a [`Message::Catalog`] before their first records.
#[derive(Debug)]
pub struct FileSink {
    folder: Folder,
    options: Options,
    run: RunId,
    manifest: Manifest,
    catalog: HashMap<String, Stream>,
    streams: HashMap<Arc<StreamDescriptor>, Output>,
    settled: Vec<Arc<StreamDescriptor>>,
    /// When the last record was read, in microseconds since 1970. No two are read at the same time,
    /// so that the newest of several is always known.
    extracted_at: i64,
    has_failed: bool,
}

/// The files of a stream, and the state that will be true once they are in their places.
#[derive(Debug)]
struct Output {
    files: StreamFiles,
    state: Option<JsonObject>,
    /// When the first record was read that is in no file in its place, and when the last one, in
    /// milliseconds since 1970.
    unsettled: Option<(i64, i64)>,
}

impl Output {
    /// Whether its files should end with a state.
    fn is_due(&self) -> bool {
        self.files.is_full(true) || self.unsettled.is_some_and(|(first, last)| last - first >= OLD)
    }
}

impl FileSink {
    /// Opens a folder for a run of `host`: makes it if it is not there, locks it, and removes the
    /// unfinished files of a run that was killed.
    ///
    /// # Errors
    ///
    /// A transient error if another process writes to it. Otherwise those of the file system, and a
    /// config error if the newest manifest in it is none.
    pub fn open(path: &Path, options: Options, host: Program) -> Result<Self> {
        Self::of(path, options, host).map_err(Problem::into_error)
    }

    fn of(path: &Path, options: Options, host: Program) -> Result<Self, Problem> {
        let folder = Folder::lock(path)?;
        let (last, columns, until) = match Manifest::newest(path)? {
            Some((run, manifest)) => (Some(run), manifest.columns, Instant::parse(&manifest.extracted_until)),
            None => Default::default(),
        };
        let run = RunId::now(last);
        let until = until.map_or(0, |until| until.micros).max(run.micros());
        let manifest = Manifest {
            run: run.to_string(),
            status: Status::Running,
            format: options.format.suffix().to_owned(),
            host,
            connector: None,
            started_at: Spelling::millis().text(run.micros()),
            ended_at: None,
            extracted_until: Spelling::micros().text(until),
            streams: Default::default(),
            columns,
        };
        Ok(Self {
            folder,
            options,
            run,
            manifest,
            catalog: HashMap::new(),
            streams: HashMap::new(),
            settled: Vec::new(),
            extracted_at: until,
            has_failed: false,
        })
    }

    /// The error for a failure of writing.
    pub fn error(&self, error: &io::Error) -> Error {
        let text = format!("the folder {} cannot be written to: {error}", self.folder.path().display());
        Error::system(text).with_hint(
            "files that are in their places are whole; the next read begins at the last saved state, and reads the \
             rest again",
        )
    }

    /// Puts the last files in their places, and says in the manifest how the run ended.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn finish(&mut self) -> Result<()> {
        let finish = |sink: &mut Self| {
            for stream in sink.streams.keys().cloned().collect::<Vec<_>>() {
                sink.settle(&stream, None)?;
            }
            sink.end(if sink.has_failed { Status::Failed } else { Status::Complete })
        };
        finish(self).map_err(|problem| self.error(&problem.into()))
    }

    /// Says in the manifest that the run failed, if that can be said. Files that are not in their
    /// places are removed.
    pub fn abandon(mut self) {
        self.streams.clear();
        // What failed before is the reason.
        let _ = self.end(Status::Failed);
    }

    fn end(&mut self, status: Status) -> Result<(), Problem> {
        self.manifest.status = status;
        self.manifest.ended_at = Some(Spelling::millis().text(RunId::now(None).micros()));
        self.put_manifest()
    }

    fn put_manifest(&mut self) -> Result<(), Problem> {
        self.manifest.extracted_until = Spelling::micros().text(self.extracted_at);
        self.manifest.put(self.folder.path())
    }

    /// Takes the records of a stream.
    fn push(
        &mut self,
        stream: &Arc<StreamDescriptor>,
        emitted_at: i64,
        records: &[Record],
    ) -> Result<(), Problem> {
        let mut extracted_at = self.extracted_at;
        let output = self.output(stream)?;
        for record in records {
            extracted_at = emitted_at.saturating_mul(1000).max(extracted_at + 1);
            output.files.push(record, extracted_at)?;
        }
        output.unsettled = Some((output.unsettled.map_or(emitted_at, |(first, _)| first), emitted_at));
        let (is_full, folder) = (output.files.is_full(false), output.files.folder.clone());
        self.extracted_at = extracted_at;
        if let Some(entry) = self.manifest.streams.get_mut(&folder) {
            entry.records += records.len() as u64;
        }
        if is_full {
            return self.settle(stream, None);
        }
        self.flush_largest()
    }

    /// Writes rows until those in memory are few enough.
    fn flush_largest(&mut self) -> Result<(), Problem> {
        loop {
            let held = || self.streams.values().map(|output| output.files.held());
            let is_one = held().filter(|held| *held > 0).count() < 2;
            let (held, limit) = (held().sum::<usize>(), if is_one { HELD } else { HELD_TOGETHER });
            let largest = self.streams.values_mut().max_by_key(|output| output.files.held());
            match largest {
                Some(output) if held > limit => output.files.flush()?,
                _ => return Ok(()),
            }
        }
    }

    /// The files of a stream, which begin with its first message.
    fn output(&mut self, stream: &Arc<StreamDescriptor>) -> Result<&mut Output, Problem> {
        if !self.streams.contains_key(stream) {
            let output = self.begin(stream)?;
            self.streams.insert(stream.clone(), output);
        }
        match self.streams.get_mut(stream) {
            Some(output) => Ok(output),
            None => Err(io::Error::other("a stream has no files").into()),
        }
    }

    fn begin(&mut self, stream: &Arc<StreamDescriptor>) -> Result<Output, Problem> {
        let StreamDescriptor { name, namespace } = &**stream;
        let known = self.catalog.get(name);
        let known =
            known.ok_or_else(|| io::Error::other(format!("the stream `{name}` is not in the catalog")))?;
        let folder = stream_folder(namespace.as_deref(), name);
        let schema: Value = serde_json::from_str(known.json_schema.as_str()).map_err(io::Error::other)?;
        let columns = column::columns(&schema, self.manifest.columns.entry(folder.clone()).or_default());
        let entry = StreamEntry {
            stream: name.clone(),
            namespace: namespace.clone(),
            status: Status::Running,
            records: 0,
            primary_key: known.primary_key.clone(),
            cursor_field: known.cursor_field.clone(),
            schema: digest(known.json_schema.as_str()),
            state: None,
            parts: Vec::new(),
        };
        let files = StreamFiles::new(
            self.folder.path().to_owned(),
            folder.clone(),
            columns,
            &known.cursor_field,
            self.options,
            self.run,
        );
        self.manifest.streams.insert(folder, entry);
        // Before any file has these columns.
        self.put_manifest()?;
        Ok(Output { files, state: None, unsettled: None })
    }

    /// Takes a state. If the files before it are large or old, they end with it.
    fn state(&mut self, stream: &Arc<StreamDescriptor>, state: &JsonObject) -> Result<(), Problem> {
        let output = self.output(stream)?;
        output.state = Some(state.clone());
        if output.files.is_settled() {
            let folder = output.files.folder.clone();
            return self.note(stream, &folder);
        }
        if output.is_due() { self.settle(stream, None) } else { Ok(()) }
    }

    /// Puts the files of a stream in their places. Then every state so far is true.
    fn settle(&mut self, stream: &Arc<StreamDescriptor>, status: Option<Status>) -> Result<(), Problem> {
        let output = self.output(stream)?;
        if status == Some(Status::Complete) {
            output.files.begin_empty()?;
        }
        output.unsettled = None;
        let (parts, folder) = (output.files.put()?, output.files.folder.clone());
        let has_parts = !parts.is_empty();
        if let Some(entry) = self.manifest.streams.get_mut(&folder) {
            entry.parts.extend(parts);
            entry.status = status.unwrap_or(entry.status);
        }
        self.note(stream, &folder)?;
        if has_parts || status.is_some() { self.put_manifest() } else { Ok(()) }
    }

    /// Notes that every record of a stream so far is in a file in its place.
    fn note(&mut self, stream: &Arc<StreamDescriptor>, folder: &str) -> Result<(), Problem> {
        let state = self.streams.get_mut(stream).and_then(|output| output.state.take());
        if let (Some(state), Some(entry)) = (state, self.manifest.streams.get_mut(folder)) {
            let text = RawValue::from_string(state.as_str().to_owned()).map_err(io::Error::other)?;
            entry.state = Some(text);
        }
        self.settled.push(stream.clone());
        Ok(())
    }

    fn take(&mut self, message: &Message) -> Result<(), Problem> {
        match message {
            Message::Spec(specification) => {
                let (name, version) = (specification.name.clone(), specification.version.clone());
                self.manifest.connector = Some(Program { name, version });
                Ok(())
            }
            Message::Catalog(streams) => {
                self.catalog = streams.iter().map(|stream| (stream.name.clone(), stream.clone())).collect();
                Ok(())
            }
            Message::Records { stream, emitted_at, records } => self.push(stream, *emitted_at, records),
            Message::State { stream, state, .. } => self.state(stream, state),
            Message::StreamStatus { stream, status: StreamStatus::Complete, .. } => {
                self.settle(stream, Some(Status::Complete))
            }
            Message::StreamStatus { stream, status: StreamStatus::Incomplete, .. } => {
                self.settle(stream, Some(Status::Failed))
            }
            Message::Error { .. } => {
                self.has_failed = true;
                Ok(())
            }
            Message::StreamStatus { .. }
            | Message::ConnectionStatus(_)
            | Message::Slices { .. }
            | Message::Log { .. } => Ok(()),
        }
    }
}

impl Sink for FileSink {
    fn write(&mut self, message: &Redacted) -> io::Result<()> {
        self.take(message.message()).map_err(io::Error::from)
    }

    /// Does nothing. Files end when they are large enough.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn take_settled(&mut self) -> Vec<Arc<StreamDescriptor>> {
        std::mem::take(&mut self.settled)
    }
}

fn digest(text: &str) -> String {
    let digits: Vec<_> = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", digits.concat())
}

#[cfg(test)]
mod tests;
