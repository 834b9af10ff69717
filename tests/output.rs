//! `--output`: the messages in a file, complete or not at all.

use std::{fs, io::Read as _};

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::{Output, Setup};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn read(setup: &Setup, file: &str) -> Output {
    let config = setup.config_file();
    setup.run(&[&"read", &"--config", &config, &"--streams", &"customers,plans", &"--output", &file])
}

/// The lines of a stream's records, without timestamps.
fn records(messages: &str) -> Vec<String> {
    let records = messages.lines().filter(|line| line.contains(r#""type":"RECORD""#));
    let mut lines: Vec<_> =
        records.map(|line| line.split(r#","emitted_at""#).next().unwrap().to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn a_file_has_what_stdout_would_have_compressed_by_its_name() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let stdout = read(&setup, "-").stdout;
    assert!(!records(&stdout).is_empty());
    for name in ["messages.jsonl", "messages.jsonl.gz", "messages.jsonl.zst"] {
        let output = read(&setup, name);
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{name}: {}", output.stderr);
        let bytes = fs::read(setup.folder().join(name)).unwrap();
        let text = match name.rsplit_once('.').unwrap().1 {
            "gz" => {
                let mut text = String::new();
                flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
                text
            }
            "zst" => String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap(),
            _ => String::from_utf8(bytes).unwrap(),
        };
        assert_eq!(records(&text), records(&stdout), "{name}");
        assert_eq!(text.matches(r#""status":"COMPLETE""#).count(), 2, "{name}");
    }
    let mut names: Vec<_> =
        fs::read_dir(setup.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.json", "messages.jsonl", "messages.jsonl.gz", "messages.jsonl.zst"]);
}

#[test]
fn a_read_that_fails_leaves_a_file_if_it_told_a_state() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let path = setup.file("messages.jsonl", "older");
    orb.inject(Fault::status(401));
    let output = read(&setup, "messages.jsonl");
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), "older");

    orb.clear_faults();
    orb.inject(Fault::status(401).on("/v1/plans"));
    assert_eq!(read(&setup, "messages.jsonl").code, Some(1));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""type":"STATE""#) && text.contains(r#""type":"ERROR""#), "{text}");
}

#[test]
fn states_are_saved_once_the_file_is_in_its_place() {
    let orb = orb();
    let setup = Setup::new(&orb).flags(&["--state", "state.json", "--save-state"]);
    assert_eq!(read(&setup, "first.jsonl").code, Some(0));
    assert_eq!(read(&setup, "second.jsonl").code, Some(0));
    let lines = |name| records(&fs::read_to_string(setup.folder().join(name)).unwrap()).len();
    // The records exactly at the cursors are read again.
    assert!(lines("first.jsonl") > 10);
    assert_eq!(lines("second.jsonl"), 2);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_asked() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for file in ["nowhere/messages.jsonl", "."] {
        let output = read(&setup, file);
        assert_eq!(output.error().failure_type, "config_error", "{file}");
        assert!(output.stderr.starts_with(&format!("error: the output file {file} cannot be written: ")));
        assert!(output.stderr.contains("hint: "), "{}", output.stderr);
    }
    assert!(orb.requests().is_empty());
}
