//! `read` without a catalog, with the state file kept by the host: what a cron job needs, and what becomes of it however
//! the read ends.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read as _},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::{Output, Setup, setup::STREAMS};

const USAGE: &str = "subscription_usage";

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// Reads with these flags besides the config, and with the state file `state.json`.
fn read(setup: &Setup, flags: &[&str]) -> Output {
    let config = setup.config_file();
    let mut command = setup.command(&[&"read", &"--config", &config, &"--state", &"state.json"]);
    command.args(flags);
    crate::support::setup::run(command)
}

fn saved(setup: &Setup) -> PathBuf {
    setup.folder().join("state.json")
}

#[test]
fn without_a_catalog_every_stream_is_read() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let output = setup.run(&[&"read", &"--config", &setup.config_file()]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let all = [&STREAMS[..], &[USAGE]].concat();
    let by_catalog = setup.read(&all);
    for stream in all {
        let sorted = |output: &Output| output.records(stream).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"], "{stream}");
        assert_eq!(sorted(&output), sorted(&by_catalog), "{stream}");
    }
}

#[test]
fn streams_are_named_by_a_flag() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let output = setup.run(&[&"read", &"--config", &setup.config_file(), &"--streams", &"plans,customers"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for stream in STREAMS {
        let expected = ["plans", "customers"].contains(&stream);
        assert_eq!(!output.records(stream).is_empty(), expected, "{stream}");
    }
    let output = setup.run(&[&"read", &"--config", &setup.config_file(), &"--streams", &"plans,coupon"]);
    assert_eq!(output.error().failure_type, "config_error");
    assert!(output.stderr.starts_with("error: --streams names a stream `coupon`"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: its streams are customers, "), "{}", output.stderr);
}

#[test]
fn a_second_read_goes_on_where_the_first_one_ended() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let first = read(&setup, &["--save-state", "--streams", "customers,plans"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.records("customers").len() > 10);
    let before = fs::read_to_string(saved(&setup)).unwrap();
    // The records at the cursor itself come again.
    let second = read(&setup, &["--save-state", "--streams", "customers"]);
    assert_eq!(second.records("customers").len(), 1);
    assert_eq!(fs::read_to_string(saved(&setup)).unwrap(), before);
    let anew = read(&setup, &["--save-state", "--full-refresh", "--streams", "customers"]);
    assert_eq!(anew.records("customers").len(), first.records("customers").len());
    assert_eq!(fs::read_to_string(saved(&setup)).unwrap(), before);
}

#[test]
fn states_of_streams_that_are_not_read_stay_as_they_are() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let other =
        r#"{ "type":"STREAM", "stream":{"stream_descriptor":{"name":"else"},"stream_state":{"n": 1.50}} }"#;
    fs::write(saved(&setup), format!("[{other}]")).unwrap();
    let output = read(&setup, &["--save-state", "--streams", "plans"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let text = fs::read_to_string(saved(&setup)).unwrap();
    assert!(text.contains(other) && text.contains(r#"{"name":"plans"}"#), "{text}");
}

#[test]
fn a_read_that_fails_saves_what_was_read() {
    let orb = orb();
    orb.inject(Fault::status(401).on("/v1/plans"));
    let setup = Setup::new(&orb);
    let output = read(&setup, &["--save-state", "--streams", "customers,plans"]);
    assert_eq!(output.code, Some(1));
    let text = fs::read_to_string(saved(&setup)).unwrap();
    assert!(text.contains(r#"{"name":"customers"}"#) && !text.contains("plans"), "{text}");
}

#[test]
fn a_state_file_that_cannot_be_written_is_told_before_anything_is_asked() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    for (file, reason) in [("nowhere/state.json", "cannot be written"), (".", "cannot be written")] {
        let output = setup.run(&[&"read", &"--config", &config, &"--state", &file, &"--save-state"]);
        assert_eq!(output.error().failure_type, "config_error", "{file}");
        assert!(output.error().message.contains(reason), "{file}: {}", output.stderr);
        assert!(output.stderr.contains("hint: "), "{file}: {}", output.stderr);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_state_file_that_is_not_understood_is_left_alone() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for content in ["", "{", "[1]", "[{\"type\":\"STREAM\"}]"] {
        fs::write(saved(&setup), content).unwrap();
        let output = read(&setup, &["--save-state"]);
        assert_eq!(output.error().failure_type, "config_error", "{content}");
        assert_eq!(fs::read_to_string(saved(&setup)).unwrap(), content);
    }
    assert!(orb.requests().is_empty());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Child;

    use super::*;

    /// An account whose customers take some while to be read, in many pages.
    fn slow() -> MockOrb {
        let orb = MockOrb::start(Account::generate(&Settings { customers: 3_000, ..Settings::default() }));
        orb.set_latency(Duration::from_millis(400));
        orb
    }

    /// Reads from where the account begins, so that the first state is about records.
    fn setup(orb: &MockOrb) -> Setup {
        Setup::new(orb).with("start_date", "2024-01-01T00:00:00Z")
    }

    /// Starts a read that saves, and waits for its first state. Returns what it wrote until then, and the rest to come.
    fn start(setup: &Setup) -> (Child, String, impl BufRead + use<>) {
        let config = setup.config_file();
        let flags = ["--state", "state.json", "--save-state", "--streams", "customers"];
        let mut command = setup.command(&[&"read", &"--config", &config]);
        let mut child = command.args(flags).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains(r#""type":"STATE""#) {
            assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "{text}");
        }
        (child, text, stdout)
    }

    /// The lines of records that were written whole.
    fn records(text: &str) -> BTreeSet<String> {
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let data =
            |line: &str| Some(line.split_once(r#""data":"#)?.1.split_once(r#","emitted_at""#)?.0.to_owned());
        whole.lines().filter(|line| line.contains(r#""type":"RECORD""#)).filter_map(data).collect()
    }

    #[test]
    fn nothing_is_lost_when_a_read_is_killed_or_stopped() {
        for signal in ["-KILL", "-TERM"] {
            let orb = slow();
            let setup = setup(&orb);
            let (mut child, mut text, mut rest) = start(&setup);
            // Until a state was saved, which is soon after it was told.
            while !saved(&setup).exists() {
                assert_ne!(rest.read_line(&mut text).unwrap(), 0, "{text}");
            }
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
            rest.read_to_string(&mut text).unwrap();
            assert!(!child.wait().unwrap().success());
            let before = records(&text);
            let states: Vec<serde_json::Value> =
                serde_json::from_slice(&fs::read(saved(&setup)).unwrap()).unwrap();
            assert_eq!(states.len(), 1, "{signal}");
            orb.set_latency(Duration::ZERO);
            let after = read(&setup, &["--save-state", "--streams", "customers"]);
            assert_eq!(after.code, Some(0), "{signal}: {}", after.stderr);
            let whole: BTreeSet<_> = setup.read(&["customers"]).records("customers").into_iter().collect();
            assert!(before.len() < whole.len(), "{signal}: it ended too soon");
            assert!(after.records("customers").len() < whole.len(), "{signal}: nothing was saved");
            let union: BTreeSet<_> = before.into_iter().chain(after.records("customers")).collect();
            assert!(union == whole, "{signal}: {} of {}", union.len(), whole.len());
        }
    }

    #[test]
    fn two_reads_do_not_share_a_state_file() {
        let orb = slow();
        let setup = Setup::new(&orb);
        let (mut child, _, _rest) = start(&setup);
        let second = read(&setup, &["--save-state"]);
        assert_eq!(second.error().failure_type, "transient_error");
        assert!(second.error().message.starts_with("another read uses the state file state.json"));
        child.kill().unwrap();
        child.wait().unwrap();
        orb.set_latency(Duration::ZERO);
        // A lock ends with its process.
        assert_eq!(read(&setup, &["--save-state", "--streams", "plans"]).code, Some(0));
    }

    #[test]
    fn a_new_state_file_is_its_owner_s_and_another_keeps_its_mode_and_its_link() {
        let orb = orb();
        let setup = Setup::new(&orb);
        let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(read(&setup, &["--save-state", "--streams", "plans"]).code, Some(0));
        assert_eq!(mode(&saved(&setup)), 0o600);
        let target = setup.folder().join("target.json");
        fs::rename(saved(&setup), &target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("target.json", saved(&setup)).unwrap();
        assert_eq!(read(&setup, &["--save-state", "--streams", "customers"]).code, Some(0));
        assert!(fs::symlink_metadata(saved(&setup)).unwrap().is_symlink());
        assert_eq!(mode(&target), 0o640);
        assert!(fs::read_to_string(&target).unwrap().contains("customers"));
    }
}
