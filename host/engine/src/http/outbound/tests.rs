use std::task::Poll;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, RANGE};
use http_body_util::BodyExt;
use scripted_server::{Answer, Server};

use super::*;
use crate::http::Network;
use crate::http::testing::{Reached as _, Setup, body, get, send, start, warning};
use crate::limits::Timeouts;
use crate::secrets::Secret;

/// A server that answers `ok`, or as its path says.
fn server() -> Server {
    Server::start(|request| match request.target() {
        "/silent" => Answer::silence(),
        "/stuck" => Answer::keep(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"),
        "/elsewhere" => Answer::with("200 OK", &[("location", "http://127.0.0.1:1/")], ""),
        "/dies" => Answer::close(""),
        "/cut" => Answer::close(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
        "/last" => Answer::close(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        "/many" => Answer::with("200 OK", &[("a", "b"); 300], "ok"),
        "/large" => Answer::with("200 OK", &[("a", &*"b".repeat(5_000))], "ok"),
        "/packed" => Answer::with("200 OK", &[("content-encoding", "gzip")], GZIP),
        _ => Answer::ok("ok"),
    })
}

/// `ok`, by gzip.
const GZIP: [u8; 22] =
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0xcf, 6, 0, 0x47, 0xdd, 0xdc, 0x79, 2, 0, 0, 0];

/// Limits with these timeouts.
fn patient(timeouts: Timeouts) -> Limits {
    Limits { timeouts, ..Limits::default() }
}

fn exceeded(http: &OutboundHttp) -> Option<Limit> {
    http.exceeded.first()
}

#[tokio::test]
async fn requests_share_a_connection() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    for _ in 0..5 {
        let answer = send(&http.clone(), get(&server.at("/"))).await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"ok"[..]));
    }
    assert_eq!(server.connections(), 1);
}

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
async fn what_is_not_allowed_is_denied_before_anything_is_dialled_and_told_once() {
    let server = server();
    let (http, events) = Setup { allow: vec!["api.example.com".to_owned()], ..Setup::default() }.open();
    for _ in 0..1_000 {
        let error = send(&http, get(&server.at("/?key=secret"))).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied));
    }
    let origin = server.url();
    assert_eq!(
        warning(&events),
        format!(
            "denied: the connector tried to reach {origin}, which is not among the hosts it may reach \
             (https://api.example.com)"
        )
    );
    assert!(events.is_empty());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_host_is_dialled() {
    let server = server();
    let port = server.port();
    let (http, events) = Setup {
        allow: vec![format!("http://a.example.com:{port}"), format!("http://0.0.0.0:{port}")],
        ..Setup::default()
    }
    .open();
    // Nobody receives the events.
    drop(events);
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1%2eexample.com",
        "a.example.com@127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "example.com",
    ] {
        let Ok(request) = Request::get(format!("http://{host}:{port}/")).body(body("")) else { continue };
        let error = send(&http, request).await.expect_err(host);
        assert!(
            matches!(
                error,
                Error::HttpRequestDenied | Error::DestinationIpProhibited | Error::HttpRequestUriInvalid
            ),
            "{host}: {error:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_address_on_this_network_needs_a_grant_of_its_own() {
    let server = server();
    let port = server.port();
    let url = format!("http://localhost:{port}/");
    let allow = vec![format!("http://localhost:{port}")];
    let (http, events) = Setup { allow: allow.clone(), ..Setup::default() }.open();
    for _ in 0..3 {
        let error = send(&http, get(&url)).await.unwrap_err();
        assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
    }
    assert_eq!(
        warning(&events),
        format!(
            "denied: the connector tried to reach http://localhost:{port} at 127.0.0.1, which is loopback (RFC \
             1122)"
        )
    );
    assert!(events.is_empty());
    let (http, _events) = Setup { allow, private_net: true, ..Setup::default() }.open();
    assert_eq!(send(&http, get(&url)).await.unwrap().body(), "ok");
    let (http, _events) = Setup { allow: vec!["http://10.0.0.1".to_owned()], ..Setup::default() }.open();
    let error = send(&http, get("http://10.0.0.1/")).await.unwrap_err();
    assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
}

#[tokio::test]
async fn a_connection_of_one_grant_is_not_for_another() {
    let server = server();
    let port = server.port();
    let url = format!("http://localhost:{port}/");
    let clients = HttpClients::new(&Limits::default(), Network::default());
    let http = |private_net| {
        let allow = vec![format!("http://localhost:{port}")];
        Setup { allow, private_net, clients: Some(clients.clone()), ..Setup::default() }.open()
    };
    let ((private, _one), (public, _other)) = (http(true), http(false));
    assert_eq!(send(&private, get(&url)).await.unwrap().body(), "ok");
    // The pool has a connection to that very host now.
    let error = send(&public, get(&url)).await.unwrap_err();
    assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
    assert_eq!(send(&private, get(&url)).await.unwrap().body(), "ok");
    assert_eq!((server.connections(), server.requests().len()), (1, 2));
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
async fn a_redirect_is_an_answer() {
    let server = Server::start(|_| {
        Answer::keep(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
    });
    let (http, _events) = server.http(Limits::default());
    let answer = send(&http, get(&server.at("/elsewhere"))).await.unwrap();
    // With the place that it leads to, so that the connector can name it.
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "http://127.0.0.1:1/");
    assert_eq!(server.requests().len(), 1);
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
async fn a_body_may_be_compressed_twice_and_not_any_number_of_times() {
    // `ok`, by gzip, stored as it is in another gzip.
    let stored = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 22, 0, 0xe9, 0xff][..], &GZIP].concat();
    let mut checksum = flate2::Crc::new();
    checksum.update(&GZIP);
    let twice = [&stored[..], &checksum.sum().to_le_bytes(), &22_u32.to_le_bytes()].concat();
    let server = Server::start(move |request| {
        let coding = match request.target() {
            "/list" => "content-encoding: gzip, gzip\r\n".to_owned(),
            "/fields" => "content-encoding: gzip\r\ncontent-encoding: gzip\r\n".to_owned(),
            _ => format!("content-encoding: {}gzip\r\n", "gzip, ".repeat(99)),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{coding}\r\n", twice.len());
        Answer::keep([head.as_bytes(), &twice].concat())
    });
    let (http, _events) = server.http(Limits::default());
    for path in ["/list", "/fields"] {
        let answer = send(&http, get(&server.at(path))).await.unwrap();
        assert_eq!(answer.body(), "ok", "{path}");
        assert!(!answer.headers().contains_key(CONTENT_ENCODING));
    }
    let error = send(&http, get(&server.at("/often"))).await.unwrap_err();
    assert!(matches!(&error, Error::InternalError(Some(told)) if told.contains("100 times")), "{error:?}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let server = server();
    let short = Duration::from_millis(20);
    let (http, _events) =
        server.http(patient(Timeouts { connect: short, first_byte: short, ..Timeouts::default() }));
    let error = send(&http, get(&server.at("/silent"))).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
    let (http, _events) = server.http(patient(Timeouts { between_bytes: short, ..Timeouts::default() }));
    let error = send(&http, get(&server.at("/stuck"))).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
}

#[tokio::test]
async fn a_guest_may_be_less_patient_but_not_more() {
    assert_eq!(shorter(None, Duration::from_secs(60)), Duration::from_secs(60));
    assert_eq!(shorter(Some(Duration::from_secs(1)), Duration::from_secs(60)), Duration::from_secs(1));
    assert_eq!(shorter(Some(Duration::MAX), Duration::from_secs(60)), Duration::from_secs(60));
}

#[tokio::test]
async fn no_time_at_all_and_all_the_time_there_is_are_fine() {
    let server = server();
    let eternal =
        patient(Timeouts { connect: Duration::MAX, first_byte: Duration::MAX, between_bytes: Duration::MAX });
    let (http, _events) = server.http(eternal);
    let options = |time| RequestOptions {
        connect_timeout: Some(time),
        first_byte_timeout: Some(time),
        between_bytes_timeout: Some(time),
    };
    let answer = start(&http, get(&server.at("/")), options(Duration::MAX)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    let error = start(&http, get(&server.at("/silent")), options(Duration::ZERO)).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
}

#[tokio::test]
async fn headers_have_a_limit_in_both_directions() {
    let server = server();
    let limits = || Limits { headers: 4_096, ..Limits::default() };
    let (http, _events) = server.http(limits());
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(exceeded(&http), None);
    let mut request = get(&server.at("/"));
    request.headers_mut().insert("a", "b".repeat(4_096).parse().unwrap());
    let error = send(&http, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestHeaderSectionSize(Some(size)) if size > 4_129), "{error:?}");
    assert_eq!(exceeded(&http), Some(Limit::Headers));
    for path in ["/large", "/many"] {
        let (http, _events) = server.http(limits());
        let error = send(&http, get(&server.at(path))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseHeaderSectionSize(_)), "{path}: {error:?}");
        assert_eq!(exceeded(&http), Some(Limit::Headers), "{path}");
    }
}

#[tokio::test]
async fn many_headers_that_are_small_pass() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let answer = send(&http, get(&server.at("/many"))).await.unwrap();
    assert_eq!(answer.headers().get_all("a").iter().count(), 300);
}

/// An answer whose body nobody reads.
async fn unread(http: &OutboundHttp, url: &str) -> Result<Response<WasiBody>> {
    start(http, get(url), RequestOptions::default()).await
}

#[tokio::test]
async fn only_so_many_requests_are_in_flight_at_once() {
    let server = server();
    let limited = || server.http(Limits { requests: 1, ..Limits::default() });
    let (http, _events) = limited();
    for _ in 0..3 {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    let url = server.at("/silent");
    let mut waiting = std::pin::pin!(unread(&http, &url));
    assert!(std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await);
    assert!(matches!(unread(&http, &server.at("/")).await, Err(Error::ConnectionLimitReached)));
    assert_eq!(exceeded(&http), Some(Limit::Requests));

    // Also while nobody reads the body of the response.
    let (http, _events) = limited();
    let answer = unread(&http, &server.at("/")).await.unwrap();
    drop(answer);
    let _answer = unread(&http, &server.at("/")).await.unwrap();
    assert_eq!(exceeded(&http), None);
    assert!(matches!(unread(&http, &server.at("/")).await, Err(Error::ConnectionLimitReached)));
    assert_eq!(exceeded(&http), Some(Limit::Requests));
}

#[tokio::test]
async fn a_response_without_a_body_is_not_in_flight_even_if_it_is_kept() {
    let server = server();
    let (http, _events) = server.http(Limits { requests: 1, ..Limits::default() });
    let _kept = unread(&http, &server.at("/elsewhere")).await.unwrap();
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(exceeded(&http), None);
}

#[tokio::test]
async fn what_is_held_of_an_exchange_ends_with_it() {
    let server = server();
    let host_memory = ANSWER + 64 * 1024;
    let limited = || server.http(Limits { host_memory, ..Limits::default() });
    let (http, _events) = limited();
    let request = || Request::post(server.at("/packed")).body(body(vec![b'x'; 1_000])).unwrap();
    for _ in 0..3 {
        // There is no room for what decompresses the body.
        assert!(send(&http, request()).await.is_err());
    }
    let (http, _events) = limited();
    for _ in 0..3 {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    assert_eq!(exceeded(&http), None);
    let _unread = unread(&http, &server.at("/")).await.unwrap();
    assert!(unread(&http, &server.at("/")).await.is_err());
    assert_eq!(exceeded(&http), Some(Limit::HostMemory));
}

#[tokio::test]
async fn instances_do_not_share_connections_but_one_follows_on_another() {
    let server = server();
    let clients = HttpClients::new(&Limits::default(), Network::default());
    let instance =
        || Setup { allow: vec![server.url()], clients: Some(clients.lease()), ..Setup::default() }.open().0;
    let one = instance();
    assert_eq!(send(&one, get(&server.at("/"))).await.unwrap().body(), "ok");
    let other = instance();
    assert_eq!(send(&other, get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(server.connections(), 2);
    drop(one);
    assert_eq!(send(&instance(), get(&server.at("/"))).await.unwrap().body(), "ok");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn connections_are_kept_to_few_hosts() {
    let servers: Vec<_> = (0..9).map(|_| server()).collect();
    let allow = servers.iter().map(Server::url).collect();
    let (http, _events) = Setup { allow, ..Setup::default() }.open();
    for server in servers[..8].iter().chain(&servers[..1]).chain(&servers[8..]).chain(&servers[..1]) {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    // The ninth host was one too many, so all connections were let go.
    assert_eq!((servers[0].connections(), servers[1].connections()), (2, 1));
}

#[tokio::test]
async fn the_head_of_a_request_is_measured_with_what_is_sent() {
    let server = server();
    let limits = || Limits { headers: 4_096, ..Limits::default() };
    let (http, _events) = server.http(limits());
    assert!(send(&http, get(&server.at(&format!("/{}", "x".repeat(5_000))))).await.is_err());
    assert_eq!(exceeded(&http), Some(Limit::Headers));

    let secret = Secret::seal(&"s".repeat(1_000)).unwrap();
    for (times, limit) in [(1, None), (5, Some(Limit::Headers))] {
        for basic in [false, true] {
            let mut request = get(&server.at("/"));
            let tokens = secret.token.repeat(times);
            let value = if basic { format!("Basic {}", BASE64_STANDARD.encode(tokens)) } else { tokens };
            request.headers_mut().insert("authorization", value.parse().unwrap());
            let setup = Setup { limits: limits(), secret: Some(secret.clone()), ..Setup::default() };
            let (http, _events) = Setup { allow: vec![server.url()], ..setup }.open();
            assert_eq!(send(&http, request).await.is_err(), limit.is_some(), "{times} {basic}");
            assert_eq!(exceeded(&http), limit, "{times} {basic}");
        }
    }
}

#[tokio::test]
async fn a_request_body_has_a_limit() {
    let server = server();
    let (http, _events) = server.http(Limits { request_body: 3, ..Limits::default() });
    let error = send(&http, Request::post(server.at("/")).body(body("abcd")).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestBodySize(Some(4))), "{error:?}");
    assert_eq!((exceeded(&http), server.connections()), (Some(Limit::RequestBody), 0));
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
async fn a_response_has_a_limit() {
    let server = server();
    let (http, _events) = server.http(Limits { response: 1, ..Limits::default() });
    for path in ["/", "/packed"] {
        let error = send(&http, get(&server.at(path))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseBodySize(None)), "{error:?}");
        assert_eq!(exceeded(&http), Some(Limit::Response));
    }
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_an_error() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let error = send(&http, get(&server.at("/cut"))).await.unwrap_err();
    assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    for ended in 1..=20 {
        assert_eq!(send(&http, get(&server.at("/last"))).await.unwrap().body(), "ok");
        server.wait_closed(ended);
        // The end has arrived; the task of the client's connection reads it in its next turns.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(
            send(&http, Request::post(server.at("/")).body(body("a")).unwrap()).await.unwrap().body(),
            "ok"
        );
    }
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn a_request_that_arrived_is_sent_once_even_if_its_connection_dies() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    // On a new connection, and on one that was used before.
    for already in [0, 2] {
        let error = send(&http, get(&server.at("/dies"))).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseIncomplete | Error::ConnectionTerminated), "{error:?}");
        assert_eq!(server.requests().len(), already + 1);
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn neither_a_tunnel_nor_a_user_in_a_url_is_possible() {
    let server = server();
    let (http, _events) = server.http(Limits::default());
    let mut request = get(&server.at("/"));
    *request.method_mut() = Method::CONNECT;
    let error = send(&http, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestMethodInvalid));
    let error = send(&http, get(&format!("http://user@{}/", server.address()))).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestUriInvalid));
}
