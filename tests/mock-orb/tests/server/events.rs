//! Tests of event searches and of ledger entries that name events.

use std::collections::HashMap;

use jiff::SignedDuration;
use mock_orb::{Account, Fault, MockOrb, Settings, Timestamp};
use serde_json::{Value, json};

use crate::client::Client;

const SEARCH: &str = "/v1/events/search";

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { ledger_event_ids: true, ..Settings::default() }))
}

/// All entries of all ledgers.
fn entries(orb: &MockOrb) -> Vec<Value> {
    let account = orb.account();
    let ledgers = account.customer_ids().into_iter().flat_map(|id| account.ledger(&id));
    ledgers.map(|entry| serde_json::from_str(&entry).expect("JSON")).collect()
}

#[test]
fn entries_name_events_that_happened_before_them() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut shared: HashMap<String, usize> = HashMap::new();
    let (mut lost, mut without) = (0, 0);
    for entry in entries(&orb).iter().filter(|entry| entry["entry_type"] == "decrement") {
        let Some(id) = entry["event_id"].as_str() else {
            without += 1;
            continue;
        };
        let created: Timestamp = entry["created_at"].as_str().unwrap().parse().unwrap();
        let before = created.checked_sub(SignedDuration::from_hours(24 * 6)).unwrap();
        let body = json!({"event_ids": [id], "timeframe_start": before.to_string(), "timeframe_end": created.to_string()});
        let found = client.post(SEARCH, &body.to_string()).unwrap().records();
        lost += usize::from(found.is_empty());
        for event in found {
            let event: Value = serde_json::from_str(&event).unwrap();
            assert_eq!((&event["id"], &event["customer_id"]), (&entry["event_id"], &entry["customer"]["id"]));
            assert!(
                event["properties"].as_object().unwrap().values().all(|it| !it.is_object() && !it.is_array())
            );
            *shared.entry(id.to_owned()).or_default() += 1;
        }
    }
    assert!(lost > 0 && without > 0 && shared.values().any(|entries| *entries > 1));
}

#[test]
fn entries_name_no_events_unless_told_to() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    assert!(entries(&orb).iter().all(|entry| entry["event_id"].is_null()));
}

#[test]
fn only_what_is_found_within_the_timeframe_is_answered() {
    let orb = start();
    let event = |id: &str, timestamp: &str| {
        format!("{{\"id\":\"{id}\", \"timestamp\":\"{timestamp}\", \"properties\":{{\"n\":1.10}}}}")
    };
    let stored = [
        event("late", "2024-12-31T00:00:00+00:00"),
        event("Late", "2024-12-26T00:00:00Z"),
        event("early", "2024-12-01T00:00:00Z"),
    ];
    for event in &stored {
        orb.account().insert_event(event.clone()).unwrap();
    }
    let mut client = Client::new(&orb);
    let mut search = |body: Value| client.post(SEARCH, &body.to_string()).unwrap().records();
    let ids = ["early", "Late", "late", "late", "LATE"];
    assert_eq!(search(json!({"event_ids": ids})), stored[..2]);
    let december = json!({"event_ids": ids, "timeframe_start": "2024-12-01T00:00:00Z", "timeframe_end": "2024-12-31T00:00:00Z"});
    assert_eq!(search(december), stored[1..]);
    assert!(search(json!({"event_ids": ["x"]})).is_empty());
    assert!(orb.account().remove_event("late"));
    assert_eq!(search(json!({"event_ids": ids})), stored[1..2]);
}

#[test]
fn searching_wrongly_is_refused() {
    let orb = start();
    let mut client = Client::new(&orb);
    let month = r#"{"event_ids":["x"],"timeframe_start":"2024-01-01T00:00:00Z","timeframe_end":"2024-02-01T00:00:00Z"}"#;
    for (target, body, status, problem) in [
        (SEARCH, "event_ids=x", 400, "400-request-validation-errors"),
        (SEARCH, "", 400, "400-request-validation-errors"),
        (SEARCH, r#"{"event_ids":[]}"#, 400, "400-request-validation-errors"),
        (SEARCH, r#"{"event_ids":["x"],"limit":5}"#, 400, "400-request-validation-errors"),
        ("/v1/events/search?limit=5", r#"{"event_ids":["x"]}"#, 400, "400-request-validation-errors"),
        (SEARCH, month, 400, "400-constraint-violation"),
        (SEARCH, &" ".repeat(2 << 20), 413, "413-request-too-large"),
    ] {
        let answer = Client::new(&orb).post(target, body).unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{target}");
    }
    assert_eq!(client.get(SEARCH).unwrap().problem(), "404-url-not-found");
    assert_eq!(client.request("POST", SEARCH, "").unwrap().problem(), "401-authentication-error");
}

#[test]
fn searches_are_logged_with_their_bodies_and_faults_befall_them() {
    let orb = start();
    let mut client = Client::new(&orb);
    orb.inject(Fault::status(500).on(SEARCH).nth(2));
    let bodies = [r#"{"event_ids":["a"]}"#, r#"{"event_ids":["ü"]}"#];
    assert_eq!(bodies.map(|body| client.post(SEARCH, body).unwrap().status), [200, 500]);
    client.get("/v1/ping").unwrap();
    let logged: Vec<(String, String)> = orb.requests().into_iter().map(|it| (it.method, it.body)).collect();
    let expected = [("POST", bodies[0]), ("POST", bodies[1]), ("GET", "")];
    assert_eq!(logged, expected.map(|(method, body)| (method.to_owned(), body.to_owned())));
}
