//! Rows about records and the statuses around them.

use boon::{Compiler, Schemas};
use mock_orb::{Account, Collection, MockOrb, Settings};
use serde_json::{Value, json};

use super::{ALL, orb};
use crate::support::{Setup, guests, setup::catalog, shape::fields};

#[test]
fn row_04_a_stream_starts_runs_at_its_first_record_and_completes_after_its_last_state() {
    let orb = orb();
    let output = Setup::new(&orb).read(&ALL);
    for stream in ALL {
        let seen: Vec<String> = output
            .messages
            .iter()
            .filter_map(|message| {
                let status = message.trace.as_ref().and_then(|trace| trace.stream_status.as_ref());
                match (&message.record, &message.state, status) {
                    (Some(record), ..) if record.stream == stream => Some("RECORD".to_owned()),
                    (_, Some(state), _) if state.stream.stream_descriptor.name == stream => {
                        Some("STATE".to_owned())
                    }
                    (.., Some(status)) if status.stream_descriptor.name == stream => {
                        Some(status.status.clone())
                    }
                    _ => None,
                }
            })
            .collect();
        assert_eq!(seen[..3], ["STARTED", "RUNNING", "RECORD"], "{stream}");
        assert_eq!(seen[seen.len() - 2..], ["STATE", "COMPLETE"], "{stream}");
        for once in ["STARTED", "RUNNING", "COMPLETE"] {
            assert_eq!(seen.iter().filter(|seen| *seen == once).count(), 1, "{stream}: {once}");
        }
    }
}

#[test]
fn row_10_every_stream_may_be_configured_as_incremental() {
    let output = Setup::guest(guests::ONE_MODE, json!({})).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(!output.records("things").is_empty());
}

#[test]
fn row_10_the_catalogs_of_real_clients_are_taken_and_wrong_ones_refused() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    let read = |catalog: &Value| {
        let file = setup.file("catalog.json", catalog.to_string());
        setup.run(&[&"read", &"--config", &config, &"--catalog", &file])
    };
    for destination_sync_mode in
        ["append", "overwrite", "append_dedup", "update", "soft_delete", "overwrite_dedup"]
    {
        let mut catalog = catalog(&["plans"]);
        let entry = &mut catalog["streams"][0];
        entry["destination_sync_mode"] = destination_sync_mode.into();
        for absent in ["cursor_field", "primary_key", "generation_id", "minimum_generation_id", "sync_id"] {
            entry[absent] = Value::Null;
        }
        entry["stream"]["namespace"] = Value::Null;
        entry["stream"]["is_file_based"] = Value::Null;
        let output = read(&catalog);
        assert_eq!(output.code, Some(0), "{destination_sync_mode}: {}", output.stderr);
        assert!(!output.records("plans").is_empty());
    }
    let mut unknown_mode = catalog(&["plans"]);
    unknown_mode["streams"][0]["sync_mode"] = "sometimes".into();
    for wrong in [unknown_mode, catalog(&["nothing"]), catalog(&["plans", "plans"]), json!({}), json!([])] {
        assert_eq!(read(&wrong).error().failure_type, "config_error", "{wrong}");
    }
}

#[test]
fn row_13_every_record_is_one_of_its_schema() {
    let orb = orb();
    let setup = Setup::new(&orb).with("string_event_properties_keys", json!(["region"]));
    let catalog = setup.discover();
    let output = setup.read(&ALL);
    let streams = catalog.messages[0].catalog.as_ref().unwrap()["streams"].as_array().unwrap();
    for stream in streams.iter().filter(|stream| ALL.contains(&stream["name"].as_str().unwrap())) {
        let name = stream["name"].as_str().unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("mem:///stream", stream["json_schema"].clone()).unwrap();
        let schema = compiler.compile("mem:///stream", &mut schemas).unwrap();
        let records = output.records(name);
        assert!(!records.is_empty(), "{name}");
        for record in records {
            let value: Value = serde_json::from_str(&record).unwrap();
            schemas.validate(&value, schema).unwrap_or_else(|error| panic!("{name}: {error}\n{record}"));
            for key in stream["source_defined_primary_key"].as_array().unwrap() {
                assert!(value[key[0].as_str().unwrap()].is_string(), "{name}: {key} in {record}");
            }
        }
    }
}

#[test]
fn row_14_and_26_digits_strings_nulls_and_unknown_fields_come_as_orb_wrote_them() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let odd = concat!(
        r#"{"id":"one","created_at":"2024-01-01T00:00:00+00:00","name":"\u00e9 \/ \ud83d\ude00 é","email":null,"#,
        r#""balance":"0.10","big":123456789012345678901234567890.10,"small":1e-30,"whole":5.0,"minus":-0,"#,
        r#""new_field":{"z":[1.50,null],"a":{}},"":""}"#
    );
    orb.account().insert(Collection::Customers, odd).unwrap();
    let output = Setup::new(&orb).read(&["customers"]);
    let records = output.records("customers");
    assert_eq!(records, [odd]);
    assert!(!fields(&records[0]).contains_key("timezone"), "what is absent stays absent");
}
