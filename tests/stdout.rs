//! Without a usable stdout, the host sends no requests, and reads and saves nothing.

use std::{
    fs,
    process::{Command, Stdio},
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Output, Setup};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// Runs a command of the host with shell redirections.
fn redirected(setup: &Setup, arguments: &[&dyn AsRef<std::ffi::OsStr>], redirections: &str) -> Output {
    let host = setup.command(arguments);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!(r#"exec "$0" "$@" {redirections}"#));
    shell.arg(host.get_program()).args(host.get_args()).current_dir(setup.folder()).stdin(Stdio::null());
    for (name, value) in host.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    crate::support::setup::run(shell)
}

/// Redirections that leave stdout closed or not writable; `setup` writes `config.json`.
const NOWHERE: [&str; 5] = [">&-", "<&- >&-", "<&- >&- 2>&-", ">&- 2>&-", "1<config.json"];

#[test]
fn a_read_whose_records_would_be_lost_is_refused() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    for redirections in NOWHERE {
        let read: [&dyn AsRef<_>; 6] =
            [&"read", &"--config", &config, &"--state", &"state.json", &"--save-state"];
        let output = redirected(&setup, &read, redirections);
        assert_eq!(output.code, Some(1), "{redirections}: {}", output.stderr);
        if !redirections.contains("2>&-") {
            assert!(output.stderr.starts_with("error: stdout is "), "{redirections}: {}", output.stderr);
            assert!(output.stderr.contains("hint: "), "{redirections}: {}", output.stderr);
        }
        let mut names: Vec<_> =
            fs::read_dir(setup.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["config.json"], "{redirections}");
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn every_other_command_that_would_not_be_heard_is_refused_too() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    let commands: [&[&dyn AsRef<std::ffi::OsStr>]; 4] = [
        &[&"spec"],
        &[&"check", &"--config", &config],
        &[&"discover", &"--config", &config],
        &[&"discover", &"--config", &config, &"--format", &"table"],
    ];
    for command in commands {
        let output = redirected(&setup, command, ">&-");
        assert_eq!(output.code, Some(1));
        assert!(output.stderr.starts_with("error: stdout is closed"), "{}", output.stderr);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_read_into_a_file_needs_no_stdout() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    for redirections in NOWHERE {
        let read: [&dyn AsRef<_>; 7] =
            [&"read", &"--config", &config, &"--streams", &"plans", &"--output", &"messages.jsonl"];
        let output = redirected(&setup, &read, redirections);
        assert_eq!(output.code, Some(0), "{redirections}: {}", output.stderr);
        let text = fs::read_to_string(setup.folder().join("messages.jsonl")).unwrap();
        assert!(text.contains(r#""type":"RECORD""#), "{redirections}");
        fs::remove_file(setup.folder().join("messages.jsonl")).unwrap();
    }
}

#[test]
fn what_a_user_throws_away_is_read_all_the_same() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    // Some languages open the null device for both reading and writing.
    for redirections in [">/dev/null", "1<>/dev/null", "<&-", "2>&-", "<&- 2>&-"] {
        let read: [&dyn AsRef<_>; 5] = [&"read", &"--config", &config, &"--streams", &"plans"];
        let output = redirected(&setup, &read, redirections);
        assert_eq!(output.code, Some(0), "{redirections}: {}", output.stderr);
    }
}
