//! Secrets are put into headers of requests, and nowhere else.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{PASSWORD, SECRET, assert_hidden, assert_unsent, caller};
use crate::{
    sandbox::told,
    support::{Answer, Server, Setup, guests},
};

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
