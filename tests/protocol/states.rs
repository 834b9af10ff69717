//! Rows about states: which are emitted, and which are accepted.

use std::collections::BTreeSet;

use mock_orb::{Account, MockOrb, Settings};
use serde_json::{Value, json};

use super::{ALL, orb};
use crate::support::{Output, Setup, guests};

/// The order of a stream's records and states: `None` for a record, the record count for a state.
fn sequence(output: &Output, stream: &str) -> Vec<Option<f64>> {
    let of_stream = output.messages.iter().filter_map(|message| match (&message.record, &message.state) {
        (Some(record), _) if record.stream == stream => Some(None),
        (_, Some(state)) if state.stream.stream_descriptor.name == stream => {
            Some(Some(state.source_stats.record_count))
        }
        _ => None,
    });
    of_stream.collect()
}

#[track_caller]
fn assert_counted(output: &Output, stream: &str) {
    let mut since = 0.0;
    for entry in sequence(output, stream) {
        match entry {
            None => since += 1.0,
            Some(count) => {
                assert_eq!(count, since, "{stream}");
                since = 0.0;
            }
        }
    }
    assert_eq!(since, 0.0, "{stream}: records after the last state");
    let states = output.states(stream);
    assert!(!states.is_empty(), "{stream}");
    assert!(states.iter().all(|state| state.kind == "STREAM"), "{stream}");
    let distinct: BTreeSet<String> =
        states.iter().map(|state| state.stream.stream_state.to_string()).collect();
    assert_eq!(distinct.len(), states.len(), "{stream}: a state was emitted twice");
}

#[test]
fn row_06_states_are_distinct_and_count_their_records_as_doubles() {
    let settings = Settings { customers: 2_500, ledger_customers: 150, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    let output = Setup::new(&orb).read(&ALL);
    for stream in ALL {
        assert_counted(&output, stream);
    }
    let count = output.states("plans")[0].source_stats.record_count;
    assert!(output.stdout.contains(&format!(r#""sourceStats":{{"recordCount":{count:.1}}}"#)));
}

#[test]
fn row_06_a_stream_without_records_tells_one_state() {
    let output = Setup::new(&MockOrb::start(Account::generate(&Settings::empty()))).read(&ALL);
    for stream in ALL {
        assert_eq!(sequence(&output, stream), [Some(0.0)], "{stream}");
        assert!(output.states(stream)[0].stream.stream_state.is_object(), "{stream}");
    }
}

#[test]
fn row_06_a_connector_that_repeats_its_state_is_not_repeated() {
    let output = Setup::guest(guests::ONE_MODE, json!({})).read(&["things"]);
    assert_eq!(output.records("things").len(), 12);
    assert_counted(&output, "things");
    assert_eq!(output.states("things").len(), 1);
}

#[test]
fn row_07_long_streams_tell_states_on_their_way() {
    let settings = Settings { customers: 2_500, ledger_customers: 500, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    // Windows that are read one after the other are complete in their order, whatever the timing.
    let setup = Setup::new(&orb).with("start_date", "2024-01-01T00:00:00Z").with("concurrency", 1);
    let output = setup.read(&["customers", "credits_ledger_entries"]);
    for stream in ["customers", "credits_ledger_entries"] {
        assert!(output.states(stream).len() > 3, "{stream}: {:?}", sequence(&output, stream));
        // But not one after each page or customer: a destination may commit at each.
        assert!(output.states(stream).len() < 60, "{stream}");
    }
}

/// The state files that various clients write for `state` of a stream.
fn odd_files(stream: &str, state: &Value) -> Vec<String> {
    let plain = json!({ "stream_descriptor": { "name": stream }, "stream_state": state });
    let nulls = json!({ "stream_descriptor": { "name": stream, "namespace": null }, "stream_state": state });
    vec![
        json!([{ "type": "STREAM", "stream": plain }]).to_string(),
        // PyAirbyte, which writes one field twice.
        format!(
            r#"[{{"type":"STREAM","stream":{nulls},"global":null,"global_":null,"data":null,"global_":null,"sourceStats":{{"recordCount":10}},"destinationStats":null}}]"#
        ),
        // Pathway.
        json!([{ "type": "GLOBAL", "global": { "shared_state": null, "stream_states": [plain] } }]).to_string(),
        // Meltano.
        json!({ "type": "STREAM", "stream": plain }).to_string(),
        // Airbyte's API.
        json!([{ "streamDescriptor": { "name": stream }, "streamState": state }]).to_string(),
        // From before per-stream states.
        json!([{ "type": "LEGACY", "data": { stream: state } }]).to_string(),
        json!({ stream: state, "another": { "a": 1 } }).to_string(),
        // With states of streams that are not read.
        json!([{ "type": "STREAM", "stream": { "stream_descriptor": { "name": "gone" }, "stream_state": {} } },
            { "type": "STREAM", "stream": plain }])
        .to_string(),
    ]
}

#[test]
fn row_09_states_are_taken_in_every_form_that_clients_write() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let all = setup.read(&["customers"]).records("customers").len();
    let state = json!({ "created_at": "2024-12-01T00:00:00+00:00" });
    let mut counts = BTreeSet::new();
    for file in odd_files("customers", &state) {
        let output = setup.read_from(&["customers"], &file);
        assert_eq!(output.code, Some(0), "{file}: {}", output.stderr);
        counts.insert(output.records("customers").len());
    }
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert!(counts.first() < Some(&all), "{counts:?} of {all}");
    for none in [
        "null",
        "{}",
        "[]",
        r#"[{"type":"GLOBAL","global":{"stream_states":[]}}]"#,
        r#"[{"type":"STREAM","stream":{"stream_descriptor":{"name":"customers"},"stream_state":null}}]"#,
        r#"{"customers":{"__ab_no_cursor_state_message":true}}"#,
        r#"{"customers":{"__ab_full_refresh_sync_complete":true}}"#,
    ] {
        assert_eq!(setup.read_from(&["customers"], none).records("customers").len(), all, "{none}");
    }
}

#[test]
fn row_09_a_state_of_another_namespace_is_told_of() {
    let orb = orb();
    let file = r#"[{"stream":{"stream_descriptor":{"name":"plans","namespace":"n"},"stream_state":{"created_at":"2122-01-01T00:00:00Z"}}}]"#;
    let output = Setup::new(&orb).read_from(&["plans"], file);
    assert!(!output.records("plans").is_empty());
    let warning = output.logs().into_iter().find(|log| log.level == "WARN").unwrap();
    assert!(
        warning.message.contains("plans") && warning.message.contains("namespace"),
        "{}",
        warning.message
    );
}

#[test]
fn row_09_what_a_read_tells_is_what_the_next_one_takes() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let first = setup.read(&ALL);
    let again = setup.read_from(&ALL, &first.state_file());
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    for stream in ["customers", "subscriptions", "plans", "invoices"] {
        assert_eq!(again.records(stream).len(), 1, "{stream}: only the record at the cursor comes again");
    }
}

#[test]
fn row_11_a_state_is_honoured_in_full_refresh_too() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let mut catalog = crate::support::setup::catalog(&["customers"]);
    catalog["streams"][0]["sync_mode"] = "full_refresh".into();
    let (config, catalog) = (setup.config_file(), setup.file("full.json", catalog.to_string()));
    let full = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    assert!(full.records("customers").len() > 1);
    let state = setup.file("state.json", full.state_file());
    let resumed = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state]);
    assert_eq!(resumed.records("customers").len(), 1, "{}", resumed.stdout);
}
