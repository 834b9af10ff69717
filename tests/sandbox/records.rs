//! Records and states from a component: written unchanged, or not at all.

use serde_json::json;

use super::{assert_stopped, read};
use crate::support::{Setup, guests};

#[test]
fn a_record_that_is_not_one_object_on_one_line_is_an_error_and_never_written() {
    for record in [
        "{\"n\":\n3}",
        "{\"n\":3}\n",
        "{\"n\":3}\r",
        "{\"n\":3}\n{\"type\":\"STATE\"}",
        "[3]",
        "3",
        "null",
        r#""n""#,
        "",
        " ",
        r#"{"n":"#,
        r#"{"n":3} {"n":4}"#,
        r#"{"n":3},{"n":4}"#,
        r#"{"n":3}}"#,
        r#"{"n":3}}{"type":"STATE"#,
        r#" {"n":3}"#,
        r#"{n:3}"#,
        r#"{'n':3}"#,
        r#"{"n":NaN}"#,
        r#"{"n":Infinity}"#,
        r#"{"n":03}"#,
        r#"{"n":3,}"#,
        r#"{"n":3}//"#,
        "{\"n\":\"\t\"}",
        "{\"n\":\"\0\"}",
        "\u{feff}{\"n\":3}",
        r#"{"n":"\x41"}"#,
    ] {
        let output = read(guests::ECHO, json!({ "record": record }));
        let message = assert_stopped(&output);
        assert!(message.starts_with("the connector returned a record that "), "{message}");
        assert_eq!(output.records("things").len(), 2, "{record}");
    }
}

#[test]
fn a_record_that_is_merely_strange_passes_byte_for_byte() {
    for record in [
        "{}",
        "{ }",
        r#"{"":""}"#,
        r#"{"n":3} "#,
        r#"{"n":1,"n":2}"#,
        r#"{"n":"\u0000\u001b[31m\r\n\u2028"}"#,
        r#"{"n":"\ud800"}"#,
        r#"{"n":"\udc00\ud800"}"#,
        "{\"n\":\"\u{2028}\u{85}\u{7f}\u{200b}\u{202e}\"}",
        r#"{"n":1e999999,"m":-0.0,"o":123456789012345678901234567890.10}"#,
        r#"{"type":"STATE","state":{"type":"STREAM"}}"#,
    ] {
        let output = read(guests::ECHO, json!({ "record": record }));
        assert_eq!(output.code, Some(0), "{record}: {}", output.stderr);
        assert_eq!(output.records("things")[2], record.trim_end(), "{record}");
        assert!(output.stdout.contains(&format!(r#""data":{record}}}}}"#)), "{record}");
        let counts: Vec<f64> =
            output.states("things").iter().map(|state| state.source_stats.record_count).collect();
        assert_eq!(counts, [3.0], "{record}");
    }
}

#[test]
fn a_record_may_be_deep() {
    let output = read(guests::DEEP_RECORD, json!({ "levels": 100_000, "within": "1.50" }));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.records("things")[2].contains("[[1.50]]"));
}

#[test]
fn a_state_that_is_not_an_object_is_an_error() {
    for checkpoint in ["7", "null", "[]", "", r#""{}""#, r#"{"n":"#, "{}{}"] {
        let output = read(guests::ECHO, json!({ "record": r#"{"n":3}"#, "checkpoint": checkpoint }));
        let message = assert_stopped(&output);
        assert!(message.contains("a checkpoint that the connector returned"), "{message}");
        assert_eq!(output.states("things").len(), 1, "{checkpoint}");
    }
}

#[test]
fn a_state_is_written_on_one_line() {
    let output = read(guests::ECHO, json!({ "checkpoint": "{\n\"type\":\r\n\"RECORD\"}\n" }));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.states("things")[1].stream.stream_state, json!({ "type": "RECORD" }));
}

#[test]
fn a_deep_state_is_no_crash() {
    let checkpoint = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let setup = Setup::guest(guests::ECHO, json!({ "checkpoint": checkpoint }));
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["things"]));
    // Not parsed here: the tests' own JSON parser limits the depth.
    let mut command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let output = command.output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", output.status);
}
