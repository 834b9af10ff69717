//! `discover`: the catalog.

use mock_orb::{Account, MockOrb, Settings};
use serde_json::{Value, json};

use crate::support::{Setup, setup::STREAMS};

fn catalog() -> Vec<Value> {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).discover();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.messages.len(), 1);
    assert!(orb.requests().is_empty());
    output.messages[0].catalog.as_ref().unwrap()["streams"].as_array().unwrap().clone()
}

#[test]
fn the_first_streams_can_be_read_in_both_modes_by_their_keys_and_cursors() {
    let streams = catalog();
    let names: Vec<&str> = streams.iter().map(|stream| stream["name"].as_str().unwrap()).collect();
    assert_eq!(names[..5], STREAMS);
    assert_eq!(names[5], "subscription_usage");
    for stream in &streams[..6] {
        let cursor = match stream["name"].as_str().unwrap() {
            "invoices" => "invoice_date",
            "subscription_usage" => "timeframe_start",
            _ => "created_at",
        };
        let key = match stream["name"].as_str().unwrap() {
            "subscription_usage" => json!([["subscription_id"], ["billable_metric_id"], ["timeframe_start"]]),
            _ => json!([["id"]]),
        };
        assert_eq!(stream["supported_sync_modes"], json!(["full_refresh", "incremental"]));
        assert_eq!(stream["source_defined_cursor"], true);
        assert_eq!(stream["default_cursor_field"], json!([cursor]));
        assert_eq!(stream["source_defined_primary_key"], key);
        assert_eq!(stream["is_resumable"], true);
    }
}

#[test]
fn a_stream_without_a_cursor_is_for_full_refresh_only() {
    let streams = catalog();
    let has_cursor = |stream: &&Value| stream["supported_sync_modes"].as_array().unwrap().len() == 2;
    let (with, without): (Vec<_>, Vec<_>) = streams.iter().partition(has_cursor);
    assert_eq!((with.len(), without.len()), (20, 23));
    for stream in without {
        assert_eq!(stream["supported_sync_modes"], json!(["full_refresh"]), "{}", stream["name"]);
        assert!(stream["default_cursor_field"].as_array().is_none_or(Vec::is_empty), "{}", stream["name"]);
        assert!(!stream["source_defined_primary_key"].as_array().unwrap().is_empty());
    }
}

#[test]
fn schemas_are_whole_open_and_without_references() {
    for stream in catalog() {
        let schema = &stream["json_schema"];
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert_eq!(schema["additionalProperties"], true);
        let text = schema.to_string();
        for keyword in ["$ref", "oneOf", "anyOf", "allOf"] {
            assert!(!text.contains(&format!("\"{keyword}\"")), "{}: {keyword}", stream["name"]);
        }
    }
}

#[test]
fn every_field_of_every_record_is_in_its_schema() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let output = Setup::new(&orb).read(&STREAMS);
    for stream in &catalog()[..STREAMS.len()] {
        let name = stream["name"].as_str().unwrap();
        let records = output.records(name);
        assert!(!records.is_empty(), "{name}");
        let unknown: Vec<String> = records
            .iter()
            .flat_map(|record| crate::support::shape::fields(record).into_keys())
            .filter(|field| stream["json_schema"]["properties"].get(field).is_none())
            .collect();
        // The emulator adds an undocumented field, which must be kept.
        assert!(unknown.iter().all(|field| field.starts_with("x_")), "{name}: {unknown:?}");
    }
}
