use rustls::HandshakeKind;

use scripted_server::{Answer, Request as Received, Server};

use crate::http::testing::{Reached as _, Setup, get, send, warning};
use crate::http::{Network, Proxy};
use crate::limits::Limits;
use crate::secrets::Secret;
use wasmtime_wasi_http::Error;

fn ok(_: &Received) -> Answer {
    Answer::ok("ok")
}

/// What a request to a server that cannot be reached directly is answered, and what is warned of.
fn setup(server: &Server, proxy: &str) -> Setup {
    Setup {
        allow: vec!["http://a.example".to_owned(), "https://tunnelled.example".to_owned()],
        network: server.network().through(proxy.parse::<Proxy>().unwrap()),
        ..Setup::default()
    }
}

#[tokio::test]
async fn only_a_trusted_certificate_is_accepted() {
    let server = Server::tls("127.0.0.1", &[], ok);
    let (door, _inbox) = server.door(Limits::default());
    assert_eq!(send(&door, get(&server.at("/"))).await.unwrap().body(), "ok");
    let stranger = Server::tls("127.0.0.1", &[], ok);
    let (door, _inbox) =
        Setup { allow: vec![server.url()], network: stranger.network(), ..Setup::default() }.open();
    let error = send(&door, get(&server.at("/"))).await.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_certificate_is_for_its_name_alone() {
    let server = Server::tls("other.example", &[], ok);
    let (door, _inbox) = server.door(Limits::default());
    let error = send(&door, get(&server.at("/"))).await.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_tls_session_is_resumed() {
    let server = Server::tls("127.0.0.1", &[], |_| {
        Answer::close(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
    });
    let (door, _inbox) = server.door(Limits::default());
    for _ in 0..2 {
        assert_eq!(send(&door, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    let handshakes = server.handshakes();
    assert_eq!(handshakes, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

#[tokio::test]
async fn http_2_is_spoken_with_a_server_that_can() {
    let server = Server::tls("127.0.0.1", &["h2", "http/1.1"], |_| Answer::close(""));
    let (door, _inbox) = server.door(Limits::default());
    // The test server cannot, but it sees how the conversation begins.
    send(&door, get(&server.at("/"))).await.unwrap_err();
    assert_eq!(server.request(0).lines(), ["PRI * HTTP/2.0"]);
    let server = Server::tls("127.0.0.1", &["http/1.1"], ok);
    let (door, _inbox) = server.door(Limits::default());
    assert_eq!(send(&door, get(&server.at("/"))).await.unwrap().body(), "ok");
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_is_not_on_this_machine() {
    let server = Server::proxy("tunnelled.example", ok);
    let (door, _inbox) = setup(&server, &format!("http://user:key@{}", server.address())).open();
    assert_eq!(send(&door, get("http://a.example/b?c")).await.unwrap().body(), "ok");
    let lines = server.request(0).lines();
    assert_eq!(lines[0], "GET http://a.example/b?c HTTP/1.1");
    assert!(lines.contains(&"proxy-authorization: Basic dXNlcjprZXk=".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_of_the_proxy() {
    let server = Server::proxy("tunnelled.example", |request| match request.target() {
        "tunnelled.example:443" => Answer::Tunnel,
        _ => Answer::ok("ok"),
    });
    let (door, _inbox) = setup(&server, &format!("http://user:key@{}", server.address())).open();
    assert_eq!(send(&door, get("https://tunnelled.example/b")).await.unwrap().body(), "ok");
    let (tunnel, request) = (server.request(0).lines(), server.request(1).lines());
    assert_eq!(tunnel[0], "CONNECT tunnelled.example:443 HTTP/1.1");
    assert!(tunnel.iter().any(|line| line.eq_ignore_ascii_case("proxy-authorization: Basic dXNlcjprZXk=")));
    assert_eq!(request[0], "GET /b HTTP/1.1");
    assert!(!request.iter().any(|line| line.to_ascii_lowercase().starts_with("proxy-")), "{request:?}");
}

#[tokio::test]
async fn this_machine_is_reached_without_the_proxy() {
    let proxy = Server::start(|_| Answer::ok("proxy"));
    let server = Server::start(ok);
    let port = server.port();
    let (door, _inbox) = Setup {
        allow: vec![server.url(), format!("http://localhost:{port}")],
        private_net: true,
        network: Network::default().through(proxy.url().parse().unwrap()),
        ..Setup::default()
    }
    .open();
    for url in [server.at("/"), format!("http://localhost:{port}/")] {
        assert_eq!(send(&door, get(&url)).await.unwrap().body(), "ok");
    }
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_proxy_changes_nothing_about_who_may_be_called() {
    let server = Server::start(ok);
    let mut setup = setup(&server, &server.url());
    setup.allow.push("http://10.0.0.1".to_owned());
    let (door, _inbox) = setup.open();
    let error = send(&door, get("http://b.example/")).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    let error = send(&door, get("http://10.0.0.1/")).await.unwrap_err();
    assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_proxy_is_not_shown_a_secret() {
    let server = Server::start(ok);
    let secret = Secret::seal("real value").unwrap();
    let mut request = get("http://a.example/");
    request.headers_mut().insert("authorization", secret.token.parse().unwrap());
    let (door, _inbox) = Setup { secret: Some(secret), ..setup(&server, &server.url()) }.open();
    let error = send(&door, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_without_its_password() {
    let server = Server::start(|_| {
        Answer::close(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    });
    let (door, mut inbox) = setup(&server, &format!("http://user:key@{}", server.address())).open();
    for _ in 0..3 {
        let error = send(&door, get("https://tunnelled.example/")).await.unwrap_err();
        assert!(matches!(error, Error::DestinationUnavailable), "{error:?}");
    }
    assert_eq!(
        warning(&mut inbox).await,
        format!(
            "the proxy {} does not lead to https://tunnelled.example: it wants a user and a password, or other ones",
            server.url()
        )
    );
    assert!(inbox.is_empty());
}
