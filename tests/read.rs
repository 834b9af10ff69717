//! `read`: every record exactly once, unchanged, in the protocol's order.

use std::{collections::BTreeSet, time::Duration};

use mock_orb::{Account, Collection, MockOrb, Settings};

use crate::support::{
    Output, Setup,
    setup::STREAMS,
    shape::{expected, fields},
};

fn account(customers: usize) -> Account {
    Account::generate(&Settings { customers, invoices: 450, subscriptions: 230, ..Settings::default() })
}

#[track_caller]
fn assert_complete(orb: &MockOrb, output: &Output, stream: &str) {
    let records = output.records(stream);
    let read: BTreeSet<_> = records.iter().map(|record| fields(record)).collect();
    assert_eq!(read.len(), records.len(), "{stream}: some came twice");
    assert_eq!(read, expected(&orb.account(), stream), "{stream}");
}

#[test]
fn every_record_of_every_stream_comes_once_with_its_exact_values() {
    let orb = MockOrb::start(account(1_250));
    let output = Setup::new(&orb).read(&STREAMS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for stream in STREAMS {
        assert_complete(&orb, &output, stream);
    }
}

#[test]
fn every_record_comes_over_one_connection_of_http_2() {
    let orb = MockOrb::start_tls_on(account(1_250), "127.0.0.1:0").unwrap();
    orb.set_latency(Duration::from_millis(10));
    let setup = Setup::new(&orb);
    let certificate = setup.file("certificate.pem", orb.certificate().unwrap());
    // Two streams that start at once would open a connection each.
    let flags = ["--ca-cert", certificate.to_str().unwrap(), "--max-streams", "1"];
    let output = setup.flags(&flags).read(&STREAMS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for stream in STREAMS {
        assert_complete(&orb, &output, stream);
    }
    assert_eq!(orb.connections(), 1);
    assert!(orb.peak_in_flight() > 4, "{} at once", orb.peak_in_flight());
}

#[test]
fn large_pages_come_whole_though_few_are_in_flight() {
    let orb = MockOrb::start(account(50));
    for index in 0..1_500 {
        let at = format!("2024-{:02}-{:02}T00:00:{:02}Z", 1 + index % 12, 1 + index % 28, index % 60);
        let note = "x".repeat(20_000);
        let record = format!(r#"{{"id":"large-{index}","created_at":"{at}","note":"{note}"}}"#);
        orb.account().insert(Collection::Customers, &record).unwrap();
    }
    let output =
        Setup::new(&orb).with("concurrency", 64).flags(&["--max-memory", "48MiB"]).read(&["customers"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let read: BTreeSet<String> = output.records("customers").into_iter().collect();
    assert_eq!(read, orb.account().records(Collection::Customers).into_iter().collect());
}

#[test]
fn records_that_are_not_reshaped_come_byte_for_byte() {
    let orb = MockOrb::start(account(350));
    let output = Setup::new(&orb).read(&["customers"]);
    let read: BTreeSet<String> = output.records("customers").into_iter().collect();
    let held: BTreeSet<String> = orb.account().records(Collection::Customers).into_iter().collect();
    assert_eq!(read, held);
}

#[test]
fn statuses_states_and_counts_come_in_order() {
    let orb = MockOrb::start(account(250));
    let output = Setup::new(&orb).read(&STREAMS);
    for stream in STREAMS {
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"], "{stream}");
        let states = output.states(stream);
        let counted: f64 = states.iter().map(|state| state.source_stats.record_count).sum();
        assert_eq!(counted as usize, output.records(stream).len(), "{stream}");
        for pair in states.windows(2) {
            assert_ne!(pair[0].stream.stream_state, pair[1].stream.stream_state, "{stream}");
        }
        let last = |wanted: &dyn Fn(&crate::support::output::Message) -> bool| {
            output.messages.iter().rposition(wanted)
        };
        let record = last(&|message| message.record.as_ref().is_some_and(|record| record.stream == stream));
        let state = last(&|message| {
            message.state.as_ref().is_some_and(|state| state.stream.stream_descriptor.name == stream)
        });
        let complete = last(&|message| {
            let status = message.trace.as_ref().and_then(|trace| trace.stream_status.as_ref());
            status
                .is_some_and(|status| status.stream_descriptor.name == stream && status.status == "COMPLETE")
        });
        assert!(record < state && state < complete, "{stream}: {record:?} {state:?} {complete:?}");
    }
    assert!(output.stdout.contains("\"recordCount\":4.0"));
    assert!(
        output
            .messages
            .iter()
            .all(|message| message.trace.as_ref().is_none_or(|trace| trace.kind == "STREAM_STATUS"))
    );
    let emitted =
        output.messages.iter().filter_map(|message| message.record.as_ref()).map(|record| record.emitted_at);
    assert!(emitted.min() > Some(1_700_000_000_000));
}

#[test]
fn an_account_without_records_is_complete_with_one_state_each() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).read(&STREAMS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for stream in STREAMS {
        assert_eq!(output.statuses(stream), ["STARTED", "COMPLETE"], "{stream}");
        assert_eq!(output.states(stream).len(), 1, "{stream}");
        assert_eq!(output.states(stream)[0].kind, "STREAM");
    }
}

#[test]
fn pages_are_as_large_as_orb_allows_and_few_connections_serve_them() {
    let orb = MockOrb::start(account(1_000));
    assert_eq!(Setup::new(&orb).read(&["customers", "credits_ledger_entries"]).code, Some(0));
    let requests = orb.requests();
    for request in &requests {
        let limit = if request.path.ends_with("/ledger") { "1000" } else { "100" };
        assert_eq!(request.parameter("limit"), Some(limit), "{}", request.path);
    }
    assert!(requests.len() > 1_000);
    assert!(orb.connections() <= 2 * 16, "{} connections", orb.connections());
}

#[test]
fn many_thousand_requests_of_one_instance_leave_nothing_behind() {
    let settings = Settings {
        customers: 12_000,
        ledger_customers: 50,
        ledger_entries_per_customer: 2,
        ..Settings::default()
    };
    let orb = MockOrb::start(Account::generate(&settings));
    let output = Setup::new(&orb).read(&["credits_ledger_entries"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_complete(&orb, &output, "credits_ledger_entries");
}

#[test]
fn a_chain_of_pages_keeps_its_connection() {
    let orb = MockOrb::start(account(700));
    let setup = Setup::new(&orb).with("start_date", "2024-01-01T00:00:00Z");
    assert_eq!(setup.read(&["customers"]).code, Some(0));
    assert_eq!(orb.requests().len(), 7);
    // One, unless a busy machine requests the next page before the previous connection is free
    // again.
    assert!(orb.connections() <= 2, "{} connections", orb.connections());
}

#[test]
fn only_what_lies_between_start_and_end_is_read() {
    let orb = MockOrb::start(account(300));
    let setup =
        Setup::new(&orb).with("start_date", "2024-03-01T00:00:00Z").with("end_date", "2024-06-30T12:00:00Z");
    let output = setup.read(&STREAMS);
    for stream in STREAMS {
        let cursor = if stream == "invoices" { "invoice_date" } else { "created_at" };
        let within = |record: &&std::collections::BTreeMap<String, String>| {
            let at: mock_orb::Timestamp = record[cursor].trim_matches('"').parse().unwrap();
            let bound = |text: &str| text.parse::<mock_orb::Timestamp>().unwrap();
            at >= bound("2024-03-01T00:00:00Z") && at <= bound("2024-06-30T12:00:00Z")
        };
        let expected =
            expected(&orb.account(), stream).iter().filter(within).cloned().collect::<BTreeSet<_>>();
        let read: BTreeSet<_> = output.records(stream).iter().map(|record| fields(record)).collect();
        assert!(stream == "plans" || !read.is_empty());
        assert_eq!(read, expected, "{stream}");
    }
}

#[test]
fn a_customer_that_is_being_deleted_is_a_record_and_has_no_ledger() {
    let orb = MockOrb::start(account(10));
    let id = orb.account().customer_ids()[3].clone();
    orb.account().begin_customer_deletion(&id).unwrap();
    let output = Setup::new(&orb).read(&["customers", "credits_ledger_entries"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("customers").len(), 10);
    assert!(!orb.requests().iter().any(|request| request.path.contains(&format!("/{id}/"))));
}

#[test]
fn debug_lines_are_shown_when_asked_for_and_hold_no_secret() {
    let orb = MockOrb::start(account(10));
    orb.inject(mock_orb::Fault::status(500).on("/v1/plans").times(1));
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["plans"]));
    let quiet = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    assert!(quiet.logs().iter().all(|log| log.level != "DEBUG"));
    orb.inject(mock_orb::Fault::status(500).on("/v1/plans").times(1));
    let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--debug"]);
    assert!(output.logs().iter().any(|log| log.level == "DEBUG" && log.message.contains("attempt 1: ")));
    output.assert_clean();
}
