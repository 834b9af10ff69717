mod proxies;

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

/// An error of the connector, with what the host knows besides.
fn explained(http: &OutboundHttp) -> crate::Error {
    http.obstacles.explain(crate::Error::system("it failed"))
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
