//! Signals: an interrupted read finishes its output cleanly, and ends by that signal.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, Command, Stdio},
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Output, Setup};

/// An account that takes longer to read than any test here.
fn endless() -> MockOrb {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 5_000, ..Settings::default() }));
    orb.set_latency(std::time::Duration::from_millis(300));
    orb
}

fn start(setup: &Setup) -> Child {
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["customers", "plans"]));
    setup
        .command(&[&"read", &"--config", &config, &"--catalog", &catalog])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Reads until customers arrive, sends a signal, and waits for the process to end.
fn stop(signal: &str) -> (Output, Option<i32>) {
    let orb = endless();
    let setup = Setup::new(&orb);
    let mut child = start(&setup);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains(r#""stream":"customers""#) {
        assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "{text}");
    }
    send(signal, &child);
    stdout.read_to_string(&mut text).unwrap();
    let mut output = child.wait_with_output().unwrap();
    let ended_by = output.status.signal();
    output.stdout = text.into_bytes();
    // Every line is complete, although a signal ended the process.
    assert!(output.stdout.ends_with(b"\n"));
    (Output::of(output), ended_by)
}

/// A command that runs another as the first process of a PID namespace, as in a container; `None`
/// where only root may do so.
#[cfg(target_os = "linux")]
fn in_container() -> Option<Command> {
    let alone = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]);
        command
    };
    alone().arg("true").status().is_ok_and(|status| status.success()).then(alone)
}

#[cfg(target_os = "linux")]
#[test]
fn the_first_process_of_a_container_ends_with_the_code_of_the_signal() {
    // Nothing to test without `unshare`, or if only root may use it.
    let Some(mut container) = in_container() else { return };
    let orb = endless();
    let setup = Setup::new(&orb);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["customers"]));
    let read = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    container.arg(read.get_program()).args(read.get_args()).current_dir(setup.folder());
    container.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = container.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains(r#""stream":"customers""#) {
        assert_ne!(stdout.read_line(&mut text).unwrap(), 0, "{text}");
    }
    let first = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    assert!(Command::new("kill").args(["-TERM", first.trim()]).status().unwrap().success());
    stdout.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert!(text.ends_with('\n') && text.contains("INCOMPLETE"), "{text}");
}

#[test]
fn a_read_that_is_stopped_ends_its_lines_and_its_streams() {
    for (signal, number) in [("-TERM", 15), ("-INT", 2)] {
        let (output, ended_by) = stop(signal);
        assert_eq!(ended_by, Some(number));
        assert_eq!(output.statuses("customers").last(), Some(&"INCOMPLETE"));
        let error = output.errors()[0];
        assert_eq!(error.failure_type, "transient_error");
        assert!(error.message.contains("were not read to their end; stopped by SIG"), "{}", error.message);
        assert!(output.stderr.starts_with("error: stopped by SIG"), "{}", output.stderr);
    }
}

#[test]
fn what_was_read_before_it_was_stopped_is_covered_by_the_last_states() {
    let (output, _) = stop("-TERM");
    let covered: f64 = output.states("customers").iter().map(|state| state.source_stats.record_count).sum();
    assert!(covered <= output.records("customers").len() as f64);
}

#[test]
fn a_reader_that_has_stalled_does_not_hold_the_end_up() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 5_000, ..Settings::default() }));
    let setup = Setup::new(&orb);
    let mut child = start(&setup);
    // Nobody reads the pipe, so it fills soon; the first byte shows that writing has begun.
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    send("-TERM", &child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}
