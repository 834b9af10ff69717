//! Components have tokens instead of secrets.

use serde_json::{Value, json};

use super::{ORDINARY, PASSWORD, SECRET, assert_hidden, backwards, caller, guest};
use crate::{
    sandbox::{assert_stopped, told},
    support::{Answer, Server, Setup, guests},
};

#[test]
fn a_component_never_has_its_secrets() {
    let output = guest(guests::SMUGGLER, json!({})).flags(&["--debug"]).read(&["things"]);
    assert_stopped(&output);
    assert_hidden(&output);
    let record: Value = serde_json::from_str(&output.records("things")[2]).unwrap();
    assert_eq!(record["key"], "****");
    // No filter recognizes reversed text: this is the secret's placeholder.
    assert!(!output.stdout.contains(&backwards(SECRET)));
    let token = backwards(record["backwards"].as_str().unwrap());
    assert!(token.starts_with("sealed"), "{token}");
    assert!(output.logs().iter().any(|log| log.message == "the key is ****, the password is ****"));
    // Its state contains the secrets, so it is not emitted.
    assert_eq!(output.states("things").len(), 1);
}

#[test]
fn a_state_with_a_secret_in_it_is_an_error_and_is_not_kept() {
    let state = |text: &str| json!({ "checkpoint": json!({ "n": text }).to_string() });
    let saving = ["--state", "state.json", "--save-state"];
    for (flags, what) in [(&[][..], "the value"), (&["--expose-secrets"], "the value that is exposed")] {
        let setup = guest(guests::ECHO, state(&format!("after {PASSWORD}"))).flags(&saving).flags(flags);
        let output = setup.read(&["things"]);
        let message = assert_stopped(&output);
        assert!(message.contains("the state has a secret of the config in it"), "{what}: {message}");
        assert_hidden(&output);
        assert_eq!(output.states("things").len(), 1, "{what}");
        let saved = std::fs::read_to_string(setup.folder().join("state.json")).unwrap();
        assert!(saved.contains(r#""stream_state":{"n":2}"#) && !saved.contains("after"), "{what}: {saved}");
    }
}

#[test]
fn a_key_that_may_stand_in_data_by_chance_alters_none() {
    let record = r#"{"id":"c-test-1","name":"credits_ledger_entries","n":1234.50,"ok":true,"at":"2024-01-01T00:00:00Z"}"#;
    let state = r#"{"name":"c-test-1","n":1234,"at":"2024-01-01T00:00:00Z","of":"credits_ledger_entries"}"#;
    for key in ORDINARY {
        let config = json!({ "api_key": key, "record": record, "checkpoint": state });
        let output = Setup::guest(guests::ECHO, config)
            .flags(&["--state", "s.json", "--save-state"])
            .read(&["things"]);
        assert_eq!(output.code, Some(0), "{key}: {}", output.stderr);
        assert_eq!(output.records("things")[2], record, "{key}");
        assert_eq!(output.states("things")[1].stream.stream_state.to_string(), state, "{key}");
        let warned = |log: &&crate::support::output::Log| {
            log.level == "WARN" && log.message.contains("`api_key` is too short or too plain")
        };
        assert_eq!(output.logs().into_iter().filter(warned).count(), 1, "{key}: {}", output.stdout);
    }
    let config = json!({ "api_key": SECRET, "record": record });
    let output = Setup::guest(guests::ECHO, config).read(&["things"]);
    assert!(output.logs().iter().all(|log| log.level != "WARN"), "{}", output.stdout);
}

#[test]
fn a_header_keeps_what_is_a_secret_by_chance() {
    let server = Server::start(|_| Answer::with("200 OK", &[("x-page", "60"), ("x-kind", "json")], ""));
    for key in ["60", "json", "application/json"] {
        let requests = json!([{ "url": server.url(), "headers": [] }]);
        let config = json!({ "api_key": key, "api_url": server.url(), "requests": requests });
        let output = Setup::guest(guests::CALLER, config).read(&["things"]);
        let answer = &told(&output)[0];
        assert_eq!(
            (&answer["headers"]["x-page"], &answer["headers"]["x-kind"]),
            (&json!("60"), &json!("json"))
        );
    }
}

#[test]
fn a_token_is_another_in_each_run() {
    let token = || {
        let output = guest(guests::SMUGGLER, json!({})).read(&["things"]);
        let record: Value = serde_json::from_str(&output.records("things")[2]).unwrap();
        record["backwards"].clone()
    };
    assert_ne!(token(), token());
}

#[test]
fn a_secret_of_many_lines_can_be_exposed() {
    let key = "-----BEGIN KEY-----\n0123456789abcdef\n-----END KEY-----\n";
    let server = Server::ok();
    let requests = json!([{ "url": server.url(), "method": "POST", "body": "{key}" }]);
    let config = json!({ "api_url": server.url(), "api_key": key, "requests": requests });
    let output = Setup::guest(guests::CALLER, config).flags(&["--expose-secrets"]).read(&["things"]);
    told(&output);
    assert_eq!(server.requests()[0].body, key.as_bytes());
}

#[test]
fn secrets_that_are_exposed_are_told_of_and_still_not_shown() {
    let output = guest(guests::SMUGGLER, json!({})).flags(&["--debug", "--expose-secrets"]).read(&["things"]);
    assert_stopped(&output);
    assert_hidden(&output);
    let record: Value = serde_json::from_str(&output.records("things")[2]).unwrap();
    assert_eq!(record["backwards"], backwards(SECRET));
    let warned =
        output.logs().into_iter().any(|log| log.level == "WARN" && log.message.contains("--expose-secrets"));
    assert!(warned, "{}", output.stdout);
    let panicked = guest(guests::PANIC, json!({})).flags(&["--expose-secrets"]).read(&["things"]);
    assert_stopped(&panicked);
    assert_hidden(&panicked);
}

#[test]
fn secrets_that_are_exposed_can_be_sent_anywhere_within_a_granted_host() {
    let server = Server::ok();
    let requests = json!([{ "url": server.url(), "method": "POST", "body": "{key}" }]);
    let output = caller(&server.url(), &requests).flags(&["--expose-secrets"]).read(&["things"]);
    assert_eq!(told(&output)[0]["answer"], 200);
    assert_eq!(server.requests()[0].body, SECRET.as_bytes());
    assert_hidden(&output);
}

#[test]
fn secrets_are_sealed_however_the_schema_marks_them() {
    let real = |name: &str| format!("real-{name}-51");
    let names = [
        "pointer",
        "anchor",
        "encoded_anchor",
        "relative",
        "absolute",
        "chain",
        "beside",
        "nowhere_else",
        "text",
        "all",
        "any",
        "then",
        "else",
        "dependent",
    ];
    let mut config: Value = names.iter().map(|name| ((*name).to_owned(), json!(real(name)))).collect();
    config["number"] = 518_273_645.into();
    config["object"] = json!({ "inner": [real("object")] });
    config["positions"] = json!(["plain", real("positions")]);
    config["others"] = json!(["plain", real("others")]);
    config["contained"] = json!([real("contained")]);
    config["patterned"] = json!({ "s": real("patterned") });
    config["additional"] = json!({ "any": real("additional") });
    let output = Setup::guest(guests::MARKED, config.clone()).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let record: Value = serde_json::from_str(&output.records("things")[2]).unwrap();
    let given = backwards(record["backwards"].as_str().unwrap());
    assert!(given.starts_with('{') && given.contains("sealed"), "{given}");
    for secret in ["real-", "518273645"] {
        assert!(!given.contains(secret), "{given}");
    }
}
