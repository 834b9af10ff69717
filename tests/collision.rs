//! If two flags name the same file, nothing is read and no file is changed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Output, Setup, artifacts};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// A folder with a config, a catalog, a state, links to them, and a copy of the component.
fn setup(orb: &MockOrb) -> Setup {
    let setup = Setup::new(orb);
    setup.config_file();
    setup.catalog_file(&["plans"]);
    setup.file("state.json", "");
    fs::copy(artifacts::orb(), setup.folder().join("orb.wasm")).unwrap();
    for name in ["config.json", "catalog.json", "state.json", "orb.wasm"] {
        symlink(name, setup.folder().join(format!("soft-{name}"))).unwrap();
        fs::hard_link(setup.folder().join(name), setup.folder().join(format!("hard-{name}"))).unwrap();
    }
    fs::create_dir(setup.folder().join("folder")).unwrap();
    symlink("folder", setup.folder().join("way")).unwrap();
    symlink("way/new", setup.folder().join("dangling")).unwrap();
    setup
}

/// Runs a shell command in the folder, in which `$host` runs `read` with the component there.
fn shell(setup: &Setup, script: &str) -> Output {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(setup.folder()).stdin(Stdio::null()).env_remove("LOG_LEVEL");
    shell.env("host", artifacts::host()).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    crate::support::setup::run(shell)
}

/// The content of each file.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

#[test]
fn a_file_that_is_written_is_named_once() {
    let orb = orb();
    let setup = setup(&orb);
    let before = content(setup.folder());
    for flags in [
        "--state state.json --output state.json",
        "--state state.json --output ./folder/../state.json",
        "--state state.json --output soft-state.json",
        "--state soft-state.json --save-state --output hard-state.json",
        "--state state.json --save-state --output state.json",
        "--state state.json --save-state --output state.json.lock",
        "--state soft-state.json --save-state --output state.json.lock",
        "--state new --save-state --output new",
        "--state new --save-state --output new.lock",
        "--state folder/new --save-state --output dangling",
        "--state folder/new --save-state --output way/new",
        "--output config.json",
        "--output soft-config.json",
        "--output hard-config.json",
        "--catalog catalog.json --output soft-catalog.json",
        "--output orb.wasm",
        "--output hard-orb.wasm",
        "--state config.json --save-state",
        "--state soft-orb.wasm --save-state",
        "--catalog catalog.json --state hard-catalog.json --save-state",
        "--ca-cert folder/ca.pem --output folder/ca.pem",
    ] {
        fs::write(setup.folder().join("folder/ca.pem"), "roots").unwrap();
        let output = shell(&setup, &format!("exec $host run orb.wasm read --config config.json {flags}"));
        assert_eq!(output.error().failure_type, "config_error", "{flags}");
        assert!(output.error().message.contains(" are the same file, "), "{flags}: {}", output.stderr);
        assert!(content(setup.folder()) == before, "{flags}");
    }
    // The lock would be removed at the end.
    fs::copy(setup.folder().join("config.json"), setup.folder().join("new.lock")).unwrap();
    let output = shell(&setup, "exec $host run orb.wasm read --config new.lock --state new --save-state");
    assert!(output.error().message.contains("the lock of --state"), "{}", output.stderr);
    assert!(setup.folder().join("new.lock").exists());
    assert!(orb.requests().is_empty());
}

#[test]
fn a_bundle_is_no_place_for_messages_or_states() {
    let orb = orb();
    let setup = setup(&orb);
    let before = content(setup.folder());
    fs::copy(artifacts::bundle(), setup.folder().join("source-orb")).unwrap();
    let size = fs::metadata(artifacts::bundle()).unwrap().len();
    for flags in ["--output source-orb", "--state source-orb --save-state"] {
        let output = shell(&setup, &format!("exec ./source-orb read --config config.json {flags}"));
        assert_eq!(output.error().failure_type, "config_error", "{flags}");
        assert!(output.error().message.starts_with("this program and "), "{flags}: {}", output.stderr);
        assert_eq!(fs::metadata(setup.folder().join("source-orb")).unwrap().len(), size);
    }
    fs::remove_file(setup.folder().join("source-orb")).unwrap();
    assert!(content(setup.folder()) == before);
    assert!(orb.requests().is_empty());
}

#[test]
fn stdout_is_no_file_that_is_used_otherwise() {
    let orb = orb();
    let setup = setup(&orb);
    let before = content(setup.folder());
    for flags in [
        "--state state.json --save-state >> state.json",
        "--state state.json --save-state >> soft-state.json",
        "--state state.json --save-state --output - >> state.json",
        "--state state.json --save-state --output /dev/stdout >> hard-state.json",
        "--state state.json >> state.json",
        ">> config.json",
        "--catalog catalog.json >> catalog.json",
        ">> orb.wasm",
    ] {
        let output = shell(&setup, &format!("exec $host run orb.wasm read --config config.json {flags}"));
        assert_eq!(output.code, Some(1), "{flags}: {}", output.stderr);
        assert!(output.stderr.starts_with("error: stdout and "), "{flags}: {}", output.stderr);
        assert!(content(setup.folder()) == before, "{flags}");
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn files_that_differ_are_no_matter() {
    let orb = orb();
    let setup = setup(&orb);
    let read = "$host run orb.wasm read --config config.json --streams plans --state state.json --save-state";
    let output = shell(&setup, &format!("exec {read} --output folder/state.json"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = shell(&setup, &format!("exec {read} > out.jsonl"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(fs::read_to_string(setup.folder().join("out.jsonl")).unwrap().contains("COMPLETE"));
}

#[test]
#[cfg(target_os = "linux")]
fn stdout_by_another_name_is_the_file_that_is_open_there() {
    let orb = orb();
    let setup = setup(&orb);
    symlink("/dev/stdout", setup.folder().join("stdout")).unwrap();
    for name in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "stdout"] {
        let read = format!("$host run orb.wasm read --config config.json --streams plans --output {name}");
        // The file has no name any more, but is still read by another descriptor.
        let script = format!("exec 3<>gone; rm gone; {read} >/dev/fd/3; code=$?; cat <&3; exit $code");
        let before = content(setup.folder());
        let output = shell(&setup, &script);
        assert_eq!(output.code, Some(0), "{name}: {}", output.stderr);
        assert!(content(setup.folder()) == before, "{name}");
        assert_eq!(output.statuses("plans"), ["STARTED", "RUNNING", "COMPLETE"], "{name}");
        // Nor does a pipe have one.
        let output = shell(&setup, &format!("{read} | cat"));
        assert_eq!(output.statuses("plans"), ["STARTED", "RUNNING", "COMPLETE"], "{name}");
    }
    let read = "$host run orb.wasm read --config config.json --streams plans --output /dev/fd/3";
    let output = shell(&setup, &format!("exec 3<>gone; rm gone; exec {read}"));
    assert_eq!(output.error().failure_type, "config_error");
    assert!(output.error().message.contains("it is an open descriptor"), "{}", output.stderr);
}
