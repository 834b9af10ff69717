//! Reads in which requests fail, and reads that are killed.

use std::collections::{BTreeMap, BTreeSet};

use mock_orb::{Account, Fault, MockOrb, Settings};

use super::{all_held, assert_same, configured, discover, held::Fields, read, records, settings, setup};

fn small() -> MockOrb {
    let settings = Settings { customers: 8, subscriptions: 9, ledger_customers: 3, ..settings() };
    MockOrb::start(Account::generate(&settings))
}

#[test]
fn faults_at_a_fifth_of_all_requests_lose_nothing_and_repeat_nothing() {
    let orb = small();
    let setup = setup(&orb).with("concurrency", 32);
    let streams = discover(&setup);
    let expected = all_held(&orb, &streams);
    for (seed, fault) in [
        Fault::status(429).retry_after("0"),
        Fault::status(500),
        Fault::body(502, "text/html", "<html>Bad Gateway</html>"),
        Fault::status(503).retry_after("Thu, 01 Jan 2015 00:00:00 GMT"),
        Fault::disconnect(),
        Fault::truncate(300),
    ]
    .into_iter()
    .enumerate()
    {
        orb.inject(fault.with_chance(0.035, seed as u64));
    }
    let output = read(&setup, &configured(&streams, true), None);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for (name, expected) in &expected {
        assert_same(name, &records(&output, name), expected);
    }
}

#[test]
fn answers_that_are_too_large_are_requested_in_smaller_ones() {
    let orb = small();
    let setup = setup(&orb);
    let streams = discover(&setup);
    let expected = all_held(&orb, &streams);
    orb.inject(Fault::status(413).with_query_above("limit", 30));
    orb.inject(Fault::status(413).with_timeframe_above(std::time::Duration::from_secs(9 * 24 * 60 * 60)));
    let output = read(&setup, &configured(&streams, true), None);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for (name, expected) in &expected {
        assert_same(name, &records(&output, name), expected);
    }
}

#[test]
fn reads_that_are_killed_anywhere_and_continued_lose_nothing() {
    let orb = small();
    // With few requests in flight, more of them lie before a state.
    let setup = setup(&orb).with("concurrency", 2);
    let streams = discover(&setup);
    let expected = all_held(&orb, &streams);
    let catalog = configured(&streams, true);
    let mut seen: BTreeMap<&str, BTreeSet<Fields>> = BTreeMap::new();
    let mut last = BTreeMap::new();
    let state_file = |last: &BTreeMap<String, serde_json::Value>| {
        let element = |(name, state): (&String, &serde_json::Value)| {
            serde_json::json!({ "type": "STREAM", "stream": {
                "stream_descriptor": { "name": name }, "stream_state": state } })
        };
        serde_json::Value::Array(last.iter().map(element).collect()).to_string()
    };
    let mut continued = 0;
    for lines in (1..).map(|run| run * run * 60) {
        let output = setup.read_killed_after(&catalog, &state_file(&last), lines);
        for stream in &streams {
            seen.entry(&stream.name).or_default().extend(records(&output, &stream.name));
            if let Some(state) = output.states(&stream.name).last() {
                last.insert(stream.name.clone(), state.stream.stream_state.clone());
            }
        }
        if streams.iter().all(|stream| output.statuses(&stream.name).last() == Some(&"COMPLETE")) {
            break;
        }
        continued += 1;
    }
    assert!(continued > 3, "{continued}");
    for (name, expected) in &expected {
        let seen: Vec<Fields> = seen[name.as_str()].iter().cloned().collect();
        assert_same(name, &seen, expected);
    }
}
