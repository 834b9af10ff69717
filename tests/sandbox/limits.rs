//! Limits on what a component may use. Each error names the flag that raises the limit.

use serde_json::{Value, json};

use super::assert_limited;
use crate::support::{Guest, Output, Setup, guests};

/// Reads `things` from a guest with these flags.
fn read(guest: Guest, config: Value, flags: &[&str]) -> Output {
    Setup::guest(guest, config).flags(flags).read(&["things"])
}

#[test]
fn memory_has_an_end() {
    let output = read(guests::MEMORY_HOG, json!({}), &["--max-memory", "64MiB"]);
    assert_limited(&output, "--max-memory");
    assert_eq!(
        output.error().message,
        "the connector was stopped because it took more than 64MiB of memory (--max-memory allows more)"
    );
}

#[test]
fn memory_has_an_end_without_a_flag() {
    assert_limited(&read(guests::MEMORY_HOG, json!({}), &[]), "--max-memory");
}

#[test]
fn computing_has_an_end() {
    let output = read(guests::ENDLESS_LOOP, json!({}), &["--max-compute", "200ms"]);
    assert_limited(&output, "--max-compute");
}

#[test]
fn computing_has_an_end_before_anything_is_read() {
    let setup = Setup::guest(guests::ENDLESS_SPEC, json!({})).flags(&["--max-compute", "200ms"]);
    for output in [setup.spec(), setup.check(), setup.discover(), setup.read(&["things"])] {
        let error = output.error();
        assert_eq!(error.failure_type, "system_error");
        assert!(error.message.contains("--max-compute"), "{}", error.message);
    }
}

#[test]
fn waiting_has_an_end() {
    let output = read(guests::ENDLESS_WAIT, json!({}), &["--max-call", "500ms"]);
    assert_limited(&output, "--max-call");
}

#[test]
fn waiting_is_not_computing() {
    let output = read(guests::ENDLESS_WAIT, json!({}), &["--max-compute", "50ms", "--max-call", "500ms"]);
    assert_limited(&output, "--max-call");
}

#[test]
fn handles_have_an_end() {
    for kind in ["pollables", "headers", "requests", "options"] {
        let output = read(guests::HANDLE_HOG, json!({ "kind": kind }), &["--max-handles", "1000"]);
        assert_limited(&output, "--max-handles");
    }
}

#[test]
fn handles_have_an_end_without_a_flag() {
    assert_limited(&read(guests::HANDLE_HOG, json!({ "kind": "pollables" }), &[]), "--max-handles");
}

#[test]
fn tables_have_an_end() {
    // Every component has a table for its indirect functions.
    let output = Setup::guest(guests::TRAP, json!({})).flags(&["--max-table-elements", "1"]).spec();
    let error = output.error();
    assert_eq!(error.failure_type, "system_error");
    assert!(error.message.contains("--max-table-elements"), "{}", error.message);
}

#[test]
fn a_batch_has_an_end() {
    let many = json!({ "records": 200_000 });
    assert_limited(&read(guests::GIANT_BATCH, many.clone(), &["--max-batch", "1MiB"]), "--max-batch");
    assert_eq!(read(guests::GIANT_BATCH, many, &[]).records("things").len(), 200_002);
}

#[test]
fn a_batch_has_an_end_without_a_flag() {
    assert_limited(&read(guests::GIANT_BATCH, json!({ "records": 3_000_000 }), &[]), "--max-batch");
}

#[test]
fn a_state_has_an_end() {
    let checkpoint = format!(r#"{{"a":"{}"}}"#, "x".repeat(2 << 20));
    let output = read(guests::ECHO, json!({ "checkpoint": checkpoint }), &["--max-batch", "1MiB"]);
    assert_limited(&output, "--max-batch");
}

#[test]
fn a_record_has_an_end_and_may_be_as_large_as_that() {
    let flags = ["--max-record", "64KiB"];
    let record = |bytes: usize| read(guests::HUGE_RECORD, json!({ "bytes": bytes }), &flags);
    assert_eq!(record(64 * 1024).records("things")[2].len(), 64 * 1024);
    assert_limited(&record(64 * 1024 + 1), "--max-record");
}

#[test]
fn a_log_has_an_end() {
    let output = read(guests::LOG_FLOOD, json!({}), &["--max-logs", "100"]);
    assert_limited(&output, "--max-logs");
    assert_eq!(output.logs().iter().filter(|log| log.message == "again").count(), 100);
}

#[test]
fn lines_that_are_not_shown_are_computing() {
    let output = read(
        guests::LOG_FLOOD,
        json!({ "level": "trace" }),
        &["--max-logs", "100", "--max-compute", "200ms"],
    );
    assert_limited(&output, "--max-compute");
    assert!(!output.logs().iter().any(|log| log.message == "again"));
}

#[test]
fn a_log_line_has_an_end() {
    let output = read(guests::TALKER, json!({ "lines": ["é"], "times": 1 << 20 }), &[]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let line = output.logs().into_iter().find(|log| log.message.starts_with("éé")).unwrap();
    assert!(line.message.len() < 20 * 1024, "{} bytes", line.message.len());
}

#[test]
fn a_sync_has_an_end_if_one_is_asked_for() {
    for quiet in [false, true] {
        let output = read(guests::BATCH_FLOOD, json!({ "quiet": quiet }), &["--max-sync", "3s"]);
        let error = output.error();
        assert!(error.message.contains("--max-sync"), "{}", error.message);
        assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
        assert_eq!(output.states("things").len(), 1);
    }
}

#[test]
fn a_component_has_an_end() {
    let output = Setup::guest(guests::TRAP, json!({})).flags(&["--max-component", "1KiB"]).spec();
    assert!(output.error().message.contains("--max-component"), "{}", output.stderr);
}

#[test]
fn compiling_has_an_end() {
    let flags = ["--max-compile", "1ms", "--no-cache"];
    let output = Setup::guest(guests::TRAP, json!({})).flags(&flags).spec();
    assert!(output.error().message.contains("--max-compile"), "{}", output.stderr);
}

#[test]
fn a_stream_that_is_stopped_leaves_the_others_alone() {
    let flags = ["--max-memory", "64MiB", "--max-compute", "200ms", "--max-call", "1s", "--max-logs", "100"];
    for guest in [guests::MEMORY_HOG, guests::ENDLESS_LOOP, guests::ENDLESS_WAIT, guests::LOG_FLOOD] {
        for streams in [["things", "good"], ["good", "things"]] {
            let output = Setup::guest(guest, json!({})).flags(&flags).read(&streams);
            assert_eq!(output.code, Some(1));
            output.assert_clean();
            assert_eq!(output.errors().len(), 2, "{guest}: {:?}", output.errors());
            assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"], "{guest}");
            assert_eq!(output.statuses("good"), ["STARTED", "RUNNING", "COMPLETE"], "{guest}");
            assert_eq!(output.records("good").len(), 2, "{guest}");
        }
    }
}

#[test]
fn streams_that_are_stopped_at_once_are_stopped_each() {
    let flags = ["--max-streams", "2", "--max-compute", "200ms"];
    let setup = Setup::guest(guests::ENDLESS_LOOP, json!({}));
    // Both are the same stream of the guest, distinguished by namespace.
    let mut catalog = crate::support::setup::catalog(&["things", "things"]);
    catalog["streams"][1]["stream"]["namespace"] = "another".into();
    let (config, catalog) = (setup.config_file(), setup.file("catalog.json", catalog.to_string()));
    let output = setup.flags(&flags).run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let stopped = output.errors().into_iter().filter(|error| error.message.contains("--max-compute"));
    assert_eq!(stopped.filter(|error| error.stream_descriptor.is_some()).count(), 2, "{}", output.stderr);
}
