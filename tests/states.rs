//! State files from any client: each stream's own state counts, with or without an empty namespace.

use mock_orb::{Account, MockOrb, Settings};
use serde_json::{Value, json};

use crate::support::{Output, Setup, setup::catalog};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// A state later than every record, so that a stream that resumes from it has none.
fn beyond() -> Value {
    json!({ "created_at": "2100-01-01T00:00:00Z" })
}

fn read(setup: &Setup, catalog: &Value, state: &Value) -> Output {
    let (config, catalog) = (setup.config_file(), setup.file("catalog.json", catalog.to_string()));
    let state = setup.file("state.json", state.to_string());
    let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output
}

#[test]
fn beside_a_stream_s_own_state_what_all_had_before_does_not_count() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let streams = catalog(&["customers", "plans"]);
    let data = json!({ "customers": beyond(), "plans": beyond() });
    for kind in [json!("STREAM"), json!("LEGACY"), Value::Null] {
        let message = |name: &str, state: Value| {
            let stream = json!({ "stream_descriptor": { "name": name }, "stream_state": state });
            json!({ "type": kind, "stream": stream, "data": data })
        };
        // One stream resumes, the other was reset.
        let state = json!([message("customers", Value::Null), message("plans", beyond())]);
        let output = read(&setup, &streams, &state);
        assert!(!output.records("customers").is_empty(), "{state}");
        assert!(output.records("plans").is_empty(), "{state}");
    }
}

#[test]
fn the_envelopes_of_airbytes_api_continue_the_read() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let list = json!([{ "streamDescriptor": { "name": "plans" }, "streamState": beyond() }]);
    for state in [
        json!({ "stateType": "stream", "connectionId": "c", "streamState": list }),
        json!({ "connectionState": { "stateType": "stream", "streamState": list } }),
        json!({ "stateType": "global", "globalState": { "shared_state": {}, "streamStates": list } }),
        json!({ "stateType": "legacy", "state": { "plans": beyond() } }),
    ] {
        assert!(read(&setup, &catalog(&["plans"]), &state).records("plans").is_empty(), "{state}");
    }
}

#[test]
fn an_empty_namespace_is_none_in_both_directions_and_is_not_told() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let namespaces = [None, Some(Value::Null), Some(json!(""))];
    for of_catalog in &namespaces {
        for of_state in &namespaces {
            let mut streams = catalog(&["plans"]);
            let mut descriptor = json!({ "name": "plans" });
            if let Some(namespace) = of_catalog {
                streams["streams"][0]["stream"]["namespace"] = namespace.clone();
            }
            if let Some(namespace) = of_state {
                descriptor["namespace"] = namespace.clone();
            }
            let state = json!([{ "type": "STREAM", "stream": { "stream_descriptor": descriptor, "stream_state": beyond() } }]);
            let output = read(&setup, &streams, &state);
            assert!(output.records("plans").is_empty(), "{streams} {state}");
            assert!(!output.stdout.contains("namespace"), "{}", output.stdout);
        }
    }
}
