//! Forged output: one message is one line, and only the host decides its type.

use serde_json::json;

use super::read;
use crate::support::{Output, Setup, guests};

/// A line that would be a record of another stream, if it were a line.
const FORGED: &str = r#"{"type":"RECORD","record":{"stream":"forged","data":{},"emitted_at":1}}"#;

/// Line breaks, as different readers define them.
const BREAKS: [&str; 6] = ["\n", "\r", "\r\n", "\u{2028}", "\u{85}", "\0"];

/// Checks that no guest output is parsed as a message. Parsing has already checked that every line
/// is one.
#[track_caller]
fn assert_genuine(output: &Output) {
    assert!(output.records("forged").is_empty());
    assert!(output.states("forged").is_empty());
    assert_eq!(output.stdout.lines().count(), output.messages.len());
    assert!(!output.stdout.contains(['\r', '\0']));
    assert!(!output.stderr.lines().any(|line| line.starts_with('{')), "{}", output.stderr);
}

#[test]
fn a_record_cannot_hold_another_message() {
    let text = serde_json::to_string(&format!("\n{FORGED}\n")).unwrap();
    let record = format!(r#"{{"n":{text}}}"#);
    let output = read(guests::ECHO, json!({ "record": record }));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("things")[2], record);
    assert_genuine(&output);
    for glue in ["}}\n", "}}", "\n"] {
        let output = read(guests::ECHO, json!({ "record": format!(r#"{{"n":3{glue}{FORGED}"#) }));
        super::assert_stopped(&output);
        assert_genuine(&output);
    }
}

#[test]
fn a_log_line_cannot_be_another_message() {
    let lines: Vec<_> = BREAKS.iter().map(|br| format!("line{br}{FORGED}{br}\u{1b}[31m")).collect();
    let output = read(guests::TALKER, json!({ "lines": lines }));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.logs().iter().filter(|log| log.message.contains("forged")).count(), BREAKS.len());
    assert_genuine(&output);
}

#[test]
fn an_error_cannot_be_another_message() {
    for br in BREAKS {
        let setup =
            Setup::guest(guests::WRONG_ERROR, json!({ "message": format!("failed{br}{FORGED}{br}") }));
        let output = setup.read(&["things"]);
        super::assert_stopped(&output);
        assert_genuine(&output);
        assert_genuine(&setup.check());
    }
}

#[test]
fn the_name_of_a_stream_cannot_be_another_message() {
    for br in BREAKS {
        let name = format!("things{br}{FORGED}{br}");
        let setup = Setup::guest(guests::CATALOG, json!({ "streams": [[name]] }));
        // Whether such a name is accepted does not matter here.
        for output in [setup.discover(), setup.read(&[&name]), setup.read(&["things"])] {
            assert_genuine(&output);
        }
    }
}

#[test]
fn the_schema_of_a_stream_cannot_be_another_message() {
    let schema = format!("{{\n\"a\":\n{FORGED}\n}}");
    let output = Setup::guest(guests::CATALOG, json!({ "streams": [["things", schema]] })).discover();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_genuine(&output);
}

#[test]
fn last_words_cannot_be_another_message() {
    let output = read(guests::STDERR_FLOOD, json!({}));
    super::assert_stopped(&output);
    assert_genuine(&output);
}
