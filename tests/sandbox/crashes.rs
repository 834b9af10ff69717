//! A component that crashes ends one stream, and not the host.

use serde_json::json;

use super::{assert_stopped, read};
use crate::support::{Setup, guests};

#[test]
fn what_came_before_a_crash_is_kept() {
    for guest in [guests::TRAP, guests::PANIC, guests::STACK_OVERFLOW, guests::RANDOM_HOG] {
        let message = assert_stopped(&read(guest, json!({}))).to_owned();
        assert_eq!(message, "the connector crashed in `next-batch`", "{guest}");
    }
}

#[test]
fn a_stream_that_crashes_leaves_the_others_alone() {
    let output = Setup::guest(guests::TRAP, json!({})).read(&["things", "good"]);
    assert_eq!(output.code, Some(1));
    assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    assert_eq!(output.statuses("good"), ["STARTED", "RUNNING", "COMPLETE"]);
    assert_eq!(output.records("good").len(), 2);
    let [first, summary] = output.errors()[..] else { panic!("{:?}", output.errors()) };
    assert!(first.stream_descriptor.is_some());
    assert!(summary.stream_descriptor.is_none());
    assert!(summary.message.starts_with("1 of 2 streams"), "{}", summary.message);
}

#[test]
fn the_last_words_of_a_crashed_component_are_for_the_engineer() {
    let output = read(guests::PANIC, json!({}));
    let error = output.error();
    assert!(error.internal_message.contains("on purpose"), "{}", error.internal_message);
    assert!(!error.message.contains("on purpose"));
}

#[test]
fn last_words_are_few() {
    let output = read(guests::STDERR_FLOOD, json!({}));
    assert_stopped(&output);
    assert!(output.error().internal_message.len() < 16 * 1024);
    assert!(output.stderr.len() < 16 * 1024);
    assert!(output.records("forged").is_empty());
}

#[test]
fn an_exit_in_the_middle_is_no_success() {
    let output = read(guests::EXIT, json!({}));
    let message = assert_stopped(&output);
    assert_eq!(message, "the connector exited with code 0 in `next-batch`");
}

#[test]
fn a_component_that_crashes_when_it_is_loaded_is_an_error() {
    let setup = Setup::guest(guests::START_TRAP, json!({}));
    for output in [setup.spec(), setup.check(), setup.discover(), setup.read(&["things"])] {
        let error = output.error();
        assert_eq!(error.failure_type, "system_error");
        assert_eq!(error.message, "the connector crashed in the start");
    }
}

#[test]
fn nothing_of_the_host_is_seen() {
    let output = read(guests::LOOK_AROUND, json!({}));
    assert_eq!(super::told(&output), [json!({ "arguments": 0, "variables": 0, "terminal": false })]);
    for text in [&output.stdout, &output.stderr] {
        assert!(!text.contains("written by the guest"), "{text}");
    }
}
