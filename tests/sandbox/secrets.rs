//! Secrets of the config: a component can use them without seeing them, and no output shows
//! them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{assert_stopped, told};
use crate::support::{Answer, Canary, Guest, Output, Server, Setup, guests};

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

/// Values that keys have where no key is needed, and that also occur in data.
const ORDINARY: [&str; 8] =
    ["test", "name", "1234", "2024", "true", "c-test-1", "credits_ledger_entries", "2024-01-01T00:00:00Z"];

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
fn the_door_puts_secrets_into_headers() {
    let server = Server::ok();
    let headers = json!([
        ["authorization", "Bearer {key}"],
        ["x-api-key", "{key}"],
        ["cookie", "session={key}; other={password}"],
    ]);
    let basic = json!([["authorization", "Basic {basic}"]]);
    let requests =
        json!([{ "url": server.url(), "headers": headers }, { "url": server.url(), "headers": basic }]);
    let output = caller(&server.url(), &requests).flags(&["--debug"]).read(&["things"]);
    assert!(told(&output).iter().all(|answer| answer["answer"] == 200));
    assert_hidden(&output);
    let [first, second] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert_eq!(first.header("authorization"), Some(&*format!("Bearer {SECRET}")));
    assert_eq!(first.header("x-api-key"), Some(SECRET));
    assert_eq!(first.header("cookie"), Some(&*format!("session={SECRET}; other={PASSWORD}")));
    let credentials = BASE64_STANDARD.encode(format!("{SECRET}:{PASSWORD}"));
    assert_eq!(second.header("authorization"), Some(&*format!("Basic {credentials}")));
}

#[test]
fn the_door_puts_secrets_nowhere_else() {
    let server = Server::ok();
    let requests = json!([
        { "url": server.url(), "path": "/{key}" },
        { "url": server.url(), "path": "/?key={key}&password={password}" },
        { "url": server.url(), "path": "/?basic={basic}" },
        { "url": server.url(), "path": "/#{key}" },
        { "url": server.url(), "method": "POST", "body": "{key} {password} {basic}" },
        { "url": server.url(), "method": "{key}" },
        { "url": server.url(), "headers": [["{key}", "name"]] },
    ]);
    let output = caller(&server.url(), &requests).flags(&["--debug"]).read(&["things"]);
    told(&output);
    assert_hidden(&output);
    assert_unsent(&server);
}

#[test]
fn a_secret_that_no_header_can_carry_is_told_with_its_property_before_anything_is_asked() {
    let server = Server::ok();
    let requests = json!([{ "url": server.url(), "headers": [["authorization", "Bearer {key}"]] }]);
    for key in [
        "sesame\r\nx-injected: yes",
        "ses\tame",
        "ses\u{a0}ame",
        "\u{200b}sesame",
        "\u{feff}sesame",
        "s\u{e9}same",
    ] {
        let config = json!({ "api_url": server.url(), "api_key": key, "requests": requests });
        let setup = Setup::guest(guests::CALLER, config);
        let output = setup.read(&["things"]);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error", "{key:?}");
        assert!(
            error.message.contains("`api_key` has") && error.message.contains("copy it again"),
            "{key:?}"
        );
        assert!(!output.stdout.contains("same") && !output.stderr.contains("same"), "{}", output.stderr);
        let check = setup.check();
        let status = check.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
        assert!(status.status == "FAILED" && status.message.contains("copy it again"), "{}", check.stdout);
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn white_space_around_a_secret_is_not_sent() {
    let server = Server::ok();
    let requests = json!([{ "url": server.url(), "headers": [["x-key", "{key}"]] }]);
    let config =
        json!({ "api_url": server.url(), "api_key": format!(" {SECRET}\r\n"), "requests": requests });
    let output = Setup::guest(guests::CALLER, config).read(&["things"]);
    told(&output);
    assert_eq!(server.requests()[0].header("x-key"), Some(SECRET));
    assert_hidden(&output);
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
fn secrets_do_not_go_to_hosts_that_were_not_granted() {
    let (server, canary) = (Server::ok(), Canary::new());
    let headers = json!([["authorization", "Bearer {key}"], ["cookie", "{key}"]]);
    let requests = json!([
        { "url": canary.url(), "headers": headers },
        { "url": "http://{key}.example.com/", "headers": headers },
        { "url": "http://{key}:{password}@example.com/" },
        { "url": format!("{}@{{key}}.example.com/", server.url()) },
    ]);
    let output = caller(&server.url(), &requests).read(&["things"]);
    assert!(told(&output).iter().all(|answer| answer["answer"].is_string()), "{}", output.stdout);
    assert_hidden(&output);
    canary.assert_unreached();
    assert_eq!(server.connections(), 0);
}

#[test]
fn secrets_do_not_cross_a_network_in_the_clear() {
    // An address reserved for documentation; no connection is made.
    let url = "http://192.0.2.1";
    let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
    let output = caller("", &requests).flags(&["--allow-host", url, "--allow-private-net"]).read(&["things"]);
    assert!(told(&output)[0]["answer"].is_string(), "{:?}", told(&output));
    let warned = |log: &&crate::support::output::Log| log.level == "WARN" && log.message.contains("TLS");
    assert_eq!(output.logs().into_iter().filter(warned).count(), 1, "{:?}", output.logs());
}

#[test]
fn secrets_reach_this_machine_by_its_name() {
    let server = Server::ok();
    let url = format!("http://localhost:{}", server.port());
    let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
    let output = caller(&server.url(), &requests)
        .flags(&["--allow-host", &url, "--allow-private-net"])
        .read(&["things"]);
    assert_eq!(told(&output)[0]["answer"], 200);
    assert!(server.requests()[0].head.contains(SECRET));
}

#[test]
fn secrets_do_not_go_to_a_proxy_in_the_clear() {
    let (server, proxy) = (Server::ok(), Server::ok());
    for url in [server.url(), "http://api.example.com".to_owned()] {
        let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
        let output = caller(&url, &requests).flags(&["--proxy", &proxy.url()]).read(&["things"]);
        told(&output);
        assert_hidden(&output);
    }
    assert_unsent(&proxy);
}

#[test]
fn a_secret_that_comes_back_in_a_header_is_a_token_again() {
    let server = Server::start(|request| {
        let sent = request.header("authorization").unwrap_or_default();
        let cookie = format!("key={}", sent.trim_start_matches("Bearer "));
        Answer::with("200 OK", &[("x-echo", sent), ("set-cookie", &cookie), ("location", &cookie)], "")
    });
    for authorization in ["Bearer {key}", "Basic {basic}"] {
        let requests = json!([{ "url": server.url(), "headers": [["authorization", authorization]] }]);
        let output = caller(&server.url(), &requests).read(&["things"]);
        let answer = &told(&output)[0];
        assert_hidden(&output);
        if authorization.starts_with("Bearer") {
            assert_eq!(answer["knows_key"], true, "{answer}");
            assert_eq!(answer["headers"]["x-echo"], "Bearer ****");
        } else {
            let real = BASE64_STANDARD.encode(format!("{SECRET}:{PASSWORD}"));
            assert!(!answer.to_string().contains(&real), "{answer}");
        }
    }
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

/// The warnings of a run.
fn warnings(output: &Output) -> Vec<&str> {
    output.logs().into_iter().filter(|log| log.level == "WARN").map(|log| log.message.as_str()).collect()
}

#[test]
fn where_only_the_connector_wants_secrets_to_go_is_told_before_anything_is_sent() {
    let server = Server::ok();
    let asker = || guest(guests::ASKER, json!({ "api_url": server.url() }));
    let output = asker().read(&["things"]);
    let [warning] = warnings(&output)[..] else { panic!("{}", output.stdout) };
    for part in [
        "`api_key`",
        "`credentials.password`",
        "https://asked.example",
        "https://*.asked.example",
        "--pin-spec sha256:",
        "--trust",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
    assert!(!warning.contains(&server.url()), "the user named it: {warning}");
    assert_hidden(&output);
    let first = output.messages.iter().position(|message| message.log.is_some()).unwrap();
    let started = output.messages.iter().position(|message| message.trace.is_some()).unwrap();
    assert!(first < started, "{}", output.stdout);
    // Whoever looked at it need not see it again, and then it may not change.
    let digest = warning.split_once("--pin-spec ").unwrap().1.split(' ').next().unwrap();
    for flags in [&["--trust"][..], &["--pin-spec", digest], &["--allow-host", &server.url()]] {
        let output = asker().flags(flags).read(&["things"]);
        assert_eq!((output.code, warnings(&output)), (Some(0), vec![]), "{flags:?}");
    }
    for command in [Setup::spec, Setup::check, Setup::discover] {
        assert_eq!(command(&asker().flags(&["--pin-spec", digest])).code, Some(0));
        let other = guest(guests::ECHO, json!({})).flags(&["--pin-spec", digest]);
        let output = command(&other);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error");
        assert!(
            error.message.contains("--pin-spec") && error.message.contains("sha256:"),
            "{}",
            error.message
        );
    }
    // Without secrets, or with hosts that the user named alone, there is nothing to tell.
    let without = Setup::guest(guests::ASKER, json!({ "api_url": server.url() })).read(&["things"]);
    assert_eq!(warnings(&without), Vec::<&str>::new());
    let named = caller(&server.url(), &json!([])).read(&["things"]);
    assert_eq!(warnings(&named), Vec::<&str>::new());
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
fn no_server_is_asked_to_repeat_what_it_is_sent() {
    let server = Server::start(|request| Answer::ok(request.text()));
    let headers = json!([["authorization", "Bearer {key}"]]);
    let methods = ["TRACE", "TRACK", "trace", "Track"];
    let requests: Value = methods
        .iter()
        .map(|method| json!({ "url": server.url(), "method": method, "headers": headers }))
        .collect();
    let output = caller(&server.url(), &requests).read(&["things"]);
    assert!(told(&output).iter().all(|answer| answer["answer"] == "ErrorCode::HttpRequestMethodInvalid"));
    assert!(server.requests().is_empty());
}

#[test]
fn a_secret_in_any_part_of_the_head_of_a_response_is_a_token_again() {
    const KEY: &str = "Sk-Live.0123456789&x<y";
    let base64 = |before: &str| BASE64_STANDARD.encode(format!("{before}{KEY}!"));
    let forms = [
        KEY.to_owned(),
        r"Sk-Live.0123456789\u0026x\u003Cy".to_owned(),
        "Sk-Live.0123456789%26x%3cy".to_owned(),
        "%53k%2DLive%2e0123456789%2526x%253Cy".to_owned(),
        base64(""),
        base64("u"),
        base64("us"),
        base64("user:"),
    ];
    let answers = forms.clone();
    let server = Server::start(move |request| {
        let form = answers[request.target().trim_start_matches('/').parse::<usize>().unwrap()].as_str();
        let name = "x-Sk-Live.0123456789&x%3cy";
        Answer::keep(format!(
            "HTTP/1.1 200 {form}\r\nx-form: a {form} b\r\n{name}: 1\r\ntrailer: x-end\r\ntransfer-encoding: chunked\r\n\r\n\
             2\r\nok\r\n0\r\nx-end: {form}\r\n\r\n"
        ))
    });
    let requests: Value =
        (0..forms.len()).map(|form| json!({ "url": server.url(), "path": format!("/{form}") })).collect();
    let config = json!({ "api_key": KEY, "api_url": server.url(), "requests": requests });
    let output = Setup::guest(guests::CALLER, config).read(&["things"]);
    let answers = told(&output);
    assert_eq!(answers.len(), forms.len());
    for (answer, form) in answers.iter().zip(forms) {
        assert_eq!(answer["answer"], 200, "{form}");
        // The token is masked on its way out, and the connector recognised it.
        assert_eq!(
            (&answer["headers"]["x-form"], &answer["headers"]["x-****"]),
            (&json!("a **** b"), &json!("1")),
            "{answer}"
        );
        assert_eq!(answer["knows_key"], true, "{answer}");
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
