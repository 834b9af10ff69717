//! The states of an earlier sync: a file in any of the forms that clients write comes in, one document per stream
//! goes out.
//!
//! The forms, each seen from a real client: a list of Airbyte's state messages (per stream, global, legacy; with
//! nulls for what is absent), a single one, the same in the camel case of Airbyte's API, and the legacy object of
//! stream names. What counts is which fields are there, not what `type` says.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::document::{Document, kind};
use crate::error::{Error, Result};
use crate::file;
use crate::message::StreamDescriptor;

/// Written as the state of a stream that has none, by Airbyte's convention. Also what a stream is given as its state
/// when it has never told one.
const NO_CURSOR: &str = "__ab_no_cursor_state_message";
/// Written by sources that resume full refreshes when one is complete: the next one starts afresh.
const FULL_REFRESH_COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// The states of the streams of a source.
#[derive(Clone, Debug, Default)]
pub struct States(HashMap<StreamDescriptor, Document>);

impl States {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or understood.
    pub fn load(path: &Path) -> Result<Self> {
        let text = file::load("the state file", path)?;
        parse(&text, &format!("the state file {}", path.display()))
    }

    /// Takes the text of a state file.
    ///
    /// # Errors
    ///
    /// A config error if it is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text, "the state")
    }

    /// The state of one stream.
    pub fn of(&self, stream: &StreamDescriptor) -> Option<&Document> {
        self.0.get(stream)
    }

    /// Every state, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamDescriptor, &Document)> {
        self.0.iter()
    }

    /// Whether there are states of streams of this name, but none in its namespace.
    pub(crate) fn are_elsewhere(&self, stream: &StreamDescriptor) -> bool {
        self.of(stream).is_none() && self.0.keys().any(|other| other.name == stream.name)
    }

    /// The state of a stream that has none.
    pub(crate) fn none() -> Document {
        Document::flag(NO_CURSOR)
    }
}

/// A state message, or the part of one that is per stream.
#[derive(Deserialize)]
#[serde(expecting = "a state message")]
struct WireState {
    /// The whole message around a state.
    state: Option<Box<WireState>>,
    stream: Option<WireStreamState>,
    global: Option<WireGlobal>,
    /// The legacy form within a message.
    data: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(alias = "streamDescriptor")]
    stream_descriptor: Option<WireDescriptor>,
    #[serde(alias = "streamState")]
    stream_state: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(expecting = "a `stream_descriptor` and its `stream_state`")]
struct WireStreamState {
    #[serde(alias = "streamDescriptor")]
    stream_descriptor: WireDescriptor,
    #[serde(alias = "streamState")]
    stream_state: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `stream_states`")]
struct WireGlobal {
    #[serde(alias = "streamStates")]
    stream_states: Option<Vec<WireStreamState>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the `name` of a stream")]
struct WireDescriptor {
    name: String,
    namespace: Option<String>,
}

fn parse(text: &str, what: &str) -> Result<States> {
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|error| Error::config(format!("{what} is not valid JSON: {error}")))?;
    let mut states = States::default();
    let collected = match value.get().as_bytes().first() {
        Some(b'n') => Ok(()),
        Some(b'[') => collect_list(value, &mut states),
        Some(b'{') => collect_object(value, &mut states),
        _ => Err("it must be a list of states".to_owned()),
    };
    match collected {
        Ok(()) => Ok(states),
        Err(problem) => Err(Error::config(format!("{what} is not understood: {problem}"))
            .with_hint("without a state, everything is read again")),
    }
}

fn collect_list(list: &RawValue, states: &mut States) -> Result<(), String> {
    let entries: Vec<&RawValue> = parse_raw(list)?;
    for (index, entry) in entries.into_iter().enumerate() {
        if !entry.get().starts_with('{') {
            return Err(format!("entry {index} must be a JSON object, but is {}", kind(entry.get())));
        }
        let state = parse_raw::<WireState>(entry).map_err(|problem| format!("entry {index}: {problem}"))?;
        if !collect_state(state, states)? {
            return Err(format!("entry {index} has neither `stream` nor `global` nor `data`"));
        }
    }
    Ok(())
}

/// A single state message, or the legacy object whose fields are the streams.
fn collect_object(object: &RawValue, states: &mut States) -> Result<(), String> {
    // A stream may be called `stream` or `data`: only text in `type`, where a legacy object has an object, tells.
    let fields: BTreeMap<&str, &RawValue> = parse_raw(object)?;
    if fields.get("type").is_some_and(|tag| tag.get().starts_with('"')) {
        return match collect_state(parse_raw(object)?, states)? {
            true => Ok(()),
            false => Err("it has neither `stream` nor `global` nor `data`".to_owned()),
        };
    }
    collect_legacy(parse_raw(object)?, states)
}

/// Whether there was anything that can hold a state.
fn collect_state(state: WireState, states: &mut States) -> Result<bool, String> {
    if let Some(inner) = state.state {
        return collect_state(*inner, states);
    }
    let mut found = false;
    if let Some(descriptor) = state.stream_descriptor {
        found = true;
        states.insert(descriptor, state.stream_state.as_deref())?;
    }
    if let Some(stream) = state.stream {
        found = true;
        states.insert(stream.stream_descriptor, stream.stream_state.as_deref())?;
    }
    if let Some(global) = state.global {
        found = true;
        for stream in global.stream_states.unwrap_or_default() {
            states.insert(stream.stream_descriptor, stream.stream_state.as_deref())?;
        }
    }
    if let Some(data) = state.data {
        found = true;
        collect_legacy(data, states)?;
    }
    Ok(found)
}

fn collect_legacy(streams: BTreeMap<String, Box<RawValue>>, states: &mut States) -> Result<(), String> {
    for (name, state) in streams {
        states.insert(WireDescriptor { name, namespace: None }, Some(&state))?;
    }
    Ok(())
}

impl States {
    /// Notes a state, unless it says that there is none. A later one of the same stream replaces it.
    fn insert(&mut self, descriptor: WireDescriptor, state: Option<&RawValue>) -> Result<(), String> {
        let stream = StreamDescriptor { name: descriptor.name, namespace: descriptor.namespace };
        let state = match state {
            Some(state) if state.get() != "null" => Document::parse(state.get())
                .map_err(|problem| format!("the state of the stream `{}` {problem}", stream.name))?,
            _ => {
                self.0.remove(&stream);
                return Ok(());
            }
        };
        if says_nothing(&state) {
            self.0.remove(&stream);
        } else {
            self.0.insert(stream, state);
        }
        Ok(())
    }
}

/// Whether this is one of the states by which Airbyte's sources and clients say that there is no state.
fn says_nothing(state: &Document) -> bool {
    state.as_str() == "{}"
        || [NO_CURSOR, FULL_REFRESH_COMPLETE].iter().any(|reserved| *state == Document::flag(reserved))
}

fn parse_raw<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The state of the stream `customers` in a file, as text.
    fn customers(text: &str) -> Option<String> {
        let stream = StreamDescriptor { name: "customers".to_owned(), namespace: None };
        States::parse(text).unwrap().of(&stream).map(|state| state.as_str().to_owned())
    }

    fn problem(text: &str) -> String {
        States::parse(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn every_form_of_a_stream_s_state_is_read() {
        for text in [
            // As this host writes it, with and without the message around it.
            r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a": 1}}}]"#,
            r#"[{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}},"sourceStats":{"recordCount":2.0}}}]"#,
            // With nulls for what is absent, one of them twice.
            r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers","namespace":null},"stream_state":{"a":1}},"global":null,"global_":null,"data":null,"global_":null,"sourceStats":null,"destinationStats":null}]"#,
            // A single message.
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}}"#,
            // As Airbyte's API writes it.
            r#"[{"streamDescriptor":{"name":"customers"},"streamState":{"a":1}}]"#,
            // Global.
            r#"[{"type":"GLOBAL","global":{"shared_state":null,"stream_states":[{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}]}}]"#,
            // Legacy.
            r#"[{"type":"LEGACY","data":{"customers":{"a":1}}}]"#,
            r#"{"customers":{"a":1},"plans":null}"#,
        ] {
            assert_eq!(customers(text).as_deref(), Some(r#"{"a":1}"#), "{text}");
        }
    }

    #[test]
    fn no_state_may_be_said_in_many_ways() {
        for text in [
            "null",
            "[]",
            "{}",
            r#"[{"type":"GLOBAL","global":{"stream_states":[]}}]"#,
            r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":null}}]"#,
            r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"}}}]"#,
            r#"{"customers":{}}"#,
            r#"{"customers":{"__ab_no_cursor_state_message":true}}"#,
            r#"{"customers":{"__ab_full_refresh_sync_complete": true}}"#,
            r#"{"plans":{"a":1}}"#,
        ] {
            assert_eq!(customers(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_state_of_a_stream_counts() {
        let entry = |state: &str| {
            format!(r#"{{"stream":{{"stream_descriptor":{{"name":"customers"}},"stream_state":{state}}}}}"#)
        };
        assert_eq!(
            customers(&format!("[{},{}]", entry(r#"{"a":1}"#), entry(r#"{"a":2}"#))).as_deref(),
            Some(r#"{"a":2}"#)
        );
        assert_eq!(customers(&format!("[{},{}]", entry(r#"{"a":1}"#), entry("null"))), None);
    }

    #[test]
    fn a_legacy_stream_may_be_called_anything() {
        let states = States::parse(r#"{"data":{"a":1},"type":{"b":2}}"#).unwrap();
        let of = |name: &str| states.of(&StreamDescriptor { name: name.to_owned(), namespace: None });
        assert_eq!(of("data").unwrap().as_str(), r#"{"a":1}"#);
        assert_eq!(of("type").unwrap().as_str(), r#"{"b":2}"#);
    }

    #[test]
    fn a_state_belongs_to_a_namespace() {
        let states = States::parse(
            r#"[{"stream":{"stream_descriptor":{"name":"a","namespace":"n"},"stream_state":{"at":1}}}]"#,
        )
        .unwrap();
        let stream = |name: &str, namespace: Option<&str>| StreamDescriptor {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
        };
        assert!(states.of(&stream("a", Some("n"))).is_some());
        assert!(states.of(&stream("a", None)).is_none());
        assert!(states.are_elsewhere(&stream("a", None)));
        assert!(!states.are_elsewhere(&stream("a", Some("n"))) && !states.are_elsewhere(&stream("b", None)));
    }

    #[test]
    fn numbers_keep_their_text() {
        assert_eq!(customers(r#"{"customers":{"a":1.50}}"#).as_deref(), Some(r#"{"a":1.50}"#));
    }

    #[test]
    fn what_is_not_understood_is_a_config_error() {
        assert!(problem("").starts_with("the state is not valid JSON: EOF"));
        assert_eq!(problem("3"), "the state is not understood: it must be a list of states");
        assert_eq!(
            problem(r#"[{"type":"STREAM"}]"#),
            "the state is not understood: entry 0 has neither `stream` nor `global` nor `data`"
        );
        assert_eq!(
            problem(r#"{"customers":"yesterday"}"#),
            "the state is not understood: the state of the stream `customers` must be a JSON object, but is a string"
        );
        assert!(
            problem(r#"[{"stream":{"stream_descriptor":{}}}]"#).contains("entry 0: missing field `name`")
        );
        assert_eq!(
            problem("[[1]]"),
            "the state is not understood: entry 0 must be a JSON object, but is a list"
        );
    }
}
