//! Which servers are reached.

use super::*;

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
