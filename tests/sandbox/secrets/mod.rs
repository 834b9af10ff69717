//! Secrets of the config: a component can use them without seeing them, and no output shows
//! them.

mod hosts;
mod output;
mod requests;
mod sealing;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::support::{Guest, Output, Server, Setup, guests};

/// With characters that JSON, URLs and terminals escape.
const SECRET: &str = r#"sk/51+"H4nd\s0ff%"#;
const PASSWORD: &str = "correct horse battery 51";

/// A guest whose config has two secrets.
fn guest(name: Guest, mut config: Value) -> Setup {
    config["api_key"] = SECRET.into();
    config["credentials"] = json!({ "password": PASSWORD });
    Setup::guest(name, config)
}

/// A guest that sends these requests, and may call this server.
fn caller(server: &str, requests: &Value) -> Setup {
    guest(guests::CALLER, json!({ "api_url": server, "requests": requests }))
}

/// The encodings in which a secret could appear.
fn forms(secret: &str) -> Vec<String> {
    let quoted = Value::from(secret).to_string();
    let escaped = quoted.trim_matches('"').to_owned();
    let encoded = reqwest::Url::parse_with_params("a:", [("", secret)]).unwrap();
    let encoded = encoded.query().unwrap().trim_start_matches('=').to_owned();
    vec![
        secret.to_owned(),
        escaped.replace('\\', r"\\"),
        escaped.replace('/', r"\/"),
        escaped,
        encoded.replace('+', "%20"),
        encoded,
        BASE64_STANDARD.encode(secret),
    ]
}

/// Checks that neither a secret nor its placeholder is shown.
#[track_caller]
fn assert_hidden(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        for form in [SECRET, PASSWORD].into_iter().flat_map(forms) {
            assert!(!text.contains(&form), "{form} is shown:\n{text}");
        }
        let token = |rest: &str| rest.len() >= 32 && rest.bytes().take(32).all(|b| b.is_ascii_hexdigit());
        assert!(!text.split("sealed").skip(1).any(token), "a token is shown:\n{text}");
    }
}

/// Checks that no part of the requests to a server contains a secret.
#[track_caller]
fn assert_unsent(server: &Server) {
    for request in server.requests() {
        let text = request.text();
        for form in [SECRET, PASSWORD].into_iter().flat_map(forms) {
            assert!(!text.contains(&form), "{form} was sent:\n{text}");
        }
    }
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

/// Values that keys have where no key is needed, and that also occur in data.
const ORDINARY: [&str; 8] =
    ["test", "name", "1234", "2024", "true", "c-test-1", "credits_ledger_entries", "2024-01-01T00:00:00Z"];
