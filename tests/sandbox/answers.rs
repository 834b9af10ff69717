//! What a component returns as its description and as errors.

use serde_json::json;

use super::assert_stopped;
use crate::support::{Setup, guests};

#[test]
fn a_specification_that_is_not_json_is_an_error() {
    let setup = Setup::guest(guests::WRONG_SPEC, json!({}));
    for output in [setup.spec(), setup.check(), setup.discover(), setup.read(&["things"])] {
        let error = output.error();
        assert_eq!(error.failure_type, "system_error");
        assert!(error.message.contains("the config schema"), "{}", error.message);
    }
}

#[test]
fn a_stream_whose_schema_is_not_an_object_is_an_error() {
    for schema in ["", "{", "[]", "true", "{}{}"] {
        let setup = Setup::guest(guests::CATALOG, json!({ "streams": [["things", schema]] }));
        for output in [setup.discover(), setup.read(&["things"])] {
            let error = output.error();
            assert_eq!(error.failure_type, "system_error");
            assert!(error.message.contains("the schema of the stream `things`"), "{}", error.message);
        }
    }
}

#[test]
fn a_catalog_of_streams_that_cannot_be_told_apart_is_an_error() {
    for streams in [json!([["things"], ["things"]]), json!([[""]])] {
        let setup = Setup::guest(guests::CATALOG, json!({ "streams": streams }));
        for output in [setup.discover(), setup.read(&["things"])] {
            assert_eq!(output.error().failure_type, "system_error", "{streams}");
        }
    }
}

#[test]
fn a_stream_that_cannot_be_read_in_any_way_is_an_error() {
    let setup = Setup::guest(guests::CATALOG, json!({ "streams": [["things"]], "modes": false }));
    for output in [setup.discover(), setup.read(&["things"])] {
        assert_eq!(output.error().failure_type, "system_error");
    }
}

#[test]
fn an_error_is_one_line_on_a_terminal_whatever_it_says() {
    let message = "first\nsecond\r\nthird\rfourth\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{8}\0\u{2028}fifth";
    let setup = Setup::guest(guests::WRONG_ERROR, json!({ "message": message }));
    let output = setup.read(&["things"]);
    assert_eq!(assert_stopped(&output).matches("fifth").count(), 1);
    let line = output.stderr.strip_suffix('\n').unwrap();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.contains("first") && line.contains("fifth"), "{line:?}");
    let checked = setup.check();
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert_eq!(checked.messages.last().unwrap().connection_status.as_ref().unwrap().status, "FAILED");
}

#[test]
fn an_error_of_megabytes_is_cut_off() {
    let setup = Setup::guest(guests::WRONG_ERROR, json!({ "message": "é\n", "times": 1 << 20 }));
    let output = setup.read(&["things"]);
    let message = assert_stopped(&output);
    assert!(message.starts_with('é'));
    for text in [message, &output.error().internal_message, &output.stderr] {
        assert!(text.len() < 128 * 1024, "{} bytes", text.len());
    }
}

#[test]
fn an_error_beyond_every_bound_is_told_as_such() {
    let output = Setup::guest(guests::WRONG_ERROR, json!({ "message": "too much", "times": 1 << 20 }))
        .flags(&["--max-batch", "1MiB"])
        .read(&["things"]);
    super::assert_limited(&output, "--max-batch");
}
