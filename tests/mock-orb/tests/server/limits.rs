//! Tests of rate limits, as clients see them.

use mock_orb::{Account, Collection, MockOrb, RateLimit, RateTable, RetryAfter, Settings};

use crate::client::Client;

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

#[test]
fn a_rate_limit_refuses_and_says_when_to_come_back() {
    let orb = start();
    orb.limit_rate(RateLimit { burst: 2.0, retry_after: RetryAfter::Seconds, ..RateLimit::per_second(0.01) });
    let mut client = Client::new(&orb);
    let answers: Vec<_> = (0..3).map(|_| client.get("/v1/ping").unwrap()).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let wait: u64 = answers[2].header("retry-after").unwrap().parse().unwrap();
    assert!((90..=100).contains(&wait), "{wait}");
    orb.account().allow_key("second");
    let other = client.request("GET", "/v1/ping", "Authorization: Bearer second\r\n").unwrap();
    assert_eq!(other.status, 200, "keys do not share a limit");
    orb.clear_rate_limits();
    assert_eq!(client.get("/v1/ping").unwrap().status, 200);
}

#[test]
fn classes_of_requests_are_limited_by_themselves() {
    let orb = start();
    // A hundredth of a live account's rate: one request succeeds, and no second one while the test
    // runs.
    orb.limit_by_class(RateTable::LIVE.scaled(0.01));
    let subscription = orb.account().ids(Collection::Subscriptions).swap_remove(0);
    let usage = format!("/v1/subscriptions/{subscription}/usage?granularity=day");
    let usage = format!("{usage}&timeframe_start=2024-06-01T00:00:00Z&timeframe_end=2024-06-02T00:00:00Z");
    let mut client = Client::new(&orb);
    assert_eq!([(); 2].map(|()| client.get(&usage).unwrap().status), [200, 429]);
    let search = r#"{"event_ids":["x"]}"#;
    assert_eq!([(); 2].map(|()| client.post("/v1/events/search", search).unwrap().status), [200, 429]);
    assert_eq!([(); 2].map(|()| client.get("/v1/plans").unwrap().status), [200, 429]);
    let balance = client.get("/v1/customers/x/credits").unwrap();
    assert_eq!((balance.status, balance.problem().as_str()), (404, "404-resource-not-found"));
    assert_eq!(client.get("/v1/customers/x/credits").unwrap().problem(), "429-too-many-requests");
}
