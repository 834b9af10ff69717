//! Ledger entries that name an event receive its configured properties.

use std::collections::BTreeMap;

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::{Setup, shape::fields};

const STREAM: [&str; 1] = ["credits_ledger_entries"];

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { ledger_event_ids: true, ..Settings::default() }))
}

/// The keys of the events' properties, as configured here.
fn setup(orb: &MockOrb) -> Setup {
    Setup::new(orb)
        .with("string_event_properties_keys", vec!["region", "cached"])
        .with("numeric_event_properties_keys", vec!["bytes"])
}

/// The server's committed entries, by id.
fn entries(account: &Account) -> BTreeMap<String, BTreeMap<String, String>> {
    let ledgers = account.customer_ids().into_iter().flat_map(|id| account.ledger(&id));
    let committed =
        ledgers.map(|entry| fields(&entry)).filter(|entry| entry["entry_status"] == "\"committed\"");
    committed.map(|entry| (entry["id"].clone(), entry)).collect()
}

#[test]
fn entries_get_the_configured_properties_of_their_events() {
    let orb = orb();
    let output = setup(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let (held, records) = (entries(&orb.account()), output.records(STREAM[0]));
    assert_eq!(records.len(), held.len());
    let (mut enriched, mut unknown) = (0, 0);
    for record in records {
        let record = fields(&record);
        let id = held[&record["id"]].get("event_id").filter(|id| *id != "null");
        let Some(id) = id else {
            assert!(!record.contains_key("event"));
            continue;
        };
        assert!(!record.contains_key("event_id"));
        let event = fields(&record["event"]);
        assert_eq!(event["id"], *id);
        let Some(known) = orb.account().event(id.trim_matches('"')) else {
            assert!(!event.contains_key("properties"));
            unknown += 1;
            continue;
        };
        let properties = fields(&event["properties"]);
        let of_event = fields(&fields(&known)["properties"]);
        let wanted = |name: &&String| ["region", "cached", "bytes"].contains(&name.as_str());
        assert_eq!(
            properties.keys().collect::<Vec<_>>(),
            of_event.keys().filter(wanted).collect::<Vec<_>>(),
            "{known}"
        );
        for (name, value) in &properties {
            let as_sent = of_event[name].trim_matches('"');
            let is_number = as_sent.starts_with(|first: char| first.is_ascii_digit());
            let expected = match name.as_str() {
                "bytes" if is_number => as_sent.to_owned(),
                "bytes" => "null".to_owned(),
                _ => format!("\"{as_sent}\""),
            };
            assert_eq!(*value, expected, "{name} of {known}");
        }
        enriched += 1;
    }
    assert!(enriched > 20 && unknown > 0, "{enriched} enriched, {unknown} unknown");
    let warnings: Vec<_> =
        output.logs().into_iter().filter(|log| log.message.contains("events were not found")).collect();
    assert_eq!(warnings.len(), 1);
    assert!(output.logs().iter().any(|log| log.message.contains("\"bytes\" was not of the configured type")));
}

#[test]
fn without_keys_nothing_is_searched_for() {
    let orb = orb();
    let output = Setup::new(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0));
    assert!(orb.requests().iter().all(|request| request.method == "GET"));
    assert!(output.records(STREAM[0]).iter().any(|record| record.contains("\"event\":{\"id\":")));
}

#[test]
fn todays_ledgers_name_no_event_and_cost_nothing() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let output = setup(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0));
    assert!(orb.requests().iter().all(|request| request.method == "GET"));
    assert!(output.records(STREAM[0]).iter().all(|record| !record.contains("\"event\":")));
}

#[test]
fn a_search_that_fails_is_tried_again() {
    let orb = orb();
    orb.inject(Fault::status(503).on("/v1/events/search").times(2));
    let output = setup(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.records(STREAM[0]).iter().any(|record| record.contains("\"properties\":{\"")));
}

#[test]
fn a_key_of_both_types_is_a_config_error_at_check() {
    let orb = orb();
    let output = setup(&orb).with("numeric_event_properties_keys", vec!["region"]).check();
    assert_eq!(output.code, Some(0));
    let status = output.messages[0].connection_status.as_ref().unwrap();
    assert_eq!(status.status, "FAILED");
    assert!(status.message.contains("\"region\" is in both"), "{}", status.message);
}
