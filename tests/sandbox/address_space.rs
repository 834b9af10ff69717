//! A process with a limited address space, as by `ulimit -v` on shared machines.
#![cfg(unix)]

use std::process::Command;

use mock_orb::{Account, MockOrb, Settings};
use serde_json::json;

use crate::support::{
    Output, Setup, artifacts, guests,
    setup::{STREAMS, run},
};

/// Runs a command with an address space of this many KiB.
fn within(kib: u32, command: &Command) -> Output {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -v {kib} && exec \"$@\""), "sh"]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    run(limited)
}

#[test]
fn a_read_needs_no_more_addresses_than_memory() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    for setup in [Setup::new(&orb), Setup::new(&orb).bundle(artifacts::bundle())] {
        let (config, catalog) = (setup.config_file(), setup.catalog_file(&STREAMS));
        let command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
        let output = within(4_000_000, &command);
        assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
        let free = setup.read(&STREAMS);
        for stream in STREAMS {
            let sorted = |output: &Output| {
                let mut records = output.records(stream);
                records.sort();
                records
            };
            assert!(!output.records(stream).is_empty(), "{stream}");
            assert_eq!(sorted(&output), sorted(&free), "{stream}");
        }
    }
}

#[test]
fn too_few_addresses_are_told_with_the_limit() {
    let setup = Setup::guest(guests::MEMORY_HOG, json!({})).flags(&["--max-memory", "3GiB"]);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["things"]));
    let command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let output = within(1_500_000, &command);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let error = output.error();
    assert_eq!(error.failure_type, "system_error");
    assert!(
        error.message.starts_with("there is no memory for the connector: ")
            && error.message.ends_with("is limited to 1.4GiB (ulimit -v)"),
        "{}",
        error.message
    );
    let output = within(200_000, &setup.command(&[&"spec"]));
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    let message = &output.error().message;
    assert!(message.contains("(ulimit -v), and ") && message.ends_with("at least are needed"), "{message}");
}
