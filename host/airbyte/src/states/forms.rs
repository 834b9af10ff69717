//! Collects states from each form of a state file.

use std::collections::BTreeMap;

use elt_host::types::{JsonObject, json_kind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::States;
use super::problem::Problem;
use crate::message::StreamDescriptor;

/// The names of a stream's descriptor, in a message and in Airbyte's API.
const DESCRIPTOR: [&str; 2] = ["stream_descriptor", "streamDescriptor"];
/// The names of its state.
const STREAM_STATE: [&str; 2] = ["stream_state", "streamState"];
/// The names of the list within a global state.
const STREAM_STATES: [&str; 2] = ["stream_states", "streamStates"];
/// The names of a global state.
const GLOBAL: [&str; 2] = ["global", "globalState"];
/// Lists of states or of state messages, in envelopes of Airbyte's API.
const LISTS: [&str; 2] = ["streamState", "stateMessages"];
/// The names of what is around a message or an envelope.
const AROUND: [&str; 2] = ["state", "connectionState"];
/// The names of what holds the legacy object.
const LEGACY: [&str; 2] = ["data", "legacyState"];
/// All other fields of a message, none of which holds a state.
const REST: [&str; 4] = ["type", "sourceStats", "destinationStats", "id"];

/// Collects the states of a text, in whatever form it is.
///
/// # Errors
///
/// What is not understood.
pub(super) fn collect(text: &RawValue, states: &mut States) -> Result<(), Problem> {
    match text.get().as_bytes().first() {
        Some(b'n') => Ok(()),
        Some(b'[') => collect_list(text, states),
        Some(b'{') => collect_object(text, states),
        _ => Err(Problem::NoList),
    }
}

/// The fields of an object, without those that are null. Of two that have one name, the last
/// counts.
struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    fn of(object: &'a RawValue) -> Result<Self, Problem> {
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

/// What is known about an object before its fields are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// It is a message or an envelope, since it says so or stands in a list of such.
    Message,
    /// It may also be a legacy object, whose streams can have any name.
    Either,
}

/// Collects a list of messages, or of states of single streams.
fn collect_list(list: &RawValue, states: &mut States) -> Result<(), Problem> {
    let entries: Vec<&RawValue> = parse_raw(list)?;
    for (index, entry) in entries.into_iter().enumerate() {
        if !entry.get().starts_with('{') {
            return Err(Problem::NoEntry { index, kind: json_kind(entry.get()) });
        }
        let collected =
            Fields::of(entry).and_then(|fields| collect_message(&fields, Certainty::Message, states));
        if !collected.map_err(|problem| problem.within(index))? {
            return Err(Problem::NoMessage { entry: Some(index) });
        }
    }
    Ok(())
}

/// Collects a single message, an envelope, or the legacy object whose fields are the streams.
fn collect_object(object: &RawValue, states: &mut States) -> Result<(), Problem> {
    let fields = Fields::of(object)?;
    let certainty = certainty(&fields);
    match collect_message(&fields, certainty, states)? {
        true => Ok(()),
        false if certainty == Certainty::Message => Err(Problem::NoMessage { entry: None }),
        false => collect_legacy(object, states),
    }
}

/// A stream may be called `stream` or `data`, so a name proves little. But text in `type` does,
/// because a legacy object has objects only.
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
fn collect_message(fields: &Fields<'_>, certainty: Certainty, states: &mut States) -> Result<bool, Problem> {
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

fn collect_global(global: &Fields<'_>, states: &mut States) -> Result<(), Problem> {
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

/// Collects the state of one stream, beside its descriptor.
fn collect_stream(fields: &Fields<'_>, states: &mut States) -> Result<(), Problem> {
    let descriptor = fields.get(&DESCRIPTOR).ok_or(Problem::NoDescriptor)?;
    let WireDescriptor { name, namespace } = parse_raw(descriptor)?;
    let stream = StreamDescriptor::new(name, namespace);
    let state = fields.get(&STREAM_STATE);
    let state = state.map(|state| {
        JsonObject::parse(state.get())
            .map_err(|problem| Problem::NoState { stream: stream.name.clone(), problem })
    });
    states.insert(stream, state.transpose()?);
    Ok(())
}

/// Collects the object whose fields are the streams.
fn collect_legacy(object: &RawValue, states: &mut States) -> Result<(), Problem> {
    let streams: BTreeMap<String, &RawValue> = parse_raw(object)?;
    for (name, state) in streams {
        let state = match state.get() {
            "null" => None,
            text if text.starts_with('{') => JsonObject::parse(text).ok(),
            other => {
                states.named.insert(name.clone());
                states.odd.insert(name, json_kind(other));
                continue;
            }
        };
        states.insert(StreamDescriptor::new(name, None), state);
    }
    // If nothing is a state, the file is neither a legacy object nor another program's.
    match states.odd.first_key_value() {
        Some((name, kind)) if states.odd.len() == states.named.len() => Err(Problem::odd(name, kind)),
        _ => Ok(()),
    }
}

fn parse_raw<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(Problem::Json)
}
