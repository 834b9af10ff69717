//! Properties of the states of a file, which another program wrote, for any bytes.

use std::collections::BTreeMap;

use elt_host::types::JsonObject;

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
}
