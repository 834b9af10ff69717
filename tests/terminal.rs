//! Interactive use of the host: tables, completions and manual pages.

use std::process::Command;

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Setup, artifacts, setup::STREAMS};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

#[test]
fn streams_are_listed_as_a_table_and_nothing_else() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let table = |config: &str| {
        setup.command(&[&"discover", &"--config", &config, &"--format", &"table"]).output().unwrap()
    };
    let output = table(setup.config_file().to_str().unwrap());
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for (line, start) in text.lines().zip(["stream"].iter().chain(&STREAMS)) {
        assert!(line.trim_start().starts_with(start), "{text}");
    }
    assert!(text.contains("full_refresh, incremental") && !text.contains('{'), "{text}");

    let output = table("nowhere.json");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: the configuration file nowhere.json cannot be read"), "{error}");
}

#[test]
fn where_stderr_is_no_terminal_nothing_moves_there() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let output = setup.run(&[&"read", &"--config", &setup.config_file(), &"--output", &"messages.jsonl"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn completions_and_pages_are_printed() {
    let host = |arguments: &[&str]| Command::new(artifacts::host()).args(arguments).output().unwrap();
    let page = String::from_utf8(host(&["man"]).stdout).unwrap();
    assert!(page.contains(".SH NAME") && page.contains(r"host\-bundle"), "{page}");
    for (shell, expected) in [("bash", "complete -F"), ("zsh", "#compdef host"), ("fish", "complete -c host")]
    {
        let text = String::from_utf8(host(&["completions", shell]).stdout).unwrap();
        assert!(text.contains(expected), "{shell}: {text}");
    }
    assert_eq!(host(&["completions", "abacus"]).status.code(), Some(2));
}
