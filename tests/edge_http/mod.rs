//! A connector behind HTTP, composed by `make edge-http`, on the server of wasmtime-wasi-http.
//!
//! The linker offers the world `wasi:http/proxy` and nothing else, so that the component runs on
//! any server of that world.

mod requests;
mod server;

use std::collections::BTreeSet;

use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};
use serde_json::{Value, json};

use self::server::Server;
use crate::support::Setup;

fn config(orb: &MockOrb) -> Value {
    json!({ "api_key": DEFAULT_API_KEY, "start_date": "2020-01-01T00:00:00Z", "api_url": orb.url() })
}

/// The lines of a `/read`, by what they are.
#[derive(Debug, Default)]
struct Lines {
    records: Vec<String>,
    states: Vec<Value>,
    error: Option<Value>,
    complete: Option<bool>,
    /// How many records came after the last state.
    uncovered: usize,
}

impl Lines {
    fn of(text: &str) -> Self {
        let mut lines = Self::default();
        for line in text.lines() {
            assert!(lines.error.is_none() && lines.complete.is_none(), "more lines follow the last: {line}");
            if let Some(record) = line.strip_prefix(r#"{"record":"#) {
                lines.records.push(record.strip_suffix('}').unwrap().to_owned());
                lines.uncovered += 1;
                continue;
            }
            let line: Value = serde_json::from_str(line).unwrap();
            match line.as_object().unwrap().iter().next().unwrap() {
                (name, state) if name == "state" => {
                    lines.states.push(state.clone());
                    lines.uncovered = 0;
                }
                (name, error) if name == "error" => lines.error = Some(error.clone()),
                (name, complete) if name == "complete" => lines.complete = complete.as_bool(),
                (name, _) => panic!("{name}"),
            }
        }
        lines
    }
}

fn sorted(mut records: Vec<String>) -> Vec<String> {
    records.sort();
    records
}

#[test]
#[ignore = "needs `make edge-http`"]
fn every_stream_is_the_one_that_the_host_reads() {
    let settings = Settings { customers: 13, subscriptions: 14, invoices: 120, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    let (server, setup) = (Server::start(), Setup::new(&orb).flags(&["--streams", "all"]));
    let read = setup.run(&[&"read", &"--config", &setup.config_file()]);
    let (status, discovered) = server.post("/discover", &json!({ "config": config(&orb) }));
    assert_eq!(status, 200, "{discovered}");
    let discovered: Value = serde_json::from_str(&discovered).unwrap();
    let streams = discovered["streams"].as_array().unwrap();
    assert!(streams.len() > 40);
    for stream in streams {
        let name = stream["name"].as_str().unwrap();
        let (status, text) = server.post("/read", &json!({ "config": config(&orb), "stream": name }));
        let lines = Lines::of(&text);
        assert_eq!((status, lines.complete), (200, Some(true)), "{name}: {:?}", lines.error);
        assert_eq!(sorted(lines.records), sorted(read.records(name)), "{name}");
    }
}

#[test]
#[ignore = "needs `make edge-http`"]
fn a_read_stops_within_its_budget_and_goes_on_where_it_was_left_off() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 5_000, ..Settings::default() }));
    let server = Server::start();
    for budget in [json!({ "records": 900 }), json!({ "bytes": 400_000 })] {
        let (mut state, mut emitted, mut seen, mut slices) = (Value::Null, 0, BTreeSet::new(), 0);
        loop {
            let mut question = json!({
                "config": config(&orb), "stream": "customers", "state": state, "budget": budget,
            });
            question["config"]["concurrency"] = json!(6);
            let lines = Lines::of(&server.post("/read", &question).1);
            slices += 1;
            emitted += lines.records.len();
            seen.extend(lines.records);
            assert_eq!((lines.uncovered, lines.error), (0, None));
            state = lines.states.last().unwrap().clone();
            if lines.complete.unwrap() {
                break;
            }
        }
        assert_eq!(seen.len(), 5_000, "{budget}");
        assert!(slices > 2 && emitted <= 5_050, "{budget}: {emitted} in {slices}");
    }
}

#[test]
#[ignore = "needs `make edge-http`"]
fn what_goes_wrong_in_a_read_is_its_last_line_and_says_whose_fault_it_is() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let mut question = json!({ "config": config(&orb), "stream": "customers" });
    question["config"]["api_key"] = json!("another-key");
    let server = Server::start();
    let (status, text) = server.post("/read", &question);
    let lines = Lines::of(&text);
    let error = lines.error.unwrap();
    assert_eq!((status, &error["failure_type"], lines.complete), (200, &json!("config"), None));
    assert!(!text.contains("another-key"), "{text}");
    let (status, text) = server.post("/check", &question);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &answer["status"]), (200, &json!("failed")));
    assert_eq!(answer["error"]["failure_type"], "config");
    question["config"]["api_key"] = json!(DEFAULT_API_KEY);
    assert_eq!(server.post("/check", &question), (200, r#"{"status":"succeeded"}"#.to_owned()));
}

#[test]
#[ignore = "needs `make edge-http`"]
fn records_are_sent_while_others_are_read_and_a_client_that_goes_away_ends_the_read() {
    let settings = Settings { customers: 2_000, ledger_customers: 2_000, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    orb.set_latency(std::time::Duration::from_millis(20));
    let server = Server::start();
    let question = json!({ "config": config(&orb), "stream": "credits_ledger_entries" });
    let part = server.read_a_part("/read", &question);
    assert!(part.starts_with(r#"{"record":"#), "{part}");
    // The instance has ended, and with it all that it had in flight.
    server.wait_until_idle();
    let requests = orb.request_count();
    assert!(requests < 1_000, "{requests}");
}

#[test]
#[ignore = "needs `make edge-http`"]
fn the_specification_is_that_of_the_connector() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let (status, text) = Server::start().get("/spec");
    let (answer, spec): (Value, Value) = (
        serde_json::from_str(&text).unwrap(),
        serde_json::from_str(&Setup::new(&orb).spec().stdout).unwrap(),
    );
    assert_eq!((status, &answer["name"]), (200, &json!("orb")));
    let (ours, theirs) = (&answer["config_schema"], &spec["spec"]["connectionSpecification"]);
    assert_eq!(ours["required"], theirs["required"]);
    assert_eq!(ours["properties"]["api_key"], theirs["properties"]["api_key"]);
}

#[test]
#[ignore = "needs `make edge-http`"]
fn nothing_of_the_contract_is_left_to_import() {
    let (imports, exports) = server::closed();
    assert!(imports.iter().all(|import| import.starts_with("wasi:")), "{imports:?}");
    assert!(exports.iter().any(|export| export.starts_with("elt:connector/source@")), "{exports:?}");
}
