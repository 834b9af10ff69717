//! Reads a state file, and replaces the states of streams in it.
//!
//! The file is written as a list of Airbyte's state messages, one for each stream. States of
//! streams that were not read stay as they were, byte for byte, unless the file has another form.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use elt_host::types::JsonObject;
use elt_host::{Error, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::atomic_file::{AtomicFile, Purpose, clear};
use crate::file;
use crate::lines;
use crate::links::follow;
use crate::lock::{self, Lock};
use crate::message::StreamDescriptor;
use crate::states::States;

/// A state file that is locked against other processes.
#[derive(Debug)]
pub struct StateFile {
    /// The path as the user wrote it.
    path: PathBuf,
    /// The path after following links.
    target: PathBuf,
    entries: Vec<Entry>,
    /// Held as long as the file is used.
    _lock: Lock,
}

/// The state of one stream, as text.
#[derive(Debug)]
struct Entry {
    stream: StreamDescriptor,
    text: String,
}

impl StateFile {
    /// Locks the file at `path`, which need not exist, and reads it. Also checks that it can be
    /// saved, so that nothing is read in vain, and removes what a read that was killed left beside
    /// it.
    ///
    /// # Errors
    ///
    /// A transient error if another process uses it. A config error if it is not understood or
    /// cannot be written.
    pub fn open(path: &Path) -> Result<(Self, States)> {
        let unwritable = |error: io::Error| unwritable(path, &error);
        let target = follow(path).map_err(unwritable)?;
        let in_place = AtomicFile::of(&target, Purpose::State).map_err(unwritable)?.is_in_place();
        let lock = if in_place { Lock::on(&target) } else { Lock::beside(&target) };
        let lock = lock.map_err(unwritable)?.ok_or_else(|| {
            Error::transient(format!("another read uses the state file {}", path.display()))
                .with_hint("wait for its end, or give this one a state file of its own")
        })?;
        clear(&target);
        let (states, entries) = match target.exists() {
            true => {
                // What is read is what will be replaced. The text is kept only if all of it is
                // understood.
                let states = States::load_whole(&target)?;
                let text = file::load("the state file", &target)?;
                let entries = verbatim(&text).unwrap_or_else(|| anew(&states));
                (states, entries)
            }
            false => (States::default(), Vec::new()),
        };
        Ok((Self { path: path.to_owned(), target, entries, _lock: lock }, states))
    }

    /// The file beside the state file at `path` that keeps other processes from using it. It is
    /// made while the file is used, and then removed.
    ///
    /// # Errors
    ///
    /// If a link on the way may not be followed.
    pub fn lock_of(path: &Path) -> io::Result<PathBuf> {
        Ok(lock::path(&follow(path)?))
    }

    /// Replaces the state of a stream.
    pub(crate) fn set(&mut self, stream: &StreamDescriptor, state: &JsonObject) {
        let text = lines::stream_state(stream, state);
        match self.entries.iter_mut().find(|entry| entry.stream == *stream) {
            Some(entry) => entry.text = text,
            None => self.entries.push(Entry { stream: stream.clone(), text }),
        }
    }

    /// The new content of the file.
    pub(crate) fn text(&self) -> String {
        let entries: Vec<&str> = self.entries.iter().map(|entry| entry.text.as_str()).collect();
        format!("[\n{}\n]\n", entries.join(",\n"))
    }

    /// Where to save the content.
    pub(crate) fn place(&self) -> Place {
        Place { path: self.path.clone(), target: self.target.clone() }
    }
}

/// Where a state file is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    target: PathBuf,
}

/// A state file that was written beside its place.
#[derive(Debug)]
pub(crate) struct Written {
    path: PathBuf,
    file: AtomicFile,
}

impl Place {
    /// Writes the text beside the file.
    ///
    /// # Errors
    ///
    /// A system error that says why.
    pub(crate) fn write(&self, text: &str) -> Result<Written> {
        let write = || {
            let mut file = AtomicFile::of(&self.target, Purpose::State)?;
            file.write_all(text.as_bytes())?;
            file.sync()?;
            Ok(file)
        };
        let file = write().map_err(|error| unsaved(&self.path, &error, OLDER_STATES))?;
        Ok(Written { path: self.path.clone(), file })
    }
}

impl Written {
    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// A system error that says why.
    pub(crate) fn put(self) -> Result<()> {
        let hint = if self.file.is_in_place() { DAMAGED } else { OLDER_STATES };
        self.file.put().map_err(|error| unsaved(&self.path, &error, hint))
    }
}

/// The hint if the file still has the older states.
const OLDER_STATES: &str =
    "nothing is lost: the next read begins where the file says, and reads the rest again";
/// The hint if writing over them failed.
const DAMAGED: &str = "the file could not be replaced, only overwritten, and may be damaged: put a copy of it back, \
    or empty it to read everything again";

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::config(format!("the state file {} cannot be written: {error}", path.display())).with_hint(
        "it is replaced, which needs a folder in which files can be made; where there is none, it needs a \
         file that can be written",
    )
}

fn unsaved(path: &Path, error: &io::Error, hint: &str) -> Error {
    Error::system(format!("the states could not be saved to {}: {error}", path.display())).with_hint(hint)
}

/// An entry of a list of states that holds one stream. Fields that may hold other states must be
/// absent.
#[derive(Deserialize)]
struct PlainEntry {
    stream: PlainStream,
    state: Option<IgnoredAny>,
    global: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PlainStream {
    stream_descriptor: PlainDescriptor,
}

#[derive(Deserialize)]
struct PlainDescriptor {
    name: String,
    namespace: Option<String>,
}

/// The entries as they are, if the text is a list of one entry per stream.
fn verbatim(text: &str) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for raw in serde_json::from_str::<Vec<&RawValue>>(text).ok()? {
        let plain: PlainEntry = serde_json::from_str(raw.get()).ok()?;
        if plain.state.is_some() || plain.global.is_some() || plain.data.is_some() {
            return None;
        }
        let PlainDescriptor { name, namespace } = plain.stream.stream_descriptor;
        let stream = StreamDescriptor::new(name, namespace);
        // The last one of a stream counts.
        entries.retain(|entry| entry.stream != stream);
        entries.push(Entry { stream, text: raw.get().to_owned() });
    }
    Some(entries)
}

/// The entries for the states of a file of another form, sorted by name.
fn anew(states: &States) -> Vec<Entry> {
    let mut entries: Vec<_> = states
        .iter()
        .map(|(stream, state)| Entry { stream: stream.clone(), text: lines::stream_state(stream, state) })
        .collect();
    entries.sort_by(|a, b| (&a.stream.name, &a.stream.namespace).cmp(&(&b.stream.name, &b.stream.namespace)));
    entries
}

#[cfg(test)]
mod tests;
