//! Properties that hold for any bytes in a state file or a catalog, which another program may have
//! written.

use std::collections::BTreeMap;

use elt_host::types::{JsonObject, SyncMode};
use serde_json::Value;

use crate::catalog::ConfiguredCatalog;
use crate::message::StreamDescriptor;
use crate::states::States;

/// What is understood of a text is a part of it, and is the same in each of the other forms.
pub fn states(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(states) = States::parse(text) else { return };
    let states = entries(&states);
    let whole =
        JsonObject::parse(&format!(r#"{{"a":{}}}"#, if text.trim().is_empty() { "null" } else { text }));
    let whole = whole.expect("it is JSON").as_str().to_owned();
    for (stream, state) in &states {
        assert!(whole.contains(state.as_str()), "{state} of {stream:?} is not in the text");
    }
    for camel in [false, true] {
        let entries = states.iter().map(|(stream, state)| entry(stream, state, camel));
        let entries = entries.collect::<Vec<_>>().join(",");
        let streams = if camel { "streamStates" } else { "stream_states" };
        for form in [
            format!("[{}]", messages(&states, camel)),
            format!(r#"{{"type":"GLOBAL","global":{{"{streams}":[{entries}]}}}}"#),
            format!(r#"{{"stateType":"stream","streamState":[{entries}]}}"#),
        ] {
            let read = States::parse(&form).unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(self::entries(&read), states, "{form}");
        }
    }
}

/// A catalog is accepted if each of its streams has a name of its own and a sync mode that exists.
/// These are understood as they are written, in their order.
pub fn catalogs(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let parsed = ConfiguredCatalog::parse(text);
    // An error if it has a number that no `Value` can hold.
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    let Some(expected) = streams(&value) else {
        assert!(parsed.is_err(), "{text} is accepted");
        return;
    };
    let catalog = match parsed {
        Ok(catalog) => catalog,
        Err(error) => {
            // Of fields that stand twice, a `Value` has the last.
            assert_ne!(colons(text), fields(&value), "{text}: {error}");
            return;
        }
    };
    let understood = catalog.streams().iter().map(|stream| {
        let descriptor = &stream.descriptor;
        (descriptor.name.clone(), descriptor.namespace.clone(), stream.sync_mode)
    });
    assert_eq!(understood.collect::<Vec<_>>(), expected);
}

/// The streams of a configured catalog. `None` if it is not one.
fn streams(catalog: &Value) -> Option<Vec<(String, Option<String>, SyncMode)>> {
    let mut streams = Vec::new();
    for entry in catalog.get("streams")?.as_array()? {
        let stream = entry.get("stream")?;
        let name = stream.get("name")?.as_str()?.to_owned();
        let namespace = match stream.get("namespace") {
            None | Some(Value::Null) => None,
            Some(namespace) => Some(namespace.as_str()?.to_owned()).filter(|name| !name.is_empty()),
        };
        let mode = match entry.get("sync_mode")?.as_str()? {
            "full_refresh" => SyncMode::FullRefresh,
            "incremental" => SyncMode::Incremental,
            _ => return None,
        };
        if streams.iter().any(|(other, of, _)| *other == name && *of == namespace) {
            return None;
        }
        streams.push((name, namespace, mode));
    }
    Some(streams)
}

/// Fields of all objects in `value`.
fn fields(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(fields).sum::<usize>(),
        Value::Array(list) => list.iter().map(fields).sum(),
        _ => 0,
    }
}

/// Colons of `text` that are not in its strings.
fn colons(text: &str) -> usize {
    let (mut in_string, mut escaped) = (false, false);
    let is_colon = |c: &char| {
        let is_colon = *c == ':' && !in_string;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        is_colon
    };
    text.chars().filter(is_colon).count()
}

/// Every state, by name and namespace.
fn entries(states: &States) -> BTreeMap<(String, Option<String>), String> {
    let entry = |(stream, state): (&StreamDescriptor, &JsonObject)| {
        ((stream.name.clone(), stream.namespace.clone()), state.as_str().to_owned())
    };
    states.iter().map(entry).collect()
}

fn messages(states: &BTreeMap<(String, Option<String>), String>, camel: bool) -> String {
    let message = |(stream, state): (&(String, Option<String>), &String)| {
        format!(r#"{{"type":"STREAM","stream":{}}}"#, entry(stream, state, camel))
    };
    states.iter().map(message).collect::<Vec<_>>().join(",")
}

fn entry((name, namespace): &(String, Option<String>), state: &str, camel: bool) -> String {
    let names =
        if camel { ("streamDescriptor", "streamState") } else { ("stream_descriptor", "stream_state") };
    let (descriptor, of_state) = names;
    let stream = serde_json::json!({ "name": name, "namespace": namespace });
    format!(r#"{{"{descriptor}":{stream},"{of_state}":{state}}}"#)
}

#[cfg(test)]
mod tests {
    #[test]
    fn states_are_the_same_in_every_form() {
        corpus::check("states", super::states);
    }

    #[test]
    fn catalogs_are_what_a_naive_reader_takes_them_for() {
        corpus::check("catalogs", super::catalogs);
    }
}
