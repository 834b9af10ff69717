//! Names and requests that look as if they lead to a granted host: only granted hosts are called.

use serde_json::{Value, json};

use super::hosts::{answers, assert_refused, caller, calling};
use crate::support::{Canary, Server};

#[test]
fn no_spelling_of_a_host_makes_it_another() {
    let (server, canary) = (Server::ok(), Canary::new());
    let granted = server.url();
    let port = canary.port();
    let mut urls: Vec<String> = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0177.0.0.1",
        "0177.0.0.01",
        "017700000001",
        "127.0.0.1.",
        "127.000.000.001",
        "127.0.0.2",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1%25lo]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "127.0.0.1%00",
        "127.0.0.1%2f",
        "user@127.0.0.1",
        "user:password@127.0.0.1",
        "127.0.0.1\t",
        " 127.0.0.1",
        "127.0.0.1\n",
        "127.\u{ad}0.0.1",
    ]
    .iter()
    .map(|host| format!("http://{host}:{port}/"))
    .collect();
    urls.extend([
        format!("{granted}@127.0.0.1:{port}/"),
        format!("{granted}#@127.0.0.1:{port}/"),
        format!("{granted}\\@127.0.0.1:{port}/"),
        format!("{granted}?@127.0.0.1:{port}"),
        format!("{granted},127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}#{granted}/"),
        format!("http://127.0.0.1:0{port}/"),
        format!("http://127.0.0.1:{}/", u32::from(port) + 65536),
        format!("https://127.0.0.1:{port}/"),
        format!("HTTP://127.0.0.1:{port}/"),
        format!("ws://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        "file:///etc/hostname".to_owned(),
        "http:///".to_owned(),
    ]);
    let output = calling(&granted, &urls).read(&["things"]);
    assert_refused(&output, &urls);
    canary.assert_unreached();
    assert_eq!(server.connections(), 0);
}

#[test]
fn no_path_leads_to_another_host() {
    let (server, canary) = (Server::ok(), Canary::new());
    let elsewhere = format!("127.0.0.1:{}", canary.port());
    let paths: Vec<String> = vec![
        format!("http://{elsewhere}/"),
        format!("//{elsewhere}/"),
        format!("/\\{elsewhere}/"),
        format!("\\\\{elsewhere}/"),
        format!("@{elsewhere}/"),
        format!(":password@{elsewhere}/"),
        format!("/@{elsewhere}/"),
        format!("/..//{elsewhere}/"),
        format!("/\t//{elsewhere}/"),
        format!("?@{elsewhere}/"),
        format!("#@{elsewhere}/"),
        format!(".{elsewhere}/"),
        format!("/ HTTP/1.1\r\nhost: {elsewhere}\r\n\r\nGET /smuggled"),
        "*".to_owned(),
    ];
    let requests = paths.iter().map(|path| json!({ "url": server.url(), "path": path })).collect();
    let output = caller(&server.url(), &requests).read(&["things"]);
    answers(&output);
    canary.assert_unreached();
    for request in server.requests() {
        assert_eq!(request.header("host"), Some(&*server.url().replace("http://", "")), "{}", request.head);
        assert!(request.target().starts_with('/'), "{}", request.head);
        assert!(!request.target().starts_with("/smuggled"), "{}", request.head);
    }
}

#[test]
fn a_path_cannot_be_the_port_of_a_host_without_one() {
    let canary = Canary::new();
    let requests = [format!(":{}/", canary.port()), format!("@127.0.0.1:{}/", canary.port())]
        .map(|path| json!({ "url": "http://127.0.0.1", "path": path }));
    let output = caller("http://127.0.0.1", &json!(requests)).read(&["things"]);
    assert!(answers(&output).iter().all(Value::is_string));
    canary.assert_unreached();
}

#[test]
fn no_header_leads_to_another_host() {
    let (server, canary) = (Server::ok(), Canary::new());
    let elsewhere = format!("127.0.0.1:{}", canary.port());
    let headers = [
        ("host", elsewhere.as_str()),
        ("Host", &elsewhere),
        (":authority", &elsewhere),
        ("x-a", "b\r\nhost: elsewhere"),
        ("x-a\r\nhost", "elsewhere"),
        ("x a", "b"),
        ("connection", "upgrade"),
        ("upgrade", "h2c"),
        ("proxy-connection", "close"),
        ("proxy-authorization", "Basic YTpi"),
        ("transfer-encoding", "chunked"),
        ("content-length", "100"),
        ("expect", "100-continue"),
        ("te", "trailers"),
    ];
    let requests =
        headers.map(|header| json!({ "url": server.url(), "method": "POST", "headers": [header] }));
    let output = caller(&server.url(), &json!(requests)).read(&["things"]);
    answers(&output);
    canary.assert_unreached();
    for request in server.requests() {
        assert_eq!(request.header("host"), Some(&*server.url().replace("http://", "")), "{}", request.head);
        assert_eq!(request.header("content-length"), Some("0"), "{}", request.head);
        assert_eq!(request.header("transfer-encoding"), None, "{}", request.head);
        assert!(!request.head.contains("elsewhere"), "{}", request.head);
        assert_eq!(request.head.to_lowercase().matches("\nhost:").count(), 1, "{}", request.head);
    }
}

#[test]
fn no_method_opens_a_tunnel() {
    let (server, canary) = (Server::ok(), Canary::new());
    let elsewhere = format!("127.0.0.1:{}", canary.port());
    let requests = json!([
        { "url": server.url(), "method": "CONNECT" },
        { "url": server.url(), "method": "CONNECT", "path": elsewhere },
        { "url": format!("http://{elsewhere}"), "method": "CONNECT" },
        { "url": server.url(), "method": "GET / HTTP/1.1\r\n\r\nGET" },
    ]);
    let output = caller(&server.url(), &requests).read(&["things"]);
    assert!(answers(&output).iter().all(Value::is_string), "{:?}", answers(&output));
    canary.assert_unreached();
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn nothing_that_looks_like_a_granted_host_is_one() {
    // An unresolvable name would give another error, so none of these is looked up.
    let urls: Vec<String> = [
        "https://example.com/",
        "https://evil.api.example.com/",
        "https://api.example.com.evil.example/",
        "https://api.example.comevil.example/",
        "https://api-example.com/",
        "https://api.example.com@evil.example/",
        "https://evil.example/api.example.com",
        "https://evil.example#api.example.com",
        "https://\u{430}pi.example.com/",
        "https://xn--pi-7kc.example.com/",
        "https://api.ex\u{e4}mple.com/",
        "https://api\u{200d}.example.com/",
        "https://api\u{2024}evil.example/",
        "https://api%2eexample.com.evil.example/",
        "http://api.example.com/",
        "http://api.example.com:443/",
        "https://api.example.com:8443/",
        "https://*/",
    ]
    .map(str::to_owned)
    .into();
    assert_refused(&calling("https://api.example.com", &urls).read(&["things"]), &urls);
    let allowed = calling("", &urls).flags(&["--allow-host", "api.example.com"]);
    assert_refused(&allowed.read(&["things"]), &urls);
}
