//! `read` without a catalog, with a state file that the host maintains: for cron jobs. The state
//! survives however the read ends.

use std::{collections::BTreeSet, fs, path::PathBuf};

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::{Output, Setup, setup::STREAMS};

const USAGE: &str = "subscription_usage";

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// Reads with these flags in addition to the config, and with the state file `state.json`.
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
    assert!(output.stderr.starts_with("error: --streams names `coupon`"), "{}", output.stderr);
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
    // The records exactly at the cursor are read again.
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
fn an_empty_state_file_is_an_empty_state() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for content in ["", " \n"] {
        fs::write(saved(&setup), content).unwrap();
        for flags in [&["--streams", "plans"][..], &["--streams", "plans", "--save-state"]] {
            let output = read(&setup, flags);
            assert_eq!(output.code, Some(0), "{content:?}: {}", output.stderr);
            assert!(output.records("plans").len() > 1, "{content:?}");
        }
        assert!(fs::read_to_string(saved(&setup)).unwrap().contains("plans"));
    }
}

#[test]
fn a_read_leaves_nothing_beside_its_files_and_removes_what_one_that_was_killed_left() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for name in [".state.json.a1B2c3.tmp", ".messages.jsonl.a1B2c3.tmp"] {
        setup.file(name, "left");
    }
    setup.file("state.json.lock", "");
    setup.file(".else.json.a1B2c3.tmp", "of another file");
    let output = read(&setup, &["--save-state", "--streams", "plans", "--output", "messages.jsonl"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let mut names: Vec<_> =
        fs::read_dir(setup.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".else.json.a1B2c3.tmp", "config.json", "messages.jsonl", "state.json"]);
}

#[test]
fn states_of_another_format_are_told_to_be_of_no_use() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let at = r#"{"created_at":"2999-01-01T00:00:00Z"}"#;
    for (content, understood) in [
        (format!(r#"{{"bookmarks":{{"plans":{at}}}}}"#), false),
        (format!(r#"{{"bookmarks":{{"plans":{at}}},"currently_syncing":"plans"}}"#), false),
        (format!(r#"{{"singer_state":{{"bookmarks":{{"plans":{at}}}}}}}"#), false),
        (r#"{"stateType":"not_set"}"#.to_owned(), true),
        // A stream that is not read.
        (format!(r#"{{"customers":{at}}}"#), true),
    ] {
        fs::write(saved(&setup), &content).unwrap();
        let output = read(&setup, &["--streams", "plans"]);
        assert_eq!(output.code, Some(0), "{content}: {}", output.stderr);
        assert!(output.records("plans").len() > 1, "{content}");
        let warned = |log: &&crate::support::output::Log| {
            log.level == "WARN" && log.message.starts_with("nothing in the state was understood")
        };
        assert_eq!(output.logs().iter().any(warned), !understood, "{content}: {}", output.stdout);
    }
}

#[test]
fn a_state_file_that_is_not_understood_is_left_alone() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for content in ["{", "[1]", "[{\"type\":\"STREAM\"}]"] {
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
    use std::process::{Child, Command, Stdio};

    use super::*;

    const READ: [&str; 2] = ["customers", "plans"];

    /// An account whose customers can be read, but whose plans never arrive.
    fn stalled() -> MockOrb {
        let orb = orb();
        orb.inject(Fault::silence().on("/v1/plans"));
        orb
    }

    /// Starts a read that saves its state, and waits until it has saved once.
    fn start(setup: &Setup) -> Child {
        let config = setup.config_file();
        let flags = ["--state", "state.json", "--save-state", "--streams", &READ.join(",")];
        let mut command = setup.command(&[&"read", &"--config", &config]);
        let mut child = command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while !saved(setup).exists() {
            assert_eq!(child.try_wait().unwrap(), None, "it ended too soon");
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn nothing_is_lost_when_a_read_is_killed_or_stopped() {
        for signal in ["-KILL", "-TERM"] {
            let orb = stalled();
            let setup = Setup::new(&orb);
            let child = start(&setup);
            assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
            let before = Output::of(child.wait_with_output().unwrap());
            assert_eq!(before.code, None, "{signal}");
            orb.clear_faults();
            let after = read(&setup, &["--save-state", "--streams", &READ.join(",")]);
            assert_eq!(after.code, Some(0), "{signal}: {}", after.stderr);
            let whole = setup.read(&READ);
            for stream in READ {
                let read = before.records(stream).into_iter().chain(after.records(stream));
                let whole: BTreeSet<_> = whole.records(stream).into_iter().collect();
                assert_eq!(read.collect::<BTreeSet<_>>(), whole, "{signal}");
            }
            assert!(after.records("customers").len() < before.records("customers").len(), "{signal}");
        }
    }

    #[test]
    fn two_reads_do_not_share_a_state_file() {
        let orb = stalled();
        let setup = Setup::new(&orb);
        let mut child = start(&setup);
        let second = read(&setup, &["--save-state"]);
        assert_eq!(second.error().failure_type, "transient_error");
        assert!(second.error().message.starts_with("another read uses the state file state.json"));
        child.kill().unwrap();
        child.wait().unwrap();
        orb.clear_faults();
        // The lock is released when its process exits.
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
