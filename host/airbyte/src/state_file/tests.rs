use std::fs;

use super::*;

fn stream(name: &str) -> StreamDescriptor {
    StreamDescriptor { name: name.to_owned(), namespace: None }
}

/// The content of a file after a state of the stream `a` was saved.
fn saved(content: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    if let Some(content) = content {
        fs::write(&path, content).unwrap();
    }
    let (mut file, _) = StateFile::open(&path).unwrap();
    file.set(&stream("a"), &JsonObject::parse(r#"{"at":2}"#).unwrap());
    file.place().write(&file.text()).unwrap().put().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(States::parse(&text).unwrap().of(&stream("a")).unwrap().as_str(), r#"{"at":2}"#);
    text
}

const TOLD: &str = r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{"at":2}}}"#;

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
fn of_two_states_of_a_stream_none_outlives_what_was_saved() {
    let entry = |state: &str| {
        format!(r#"{{"stream":{{"stream_descriptor":{{"name":"a"}},"stream_state":{state}}}}}"#)
    };
    assert_eq!(saved(Some(&format!("[{},{}]", entry("{}"), entry("null")))), format!("[\n{TOLD}\n]\n"));
}

#[test]
fn a_state_replaces_none_of_a_stream_with_the_same_name_in_another_namespace() {
    let other = r#"{"type":"STREAM","stream":{"stream_descriptor":{"name":"a","namespace":"n"},"stream_state":{"at":1}}}"#;
    assert_eq!(saved(Some(&format!("[{other}]"))), format!("[\n{other},\n{TOLD}\n]\n"));
}

#[test]
fn what_is_there_stays_until_the_new_states_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let before = r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"b"},"stream_state":{"at":1}}}]"#;
    fs::write(&path, before).unwrap();
    let (mut file, _) = StateFile::open(&path).unwrap();
    let opened = fs::File::open(&path).unwrap();
    file.set(&stream("a"), &JsonObject::parse(r#"{"at":2}"#).unwrap());
    let written = file.place().write(&file.text()).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    written.put().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(TOLD));
    assert_eq!(io::read_to_string(opened).unwrap(), before, "it was written over");
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
    assert_eq!(error.failure_type(), elt_host::FailureType::Transient);
    assert!(error.message().starts_with("another read uses the state file"), "{error}");
    drop(first);
    StateFile::open(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
