//! Specifications and streams that are too large, too deep or different each time: each is refused
//! with how much it is, by every command, and nothing that is shown is long.

use std::fs;

use serde_json::{Value, json};

use crate::support::setup::{execute, inspect};
use crate::support::{Output, Setup, guests};

/// Bytes of anything that is shown about a component that was refused, at most.
const SHORT: usize = 4_000;

/// The guest that declares what this script says, with this config.
fn declarer(script: &Value, config: Value) -> Setup {
    let mut bytes = fs::read(guests::DECLARER.path()).unwrap();
    let sign = b"<script>";
    let at = bytes.windows(sign.len()).position(|window| window == sign).expect("a script");
    let (script, at) = (script.to_string(), at + sign.len());
    assert!(script.len() < 1_000, "the guest has no room for more");
    bytes[at..at + 2].copy_from_slice(b"  ");
    bytes[at..at + script.len()].copy_from_slice(script.as_bytes());
    let setup = Setup::guest(guests::DECLARER, config);
    let path = setup.file("declarer.wasm", &bytes);
    setup.component(path)
}

/// The output of `inspect` for the component of a setup.
fn inspected(setup: &Setup, arguments: &[&str]) -> std::process::Output {
    let mut command = inspect(setup.component_path());
    command.args(arguments);
    execute(command)
}

/// Checks that a command failed with this text among few others.
#[track_caller]
fn assert_refused(output: &Output, text: &str) {
    let error = output.error();
    assert_eq!(error.failure_type, "system_error", "{}", error.message);
    assert!(error.message.contains(text), "{}", error.message);
    assert!(output.stdout.len() < SHORT && output.stderr.len() < SHORT, "{}", output.stderr.len());
}

/// Checks that every command refuses what this script declares.
#[track_caller]
fn assert_refused_by_all(script: &Value, text: &str) {
    let setup = declarer(script, json!({}));
    for output in [setup.spec(), setup.check(), setup.discover(), setup.read(&["things0"])] {
        assert_refused(&output, text);
    }
    let output = inspected(&setup, &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(text) && stderr.len() < SHORT, "{stderr}");
}

#[test]
fn a_schema_that_is_too_large_is_refused_before_anything_looks_at_it() {
    for (script, text) in [
        (
            json!({"schema": "large", "count": 60_000_000}),
            "the config schema of 60000034 bytes, and 1048576 is the most",
        ),
        (json!({"schema": "nested", "count": 200}), "the config schema of 201 levels, and 100 is"),
        (json!({"schema": "values", "count": 100_000}), "it has more than 20000 values"),
        (json!({"schema": "(a{1000}){1000}", "count": 1}), "it has regular expressions that are too large"),
    ] {
        assert_refused_by_all(&script, text);
    }
}

#[test]
fn a_schema_that_demands_too_much_of_the_validator_is_not_followed() {
    for (script, text) in [
        (json!({"schema": "chain", "count": 400}), None),
        (
            json!({"schema": "chain", "count": 2_000}),
            Some("leads through more than 500 schemas within each other"),
        ),
        (json!({"schema": "double", "keyword": "anyOf", "count": 30}), Some("takes more than 200000 steps")),
    ] {
        let setup = declarer(&script, json!({}));
        assert_eq!(setup.spec().code, Some(0));
        assert!(inspected(&setup, &[]).status.success(), "{script}");
        let (check, discover) = (setup.check(), setup.discover());
        match text {
            None => assert_eq!((check.code, discover.code), (Some(0), Some(0)), "{}", check.stderr),
            Some(text) => {
                assert_refused(&check, text);
                assert_refused(&discover, text);
                assert_refused(&setup.read(&["things0"]), text);
            }
        }
    }
}

#[test]
fn inspecting_has_an_end() {
    let required = json!({"schema": "required", "count": 30});
    assert!(inspected(&declarer(&required, json!({})), &[]).status.success());
    let secrets = declarer(&json!({"schema": "secrets", "count": 1_000}), json!({}));
    let output = inspected(&secrets, &[]);
    assert!(output.status.success() && output.stdout.len() < 10_000);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("sealed secrets  and more"), "{stdout}");
}

#[test]
fn names_and_lists_of_a_specification_have_bounds() {
    let times = 8_000_000;
    for (script, text) in [
        (json!({"name": "x", "times": times}), "a name of 8000000 bytes, and 255 is the most"),
        (json!({"version": "x", "times": times}), "a version of 8000000 bytes, and 100 is the most"),
        (json!({"url": "x", "times": times}), "a URL of its documentation of 8000000 bytes, and 2048 is"),
        (json!({"hosts": 1_001, "host": "{at}.example"}), "a list of 1001 hosts, and 1000 is the most"),
    ] {
        assert_refused_by_all(&script, text);
    }
}

#[test]
fn a_specification_is_the_same_whenever_it_is_asked_for() {
    let setup = declarer(&json!({"way": "chance"}), json!({}));
    let seen = || {
        let output = inspected(&setup, &["--format", "json"]);
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(seen["name"].as_str().unwrap().starts_with("1577836800.0 "), "{seen}");
        (seen["name"].clone(), seen["specification"].clone())
    };
    let first = seen();
    assert_eq!([seen(), seen()], [first.clone(), first]);
    assert_refused_by_all(&json!({"way": "wait"}), "the connector waits in `spec`, where no time passes");
    assert_refused_by_all(
        &json!({"way": "request"}),
        "the connector makes a request when it is asked for its specification",
    );
}

#[test]
fn of_many_hosts_a_denial_names_a_few() {
    let script = json!({"hosts": 1_000, "host": "h{at}.example"});
    let setup = declarer(&script, json!({"url": "https://evil.example/path", "streams": {"name": "things"}}));
    let output = setup.read(&["things0"]);
    let denied: Vec<_> = output.logs().into_iter().filter(|log| log.message.starts_with("denied")).collect();
    assert_eq!(denied.len(), 1, "once");
    let message = &denied[0].message;
    assert!(message.contains(" and 995 more)") && message.len() < 1_000, "{message}");
    let output = inspected(&setup, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("and 900 more, which --format json lists"), "{text}");
    let inspected: Value = serde_json::from_slice(&inspected(&setup, &["--format", "json"]).stdout).unwrap();
    assert_eq!(inspected["hosts"].as_array().unwrap().len(), 1_000);
}

/// What `discover` says to streams that this script declares.
fn discovered(streams: &Value) -> Output {
    Setup::guest(guests::DECLARER, json!({ "streams": streams })).discover()
}

#[test]
fn streams_have_bounds() {
    for (streams, text) in [
        (json!({"count": 10_001}), "a list of 10001 streams, and 10000 is the most"),
        (json!({"name": "x", "times": 8_000_000}), "a stream with a name of 8000001 bytes, and 255 is"),
        (json!({"name": "x", "field": "x", "path": 1, "key": 1, "times": 254}), ""),
        (
            json!({"field": "x", "path": 1, "key": 1, "times": 256}),
            "a primary key of the stream `0` with a name of 256",
        ),
        (
            json!({"path": 101, "key": 1}),
            "a primary key of the stream `0` with a path of 101 names, and 100 is",
        ),
        (json!({"path": 101}), "a cursor of the stream `0` with a path of 101 names, and 100 is the most"),
        (json!({"key": 101}), "a primary key of the stream `0` of 101 fields, and 100 is the most"),
        (
            json!({"description": "x", "times": 2 << 20}),
            "the schema of the stream `0` of 2097170 bytes, and 1048576",
        ),
        (json!({"levels": 200}), "the schema of the stream `0` of 201 levels, and 100 is the most"),
    ] {
        let output = discovered(&streams);
        if text.is_empty() {
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        } else {
            assert_refused(&output, text);
        }
    }
}

#[test]
fn all_streams_together_have_a_bound() {
    let streams = json!({ "streams": { "count": 400, "description": "x", "times": 500_000 } });
    let setup = Setup::guest(guests::DECLARER, streams);
    let output = setup.discover();
    assert_refused(&output, "(--max-batch ");
    assert_refused(&setup.read(&["0"]), "(--max-batch ");
}

#[test]
fn what_large_connectors_declare_is_within_the_bounds() {
    let output =
        discovered(&json!({"count": 40, "description": "x", "times": 150_000, "path": 2, "levels": 60}));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(catalog(&output).len(), 40);
    let many = discovered(&json!({"count": 2_000, "key": 20, "path": 3, "field": "name"}));
    assert_eq!(catalog(&many).len(), 2_000);
}

#[test]
fn a_sync_mode_counts_once_however_often_it_is_declared() {
    let output = discovered(&json!({"modes": 1_000_000}));
    assert_eq!(catalog(&output)[0]["supported_sync_modes"], json!(["full_refresh", "incremental"]));
}

fn catalog(output: &Output) -> &Vec<Value> {
    let catalog = output.messages.iter().find_map(|message| message.catalog.as_ref()).unwrap();
    catalog["streams"].as_array().unwrap()
}

#[test]
fn hundreds_of_streams_that_fail_write_no_long_line() {
    let config = json!({"streams": {"count": 300}, "message": "why ", "times": 1 << 16});
    let setup = Setup::guest(guests::DECLARER, config);
    let config: &dyn AsRef<std::ffi::OsStr> = &setup.config_file();
    let output = setup.run(&[&"read", &"--config", config]);
    assert_eq!(output.code, Some(1));
    let summary = output.errors().into_iter().find(|error| error.stream_descriptor.is_none()).unwrap();
    assert!(summary.message.starts_with("300 of 300 streams were not read to their end; "));
    let longest = output.stdout.lines().map(str::len).max().unwrap();
    assert!(longest < 64 << 10, "{longest}");
    assert!(output.stderr.len() < 32 << 10, "{}", output.stderr.len());
}

#[test]
fn a_stream_that_is_not_there_brings_a_few_that_are() {
    let setup = Setup::guest(guests::DECLARER, json!({"streams": {"count": 10_000, "name": "things"}}));
    let output = setup.read(&["nothing"]);
    assert_eq!(output.error().failure_type, "config_error");
    assert!(
        output.stderr.contains("things49 and 9950 more") && output.stderr.len() < SHORT,
        "{}",
        output.stderr
    );
}

#[test]
fn every_property_that_is_missing_is_told_or_counted() {
    let setup = declarer(&json!({"schema": "missing", "count": 5_000}), json!({}));
    let output = setup.discover();
    let message = &output.error().message;
    assert!(message.contains("`p0` is missing") && message.ends_with("; and 4980 more"), "{message}");
}
