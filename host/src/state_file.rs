//! The file that states are taken from and saved to: its text comes in, and goes out with the states that were told
//! since in the place of older ones.
//!
//! What goes out is a list of Airbyte's state messages, one stream each. Those of streams that nothing was told of stay
//! as they were, byte for byte, unless the file has another form.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::file;
use crate::lock::Lock;
use crate::message::StreamDescriptor;
use crate::protocol;
use crate::replacement::{Purpose, Replacement, clear, follow};
use crate::state::States;

/// A state file that nobody else saves to.
#[derive(Debug)]
pub struct StateFile {
    /// As the user calls it.
    path: PathBuf,
    /// Where the links lead.
    target: PathBuf,
    entries: Vec<Entry>,
    /// Held while this lives.
    _lock: Lock,
}

/// The state of one stream, as text.
#[derive(Debug)]
struct Entry {
    stream: StreamDescriptor,
    text: String,
}

impl StateFile {
    /// Locks the file at `path`, which need not be there, and reads it. Also finds out whether it can be saved, so that
    /// nothing is read in vain, and removes what a read that was killed left beside it.
    ///
    /// # Errors
    ///
    /// A transient error if another process has it; a config error if it is not understood or cannot be written.
    pub fn open(path: &Path) -> Result<(Self, States)> {
        let unwritable = |error: io::Error| unwritable(path, &error);
        let target = follow(path).map_err(unwritable)?;
        let in_place = Replacement::of(&target, Purpose::State).map_err(unwritable)?.is_in_place();
        let lock = if in_place { Lock::on(&target) } else { Lock::beside(&target) };
        let lock = lock.map_err(unwritable)?.ok_or_else(|| {
            Error::transient(format!("another read uses the state file {}", path.display()))
                .with_hint("wait for its end, or give this one a state file of its own")
        })?;
        clear(&target);
        let (states, entries) = match target.exists() {
            true => {
                // Of what can be understood, and only then, the text is kept.
                let states = States::load_whole(path)?;
                let entries = verbatim(&file::load("the state file", path)?).unwrap_or_else(|| anew(&states));
                (states, entries)
            }
            false => (States::default(), Vec::new()),
        };
        Ok((Self { path: path.to_owned(), target, entries, _lock: lock }, states))
    }

    /// Takes a state that was told, in the place of an older one of its stream.
    pub(crate) fn set(&mut self, stream: &StreamDescriptor, state: &Document) {
        let text = protocol::stream_state(stream, state);
        match self.entries.iter_mut().find(|entry| entry.stream == *stream) {
            Some(entry) => entry.text = text,
            None => self.entries.push(Entry { stream: stream.clone(), text }),
        }
    }

    /// What the file is to contain.
    pub(crate) fn text(&self) -> String {
        let entries: Vec<&str> = self.entries.iter().map(|entry| entry.text.as_str()).collect();
        format!("[\n{}\n]\n", entries.join(",\n"))
    }

    /// Where to save it.
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

/// A state file that was written and is not yet in its place.
#[derive(Debug)]
pub(crate) struct Written {
    path: PathBuf,
    replacement: Replacement,
}

impl Place {
    /// Writes the text beside the file.
    ///
    /// # Errors
    ///
    /// A system error that says why.
    pub(crate) fn write(&self, text: &str) -> Result<Written> {
        let write = || {
            let mut replacement = Replacement::of(&self.target, Purpose::State)?;
            replacement.write_all(text.as_bytes())?;
            replacement.sync()?;
            Ok(replacement)
        };
        let replacement = write().map_err(|error| unsaved(&self.path, &error, OLDER_STATES))?;
        Ok(Written { path: self.path.clone(), replacement })
    }
}

impl Written {
    /// Puts it in its place.
    ///
    /// # Errors
    ///
    /// A system error that says why.
    pub(crate) fn put(self) -> Result<()> {
        let hint = if self.replacement.is_in_place() { DAMAGED } else { OLDER_STATES };
        self.replacement.put().map_err(|error| unsaved(&self.path, &error, hint))
    }
}

/// What to do where the older states are in the file still.
const OLDER_STATES: &str =
    "nothing is lost: the next read begins where the file says, and reads the rest again";
/// What to do where writing over them failed.
const DAMAGED: &str = "the file could not be replaced, only written over, and may be damaged: put a copy of it back, \
    or empty it to read everything again";

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::config(format!("the state file {} cannot be written: {error}", path.display())).with_hint(
        "--save-state replaces it, which needs a folder in which files can be made; where there is none, it needs a \
         file that can be written",
    )
}

fn unsaved(path: &Path, error: &io::Error, hint: &str) -> Error {
    Error::system(format!("the states could not be saved to {}: {error}", path.display())).with_hint(hint)
}

/// An entry of a list of states that is of one stream. Whatever may hold other states must be absent.
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

/// The entries of what was understood of a file of another form, by name.
fn anew(states: &States) -> Vec<Entry> {
    let mut entries: Vec<_> = states
        .iter()
        .map(|(stream, state)| Entry { stream: stream.clone(), text: protocol::stream_state(stream, state) })
        .collect();
    entries.sort_by(|a, b| (&a.stream.name, &a.stream.namespace).cmp(&(&b.stream.name, &b.stream.namespace)));
    entries
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn stream(name: &str) -> StreamDescriptor {
        StreamDescriptor { name: name.to_owned(), namespace: None }
    }

    /// What becomes of a file when a state of the stream `a` is told.
    fn saved(content: Option<&str>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let (mut file, _) = StateFile::open(&path).unwrap();
        file.set(&stream("a"), &Document::parse(r#"{"at":2}"#).unwrap());
        file.place().write(&file.text()).unwrap().put().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(States::parse(&text).unwrap().of(&stream("a")).unwrap().as_str(), r#"{"at":2}"#);
        text
    }

    const TOLD: &str =
        r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"at":2}}}"#;

    #[test]
    fn a_file_that_is_not_there_is_made() {
        assert_eq!(saved(None), format!("[\n{TOLD}\n]\n"));
    }

    #[test]
    fn an_empty_file_holds_no_states() {
        for content in ["", " \n", "\u{feff}"] {
            assert_eq!(saved(Some(content)), format!("[\n{TOLD}\n]\n"));
        }
    }

    #[test]
    fn a_state_without_a_namespace_takes_the_place_of_one_with_an_empty_one() {
        let old = r#"{"stream":{"stream_descriptor":{"name":"a","namespace":""},"stream_state":{"at":1}}}"#;
        assert_eq!(saved(Some(&format!("[{old}]"))), format!("[\n{TOLD}\n]\n"));
    }

    #[test]
    fn a_file_that_is_understood_in_part_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let content = r#"{"bookmarks":{"a":{"at":1}},"currently_syncing":"a"}"#;
        fs::write(&path, content).unwrap();
        let error = StateFile::open(&path).unwrap_err();
        assert!(error.message().contains("`currently_syncing` must be a JSON object"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }

    #[test]
    fn states_of_other_streams_stay_byte_for_byte() {
        let other =
            r#"{ "stream" : {"stream_descriptor":{"name":"b"}, "stream_state":{"n":1.50}}, "extra":[ 1 ] }"#;
        let nothing = r#"{"stream":{"stream_descriptor":{"name":"c"},"stream_state":null},"global":null}"#;
        let old = r#"{"stream":{"stream_descriptor":{"name":"a"},"stream_state":{"at":1}}}"#;
        assert_eq!(
            saved(Some(&format!("[{other},\n  {old},{nothing}]"))),
            format!("[\n{other},\n{TOLD},\n{nothing}\n]\n")
        );
    }

    #[test]
    fn of_two_states_of_a_stream_none_outlives_what_was_told() {
        let entry = |state: &str| {
            format!(r#"{{"stream":{{"stream_descriptor":{{"name":"a"}},"stream_state":{state}}}}}"#)
        };
        assert_eq!(saved(Some(&format!("[{},{}]", entry("{}"), entry("null")))), format!("[\n{TOLD}\n]\n"));
    }

    #[test]
    fn other_forms_become_a_list_of_streams() {
        let b = r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"},"stream_state":{"n":1.50}}}"#;
        for content in [
            r#"{"b":{"n":1.50},"a":{"at":1}}"#,
            r#"[{"type":"GLOBAL","global":{"stream_states":[{"stream_descriptor":{"name":"b"},"stream_state":{"n":1.50}}]}}]"#,
            r#"[{"streamDescriptor":{"name":"b"},"streamState":{"n":1.50}}]"#,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"},"stream_state":{"n":1.50}}}"#,
            r#"{"stateType":"stream","streamState":[{"streamDescriptor":{"name":"b"},"streamState":{"n":1.50}}]}"#,
            r#"[{"stream":{"stream_descriptor":{"name":"b"},"stream_state":{"n":1.50}},"data":{"b":{"n":1}}}]"#,
        ] {
            let text = saved(Some(content));
            assert!(text.contains(b) && text.contains(TOLD), "{content}: {text}");
            assert_eq!(text.lines().count(), 4, "{content}: {text}");
        }
    }

    #[test]
    fn only_one_at_a_time_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let first = StateFile::open(&path).unwrap();
        let error = StateFile::open(&path).unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::Transient);
        assert!(error.message().starts_with("another read uses the state file"), "{error}");
        drop(first);
        StateFile::open(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
