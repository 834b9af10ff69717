//! The states of an earlier sync: a file in any of the forms that clients write comes in, one document per stream
//! goes out.
//!
//! The forms, each seen from a real client: a list of Airbyte's state messages (per stream, global,
//! legacy; with nulls for what is absent), a single one, the same in the camel case of Airbyte's
//! API, the envelope in which that API holds them, and the legacy object of stream names. The
//! fields decide which form it is, not `type`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::contract::Stream;
use crate::document::{Document, kind};
use crate::error::{Error, Result};
use crate::file;
use crate::message::StreamDescriptor;

/// Written as the state of a stream that has none, by Airbyte's convention. Also what a stream is given as its state
/// when it has never told one.
const NO_CURSOR: &str = "__ab_no_cursor_state_message";
/// Written by sources that resume full refreshes when one is complete: the next one starts afresh.
const FULL_REFRESH_COMPLETE: &str = "__ab_full_refresh_sync_complete";

/// The names of a stream's descriptor, in a message and in Airbyte's API.
const DESCRIPTOR: [&str; 2] = ["stream_descriptor", "streamDescriptor"];
/// Those of its state.
const STREAM_STATE: [&str; 2] = ["stream_state", "streamState"];
/// Those of the list within a global state.
const STREAM_STATES: [&str; 2] = ["stream_states", "streamStates"];
/// Those of a global state.
const GLOBAL: [&str; 2] = ["global", "globalState"];
/// Lists of states or of state messages, in envelopes of Airbyte's API.
const LISTS: [&str; 2] = ["streamState", "stateMessages"];
/// What is around a message or an envelope.
const AROUND: [&str; 2] = ["state", "connectionState"];
/// What holds the legacy object.
const LEGACY: [&str; 2] = ["data", "legacyState"];
/// All other fields of a message, none of which holds a state.
const REST: [&str; 4] = ["type", "sourceStats", "destinationStats", "id"];

/// The states of the streams of a source.
#[derive(Clone, Debug, Default)]
pub struct States {
    states: HashMap<StreamDescriptor, Document>,
    /// Every stream that the text names, whether it has a state or not.
    named: BTreeSet<String>,
    /// Legacy states that are none, by stream, and what they are instead. A legacy object has only
    /// names, so whether this is a mistake or another program's format is known once the
    /// connector's streams are.
    odd: BTreeMap<String, &'static str>,
}

impl States {
    /// Reads the file at `path`. An empty one holds no states.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or understood.
    pub fn load(path: &Path) -> Result<Self> {
        let text = file::load("the state file", path)?;
        parse(&text, &format!("the state file {}", path.display()))
    }

    /// Reads the file at `path`, which can then be written anew without losing anything.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read, or not everything in it is understood.
    pub(crate) fn load_whole(path: &Path) -> Result<Self> {
        let states = Self::load(path)?;
        match states.odd.first_key_value() {
            Some((name, kind)) => {
                let what = format!("the state file {}", path.display());
                Err(not_understood(&what, &no_object(name, kind)))
            }
            None => Ok(states),
        }
    }

    /// Takes the text of a state file. What is not decided by the text alone is by
    /// [`recognize`](Self::recognize).
    ///
    /// # Errors
    ///
    /// A config error if it is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text, "the state")
    }

    /// The state of one stream.
    pub fn of(&self, stream: &StreamDescriptor) -> Option<&Document> {
        self.states.get(stream)
    }

    /// Compares the names with the streams that there are. Text comes out if none of them is one,
    /// for then nothing of the states is used, and the user should know.
    ///
    /// # Errors
    ///
    /// A config error if what a stream has in the place of a state is none.
    pub fn recognize(&self, available: &[Stream]) -> Result<Option<String>> {
        let is_known = |name: &String| available.iter().any(|stream| stream.name == *name);
        if let Some((name, kind)) = self.odd.iter().find(|(name, _)| is_known(name)) {
            return Err(not_understood("the state", &no_object(name, kind)));
        }
        if self.named.is_empty() || self.named.iter().any(is_known) {
            return Ok(None);
        }
        let names: Vec<_> = self.named.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        Ok(Some(format!(
            "nothing in the state was understood, so everything is read from the start: it names {}, and the \
             connector has no such stream",
            names.join(", ")
        )))
    }

    /// Every state, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&StreamDescriptor, &Document)> {
        self.states.iter()
    }

    /// Whether there are states of streams of this name, but none in its namespace.
    pub(crate) fn are_elsewhere(&self, stream: &StreamDescriptor) -> bool {
        self.of(stream).is_none() && self.states.keys().any(|other| other.name == stream.name)
    }

    /// The state of a stream that has none.
    pub(crate) fn none() -> Document {
        Document::flag(NO_CURSOR)
    }
}

/// Names that a warning shows at most.
const NAMED: usize = 5;

/// The fields of an object, without those that are null. Of two that have one name, the last
/// counts.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    fn of(object: &'a RawValue) -> Result<Self, String> {
        let mut fields: BTreeMap<String, &RawValue> = parse_raw(object)?;
        fields.retain(|_, value| value.get() != "null");
        Ok(Self(fields))
    }

    /// The first field there is of these names.
    fn get(&self, names: &[&str]) -> Option<&'a RawValue> {
        names.iter().find_map(|name| self.0.get(*name).copied())
    }

    /// The same, if its value begins with `first`.
    fn get_if(&self, names: &[&str], first: char) -> Option<&'a RawValue> {
        self.get(names).filter(|value| value.get().starts_with(first))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(&[name]).and_then(|value| serde_json::from_str(value.get()).ok())
    }
}

/// What is known of an object before its fields are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// It is a message or an envelope, since it says so or stands in a list of such.
    Message,
    /// It may also be a legacy object, whose streams can have any name.
    Either,
}

fn parse(text: &str, what: &str) -> Result<States> {
    let mut states = States::default();
    if text.trim().is_empty() {
        return Ok(states);
    }
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|error| Error::config(format!("{what} is not valid JSON: {error}")))?;
    let collected = match value.get().as_bytes().first() {
        Some(b'n') => Ok(()),
        Some(b'[') => collect_list(value, &mut states),
        Some(b'{') => collect_object(value, &mut states),
        _ => Err("it must be a list of states".to_owned()),
    };
    collected.map_err(|problem| not_understood(what, &problem))?;
    Ok(states)
}

fn not_understood(what: &str, problem: &str) -> Error {
    Error::config(format!("{what} is not understood: {problem}"))
        .with_hint("without a state, everything is read again")
}

/// A list of messages, or of the states of single streams.
fn collect_list(list: &RawValue, states: &mut States) -> Result<(), String> {
    let entries: Vec<&RawValue> = parse_raw(list)?;
    for (index, entry) in entries.into_iter().enumerate() {
        if !entry.get().starts_with('{') {
            return Err(format!("entry {index} must be a JSON object, but is {}", kind(entry.get())));
        }
        let fields = Fields::of(entry).map_err(|problem| format!("entry {index}: {problem}"))?;
        let collected = collect_message(&fields, Certainty::Message, states)
            .map_err(|problem| format!("entry {index}: {problem}"))?;
        if !collected {
            return Err(format!("entry {index} has neither `stream` nor `global` nor `data`"));
        }
    }
    Ok(())
}

/// A single message, an envelope, or the legacy object whose fields are the streams.
fn collect_object(object: &RawValue, states: &mut States) -> Result<(), String> {
    let fields = Fields::of(object)?;
    let certainty = certainty(&fields);
    match collect_message(&fields, certainty, states)? {
        true => Ok(()),
        false if certainty == Certainty::Message => {
            Err("it has neither `stream` nor `global` nor `data`".to_owned())
        }
        false => collect_legacy(object, states),
    }
}

/// A stream may be called `stream` or `data`, so a name proves little; but where a legacy object
/// has an object, text in `type` tells.
fn certainty(fields: &Fields<'_>) -> Certainty {
    match fields.get_if(&["type", "stateType"], '"') {
        Some(_) => Certainty::Message,
        None => Certainty::Either,
    }
}

/// Collects the states of a message or an envelope. Of several fields that could hold them the
/// first in the order below counts alone: sources that wrote `stream` repeated the states of all
/// streams in `data`, as they were before.
///
/// Returns whether there was such a field.
fn collect_message(fields: &Fields<'_>, certainty: Certainty, states: &mut States) -> Result<bool, String> {
    let certain = certainty == Certainty::Message;
    if let Some(stream) = fields.get_if(&["stream"], '{') {
        let stream = Fields::of(stream)?;
        if certain || has_descriptor(&stream) {
            return collect_stream(&stream, states).map(|()| true);
        }
    }
    if has_descriptor(fields) || (certain && fields.get_if(&DESCRIPTOR, '{').is_some()) {
        return collect_stream(fields, states).map(|()| true);
    }
    if let Some(global) = fields.get_if(&GLOBAL, '{') {
        let global = Fields::of(global)?;
        if certain || global.get_if(&STREAM_STATES, '[').is_some() {
            return collect_global(&global, states).map(|()| true);
        }
    }
    if fields.get_if(&STREAM_STATES, '[').is_some() {
        return collect_global(fields, states).map(|()| true);
    }
    if let Some(list) = fields.get_if(&LISTS, '[') {
        return collect_list(list, states).map(|()| true);
    }
    let state_type = fields.text("stateType").map(|text| text.to_ascii_lowercase());
    if let Some(inner) = fields.get_if(&AROUND, '{') {
        if state_type.as_deref() == Some("legacy") {
            return collect_legacy(inner, states).map(|()| true);
        }
        let inner = Fields::of(inner)?;
        let certainty = if certain { certainty } else { self::certainty(&inner) };
        if collect_message(&inner, certainty, states)? {
            return Ok(true);
        }
    }
    if let Some(data) = fields.get_if(&LEGACY, '{')
        && (certain || is_legacy_message(fields, data))
    {
        return collect_legacy(data, states).map(|()| true);
    }
    Ok(state_type.as_deref() == Some("not_set"))
}

/// Whether there is the descriptor of a stream, which no legacy state has in its place.
fn has_descriptor(fields: &Fields<'_>) -> bool {
    let descriptor = fields.get_if(&DESCRIPTOR, '{').and_then(|descriptor| Fields::of(descriptor).ok());
    descriptor.is_some_and(|descriptor| descriptor.get_if(&["name"], '"').is_some())
}

/// Whether an object without a type is a message with the legacy object `data`, and not a legacy
/// object with a stream of that name: there is nothing but a message's fields, and each state
/// within is an object.
fn is_legacy_message(fields: &Fields<'_>, data: &RawValue) -> bool {
    let of_message = |name: &String| LEGACY.contains(&name.as_str()) || REST.contains(&name.as_str());
    let states = Fields::of(data).map(|data| data.0).unwrap_or_default();
    fields.0.keys().all(of_message)
        && !states.is_empty()
        && states.values().all(|state| state.get().starts_with('{'))
}

fn collect_global(global: &Fields<'_>, states: &mut States) -> Result<(), String> {
    let Some(list) = global.get(&STREAM_STATES) else { return Ok(()) };
    for stream in parse_raw::<Vec<&RawValue>>(list)? {
        collect_stream(&Fields::of(stream)?, states)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(expecting = "an object with the `name` of a stream")]
struct WireDescriptor {
    name: String,
    namespace: Option<String>,
}

/// The state of one stream, beside its descriptor. Without one, it is none.
fn collect_stream(fields: &Fields<'_>, states: &mut States) -> Result<(), String> {
    let descriptor = fields.get(&DESCRIPTOR).ok_or("a state has no `stream_descriptor`")?;
    let WireDescriptor { name, namespace } = parse_raw(descriptor)?;
    let stream = StreamDescriptor::new(name, namespace);
    let state = fields.get(&STREAM_STATE);
    let state = state.map(|state| {
        Document::parse(state.get())
            .map_err(|problem| format!("the state of the stream `{}` {problem}", stream.name))
    });
    states.insert(stream, state.transpose()?);
    Ok(())
}

/// The object whose fields are the streams.
fn collect_legacy(object: &RawValue, states: &mut States) -> Result<(), String> {
    let streams: BTreeMap<String, &RawValue> = parse_raw(object)?;
    for (name, state) in streams {
        let state = match state.get() {
            "null" => None,
            text if text.starts_with('{') => Document::parse(text).ok(),
            other => {
                states.named.insert(name.clone());
                states.odd.insert(name, kind(other));
                continue;
            }
        };
        states.insert(StreamDescriptor::new(name, None), state);
    }
    // Where nothing is a state, it is neither a legacy object nor that of another program.
    match states.odd.first_key_value() {
        Some((name, kind)) if states.odd.len() == states.named.len() => Err(no_object(name, kind)),
        _ => Ok(()),
    }
}

fn no_object(stream: &str, kind: &str) -> String {
    format!("the state of the stream `{stream}` must be a JSON object, but is {kind}")
}

impl States {
    /// Notes a state, unless it says that there is none. A later one of the same stream replaces it.
    fn insert(&mut self, stream: StreamDescriptor, state: Option<Document>) {
        self.named.insert(stream.name.clone());
        match state {
            Some(state) if !says_nothing(&state) => self.states.insert(stream, state),
            _ => self.states.remove(&stream),
        };
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
            r#"{"data":{"customers":{"a":1}}}"#,
            r#"{"type":"STATE","state":{"data":{"customers":{"a":1}}}}"#,
            // Without a type, and with a wrong one.
            r#"{"stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}}"#,
            r#"{"state":{"stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}}}"#,
            r#"{"type":"LEGACY","stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}}"#,
            // The envelopes of Airbyte's API.
            r#"{"stateType":"stream","connectionId":"c","streamState":[{"streamDescriptor":{"name":"customers"},"streamState":{"a":1}}]}"#,
            r#"{"connectionId":"c","connectionState":{"stateType":"stream","streamState":[{"streamDescriptor":{"name":"customers"},"streamState":{"a":1}}],"globalState":null}}"#,
            r#"{"stateType":"global","globalState":{"sharedState":{},"streamStates":[{"streamDescriptor":{"name":"customers"},"streamState":{"a":1}}]}}"#,
            r#"{"stateType":"legacy","state":{"customers":{"a":1}}}"#,
            r#"{"stateType":"stream","stateMessages":[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":{"a":1}}}]}"#,
            r#"{"shared_state":{},"streamStates":[{"streamDescriptor":{"name":"customers"},"streamState":{"a":1}}]}"#,
            r#"{"streamDescriptor":{"name":"customers","namespace":""},"streamState":{"a":1}}"#,
            // An escape in a name, and a name twice.
            r#"{"custom\u0065rs":{"a":1}}"#,
            r#"{"customers":{"a":2},"customers":{"a":1}}"#,
        ] {
            assert_eq!(customers(text).as_deref(), Some(r#"{"a":1}"#), "{text}");
        }
    }

    #[test]
    fn no_state_may_be_said_in_many_ways() {
        for text in [
            "",
            " \r\n\t",
            "null",
            "[]",
            "{}",
            r#"{"stateType":"not_set"}"#,
            r#"{"stateType":"stream","streamState":[{"streamDescriptor":{"name":"customers"}}]}"#,
            r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":null},"data":{"customers":{"a":1}}}"#,
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
    fn beside_a_stream_or_a_global_state_what_all_streams_had_before_does_not_count() {
        let stream = |name: &str, state: &str| {
            format!(r#""stream":{{"stream_descriptor":{{"name":"{name}"}},"stream_state":{state}}}"#)
        };
        let data = r#""data":{"customers":{"a":0},"plans":{"b":0}}"#;
        for kind in [r#""type":"STREAM","#, r#""type":"LEGACY","#, ""] {
            let entries = [stream("customers", r#"{"a":1}"#), stream("plans", "null")]
                .map(|stream| format!("{{{kind}{stream},{data}}}"));
            let states = States::parse(&format!("[{}]", entries.join(","))).unwrap();
            let of = |name: &str| states.of(&StreamDescriptor::new(name, None)).map(Document::as_str);
            assert_eq!((of("customers"), of("plans")), (Some(r#"{"a":1}"#), None), "{kind}");
        }
        let global =
            r#""global":{"stream_states":[{"stream_descriptor":{"name":"plans"},"stream_state":{"b":1}}]}"#;
        assert_eq!(customers(&format!(r#"[{{"type":"GLOBAL",{global},{data}}}]"#)), None);
    }

    #[test]
    fn an_empty_namespace_is_none() {
        for namespace in ["", r#","namespace":"""#, r#","namespace":null"#] {
            let descriptor = format!(r#"{{"name":"customers"{namespace}}}"#);
            let text =
                format!(r#"[{{"stream":{{"stream_descriptor":{descriptor},"stream_state":{{"a":1}}}}}}]"#);
            assert_eq!(customers(&text).as_deref(), Some(r#"{"a":1}"#), "{text}");
        }
    }

    /// What a connector with the stream `customers` makes of it.
    fn recognized(text: &str) -> Result<Option<String>> {
        let customers = Stream {
            name: "customers".to_owned(),
            json_schema: Document::parse("{}").unwrap(),
            supported_sync_modes: vec![],
            primary_key: vec![],
            cursor_field: vec![],
            resumable: false,
        };
        States::parse(text)?.recognize(&[customers])
    }

    #[test]
    fn a_state_of_which_no_stream_is_known_is_told() {
        for (text, named) in [
            (r#"{"bookmarks":{"customers":{"created_at":"2024-01-01T00:00:00Z"}}}"#, "`bookmarks`"),
            (r#"{"bookmarks":{}}"#, "`bookmarks`"),
            (r#"{"bookmarks":{"customers":{}},"currently_syncing":"customers"}"#, "`currently_syncing`"),
            (r#"{"singer_state":{"bookmarks":{}}}"#, "`singer_state`"),
            (r#"[{"stream":{"stream_descriptor":{"name":"orders"},"stream_state":{"a":1}}}]"#, "`orders`"),
        ] {
            let warning = recognized(text).unwrap().unwrap();
            assert!(warning.contains(named) && warning.contains("nothing"), "{text}: {warning}");
        }
        for text in ["", "[]", "{}", r#"{"customers":{"a":1},"orders":{"a":1}}"#, r#"{"customers":null}"#] {
            assert_eq!(recognized(text).unwrap(), None, "{text}");
        }
    }

    #[test]
    fn a_known_stream_needs_an_object_for_its_state() {
        let error = recognized(r#"{"orders":{"a":1},"customers":"yesterday"}"#).unwrap_err();
        assert!(error.message().contains("the state of the stream `customers` must be a JSON object"));
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
        assert!(problem("{").starts_with("the state is not valid JSON: EOF"));
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
            problem(r#"[{"stream":{}}]"#),
            "the state is not understood: entry 0: a state has no `stream_descriptor`"
        );
        assert_eq!(
            problem("[[1]]"),
            "the state is not understood: entry 0 must be a JSON object, but is a list"
        );
    }
}
