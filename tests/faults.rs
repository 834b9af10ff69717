//! Failures of the network and the server: transient ones are retried, others give a clear error.
//! The file is a list of failures, with one short test for each.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::{
    Output, Setup,
    setup::STREAMS,
    shape::{expected, fields},
};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { customers: 350, ..Settings::default() }))
}

#[track_caller]
fn assert_complete(orb: &MockOrb, output: &Output, stream: &str) {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let read: BTreeSet<_> = output.records(stream).iter().map(|record| fields(record)).collect();
    assert_eq!(read, expected(&orb.account(), stream), "{stream}");
    assert_eq!(read.len(), output.records(stream).len(), "{stream}: some came twice");
}

#[test]
fn failures_that_pass_lose_nothing() {
    for fault in [
        Fault::status(429).retry_after("0"),
        Fault::status(408),
        Fault::status(409),
        Fault::status(500),
        Fault::status(503).retry_after("Thu, 01 Jan 2015 00:00:00 GMT"),
        Fault::body(502, "text/html", "<html>Bad Gateway</html>"),
        Fault::body(401, "text/html", "<html>Request blocked</html>"),
        Fault::body(403, "application/json", "{\"message\":\"Forbidden\"}"),
        Fault::disconnect(),
        Fault::truncate(700),
    ] {
        let orb = orb();
        orb.inject(fault.clone().on("/v1/customers").nth(2));
        let output = Setup::new(&orb).read(&["customers"]);
        assert_complete(&orb, &output, "customers");
    }
}

#[test]
fn faults_at_a_fifth_of_all_requests_lose_nothing_and_repeat_nothing() {
    let settings = Settings { customers: 300, ledger_customers: 60, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    for (seed, fault) in [
        Fault::status(429),
        Fault::status(429).retry_after("0"),
        Fault::status(500),
        Fault::body(502, "text/html", "<html>Bad Gateway</html>"),
        Fault::status(503).retry_after("Thu, 01 Jan 2015 00:00:00 GMT"),
        Fault::disconnect(),
        Fault::truncate(500),
    ]
    .into_iter()
    .enumerate()
    {
        orb.inject(fault.with_chance(0.03, seed as u64));
    }
    let output = Setup::new(&orb).with("concurrency", 32).read(&STREAMS);
    for stream in STREAMS {
        assert_complete(&orb, &output, stream);
    }
}

#[test]
fn a_stream_that_fails_ends_incomplete_and_the_others_go_on() {
    let orb = orb();
    orb.inject(Fault::status(403).on("/v1/subscriptions"));
    let output = Setup::new(&orb).read(&STREAMS);
    assert_eq!(output.code, Some(1));
    output.assert_clean();
    let error = output.errors()[0];
    assert_eq!(error.stream_descriptor.as_ref().unwrap().name, "subscriptions");
    assert_eq!(error.failure_type, "config_error");
    assert_eq!(output.statuses("subscriptions"), ["STARTED", "INCOMPLETE"]);
    for stream in ["customers", "plans", "invoices", "credits_ledger_entries"] {
        assert_eq!(*output.statuses(stream).last().unwrap(), "COMPLETE", "{stream}");
        assert_eq!(output.records(stream).len(), expected(&orb.account(), stream).len(), "{stream}");
    }
}

#[test]
fn a_key_that_is_revoked_on_the_way_is_a_config_error_and_the_last_state_stays_true() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 3_000, ..Settings::default() }));
    orb.inject(Fault::status(401).on("/v1/customers").after(20));
    let setup = Setup::new(&orb);
    let output = setup.read(&["customers"]);
    let error = output.error();
    assert_eq!(error.failure_type, "config_error");
    assert!(error.message.contains("customers") && error.message.contains("API key"), "{}", error.message);
    assert_eq!(*output.statuses("customers").last().unwrap(), "INCOMPLETE");
    orb.clear_faults();
    let rest = setup.read_from(&["customers"], &output.state_file());
    let all: BTreeSet<_> = output
        .records("customers")
        .iter()
        .chain(&rest.records("customers"))
        .map(|record| fields(record))
        .collect();
    assert_eq!(all, expected(&orb.account(), "customers"));
}

#[test]
fn an_error_names_the_stream_the_request_and_orbs_words_and_never_the_key() {
    let orb = orb();
    orb.inject(Fault::status(400).on("/v1/plans"));
    let output = Setup::new(&orb).read(&["plans"]);
    let error = output.error();
    assert_eq!(error.failure_type, "system_error");
    assert!(error.message.starts_with("plans: Orb refused the request (status 400): "), "{}", error.message);
    assert!(error.internal_message.contains("GET http://127.0.0.1"), "{}", error.internal_message);
    assert_eq!(output.records("plans").len(), 0);
}

#[test]
fn a_server_that_is_down_is_a_transient_error() {
    let orb = orb();
    let setup = Setup::new(&orb).with("retry_minutes", 0);
    orb.stop();
    let output = setup.read(&["customers"]);
    assert_eq!(output.error().failure_type, "transient_error");
    assert!(output.error().message.contains("connection was refused"), "{}", output.error().message);
    assert_eq!(output.statuses("customers"), ["STARTED", "INCOMPLETE"]);
}

#[test]
fn a_refusal_that_is_not_orbs_says_that_something_between_answered() {
    for status in [401, 403] {
        let orb = orb();
        orb.inject(Fault::body(status, "text/html", "<html>Request blocked</html>").on("/v1/customers"));
        let output = Setup::new(&orb).with("retry_minutes", 0).read(&["customers"]);
        let error = output.error();
        assert_eq!(error.failure_type, "transient_error");
        assert!(error.message.contains("something else answered instead of Orb"), "{}", error.message);
        assert!(error.internal_message.contains("text/html"), "{}", error.internal_message);
        assert!(error.internal_message.contains("Request blocked"), "{}", error.internal_message);
    }
}

#[test]
fn a_redirect_is_not_followed_and_says_where_it_leads() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = orb();
        let orb = orb();
        let location = format!("{}/login?next=x", elsewhere.url());
        orb.inject(Fault::body(status, "text/html", "").header("location", location).on("/v1/customers"));
        let output = Setup::new(&orb).read(&["customers"]);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error");
        let place = format!("(status {status}, to {}/login)", elsewhere.url());
        assert!(error.message.contains(&place), "{}", error.message);
        assert!(elsewhere.requests().is_empty());
    }
}

#[test]
fn a_wait_of_an_hour_is_an_error_at_once_that_names_the_hour() {
    for status in [429, 503] {
        let orb = orb();
        orb.inject(Fault::status(status).retry_after("3600").on("/v1/customers"));
        let output = Setup::new(&orb).read(&["customers"]);
        let error = output.error();
        assert_eq!(error.failure_type, "transient_error");
        assert!(error.message.contains("the server asks to wait 1h, until 20"), "{}", error.message);
        assert_eq!(orb.requests().len(), 1);
    }
}

#[test]
fn a_list_is_read_to_its_end_where_its_answer_names_fields_twice() {
    let orb = orb();
    let record = r#"{"id":"first","created_at":"2024-01-01T00:00:00Z","created_at":"2024-02-01T00:00:00Z"}"#;
    let more = r#"{"has_more":false,"next_cursor":null,"has_more":true,"next_cursor":"t1"}"#;
    let body = format!(r#"{{"data":[{record}],"pagination_metadata":{more}}}"#);
    let last = r#"{"data":[{"id":"second"}],"pagination_metadata":{"has_more":true,"has_more":false}}"#;
    let json = "application/json";
    orb.inject(Fault::body(200, json, last).on("/v1/plans").with_query_value("cursor", "t1"));
    orb.inject(Fault::body(200, json, body).on("/v1/plans"));
    let output = Setup::new(&orb).read(&["plans"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("plans").len(), 2);
    let state = &output.states("plans").last().unwrap().stream.stream_state;
    assert_eq!(state["created_at"], "2024-02-01T00:00:00+00:00");
}

#[test]
fn what_is_not_a_list_is_an_error_and_never_an_empty_stream() {
    for (content_type, body) in
        [("text/html", "<html>hello</html>"), ("application/json", "{}"), ("application/json", "")]
    {
        let orb = orb();
        orb.inject(Fault::body(200, content_type, body).on("/v1/plans"));
        let output = Setup::new(&orb).read(&["plans"]);
        let error = output.error();
        assert!(error.message.contains("cannot be read"), "{}", error.message);
    }
}

#[test]
fn a_server_that_repeats_the_key_is_not_repeated() {
    let echo = format!("<html>authorization: Bearer {}</html>", mock_orb::DEFAULT_API_KEY);
    for fault in [Fault::body(200, "text/html", echo.clone()), Fault::body(404, "text/html", echo.clone())] {
        let orb = orb();
        orb.inject(fault.on("/v1/plans"));
        let setup = Setup::new(&orb);
        let (config, catalog) = (setup.config_file(), setup.catalog_file(&["plans"]));
        let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--debug"]);
        assert_eq!(output.errors().len(), 1);
        output.assert_clean();
    }
}

#[test]
fn a_page_token_that_repeats_is_an_error() {
    let orb = orb();
    orb.inject(Fault::repeat_page_token().on("/v1/customers"));
    let output = Setup::new(&orb).read(&["customers"]);
    assert!(output.error().message.contains("twice"), "{}", output.error().message);
}

#[test]
fn a_feature_that_the_account_lacks_is_skipped_with_a_warning() {
    let orb = orb();
    orb.inject(Fault::feature_not_available().on("/v1/plans"));
    let output = Setup::new(&orb).read(&["plans", "customers"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.logs().iter().any(|log| log.level == "WARN" && log.message.starts_with("plans: skipped")));
    assert_eq!(output.statuses("plans"), ["STARTED", "COMPLETE"]);
    assert_eq!(output.records("customers").len(), 350);
}

/// Ledgers of many customers, with the paths of a few customers that have one.
fn ledgers(count: usize) -> (MockOrb, Vec<String>) {
    let settings = Settings { customers: count, ledger_customers: count, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    let path = |id: String| format!("/v1/customers/{id}/credits/ledger");
    let paths = orb.account().customer_ids().into_iter().map(path).collect();
    (orb, paths)
}

#[test]
fn one_customer_that_orb_refuses_fails_the_ledger_at_its_end_and_no_state_passes_it() {
    for (status, failure_type) in [(403, "config_error"), (400, "system_error")] {
        let (orb, paths) = ledgers(400);
        let refused = paths[200].split('/').nth(3).unwrap().to_owned();
        orb.inject(Fault::status(status).on_exactly(&paths[200]));
        let setup = Setup::new(&orb);
        let output = setup.read(&["credits_ledger_entries"]);
        let error = output.error();
        assert_eq!(error.failure_type, failure_type);
        assert!(error.message.contains(&format!("were refused ({refused})")), "{}", error.message);
        assert!(output.logs().iter().any(|log| log.level == "WARN" && log.message.contains(&refused)));
        assert_eq!(output.statuses("credits_ledger_entries").last(), Some(&"INCOMPLETE"));
        let of = |record: &BTreeMap<String, String>| record["customer_id"].trim_matches('"').to_owned();
        let all = expected(&orb.account(), "credits_ledger_entries");
        let read: BTreeSet<_> =
            output.records("credits_ledger_entries").iter().map(|record| fields(record)).collect();
        let others: BTreeSet<_> = all.iter().filter(|record| of(record) != refused).cloned().collect();
        assert!(others.len() < all.len());
        assert_eq!(read, others);
        // Resuming from any kept state finds all missing records.
        orb.clear_faults();
        let states = output.states("credits_ledger_entries");
        assert!(states.len() > 1);
        let files = states.iter().map(|state| {
            let state = &state.stream.stream_state;
            serde_json::json!([{ "type": "STREAM", "stream": {
                "stream_descriptor": { "name": "credits_ledger_entries" }, "stream_state": state } }])
        });
        for file in files {
            let next = setup.read_from(&["credits_ledger_entries"], &file.to_string());
            assert_eq!(next.code, Some(0), "{}", next.stderr);
            let next = next.records("credits_ledger_entries");
            let missing =
                all.difference(&others).filter(|record| !next.iter().any(|next| fields(next) == **record));
            assert_eq!(missing.count(), 0, "{file}");
        }
    }
}

#[test]
fn customers_that_are_gone_are_skipped_with_a_warning() {
    let (orb, paths) = ledgers(30);
    orb.inject(Fault::status(410).on_exactly(&paths[3]));
    orb.inject(Fault::status(404).on_exactly(&paths[17]));
    let output = Setup::new(&orb).read(&["credits_ledger_entries"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let gone = output.logs().iter().filter(|log| log.message.contains("which is gone")).count();
    assert_eq!(gone, 2);
}

#[test]
fn a_key_that_may_read_no_ledger_is_told_after_few_requests() {
    let (orb, _) = ledgers(400);
    for path in orb.account().customer_ids() {
        orb.inject(Fault::status(403).on_exactly(format!("/v1/customers/{path}/credits/ledger")));
    }
    let output = Setup::new(&orb).read(&["credits_ledger_entries"]);
    assert_eq!(output.error().failure_type, "config_error");
    assert!(output.error().message.contains("no others were asked for"), "{}", output.error().message);
    let asked = orb.requests().iter().filter(|request| request.path.ends_with("/ledger")).count();
    assert!(asked < 60, "{asked}");
}

#[test]
fn answers_that_are_too_large_are_asked_for_in_smaller_ones() {
    let orb = orb();
    orb.inject(Fault::status(413).with_query_above("limit", 30));
    orb.inject(Fault::status(413).with_timeframe_above(Duration::from_secs(40 * 24 * 60 * 60)));
    let setup = Setup::new(&orb).with("end_date", "2025-01-01T00:00:00Z");
    let output = setup.read(&STREAMS);
    for stream in STREAMS {
        assert_complete(&orb, &output, stream);
    }
    let usage = |orb: &MockOrb| {
        let output = Setup::new(orb).with("end_date", "2025-01-01T00:00:00Z").read(&["subscription_usage"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let mut records = output.records("subscription_usage");
        records.sort();
        records
    };
    let in_parts = usage(&orb);
    orb.clear_faults();
    assert_eq!(in_parts, usage(&orb));
    assert!(in_parts.len() > 1_000);
}

#[test]
fn what_is_too_large_however_little_is_asked_for_is_an_error() {
    let orb = orb();
    orb.inject(Fault::status(413).on("/v1/plans"));
    orb.inject(Fault::status(413).on("/v1/subscriptions/"));
    for stream in ["plans", "subscription_usage"] {
        let output = Setup::new(&orb).with("end_date", "2025-01-01T00:00:00Z").read(&[stream]);
        assert_eq!(output.error().failure_type, "system_error");
        assert!(output.error().message.contains("status 413"), "{}", output.error().message);
    }
}
