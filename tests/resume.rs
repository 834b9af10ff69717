//! Reads that are killed anywhere and resumed from their last state.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{
    Setup,
    setup::catalog,
    shape::{expected, fields},
};

/// Reads a stream in runs that are each killed after some lines, until one completes.
fn read_in_pieces(orb: &MockOrb, stream: &str, lines: usize) -> usize {
    // The more slices are read concurrently, the later the first one completes that a state can
    // cover.
    let setup = Setup::new(orb).with("concurrency", 2);
    let (mut seen, mut state, mut runs) = (BTreeSet::new(), "[]".to_owned(), 0);
    loop {
        runs += 1;
        assert!(runs < 200, "{stream}: no progress with {lines} lines a run");
        // Each run gets a little further, so that every run is cut at a different place.
        let output = setup.read_killed_after(&catalog(&[stream]).to_string(), &state, lines + runs * 7);
        seen.extend(output.records(stream).iter().map(|record| fields(record)));
        let told = output.state_file();
        state = if told == "[]" { state } else { told };
        if output.statuses(stream).contains(&"COMPLETE") {
            break;
        }
    }
    assert_eq!(seen, expected(&orb.account(), stream), "{stream}");
    runs
}

#[test]
fn windows_resume_from_the_last_finished_one() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 4_000, ..Settings::default() }));
    let runs = read_in_pieces(&orb, "customers", 1_500);
    assert!(runs > 2, "{runs} runs");
}

#[test]
fn ledgers_resume_from_the_last_finished_customers() {
    let settings = Settings {
        customers: 600,
        ledger_customers: 600,
        ledger_entries_per_customer: 5,
        ..Settings::default()
    };
    let orb = MockOrb::start(Account::generate(&settings));
    let runs = read_in_pieces(&orb, "credits_ledger_entries", 900);
    assert!(runs > 2, "{runs} runs");
}

#[test]
fn streams_of_large_records_resume_too() {
    let settings = Settings { invoices: 3_000, subscriptions: 2_000, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    for stream in ["invoices", "subscriptions"] {
        let runs = read_in_pieces(&orb, stream, 700);
        assert!(runs > 2, "{stream}: {runs} runs");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_host_quietly() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 3_000, ..Settings::default() }));
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["customers"]));
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 5] = [&"read", &"--config", &config, &"--catalog", &catalog];
    let mut child = setup.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
