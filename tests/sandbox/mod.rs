//! Components that misbehave: each is stopped or rejected, earlier output is kept, and everything
//! else continues.
//!
//! Each module covers one kind of attack; the guests are in `tests/guests`, one component per file.

mod address_space;
mod answers;
mod crashes;
mod declarations;
mod environment;
mod exchange;
mod forgery;
mod frames;
mod hosts;
mod inspection;
mod limits;
mod loading;
mod memory;
mod records;
mod secrets;
mod spellings;
mod time;

use serde_json::{Value, json};

use crate::support::{Guest, Output, Setup};

/// Reads the stream in which a guest misbehaves.
fn read(guest: Guest, config: Value) -> Output {
    Setup::guest(guest, config).read(&["things"])
}

/// Checks that a read of `things` failed without losing earlier output. Returns the message.
#[track_caller]
fn assert_stopped(output: &Output) -> &str {
    let error = output.error();
    assert_eq!(error.failure_type, "system_error", "{}", error.message);
    assert_eq!(error.stream_descriptor.as_ref().map(|stream| stream.name.as_str()), Some("things"));
    assert_eq!(output.records("things")[..2], [r#"{"n":1}"#, r#"{"n":2}"#]);
    assert_eq!(output.states("things")[0].stream.stream_state, json!({ "n": 2 }));
    assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    &error.message
}

/// Checks that a read of `things` exceeded the limit that this flag raises.
#[track_caller]
fn assert_limited(output: &Output, flag: &str) {
    let message = assert_stopped(output);
    assert!(message.contains(&format!("({flag} ")), "{message}");
}

/// Checks that a read succeeded, and returns the output after the two good records.
#[track_caller]
fn told(output: &Output) -> Vec<Value> {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.assert_clean();
    assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "COMPLETE"]);
    output.records("things")[2..].iter().map(|record| serde_json::from_str(record).unwrap()).collect()
}
