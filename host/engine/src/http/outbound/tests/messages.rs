//! What is sent, and what comes back.

use super::*;

#[tokio::test]
async fn headers_pass_and_the_host_introduces_itself_unless_the_guest_does() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let mut request = get(&server.at("/a?b=c"));
    request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer key"));
    send(&http, request).await.unwrap();
    let lines = server.request(0).lines();
    for expected in [
        "GET /a?b=c HTTP/1.1",
        "authorization: Bearer key",
        "accept-encoding: gzip, br, zstd",
        concat!("user-agent: host/", env!("CARGO_PKG_VERSION")),
        &format!("host: {}", server.address()),
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:?}");
    }
    assert_eq!(lines.len(), 6, "{lines:?}");
    let mut request = get(&server.at("/"));
    request.headers_mut().insert("user-agent", HeaderValue::from_static("orb/1"));
    send(&http, request).await.unwrap();
    assert!(server.request(1).lines().contains(&"user-agent: orb/1".to_owned()));
}

#[tokio::test]
async fn a_body_is_sent_with_its_length() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    for (text, length) in [("", "content-length: 0"), ("abc", "content-length: 3")] {
        send(&http, Request::post(server.at("/")).body(body(text)).unwrap()).await.unwrap();
        assert!(server.request(server.requests().len() - 1).lines().contains(&length.to_owned()));
    }
}

#[tokio::test]
async fn a_secret_goes_out_where_nobody_listens_and_does_not_come_back() {
    let server = Server::start(|_| Answer::with("200 OK", &[("echo", "real value 0123456789")], ""));
    let secret = Secret::seal("real value 0123456789").unwrap();
    let token = secret.token.clone();
    let (http, events) = Setup {
        allow: vec![server.url(), "http://api.example.com".to_owned()],
        secret: Some(secret),
        ..Setup::default()
    }
    .open();
    let request = |url: &str| {
        let mut request = get(url);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let answer = send(&http, request(&server.at("/"))).await.unwrap();
    assert!(server.request(0).lines().contains(&"authorization: Bearer real value 0123456789".to_owned()));
    assert_eq!(answer.headers()["echo"], token.as_str());

    let error = send(&http, request("http://api.example.com/?a=b")).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    assert_eq!(
        warning(&events),
        "denied: the connector tried to send a secret of the config to http://api.example.com without TLS; \
         use https"
    );
}

#[tokio::test]
async fn a_secret_that_is_no_header_is_told() {
    let server = server();
    let secret = Secret::seal("two\nlines").unwrap();
    let mut request = get(&server.at("/"));
    request.headers_mut().insert("authorization", secret.token.parse().unwrap());
    let (http, events) = Setup { allow: vec![server.url()], secret: Some(secret), ..Setup::default() }.open();
    let error = send(&http, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestHeaderSize { .. }), "{error:?}");
    let line = warning(&events);
    assert!(line.contains("has characters that cannot be sent in a header, such as a line break"), "{line}");
    assert!(!line.contains("two"), "{line}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_folded_header_is_one_line() {
    let folded = "x-folded: one,\r\n two,\r\n\tthree\r\ncontent-type: text/plain;\r\n   charset=utf-8\r\n";
    let server = Server::start(move |_| {
        Answer::keep(format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{folded}\r\nok"))
    });
    let (http, _events) = server.http(Limits::default());
    let answer = send(&http, get(&server.at("/"))).await.unwrap();
    assert_eq!(answer.body(), "ok");
    let words = |name: &str| {
        let value = answer.headers()[name].to_str().unwrap();
        assert!(!value.contains(['\r', '\n']), "{value:?}");
        value.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(words("x-folded"), "one, two, three");
    assert_eq!(words("content-type"), "text/plain; charset=utf-8");
}

#[tokio::test]
async fn a_compressed_response_reaches_the_guest_as_if_it_had_not_been() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let answer = send(&http, get(&server.at("/packed"))).await.unwrap();
    assert_eq!(answer.body(), "ok");
    assert!(!answer.headers().contains_key(CONTENT_ENCODING));
    assert!(!answer.headers().contains_key(CONTENT_LENGTH));
    // What the host did not ask to be compressed is the guest's business.
    let mut request = get(&server.at("/packed"));
    request.headers_mut().insert(RANGE, HeaderValue::from_static("bytes=0-"));
    let answer = send(&http, request).await.unwrap();
    assert_eq!(answer.body()[..], GZIP[..]);
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
    assert!(!server.request(1).lines().iter().any(|line| line.starts_with("accept-encoding")));
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_an_error() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let error = send(&http, get(&server.at("/cut"))).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error:?}");
}
