use super::*;
use crate::fixtures::bare;

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
        let of = |name: &str| states.of(&StreamDescriptor::new(name, None)).map(JsonObject::as_str);
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
        let text = format!(r#"[{{"stream":{{"stream_descriptor":{descriptor},"stream_state":{{"a":1}}}}}}]"#);
        assert_eq!(customers(&text).as_deref(), Some(r#"{"a":1}"#), "{text}");
    }
}

/// What a connector with the stream `customers` makes of it.
fn recognized(text: &str) -> Result<Option<String>> {
    States::parse(text)?.recognize(&[bare("customers")])
}

#[test]
fn a_state_of_which_no_stream_is_known_is_reported() {
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
    assert!(problem(r#"[{"stream":{"stream_descriptor":{}}}]"#).contains("entry 0: missing field `name`"));
    assert_eq!(
        problem(r#"[{"stream":{}}]"#),
        "the state is not understood: entry 0: a state has no `stream_descriptor`"
    );
    assert_eq!(problem("[[1]]"), "the state is not understood: entry 0 must be a JSON object, but is a list");
}
