//! Requests that are not as they should be.

use serde_json::{Value, json};

use super::server::Server;

/// The error of an answer.
fn refused(server: &Server, method: &str, path: &str, body: &str) -> (u16, String) {
    let (status, text) = server.send(method, path, body);
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(answer["error"]["failure_type"], "config", "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    (status, answer["error"]["message"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs `make edge-http`"]
fn a_request_that_is_not_understood_is_answered_with_what_is_wrong_and_without_secrets() {
    let server = Server::start();
    let read = |body: &str| refused(&server, "POST", "/read", body);
    for (body, message) in [
        ("", "the body is not a JSON object"),
        ("s3cret", "the body is not a JSON object"),
        (r#"["s3cret"]"#, "the body is not a JSON object"),
        (r#"{"config": {"api_key": "s3cret"}"#, "the body is not a JSON object"),
        (r#"{"config": "s3cret", "stream": "x"}"#, "`config` must be an object"),
        (r#"{"stream": "customers"}"#, "`config` is missing"),
        (r#"{"config": {"api_key": "s3cret"}}"#, "`stream` is missing"),
        (r#"{"config": {}, "s3cret": 1}"#, "the body has an unknown field"),
        (r#"{"config": {}, "stream": 5}"#, "`stream` must be a string"),
        (r#"{"config": {}, "stream": "x", "state": "s3cret"}"#, "`state` must be an object"),
        (r#"{"config": {}, "stream": "x", "sync_mode": "s3cret"}"#, "`sync_mode` must be"),
        (r#"{"config": {}, "stream": "x", "budget": {"records": -1}}"#, "`budget.records` must be"),
        (r#"{"config": {}, "stream": "x", "budget": {"days": 1}}"#, "`budget` has an unknown field"),
        (r#"{"config": {"api_key": 5}, "stream": "x"}"#, "config: "),
    ] {
        let (status, found) = read(body);
        assert_eq!(status, 400, "{body}");
        assert!(found.starts_with(message), "{body}: {found}");
    }
    let deep = format!(r#"{{"config": {}"#, r#"{"a":"#.repeat(100_000));
    assert_eq!(read(&deep).0, 400);
    let config = json!({ "api_key": "s3cret", "start_date": "2024-01-01T00:00:00Z" });
    for (question, message) in [
        (json!({ "config": config, "stream": "nothing" }), "there is no stream"),
        (
            json!({ "config": config, "stream": "customers", "state": { "x": 1 } }),
            "its state is not understood",
        ),
    ] {
        let (status, found) = read(&question.to_string());
        assert!(status == 400 && found.contains(message), "{found}");
    }
}

#[test]
#[ignore = "needs `make edge-http`"]
fn other_paths_and_methods_are_refused() {
    let server = Server::start();
    for (method, path, status) in [
        ("GET", "/", 404),
        ("POST", "/reads", 404),
        ("GET", "/%2e%2e/spec", 404),
        ("POST", "/spec", 405),
        ("GET", "/read", 405),
        ("DELETE", "/check", 405),
        ("PUT", "/discover?x=1", 405),
    ] {
        assert_eq!(refused(&server, method, path, "{}").0, status, "{method} {path}");
    }
}

#[test]
#[ignore = "needs `make edge-http`"]
fn a_body_has_an_end() {
    let server = Server::start();
    let large = format!(r#"{{"config":{{"api_key":"{}"}}}}"#, "s3cret".repeat(1_000_000));
    assert_eq!(refused(&server, "POST", "/check", &large).0, 413);
    // Without a length, it is not known before it has been read.
    assert_eq!(server.send_endless("/check").0, 413);
}
