//! Files that are mount points themselves, as in containers. They cannot be replaced by renaming,
//! and so are overwritten in place.
//!
//! Needs Linux, and root or user namespaces for the mounts; otherwise these tests report that they
//! are skipped. The tests in `host/airbyte/src/atomic_file/` cover overwriting without mounts.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Output, Setup};

const SAVING: [&str; 5] = ["--streams", "customers", "--state", "at/state.json", "--save-state"];

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// The `unshare` options that give a command its own mounts; `None` if this machine allows none.
pub(crate) fn mounts() -> Option<Vec<&'static str>> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let works = |way: &&&[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(**way).args(["sh", "-c", "mount --bind /tmp /tmp"]).stderr(Stdio::null());
        unshare.status().is_ok_and(|status| status.success())
    };
    let way = ways.iter().find(works).map(|way| way.to_vec());
    if way.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: no mounts can be made here");
    }
    way
}

/// Runs `read` in the folder of `setup` after `script` has mounted files.
fn read(setup: &Setup, way: &[&str], script: &str, flags: &[&str]) -> Output {
    let config = setup.config_file();
    let host = setup.command(&[&"read", &"--config", &config]);
    let mut unshare = Command::new("unshare");
    unshare.args(way).args(["sh", "-c", &format!(r#"{script} && exec "$0" "$@""#)]);
    unshare.arg(host.get_program()).args(host.get_args()).args(flags);
    unshare.current_dir(setup.folder()).stdin(Stdio::null()).env_remove("LOG_LEVEL");
    unshare.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    crate::support::setup::run(unshare)
}

/// Creates a folder `at` with these files, and copies of them outside to mount over them.
fn folders(setup: &Setup, files: &[&str]) {
    for folder in ["at", "outside"] {
        fs::create_dir_all(setup.folder().join(folder)).unwrap();
    }
    for file in files {
        fs::write(setup.folder().join("at").join(file), "").unwrap();
        fs::write(setup.folder().join("outside").join(file), "").unwrap();
    }
}

fn names(setup: &Setup) -> Vec<String> {
    let entries = fs::read_dir(setup.folder().join("at")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const MOUNT: &str = "mount --bind outside/state.json at/state.json";
const FOLDER_READ_ONLY: &str = "mount --bind at at && mount -o remount,bind,ro at";

#[test]
fn a_state_file_that_is_mounted_continues_from_read_to_read() {
    let Some(way) = mounts() else { return };
    let orb = orb();
    for script in [MOUNT.to_owned(), format!("{FOLDER_READ_ONLY} && {MOUNT}")] {
        let setup = Setup::new(&orb);
        folders(&setup, &["state.json"]);
        let first = read(&setup, &way, &script, &SAVING);
        assert_eq!(first.code, Some(0), "{script}: {}", first.stderr);
        let text = fs::read_to_string(setup.folder().join("outside/state.json")).unwrap();
        assert!(text.contains("customers"), "{script}: {text}");
        let second = read(&setup, &way, &script, &SAVING);
        assert_eq!(second.code, Some(0), "{script}: {}", second.stderr);
        assert!(first.records("customers").len() > 10 && second.records("customers").len() == 1, "{script}");
        assert_eq!(names(&setup), ["state.json"], "{script}");
    }
}

#[test]
fn a_file_of_messages_that_is_mounted_is_written_when_all_was_read() {
    let Some(way) = mounts() else { return };
    let orb = orb();
    let setup = Setup::new(&orb);
    folders(&setup, &["messages.jsonl.gz"]);
    let outside = setup.folder().join("outside/messages.jsonl.gz");
    let script = format!("{FOLDER_READ_ONLY} && mount --bind {} at/messages.jsonl.gz", outside.display());
    let output = read(&setup, &way, &script, &["--streams", "plans", "--output", "at/messages.jsonl.gz"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let mut text = String::new();
    let mut bytes = flate2::read::GzDecoder::new(fs::File::open(outside).unwrap());
    std::io::Read::read_to_string(&mut bytes, &mut text).unwrap();
    assert!(text.contains(r#""type":"RECORD""#) && text.contains("COMPLETE"), "{text}");
    assert_eq!(names(&setup), ["messages.jsonl.gz"]);
}

#[test]
fn what_can_neither_be_replaced_nor_written_is_told_before_anything_is_asked() {
    let Some(way) = mounts() else { return };
    let orb = orb();
    let setup = Setup::new(&orb);
    folders(&setup, &["state.json", "messages.jsonl"]);
    let read_only =
        |file: &str| format!("mount --bind outside/{file} at/{file} && mount -o remount,bind,ro at/{file}");
    let output_flags = ["--streams", "plans", "--output", "at/messages.jsonl"];
    for (script, flags) in [
        (read_only("state.json"), &SAVING[..]),
        (FOLDER_READ_ONLY.to_owned(), &SAVING[..]),
        (read_only("messages.jsonl"), &output_flags[..]),
        (FOLDER_READ_ONLY.to_owned(), &output_flags[..]),
    ] {
        let output = read(&setup, &way, &script, flags);
        assert_eq!(output.error().failure_type, "config_error", "{script}");
        assert!(output.error().message.contains("cannot be written"), "{script}: {}", output.stderr);
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn two_reads_do_not_share_a_state_file_that_is_mounted() {
    let Some(way) = mounts() else { return };
    let orb = orb();
    let setup = Setup::new(&orb);
    folders(&setup, &["state.json"]);
    let held = fs::File::options().read(true).write(true).open(setup.folder().join("outside/state.json"));
    let held = held.unwrap();
    held.lock().unwrap();
    let output = read(&setup, &way, MOUNT, &SAVING);
    assert_eq!(output.error().failure_type, "transient_error", "{}", output.stderr);
    assert!(orb.requests().is_empty());
}
