//! Interactive use of the host: tables, completions and manual pages.

use std::process::Command;

use mock_orb::{Account, MockOrb, Settings};
use serde_json::json;

use crate::support::{Setup, artifacts, guests, setup::STREAMS};

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
    assert!(error.starts_with("error: the config file nowhere.json cannot be read"), "{error}");
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

/// What a command shows on a terminal. `script` is a program that makes one; `None` if it is not
/// installed.
#[cfg(target_os = "linux")]
fn on_terminal(setup: &Setup, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Option<String> {
    let host = setup.command(arguments);
    let words = std::iter::once(host.get_program()).chain(host.get_args());
    let line: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
    script.current_dir(setup.folder()).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    script.stdin(std::process::Stdio::null()).env_remove("LOG_LEVEL").env("TERM", "xterm");
    if Command::new("script").arg("--version").output().is_err() {
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), "skipped: there is no `script`");
        return None;
    }
    let output = crate::support::setup::execute(script);
    // A terminal puts a carriage return before each line break.
    Some(String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n"))
}

/// Control characters beyond ASCII, and some that change the direction of text or end lines.
const ACTIVE: &str =
    "\u{7f}\u{85}\u{9b}31m\u{9d}0;title\u{9c}\u{61c}\u{200e}\u{202e}\u{2066}\u{2069}\u{2028}";

#[cfg(target_os = "linux")]
#[track_caller]
fn assert_visible(text: &str, what: &str) {
    let active = |character: char| {
        character != '\n' && (character.is_control() || ACTIVE.contains(character) && !character.is_ascii())
    };
    assert!(!text.contains(active), "{what}: {text:?}");
    assert!(text.contains(r"\u202e") && text.contains(r"\u009b31m"), "{what}: {text:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_others_say_does_not_act_on_the_terminal() {
    let name = format!("name{ACTIVE}");
    let records = Setup::guest(guests::ECHO, json!({ "record": format!(r#"{{"n":"{ACTIVE}"}}"#) }));
    let lines = Setup::guest(guests::TALKER, json!({ "lines": [ACTIVE] }));
    let failing = Setup::guest(guests::WRONG_ERROR, json!({ "message": ACTIVE }));
    for (setup, what) in [(records, "records"), (lines, "log lines"), (failing, "errors")] {
        let read: [&dyn AsRef<_>; 5] = [&"read", &"--config", &setup.config_file(), &"--streams", &"things"];
        let Some(shown) = on_terminal(&setup, &read) else { return };
        assert_visible(&shown, what);
        // It is the same to a reader of JSON.
        let messages = shown.lines().filter(|line| line.starts_with('{'));
        let all: Vec<serde_json::Value> = messages.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(all.iter().any(|message| message.to_string().contains('\u{202e}')), "{what}: {shown:?}");
    }
    let named = Setup::guest(guests::CATALOG, json!({ "streams": [[name]] }));
    let config = named.config_file();
    for format in ["json", "table"] {
        let discover: [&dyn AsRef<_>; 5] = [&"discover", &"--config", &config, &"--format", &format];
        let Some(shown) = on_terminal(&named, &discover) else { return };
        assert_visible(&shown, format);
    }
    // Where there is no terminal, bytes stay as they are, but not in what is for people.
    let records = Setup::guest(guests::ECHO, json!({ "record": format!(r#"{{"n":"{ACTIVE}"}}"#) }));
    assert!(records.read(&["things"]).records("things")[2].contains(ACTIVE));
    let table = named.command(&[&"discover", &"--config", &config, &"--format", &"table"]).output().unwrap();
    assert_visible(&String::from_utf8(table.stdout).unwrap(), "a table in a file");
    let failing = Setup::guest(guests::WRONG_ERROR, json!({ "message": ACTIVE }));
    assert_visible(&failing.read(&["things"]).stderr, "stderr");
}
