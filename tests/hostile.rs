//! Components that misbehave: an error of that stream, and the host lives.

use serde_json::json;

use crate::support::{Output, Setup};

/// Reads the one stream of the guest `misbehave`, which does what `how` says after two good records.
fn misbehave(how: &str) -> Output {
    Setup::guest("misbehave", json!({ "how": how })).read(&["things"])
}

#[test]
fn what_came_before_a_crash_is_kept() {
    for how in ["panic", "trap"] {
        let output = misbehave(how);
        let error = output.error();
        assert_eq!(error.failure_type, "system_error");
        assert!(error.message.contains("crashed"), "{}", error.message);
        assert_eq!(output.records("things"), [r#"{"n":1}"#, r#"{"n":2}"#]);
        assert_eq!(output.states("things").len(), 1);
        assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    }
}

#[test]
fn the_last_words_of_a_crashed_component_are_for_the_engineer() {
    let output = Setup::guest("misbehave", json!({ "how": "panic" })).read(&["things"]);
    let error = output.errors()[0];
    assert!(error.internal_message.contains("on purpose"), "{}", error.internal_message);
    assert!(!error.message.contains("on purpose"));
}

#[test]
fn a_record_that_is_not_one_object_on_one_line_is_an_error_and_never_written() {
    for how in ["newline", "array", "not json", "two objects"] {
        let output = misbehave(how);
        assert_eq!(output.error().failure_type, "system_error", "{how}");
        assert_eq!(output.records("things").len(), 2, "{how}");
    }
}

#[test]
fn a_state_that_is_not_an_object_is_an_error() {
    let output = misbehave("bad state");
    assert_eq!(output.error().failure_type, "system_error");
}

#[test]
fn memory_has_an_end() {
    let output = misbehave("memory");
    assert_eq!(output.error().failure_type, "system_error");
}

#[test]
fn nothing_of_the_host_is_seen() {
    let output = misbehave("look around");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("things")[2], r#"{"arguments":0,"variables":0}"#);
    assert!(
        !output.stdout.contains("written by the guest") && !output.stderr.contains("written by the guest")
    );
}

#[test]
fn a_component_that_wants_files_is_refused_before_it_runs() {
    let output = Setup::guest("files", json!({})).spec();
    let error = output.error();
    assert_eq!(error.failure_type, "config_error");
    assert!(error.message.contains("wasi:filesystem/types"), "{}", error.message);
}

#[test]
fn a_host_that_was_not_asked_for_cannot_be_called() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let output = Setup::guest("misbehave", json!({ "how": "call", "url": url })).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("things")[2], r#"{"answer":"denied"}"#);
    assert!(output.logs().iter().any(|log| log.level == "WARN" && log.message.contains("127.0.0.1")));
    assert!(server.accept().is_err(), "the host was called");
}
