use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use scripted_server::{Answer, Request as Received, Server};
use wasmtime_wasi_http::Error;

use crate::http::clients::HttpClients;
use crate::http::lookups::Lookups;
use crate::http::testing::{Reached as _, Setup, get, send, warning};
use crate::http::{Network, OutboundHttp, Proxy};
use crate::limits::{Limits, Timeouts};
use crate::obstacle::Obstacle;
use crate::secrets::Secret;
use crate::{FailureType, Remedy};

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
    let (http, _events) = server.http(Limits::default());
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    let stranger = Server::tls("127.0.0.1", &[], ok);
    let (http, _events) =
        Setup { allow: vec![server.url()], network: stranger.network(), ..Setup::default() }.open();
    let error = send(&http, get(&server.at("/"))).await.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_certificate_is_for_its_name_alone() {
    let server = Server::tls("other.example", &[], ok);
    let (http, _events) = server.http(Limits::default());
    let error = send(&http, get(&server.at("/"))).await.unwrap_err();
    assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
}

#[tokio::test]
async fn a_tls_session_is_resumed() {
    let server = Server::tls("127.0.0.1", &[], |_| {
        Answer::close(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
    });
    let (http, _events) = server.http(Limits::default());
    for _ in 0..2 {
        assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    }
    let handshakes = server.handshakes();
    assert_eq!(handshakes, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

#[tokio::test]
async fn http_2_is_spoken_with_a_server_that_can() {
    let server = Server::tls("127.0.0.1", &["h2", "http/1.1"], |_| Answer::close(""));
    let (http, _events) = server.http(Limits::default());
    // The test server cannot, but it sees how the conversation begins.
    send(&http, get(&server.at("/"))).await.unwrap_err();
    assert_eq!(server.request(0).lines(), ["PRI * HTTP/2.0"]);
    let server = Server::tls("127.0.0.1", &["http/1.1"], ok);
    let (http, _events) = server.http(Limits::default());
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_is_not_on_this_machine() {
    let server = Server::proxy("tunnelled.example", ok);
    let (http, _events) = setup(&server, &format!("http://user:key@{}", server.address())).open();
    assert_eq!(send(&http, get("http://a.example/b?c")).await.unwrap().body(), "ok");
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
    let (http, _events) = setup(&server, &format!("http://user:key@{}", server.address())).open();
    assert_eq!(send(&http, get("https://tunnelled.example/b")).await.unwrap().body(), "ok");
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
    let (http, _events) = Setup {
        allow: vec![server.url(), format!("http://localhost:{port}")],
        private_net: true,
        network: Network::default().through(proxy.url().parse().unwrap()),
        ..Setup::default()
    }
    .open();
    for url in [server.at("/"), format!("http://localhost:{port}/")] {
        assert_eq!(send(&http, get(&url)).await.unwrap().body(), "ok");
    }
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_proxy_changes_nothing_about_who_may_be_called() {
    let server = Server::start(ok);
    let mut setup = setup(&server, &server.url());
    setup.allow.push("http://10.0.0.1".to_owned());
    let (http, _events) = setup.open();
    let error = send(&http, get("http://b.example/")).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    let error = send(&http, get("http://10.0.0.1/")).await.unwrap_err();
    assert!(matches!(error, Error::DestinationIpProhibited), "{error:?}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_proxy_is_not_shown_a_secret() {
    let server = Server::start(ok);
    let secret = Secret::seal("real value").unwrap();
    let mut request = get("http://a.example/");
    request.headers_mut().insert("authorization", secret.token.parse().unwrap());
    let (http, _events) = Setup { secret: Some(secret), ..setup(&server, &server.url()) }.open();
    let error = send(&http, request).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    assert_eq!(server.connections(), 0);
}

/// Says that the connection ends, so that it is not used again while it is being closed.
const REFUSAL: &[u8] = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
    connection: close\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_proxy_that_wants_another_password_is_the_operator_s_affair() {
    for url in ["https://tunnelled.example/", "http://a.example/"] {
        let server = Server::start(|_| Answer::close(REFUSAL));
        let (http, events) = setup(&server, &format!("http://user:key@{}", server.address())).open();
        for _ in 0..3 {
            let error = send(&http, get(url)).await.unwrap_err();
            assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
        }
        let reason = format!(
            "the proxy {}, by which {} is reached, wants a user and a password, or other ones",
            server.url(),
            url.trim_end_matches('/')
        );
        assert_eq!(warning(&events), reason);
        assert!(events.is_empty());
        let told = explained(&http);
        assert_eq!(told.failure_type(), FailureType::Config);
        assert_eq!(told.message(), format!("it failed; {reason}"));
    }
}

#[tokio::test]
async fn a_refusal_within_a_tunnel_is_the_server_s() {
    let server = Server::proxy("tunnelled.example", |request| match request.target() {
        "tunnelled.example:443" => Answer::Tunnel,
        _ => Answer::keep(REFUSAL),
    });
    let (http, _events) = setup(&server, &server.url()).open();
    assert_eq!(send(&http, get("https://tunnelled.example/b")).await.unwrap().status(), 407);
}

#[tokio::test]
async fn what_else_a_proxy_does_may_pass() {
    for (answer, words) in [
        (&b"HTTP/1.1 503 Busy\r\n\r\n"[..], "refuses"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "refuses"),
        (b"SSH-2.0\r\n\r\n", "refuses"),
        (b"", "does not answer as a proxy does"),
    ] {
        let server = Server::start(move |_| Answer::close(answer));
        let (http, _events) = setup(&server, &server.url()).open();
        let error = send(&http, get("https://tunnelled.example/")).await.unwrap_err();
        let Error::InternalError(Some(told)) = &error else { panic!("{error:?}") };
        assert!(told.ends_with(words), "{told}");
        assert_eq!(explained(&http).message(), "it failed");
    }
    let server = Server::start(ok);
    for url in ["https://tunnelled.example/", "http://a.example/"] {
        let (http, _events) = setup(&server, &format!("http://{}", unused())).open();
        let error = send(&http, get(url)).await.unwrap_err();
        let Error::InternalError(Some(told)) = &error else { panic!("{error:?}") };
        assert!(told.ends_with("cannot be reached"), "{told}");
    }
}

/// An address where nobody listens.
fn unused() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// An error of the connector, with what the host knows besides.
fn explained(http: &OutboundHttp) -> crate::Error {
    http.obstacles.explain(crate::Error::system("it failed"))
}

#[tokio::test]
async fn a_proxy_that_is_of_no_use_is_told_where_it_would_be_used() {
    let socks = |url: &str| {
        let variables = [("ALL_PROXY", "socks5://user:secret@proxy.example"), ("HTTPS_PROXY", url)];
        Proxy::of_variables(&variables)
    };
    let server = Server::proxy("tunnelled.example", |request| match request.target() {
        "tunnelled.example:443" => Answer::Tunnel,
        _ => Answer::ok("ok"),
    });
    let network = server.network().through(socks(&server.url()));
    let (http, events) = Setup { network, ..setup(&server, "none") }.open();
    assert_eq!(send(&http, get("https://tunnelled.example/b")).await.unwrap().body(), "ok");
    let error = send(&http, get("http://a.example/")).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    let line = warning(&events);
    assert!(line.starts_with("the proxy in the environment variable ALL_PROXY is a SOCKS proxy"), "{line}");
    assert!(explained(&http).message().contains("SOCKS") && !line.contains("secret"));
    assert_eq!(explained(&http).failure_type(), FailureType::Config);
}

#[tokio::test]
async fn a_proxy_of_the_environment_that_is_not_used_is_pointed_to() {
    // Longer than a part of a name may be, so that nobody needs to be asked.
    let host = format!("{}.invalid", "a".repeat(64));
    let network = |no_proxy: &str| Network {
        unused: Some(Proxy::of_variables(&[
            ("https_proxy", "http://u:secret@p.example"),
            ("NO_PROXY", no_proxy),
        ])),
        ..Network::default()
    };
    let allow = || vec![format!("https://{host}"), format!("http://{host}")];
    let (http, events) = Setup { allow: allow(), network: network(""), ..Setup::default() }.open();
    let error = send(&http, get(&format!("https://{host}/"))).await.unwrap_err();
    // The name is no name for TLS either.
    assert!(matches!(error, Error::DnsError { .. } | Error::DestinationUnavailable), "{error:?}");
    let reason = format!("https://{host} was tried directly, though https_proxy is set");
    assert_eq!(warning(&events), reason);
    assert_eq!(explained(&http).message(), format!("it failed; {reason}"));
    assert_eq!(explained(&http).remedy(), Some(Remedy::UseEnvironmentProxy));
    assert_eq!(explained(&http).failure_type(), FailureType::System);
    // Not where it would not help.
    for (no_proxy, scheme) in [("invalid", "https"), ("", "http")] {
        let (http, events) = Setup { allow: allow(), network: network(no_proxy), ..Setup::default() }.open();
        send(&http, get(&format!("{scheme}://{host}/"))).await.unwrap_err();
        assert!(events.is_empty());
        assert_eq!(explained(&http).message(), "it failed");
    }
}

#[tokio::test]
async fn a_name_that_is_not_resolved_for_want_of_room_is_told_with_the_limit() {
    let clients = HttpClients::new(&Limits::default(), Network::default());
    let clients = HttpClients { lookups: Arc::new(Lookups::exhausted()), ..clients };
    let allow = vec!["http://a.example".to_owned()];
    let (http, events) = Setup { allow, clients: Some(clients), ..Setup::default() }.open();
    let error = send(&http, get("http://a.example/")).await.unwrap_err();
    assert!(matches!(error, Error::DnsTimeout), "{error:?}");
    let told = "the name of http://a.example was not resolved: 32 other names of this connector are being \
                resolved, which is as many as may be";
    assert_eq!(warning(&events), told);
    assert_eq!(explained(&http).message(), format!("it failed; {told}"));
}

#[tokio::test]
async fn a_name_that_is_never_resolved_is_given_up_on() {
    let short = Duration::from_millis(20);
    let timeouts = Timeouts { connect: short, first_byte: Duration::MAX, ..Timeouts::default() };
    let limits = Limits { timeouts, ..Limits::default() };
    let clients = HttpClients::new(&limits, Network::default());
    let clients = HttpClients { lookups: Arc::new(Lookups::stuck()), ..clients };
    let allow = vec!["http://a.example".to_owned()];
    let (http, _events) = Setup { allow, limits, clients: Some(clients), ..Setup::default() }.open();
    let error = send(&http, get("http://a.example/")).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionTimeout), "{error:?}");
}

#[tokio::test]
async fn a_refused_certificate_says_why() {
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
    type Make = fn(&mut CertificateParams);
    let cases: [(&str, Make, &str); 5] = [
        (
            "127.0.0.1",
            |params| params.not_after = date_time_ymd(2001, 2, 3),
            "it expired at 2001-02-03T00:00:00Z",
        ),
        (
            "127.0.0.1",
            |params| params.not_before = date_time_ymd(4001, 2, 3),
            "it is valid from 4001-02-03T00:00:00Z",
        ),
        ("other.example", |_| (), "it is for other.example, and not for 127.0.0.1"),
        (
            "127.0.0.1",
            |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            "it is that of an authority (a CA)",
        ),
        (
            "127.0.0.1",
            |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            "it is not one for servers",
        ),
    ];
    for (name, make, words) in cases {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        make(&mut params);
        let server = Server::with_certificate(&params, ok);
        let (http, events) = server.http(Limits::default());
        for _ in 0..2 {
            let error = send(&http, get(&server.at("/"))).await.unwrap_err();
            assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
        }
        let line = warning(&events);
        let start = format!("the certificate of {} is refused: {words}", server.url());
        assert!(line.starts_with(&start), "{line}");
        // To trust it would not help.
        assert_eq!(explained(&http).remedy(), None);
        assert!(events.is_empty());
        // The second refusal may have been a second later.
        let up_to_the_clock = |text: &str| text.split(", and this machine's").next().unwrap().to_owned();
        assert_eq!(
            up_to_the_clock(explained(&http).message()),
            format!("it failed; {}", up_to_the_clock(&line))
        );
        // The operator said what to trust.
        assert_eq!(explained(&http).failure_type(), FailureType::Config);
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_the_operator_s_affair_if_they_said_whom_to_trust() {
    let (server, stranger) = (Server::tls("127.0.0.1", &[], ok), Server::tls("stranger.example", &[], ok));
    let unused = Network { unused_roots: Some("REQUESTS_CA_BUNDLE"), ..Network::default() };
    let trust = |ignored| Some(Remedy::TrustCertificates { ignored });
    for (network, remedy, failure_type) in [
        (stranger.network(), None, FailureType::Config),
        (Network::default(), trust(None), FailureType::System),
        (unused, trust(Some("REQUESTS_CA_BUNDLE")), FailureType::System),
    ] {
        let (http, events) = Setup { allow: vec![server.url()], network, ..Setup::default() }.open();
        send(&http, get(&server.at("/"))).await.unwrap_err();
        let line = warning(&events);
        assert!(line.ends_with("signed it, or it is signed by itself"), "{line}");
        assert_eq!(explained(&http).remedy(), remedy);
        assert_eq!(explained(&http).failure_type(), failure_type, "{line}");
    }
}

#[tokio::test]
async fn an_answer_is_no_obstacle_any_more() {
    let server = Server::start(ok);
    let (http, _events) = Setup { allow: vec![server.url()], ..Setup::default() }.open();
    http.obstacles.note(Some(Obstacle { of_operator: true, reason: "it slept".into(), remedy: None }));
    send(&http, get(&server.at("/"))).await.unwrap();
    assert_eq!(explained(&http).message(), "it failed");
}

#[tokio::test]
async fn certificates_that_the_environment_names_are_trusted_in_the_place_of_the_system_s() {
    let server = Server::tls("127.0.0.1", &[], ok);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, server.certificate().as_bytes()).unwrap();
    let network =
        |path: &std::path::Path| Network::of_variables(&[("REQUESTS_CA_BUNDLE", path.to_str().unwrap())]);
    let allow = || vec![server.url()];
    let (http, _events) = Setup { allow: allow(), network: network(file.path()), ..Setup::default() }.open();
    assert_eq!(send(&http, get(&server.at("/"))).await.unwrap().body(), "ok");
    let missing = network(std::path::Path::new("/nonexistent/ca.pem"));
    let (http, _events) = Setup { allow: allow(), network: missing, ..Setup::default() }.open();
    let error = send(&http, get(&server.at("/"))).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error:?}");
    let told = explained(&http);
    assert_eq!(told.failure_type(), FailureType::Config);
    assert!(
        told.message().contains("/nonexistent/ca.pem in the environment variable REQUESTS_CA_BUNDLE"),
        "{told}"
    );
}
