//! Rows about failures.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
    time::{SystemTime, UNIX_EPOCH},
};

use mock_orb::{Account, Fault, MockOrb, RateLimit, Settings};
use serde_json::json;

use super::orb;
use crate::support::{Setup, guests};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[test]
fn row_05_a_refusal_is_told_with_the_time_the_server_asks_for_and_waited_for() {
    let orb = orb();
    orb.inject(Fault::status(429).retry_after("1").on("/v1/plans").nth(1));
    let before = now();
    let output = Setup::new(&orb).read(&["plans"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let limits = output.rate_limits("plans");
    assert_eq!(limits.len(), 1, "{}", output.stdout);
    assert!(limits[0] >= before + 1000 && limits[0] <= now() + 1000, "{limits:?} from {before}");
    let requests = orb.requests();
    assert_eq!(requests.iter().filter(|request| request.path == "/v1/plans").count(), 2);
    assert!(now() >= before + 1000, "the host did not wait as long as the server asked");
    assert_eq!(output.statuses("plans"), ["STARTED", "RUNNING", "COMPLETE"]);
}

#[test]
fn row_05_what_never_passes_ends_as_a_transient_error_after_some_tries() {
    let orb = orb();
    orb.inject(Fault::status(429).retry_after("601").on("/v1/plans"));
    let output = Setup::new(&orb).read(&["plans"]);
    assert_eq!(output.error().failure_type, "transient_error");
    assert_eq!(output.statuses("plans"), ["STARTED", "INCOMPLETE"]);
}

#[test]
fn row_05_a_limited_rate_is_told_of_now_and_then() {
    let orb = orb();
    orb.limit_rate(RateLimit::per_second(20.0));
    let output = Setup::new(&orb).read(&["credits_ledger_entries"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let refused = orb.requests().iter().filter(|request| request.status == Some(429)).count();
    assert!(refused > 0);
    let told = output.rate_limits("credits_ledger_entries").len();
    assert!(told > 0 && told <= refused, "{told} of {refused}");
}

#[test]
fn row_05_a_connector_cannot_flood_the_output_with_its_progress() {
    let output = Setup::guest(guests::PROGRESS_FLOOD, json!({})).read(&["things"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    // At most one per second, and none more than a day ahead.
    let limits = output.rate_limits("things");
    assert!(!limits.is_empty() && limits.len() < 300, "{}", limits.len());
    assert!(limits.iter().all(|limit| *limit <= now() + 24 * 60 * 60 * 1000));
}

#[test]
fn row_08_a_stream_that_fails_keeps_its_last_state_and_the_others_go_on() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 2_500, ..Settings::default() }));
    orb.inject(Fault::status(403).on("/v1/customers").after(22));
    let setup = Setup::new(&orb);
    let output = setup.read(&["customers", "plans", "invoices"]);
    assert_eq!(output.code, Some(1));
    assert_eq!(output.statuses("customers").last(), Some(&"INCOMPLETE"));
    for other in ["plans", "invoices"] {
        assert_eq!(output.statuses(other).last(), Some(&"COMPLETE"));
    }
    let errors = output.errors();
    assert_eq!(errors.len(), 2, "the stream's and the summary: {}", output.stdout);
    assert_eq!(errors[0].stream_descriptor.as_ref().unwrap().name, "customers");
    assert!(errors[1].stream_descriptor.is_none());
    assert!(
        errors[1].message.starts_with("1 of 3 streams were not read to their end"),
        "{}",
        errors[1].message
    );
    let covered: f64 = output.states("customers").iter().map(|state| state.source_stats.record_count).sum();
    let emitted = output.records("customers").len();
    assert!(covered <= emitted as f64 && emitted < 2_500, "{covered} of {emitted}");
}

#[test]
fn row_08_records_before_a_failure_are_covered_by_a_state() {
    let output = Setup::guest(guests::TRAP, json!({})).read(&["things"]);
    assert_eq!(output.records("things").len(), 2);
    let counts: Vec<f64> =
        output.states("things").iter().map(|state| state.source_stats.record_count).collect();
    assert_eq!(counts, [2.0]);
    assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
}

#[test]
fn row_15_stdout_is_whole_messages_and_a_crash_is_a_system_error() {
    for guest in [guests::TRAP, guests::PANIC, guests::STACK_OVERFLOW, guests::EXIT] {
        let output = Setup::guest(guest, json!({})).read(&["things"]);
        assert_eq!(output.error().failure_type, "system_error", "{guest}");
        assert!(output.stdout.ends_with('\n'), "{guest}");
        assert_eq!(output.records("things").len(), 2, "{guest}: what came before is kept");
        assert!(output.stderr.ends_with('\n') && !output.stderr.contains('{'), "{guest}: {}", output.stderr);
    }
}

#[test]
fn row_16_a_reader_that_goes_away_ends_the_host_without_a_word() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&super::ALL));
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 5] = [&"read", &"--config", &config, &"--catalog", &catalog];
    let mut child = setup.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
}

#[test]
fn row_24_a_server_that_says_nothing_is_given_up() {
    let orb = orb();
    orb.inject(Fault::silence().on("/v1/plans"));
    let output = Setup::new(&orb)
        .with("retry_minutes", 0)
        .flags(&["--response-timeout", "100ms", "--connect-timeout", "100ms"])
        .read(&["plans"]);
    let error = output.error();
    assert_eq!(error.failure_type, "transient_error");
    assert!(error.message.contains("no answer in time"), "{}", error.message);
    assert_eq!(output.statuses("plans"), ["STARTED", "INCOMPLETE"]);
}
