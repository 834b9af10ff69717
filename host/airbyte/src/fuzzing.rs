//! Properties of files that another program wrote, for any bytes: states, catalogs and configs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use elt_host::Config;
use elt_host::types::{JsonObject, Stream, SyncMode};
use serde_json::value::RawValue;

use crate::catalog::{ConfiguredCatalog, ConfiguredStream};
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

/// The streams of a catalog are those that `serde_json` finds in it, in their order, and are the
/// same if nothing else is written.
pub fn catalog(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(catalog) = ConfiguredCatalog::parse(text) else { return };
    let value: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
    let entries = value["streams"].as_array().expect("it has a list of streams");
    let names: Vec<&str> = entries.iter().filter_map(|entry| entry["stream"]["name"].as_str()).collect();
    let streams = resolve(&catalog, &names);
    let found: Vec<&str> = streams.iter().map(|stream| stream.descriptor.name.as_str()).collect();
    assert_eq!(found, names);
    let mut plain = String::new();
    for ConfiguredStream { descriptor, sync_mode } in &streams {
        let stream = serde_json::json!({ "name": descriptor.name, "namespace": descriptor.namespace });
        let mode = if *sync_mode == SyncMode::Incremental { "incremental" } else { "full_refresh" };
        let comma = if plain.is_empty() { "" } else { "," };
        let _ = write!(plain, r#"{comma}{{"stream":{stream},"sync_mode":"{mode}"}}"#);
    }
    let again = ConfiguredCatalog::parse(&format!(r#"{{"streams":[{plain}]}}"#)).expect("it is a catalog");
    assert_eq!(resolve(&again, &names), streams);
}

/// The streams of a catalog, for a connector that has streams of these names.
fn resolve(catalog: &ConfiguredCatalog, names: &[&str]) -> Vec<ConfiguredStream> {
    let stream = |name: &&str| Stream {
        name: (*name).to_owned(),
        json_schema: JsonObject::parse("{}").expect("an object"),
        supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        primary_key: vec![],
        cursor_field: vec![],
        resumable: false,
        group: None,
        selected_by_default: true,
        requests: None,
    };
    catalog.resolve(&names.iter().map(stream).collect::<Vec<_>>()).expect("the connector has them")
}

/// A config is what `serde_json` takes for one object, and keeps its text. Its debug form does not
/// show it.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let raw = serde_json::from_str::<&RawValue>(text);
    let is_object = raw.as_ref().is_ok_and(|raw| raw.get().starts_with('{'));
    let object = JsonObject::parse(text);
    let is_too_deep = raw.as_ref().is_err_and(|error| error.to_string().starts_with("recursion limit"));
    assert!(is_too_deep || object.is_ok() == is_object, "{object:?}");
    let (Ok(raw), Ok(object)) = (raw, object) else { return };
    assert_eq!(object.as_str(), raw.get());
    let shown = format!("{:?}", Config::from(object.clone()));
    assert!(object.as_str() == "{}" || !shown.contains(object.as_str()), "{shown}");
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
    fn a_catalog_has_the_streams_that_it_names() {
        corpus::check("catalog", super::catalog);
    }

    #[test]
    fn a_config_is_one_object_and_is_not_shown() {
        corpus::check("config", super::config);
    }
}
