//! No output shows a secret.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{PASSWORD, SECRET, assert_hidden, caller, forms, guest};
use crate::{
    sandbox::{assert_stopped, told},
    support::{Answer, Server, Setup, guests},
};

#[test]
fn last_words_hide_secrets() {
    let output = guest(guests::PANIC, json!({})).read(&["things"]);
    assert_stopped(&output);
    assert_hidden(&output);
    let internal = &output.error().internal_message;
    assert!(internal.contains("on purpose, with the key ****"), "{internal}");
}

#[test]
fn errors_hide_secrets_that_a_user_wrote_where_they_do_not_belong() {
    for (message, hidden) in
        [(SECRET, "****"), ("the key sk/51+\"H4nd\\s0ff% is wrong", "the key **** is wrong")]
    {
        let setup = guest(guests::WRONG_ERROR, json!({ "message": message }));
        let output = setup.read(&["things"]);
        assert_eq!(assert_stopped(&output), hidden);
        assert_hidden(&output);
        assert_hidden(&setup.check());
    }
}

#[test]
fn output_hides_secrets_in_every_form() {
    let lines: Vec<_> = [SECRET, PASSWORD].into_iter().flat_map(forms).collect();
    let output = guest(guests::TALKER, json!({ "lines": lines })).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_hidden(&output);
}

#[test]
fn a_secret_that_comes_back_in_a_body_is_not_shown() {
    let server = Server::start(|request| Answer::ok(request.header("x-key").unwrap_or_default()));
    let requests = json!([{ "url": server.url(), "headers": [["x-key", "{key}"]] }]);
    let output = caller(&server.url(), &requests).read(&["things"]);
    assert_eq!(told(&output)[0]["body"], "****");
    assert_hidden(&output);
}

#[test]
fn a_secret_that_is_cut_off_is_not_shown_in_part() {
    // Lines are cut at 8 KiB, and a little before that: try every position of the secret.
    let lines: Vec<_> =
        (1..SECRET.len() + 60).map(|at| "x".repeat(8 * 1024 - at) + SECRET + &"y".repeat(100)).collect();
    let output = guest(guests::TALKER, json!({ "lines": lines })).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(!output.stdout.contains("xsk/51"), "a part of a secret is shown");
}

#[test]
fn a_secret_that_is_also_a_word_of_the_protocol_breaks_no_message() {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
    let words = ["type", "record", "RECORD", "data", "stream", "emitted_at", "TRACE", "things", "STARTED"];
    for secret in words.into_iter().chain([&millis[..4], &millis[..6]]) {
        let config = json!({ "api_key": secret, "lines": [format!("said {secret}")] });
        // Parsing has already checked that every line is a message.
        let output = Setup::guest(guests::TALKER, config).read(&["things"]);
        assert_eq!(output.code, Some(0), "{secret}: {}", output.stderr);
        assert_eq!(output.records("things").len(), 2, "{secret}");
        assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "COMPLETE"], "{secret}");
        assert!(output.logs().iter().any(|log| log.message == "said ****"), "{secret}");
    }
}

#[test]
fn hiding_a_secret_breaks_no_message() {
    // A match for the secret starts inside an escape, in a record nested deeper than most JSON
    // parsers allow.
    for (secret, within) in [
        ("nothing-much-0123456789", r"\nothing-much-0123456789"),
        ("u0041bcdef0123456789", r"\u0041bcdef0123456789"),
        (r#"\"tail-0123456789"#, r#"\\\"tail-0123456789"#),
    ] {
        for levels in [1, 200, 10_000] {
            let within = format!(r#""{within}""#);
            let config = json!({ "api_key": secret, "levels": levels, "within": within });
            let output = Setup::guest(guests::DEEP_RECORD, config).read(&["things"]);
            assert_eq!(output.code, Some(0), "{}", output.stderr);
            assert_eq!(output.records("things").len(), 3, "{secret} within {levels} levels");
        }
    }
}

#[test]
fn hiding_a_secret_changes_nothing_else_of_a_record() {
    let record =
        |text: &str| format!(r#"{{"b":1.500,"a":1e400,"a":12345678901234567890123,"z":"\u00e4{text}"}}"#);
    let output = guest(guests::ECHO, json!({ "record": record(PASSWORD) })).read(&["things"]);
    assert_eq!(output.records("things")[2], record("****"));
}

#[test]
fn a_name_with_a_secret_in_it_is_refused_and_not_masked() {
    let schema = json!({ "properties": { (SECRET): {} } }).to_string();
    for stream in [json!([SECRET]), json!(["sk%2F51%2b\"H4nd\\s0ff%25"]), json!(["a", schema])] {
        let setup = guest(guests::CATALOG, json!({ "streams": [["things"], stream] }));
        let table = setup.run(&[&"discover", &"--config", &setup.config_file(), &"--format", &"table"]);
        assert!(
            table.stdout.is_empty() && table.stderr.contains("a name or schema of a stream has a secret")
        );
        for output in [setup.discover(), setup.read(&["things"]), table] {
            assert_eq!(output.code, Some(1), "{}", output.stdout);
            assert!(output.messages.iter().all(|message| message.catalog.is_none()));
            assert_hidden(&output);
        }
    }
}

#[test]
fn records_and_logs_hide_secrets_in_every_spelling() {
    const KEY: &str = "sk/Live+0123456789&x<y";
    let base64 = |before: &str| BASE64_STANDARD.encode(format!("{before}{KEY}"));
    for written in [
        r"sk\/Live+0123456789\u0026x\u003Cy".to_owned(),
        r"\u0073k/Live\u002B0123456789\u0026x\u003cy".to_owned(),
        r"sk\\/Live+0123456789\\u0026x\\u003cy".to_owned(),
        "sk%2FLive%2B0123456789%26x%3Cy".to_owned(),
        "sk%2fLive%2b0123456789&x%3cy".to_owned(),
        base64(""),
        base64("u"),
        base64("us"),
        base64("user:").replace('/', r"\/"),
    ] {
        let record = format!(r#"{{"a":"- {written} -","b":1.50}}"#);
        let config = json!({ "api_key": KEY, "record": record });
        let output = Setup::guest(guests::ECHO, config).read(&["things"]);
        assert_eq!(output.records("things")[2], r#"{"a":"- **** -","b":1.50}"#, "{written}");
        let config = json!({ "api_key": KEY, "lines": [format!("- {written} -")] });
        let output = Setup::guest(guests::TALKER, config).read(&["things"]);
        assert!(output.logs().iter().any(|log| log.message == "- **** -"), "{written}: {}", output.stdout);
        let state = format!(r#"{{"a":"{written}"}}"#);
        let output =
            Setup::guest(guests::ECHO, json!({ "api_key": KEY, "checkpoint": state })).read(&["things"]);
        assert!(assert_stopped(&output).contains("the state has a secret"), "{written}");
    }
}
