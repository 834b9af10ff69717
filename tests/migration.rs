//! Migration from Airbyte's source-orb: its configs, and its states in all formats.

use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};
use serde_json::{Value, json};

use crate::support::Setup;

const FIELD: &str = "credit_block_per_unit_cost_basis";

const EARLIER: &str = "2024-12-20T00:00:00+00:00";

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn setup(orb: &MockOrb) -> Setup {
    Setup::new(orb).with("start_date", "2024-01-01T00:00:00Z").with("end_date", "2025-01-01T00:00:00Z")
}

/// A state file with one stream's state.
fn file(stream: &str, state: &Value) -> String {
    json!([{ "type": "STREAM", "stream": { "stream_descriptor": { "name": stream }, "stream_state": state } }])
        .to_string()
}

#[test]
fn plain_states_of_airbytes_connector_continue() {
    let orb = orb();
    let setup = setup(&orb);
    for (stream, field) in [
        ("customers", "created_at"),
        ("subscriptions", "created_at"),
        ("plans", "created_at"),
        ("invoices", "invoice_date"),
    ] {
        let everything = setup.read(&[stream]).records(stream);
        // 1.x writes the first format; 2.0 writes what Orb sent, which may be the second.
        for cursor in [EARLIER, "2024-12-20T00:00:00Z"] {
            let output = setup.read_from(&[stream], &file(stream, &json!({ field: cursor })));
            assert_eq!(output.code, Some(0), "{stream}: {}", output.stderr);
            let newer = everything.iter().filter(|record| {
                let record: Value = serde_json::from_str(record).unwrap();
                record[field].as_str().unwrap() >= "2024-12-20"
            });
            let count = newer.count();
            assert!(0 < count && count < everything.len(), "{stream}: {count}");
            assert_eq!(output.records(stream).len(), count, "{stream} from {cursor}");
        }
    }
}

#[test]
fn usage_states_of_airbytes_connector_continue_per_subscription() {
    let orb = orb();
    let setup = setup(&orb);
    let stream = "subscription_usage";
    let everything = setup.read(&[stream]).records(stream);
    let ids: std::collections::BTreeSet<String> = everything
        .iter()
        .map(|record| {
            serde_json::from_str::<Value>(record).unwrap()["subscription_id"].as_str().unwrap().to_owned()
        })
        .collect();
    let mut counts = Vec::new();
    // The second is what 2.x would write.
    for cursor in [EARLIER, "2024-12-20T00:00:00.000000+0000"] {
        let cursor = json!({ "timeframe_start": cursor });
        let one: Value = ids.iter().map(|id| (id.clone(), cursor.clone())).collect();
        let partition =
            |id| json!({ "partition": { "subscription_id": id, "parent_slice": {} }, "cursor": cursor });
        let two =
            json!({ "use_global_cursor": false, "states": ids.iter().map(partition).collect::<Vec<_>>() });
        for state in [one, two] {
            let output = setup.read_from(&[stream], &file(stream, &state));
            assert_eq!(output.code, Some(0), "{}", output.stderr);
            counts.push(output.records(stream).len());
            let last = &output.states(stream).last().unwrap().stream.stream_state;
            assert_eq!(last["timeframe_start"], "2025-01-01T00:00:00+00:00");
        }
    }
    assert!(0 < counts[0] && counts[0] < everything.len() / 2, "{counts:?} of {}", everything.len());
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

/// What the CDK writes beyond 10,000 partitions, and what one of its older classes always writes.
#[test]
fn states_with_one_cursor_for_all_partitions_continue() {
    let orb = orb();
    let setup = setup(&orb);
    for (stream, field) in
        [("credits_ledger_entries", "created_at"), ("subscription_usage", "timeframe_start")]
    {
        let everything = setup.read(&[stream]).records(stream).len();
        let read = |state: &Value| {
            let output = setup.read_from(&[stream], &file(stream, state));
            assert_eq!(output.code, Some(0), "{stream} from {state}: {}", output.stderr);
            output.records(stream).len()
        };
        let plain = read(&json!({ field: EARLIER }));
        assert!(0 < plain && plain < everything / 2, "{stream}: {plain} of {everything}");
        let global = json!({ field: EARLIER });
        for state in [
            json!({ "use_global_cursor": true, "state": global }),
            json!({ "use_global_cursor": true, "state": global, "states": [], "parent_state": {} }),
            json!({ "use_global_cursor": true, "state": global, "lookback_window": 0,
                    "parent_state": { "customers": { "created_at": EARLIER } } }),
            json!({ "state": global, "lookback_window": "0" }),
        ] {
            assert_eq!(read(&state), plain, "{stream} from {state}");
        }
        // The lookback window adds half a year.
        let half_a_year = 182 * 24 * 60 * 60;
        for lookback in [json!(half_a_year), json!(half_a_year.to_string()), json!(f64::from(half_a_year))] {
            let state = json!({ "use_global_cursor": true, "state": global, "lookback_window": lookback });
            let count = read(&state);
            assert!(plain < count && count < everything, "{stream} from {state}: {count}");
        }
        // There is no cursor, or the parents may never have been read.
        for state in [
            json!({ "states": [] }),
            json!({ "use_global_cursor": false }),
            json!({ "use_global_cursor": true, "state": {} }),
            json!({ "use_global_cursor": false, "states": [], "state": global, "lookback_window": 1 }),
        ] {
            assert_eq!(read(&state), everything, "{stream} from {state}");
        }
    }
}

#[test]
fn every_config_of_airbytes_connector_is_one_of_ours() {
    let orb = orb();
    let least = json!({ "api_key": DEFAULT_API_KEY, "start_date": "2022-03-01T00:00:00Z" });
    let all = json!({
        "lookback_window_days": 0,
        "end_date": "2024-03-01T00:00:00Z",
        "string_event_properties_keys": ["region"],
        "numeric_event_properties_keys": ["amount"],
        "subscription_usage_grouping_key": "region",
        "plan_id": "a-plan",
        "a property that nobody knows": true,
    });
    for config in [json!({}), all] {
        let mut setup = Setup::new(&orb);
        for (property, value) in least.as_object().unwrap().iter().chain(config.as_object().unwrap()) {
            setup = setup.with(property, value.clone());
        }
        let output = setup.check();
        let status = output.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
        assert_eq!(status.status, "SUCCEEDED", "{config}: {}", status.message);
    }
}

#[test]
fn the_page_for_users_of_airbyte_has_every_property_and_its_title() {
    let spec: Value = serde_json::from_str(include_str!("../connector/orb/spec.json")).unwrap();
    for (property, schema) in spec["properties"].as_object().unwrap() {
        let cells = format!("| `{property}` | {} |", schema["title"].as_str().unwrap());
        assert!(include_str!("../docs/airbyte.md").contains(&cells), "{cells}");
    }
}

#[test]
fn the_page_for_users_of_airbyte_names_tests_that_exist() {
    let page = include_str!("../docs/airbyte.md");
    let words = page.split('`').skip(1).step_by(2);
    // Only test names, and one field, have that many underscores.
    let tests: Vec<&str> = words
        .filter(|word| word.matches('_').count() >= 4 && !word.contains([' ', '/']) && *word != FIELD)
        .collect();
    assert!(tests.len() > 15, "{tests:?}");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = [
        "tests",
        "tests/bundle",
        "tests/every_stream",
        "tests/sandbox",
        "tests/image",
        "connector/orb/src/source",
    ]
    .into_iter()
    .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources: String = rust.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for name in tests {
        assert!(sources.contains(&format!("fn {name}()")), "{name}");
    }
}
