//! Rows about what a source may do to the machine that runs it.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use mock_orb::{Account, Fault, MockOrb, Settings};
use serde_json::json;

use super::{ALL, orb};
use crate::support::{Setup, guests};

/// Longer than eight characters, and different when percent-encoded or escaped in JSON.
const KEY: &str = "s3cr3t/+ kéy\"%";

#[test]
fn row_17_a_secret_is_in_no_line_whatever_is_asked() {
    let orb = orb();
    orb.inject(Fault::body(400, "text/plain", format!("no such key: {KEY} (Bearer {KEY})")));
    let setup = Setup::new(&orb).with("api_key", KEY).flags(&["--debug"]);
    for output in [setup.check(), setup.discover(), setup.read(&ALL)] {
        for text in [&output.stdout, &output.stderr] {
            for form in [KEY, "s3cr3t/+ k", "s3cr3t%2F%2B", "s3cr3t\\/"] {
                assert!(!text.contains(form), "{form} in {text}");
            }
        }
    }
}

#[test]
fn row_19_nothing_piles_up_while_nobody_takes_the_output() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 20_000, ..Settings::empty() }));
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["customers"]));
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 5] = [&"read", &"--config", &config, &"--catalog", &catalog];
    let mut child = setup.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut records, mut ahead) = (0, 0);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        records += usize::from(line.unwrap().starts_with(r#"{"type":"RECORD""#));
        if records % 1000 == 1 {
            // A page has a hundred records; pages that only showed where to split are requested
            // twice.
            ahead = ahead.max(orb.requests().len().saturating_sub(records / 100));
        }
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(records, 20_000);
    // Sixteen in flight, sixteen received, four batches waiting, one being written, and the
    // contents of the pipe and buffers: each page ahead is about 60 kB.
    assert!(ahead < 100, "{ahead} of 200 pages were requested before they were consumed");
}

#[test]
fn row_21_only_the_hosts_of_the_spec_are_reached() {
    let (orb, other) = (orb(), orb());
    let requests = json!([{ "url": other.url() }]);
    let guest = Setup::guest(guests::CALLER, json!({ "api_url": orb.url(), "requests": requests }));
    guest.read(&["things"]);
    assert_eq!(other.connections(), 0);
    let denied = Setup::new(&orb).flags(&["--allow-host", "api.withorb.com"]).check();
    let status = denied.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
    assert_eq!(status.status, "FAILED");
    assert_eq!(orb.connections(), 0);
}

#[test]
fn row_23_lists_of_parents_are_read_at_the_same_time_on_connections_that_are_kept() {
    let settings = Settings { customers: 200, ledger_customers: 200, ..Settings::default() };
    let orb = MockOrb::start(Account::generate(&settings));
    orb.set_latency(std::time::Duration::from_millis(20));
    let output = Setup::new(&orb).with("concurrency", 8).read(&["credits_ledger_entries"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(orb.peak_in_flight() > 1 && orb.peak_in_flight() <= 8, "{}", orb.peak_in_flight());
    let requests = orb.requests();
    assert!(orb.connections() <= 10 && requests.len() > 200, "{} for {}", orb.connections(), requests.len());
    assert!(requests.iter().all(|request| request.header("accept-encoding").unwrap().contains("gzip")));
}
