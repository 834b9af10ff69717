//! Tests of injected faults, as clients see them.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::client::{Client, PATIENCE, encoded};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

#[test]
fn a_status_befalls_the_requests_it_was_meant_for() {
    let orb = start();
    orb.inject(Fault::status(429).retry_after("2").on("/v1/customers").with_query("cursor").times(1));
    orb.inject(Fault::status(500).header("transient-error", "true").on_exactly("/v1/plans").nth(2));
    let mut client = Client::new(&orb);
    let token = encoded(&client.get("/v1/customers?limit=1").unwrap().page_token().unwrap());
    let refused = client.get(&format!("/v1/customers?limit=1&cursor={token}")).unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
    assert_eq!(refused.problem(), "429-too-many-requests");
    assert_eq!(client.get(&format!("/v1/customers?limit=1&cursor={token}")).unwrap().status, 200);
    let plans: Vec<u16> = (0..3).map(|_| client.get("/v1/plans").unwrap().status).collect();
    assert_eq!(plans, [200, 500, 200]);
    orb.inject(Fault::feature_not_available());
    let unavailable = client.get("/v1/plans").unwrap();
    assert_eq!((unavailable.status, unavailable.problem().as_str()), (404, "404-feature-not-available"));
    orb.clear_faults();
    assert_eq!(client.get("/v1/plans").unwrap().status, 200);
    assert_eq!(orb.connections(), 1);
}

#[test]
fn a_body_of_any_kind_is_sent_as_it_is() {
    let orb = start();
    orb.inject(Fault::body(502, "text/html", "<h1>Bad Gateway</h1>"));
    let answer = Client::new(&orb).get("/v1/ping").unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (502, Some("text/html")));
    assert_eq!(answer.text(), "<h1>Bad Gateway</h1>");
}

#[test]
fn a_dropped_connection_ends_without_a_byte() {
    let orb = start();
    orb.inject(Fault::disconnect().nth(2));
    let mut client = Client::new(&orb);
    assert_eq!(client.get("/v1/ping").unwrap().status, 200);
    assert_eq!(client.get("/v1/ping").err().map(|error| error.kind()), Some(ErrorKind::UnexpectedEof));
    assert_eq!(Client::new(&orb).get("/v1/ping").unwrap().status, 200);
    assert_eq!(orb.connections(), 2);
    let statuses: Vec<_> = orb.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(200), None, Some(200)]);
}

#[test]
fn a_truncated_body_promises_more_than_it_sends() {
    let orb = start();
    orb.inject(Fault::truncate(100).times(1));
    let mut client = Client::new(&orb);
    assert_eq!(client.get("/v1/customers").err().map(|error| error.kind()), Some(ErrorKind::UnexpectedEof));
    orb.inject(Fault::truncate(100).on("/v1/ping"));
    assert_eq!(Client::new(&orb).get("/v1/ping").unwrap().status, 200);
}

#[test]
fn a_truncated_body_sends_what_it_may() {
    use std::io::{Read, Write};
    let orb = start();
    orb.inject(Fault::truncate(100));
    let mut stream = std::net::TcpStream::connect(orb.address()).unwrap();
    let key = "Authorization: Bearer mock-orb-key-0123456789";
    stream.write_all(format!("GET /v1/customers HTTP/1.1\r\nHost: orb\r\n{key}\r\n\r\n").as_bytes()).unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    let received = String::from_utf8_lossy(&received).into_owned();
    let (_, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(body.len() >= 99 && body.starts_with("{\"data\":["), "{body}");
}

#[test]
fn a_repeated_page_token_never_ends() {
    let orb = start();
    orb.inject(Fault::repeat_page_token().on("/v1/customers"));
    let mut client = Client::new(&orb);
    let token = client.get("/v1/customers?limit=5").unwrap().page_token().unwrap();
    for _ in 0..3 {
        let page = client.get(&format!("/v1/customers?limit=5&cursor={}", encoded(&token))).unwrap();
        assert_eq!(page.page_token().as_ref(), Some(&token));
    }
}

#[test]
fn a_slow_body_arrives_whole() {
    let orb = start();
    let expected = Client::new(&orb).get("/v1/ping").unwrap().body;
    orb.inject(Fault::slow_body(10, Duration::from_millis(5)));
    let begun = Instant::now();
    assert_eq!(Client::new(&orb).get("/v1/ping").unwrap().body, expected);
    assert!(begun.elapsed() >= Duration::from_millis(5) * (expected.len() as u32 / 10 - 1));
}

#[test]
fn latency_is_that_of_the_longest_prefix() {
    let orb = start();
    orb.set_latency_on("/v1/ping", Duration::from_millis(40));
    orb.set_latency_on("/v1", Duration::ZERO);
    orb.inject(Fault::latency(Duration::from_millis(20)).on("/v1/ping"));
    let mut client = Client::new(&orb);
    let begun = Instant::now();
    client.get("/v1/ping").unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[test]
fn requests_in_flight_are_counted_while_they_wait() {
    let orb = start();
    orb.inject(Fault::silence());
    let mut clients = [Client::new(&orb), Client::new(&orb), Client::new(&orb)];
    for client in &mut clients {
        client.send("GET", "/v1/ping", "Authorization: Bearer mock-orb-key-0123456789\r\n").unwrap();
    }
    let begun = Instant::now();
    while orb.peak_in_flight() < clients.len() {
        assert!(begun.elapsed() < PATIENCE, "requests are not in flight together");
        std::thread::yield_now();
    }
}

#[test]
fn a_stopped_server_cuts_its_connections_and_its_port() {
    let orb = start();
    orb.inject(Fault::silence().on("/v1/plans"));
    let mut idle = Client::new(&orb);
    idle.get("/v1/ping").unwrap();
    let mut waiting = Client::new(&orb);
    waiting.send("GET", "/v1/plans", "Authorization: Bearer mock-orb-key-0123456789\r\n").unwrap();
    orb.stop();
    assert!(waiting.receive().is_err());
    assert!(idle.get("/v1/ping").is_err());
    assert!(Client::connect(orb.address()).is_err());
}
