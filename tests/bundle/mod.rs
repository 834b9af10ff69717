//! `host bundle`: a connector and its host in one self-contained executable.

mod damaged;

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Command,
};

use mock_orb::{Account, MockOrb, Settings};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{
    Output, Setup,
    artifacts::{self, bundle},
    guests,
    setup::{execute, run},
};

/// The size of the magic at each end of the added parts.
const MAGIC: u64 = 16;
/// The size of a length field; there are three.
const LENGTH: u64 = 8;
/// The size of a SHA-256.
const HASH: u64 = 32;

/// Runs `host bundle`.
fn make(arguments: &[&Path]) -> std::process::Output {
    Command::new(artifacts::host()).arg("bundle").args(arguments).output().unwrap()
}

/// Runs `host bundle`, which must fail, and returns its error.
#[track_caller]
fn refused(arguments: &[&Path]) -> String {
    let made = make(arguments);
    assert_eq!((made.status.code(), made.stdout.len()), (Some(1), 0));
    let told = String::from_utf8(made.stderr).unwrap();
    assert!(told.starts_with("error: "), "{told}");
    told
}

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// A copy of the bundle for tampering.
struct Copy {
    folder: TempDir,
    path: PathBuf,
    /// The offsets of the added parts: header, manifest, code, component, lengths, hash and
    /// trailer; then the end.
    places: [u64; 8],
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source-orb");
        fs::copy(bundle(), &path).unwrap();
        let mut file = File::open(&path).unwrap();
        let end = file.seek(SeekFrom::End(0)).unwrap();
        let lengths = end - MAGIC - HASH - 3 * LENGTH;
        file.seek(SeekFrom::Start(lengths)).unwrap();
        let mut length = || {
            let mut bytes = [0; LENGTH as usize];
            file.read_exact(&mut bytes).unwrap();
            u64::from_le_bytes(bytes)
        };
        let (manifest, code, component) = (length(), length(), length());
        let places = [
            lengths - component - code - manifest - MAGIC,
            lengths - component - code - manifest,
            lengths - component - code,
            lengths - component,
            lengths,
            lengths + 3 * LENGTH,
            end - MAGIC,
            end,
        ];
        Self { folder, path, places }
    }

    /// Overwrites some bytes.
    fn change(&self, at: u64, length: usize, change: impl FnOnce(&mut [u8])) {
        let mut file = File::options().read(true).write(true).open(&self.path).unwrap();
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(at)).unwrap();
        file.read_exact(&mut bytes).unwrap();
        change(&mut bytes);
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&bytes).unwrap();
    }

    /// Flips bits of one byte.
    fn flip(&self, at: u64, bits: u8) {
        self.change(at, 1, |byte| byte[0] ^= bits);
    }

    fn spec(&self) -> Output {
        let mut command = Command::new(&self.path);
        command.arg("spec");
        run(command)
    }

    /// Checks that the copy reports that it is damaged.
    #[track_caller]
    fn assert_damaged(&self, how: &str) {
        let output = self.spec();
        let error = output.error();
        assert_eq!(error.failure_type, "system_error", "{how}: {}", error.message);
        let program = format!("the program {} ", self.path.display());
        let said = error.message.strip_prefix(&program);
        let damages = ["is damaged: ", "has no connector in it, or its end is missing"];
        assert!(
            said.is_some_and(|said| damages.iter().any(|damage| said.starts_with(damage))),
            "{how}: {}",
            error.message
        );
        assert!(output.stderr.contains("hint: "), "{how}: {}", output.stderr);
    }
}

/// The lines of stdout without timestamps.
fn timeless(output: &Output) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("emitted_at");
                members.values_mut().for_each(strip);
            }
            Value::Array(elements) => elements.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let lines = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.map(|mut line| (strip(&mut line), line).1).collect()
}

#[test]
fn a_bundle_says_what_its_component_says() {
    let orb = orb();
    let (apart, together) = (Setup::new(&orb), Setup::new(&orb).bundle(bundle()));
    let streams = ["customers"];
    let commands: [fn(&Setup, &[&str]) -> Output; 4] = [
        |setup, _| setup.spec(),
        |setup, _| setup.check(),
        |setup, _| setup.discover(),
        |setup, streams| setup.read(streams),
    ];
    for command in commands {
        let (expected, said) = (command(&apart, &streams), command(&together, &streams));
        assert_eq!((said.code, &said.stderr), (Some(0), &expected.stderr));
        assert_eq!(timeless(&said), timeless(&expected));
    }
    let read = together.read(&streams);
    assert!(!read.records("customers").is_empty());
    let again = together.read_from(&streams, &read.state_file());
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.records("customers").len() < read.records("customers").len());
}

#[test]
fn a_bundle_has_the_flags_of_a_run_but_those_of_the_cache() {
    let orb = orb();
    let setup = || Setup::new(&orb).bundle(bundle());
    let limited = setup().flags(&["--max-record", "10B"]).read(&["customers"]);
    assert!(limited.error().message.contains("--max-record"), "{}", limited.stderr);
    let denied = setup().flags(&["--allow-host", "example.com"]).check();
    let status = denied.messages.iter().find_map(|message| message.connection_status.as_ref());
    assert_eq!(status.unwrap().status, "FAILED");
    for flags in [&["--no-cache"][..], &["--cache-dir", "x"]] {
        assert_eq!(setup().flags(flags).spec().code, Some(2), "{flags:?}");
    }
    for arguments in [&["run"][..], &["bundle"], &[]] {
        assert_eq!(Command::new(bundle()).args(arguments).output().unwrap().status.code(), Some(2));
    }
}

#[test]
fn a_bundle_goes_by_the_name_and_version_of_its_connector() {
    let shown = |flag: &str| {
        let output = Command::new(bundle()).arg(flag).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(shown("-V").starts_with("source-orb "), "{}", shown("-V"));
    let component = Sha256::digest(fs::read(artifacts::orb()).unwrap());
    let sha256: String = component.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(shown("--version").ends_with(&format!("\ncomponent sha256 {sha256}\n")));
    let help = shown("--help");
    assert!(help.contains("Usage: source-orb [OPTIONS] <COMMAND>"), "{help}");
    assert!(help.contains("source-orb read --config config.json"), "{help}");
    let inspected = Command::new(bundle()).args(["inspect", "--format", "json"]).output().unwrap();
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!((&inspected["name"], &inspected["sha256"]), (&"orb".into(), &sha256.into()));
}

#[test]
fn a_bundle_needs_no_environment_and_nothing_that_can_be_written() {
    let copy = Copy::new();
    let empty = tempfile::tempdir().unwrap();
    let folders = [copy.folder.path(), empty.path()];
    for folder in folders {
        let mut permissions = fs::metadata(folder).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(folder, permissions).unwrap();
    }
    let mut command = Command::new(&copy.path);
    let output = run({
        command.arg("spec").env_clear().current_dir(empty.path());
        command
    });
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert_eq!(folders.map(|folder| fs::read_dir(folder).unwrap().count()), [1, 0]);
    #[cfg(unix)]
    for folder in folders {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn a_bundle_may_be_copied_renamed_linked_and_called_by_any_name() {
    use std::os::unix::process::CommandExt;

    let copy = Copy::new();
    let renamed = copy.folder.path().join("another name");
    fs::rename(&copy.path, &renamed).unwrap();
    let link = copy.folder.path().join("link");
    std::os::unix::fs::symlink("another name", &link).unwrap();
    for path in [&renamed, &link] {
        let mut command = Command::new(path);
        command.arg("spec");
        assert_eq!(run(command).code, Some(0), "{}", path.display());
    }
    let mut command = Command::new(&renamed);
    command.arg0("no such program").arg("spec");
    // Other systems do not expose the program's file, only the name it was given.
    #[cfg(target_os = "linux")]
    assert_eq!(run(command).code, Some(0));
    let mut command = Command::new("link");
    command.arg("spec").env("PATH", copy.folder.path());
    assert_eq!(run(command).code, Some(0));
}

#[test]
fn the_host_alone_has_no_commands_of_a_connector_and_says_why() {
    let mut command = Command::new(artifacts::host());
    command.arg("spec");
    let output = run(command);
    assert!(output.error().message.contains("has no connector in it"), "{}", output.stderr);
    assert!(output.stderr.contains("host run"), "{}", output.stderr);
    assert_eq!(Command::new(artifacts::host()).arg("nonsense").output().unwrap().status.code(), Some(2));
}

#[test]
fn what_is_no_connector_is_not_bundled() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("program");
    let arguments = |component: &Path| refused(&[component, Path::new("-o"), &output]);
    let text = folder.path().join("text");
    fs::write(&text, "#!/bin/sh\n").unwrap();
    assert!(arguments(&text).contains("is not a WebAssembly component"));
    assert!(arguments(bundle()).contains("is not a WebAssembly component"));
    assert!(arguments(&folder.path().join("nothing")).contains("cannot be read"));
    assert!(arguments(guests::FILES.path()).contains("wasi:filesystem/types"));
    assert!(arguments(guests::START_TRAP.path()).contains("crashed"));
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["text"], "nothing is left behind");
}

#[test]
fn a_bundle_is_never_written_over_what_it_is_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("orb.wasm");
    fs::copy(artifacts::orb(), &component).unwrap();
    let told = refused(&[&component, Path::new("-o"), &folder.path().join(".").join("orb.wasm")]);
    assert!(told.contains("is the component itself"), "{told}");
    assert_eq!(fs::read(&component).unwrap(), fs::read(artifacts::orb()).unwrap());

    let host = folder.path().join("host");
    fs::copy(artifacts::host(), &host).unwrap();
    let mut command = Command::new(&host);
    command.arg("bundle").arg(&component).arg("-o").arg(&host);
    let output = run(command);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("is this program itself"), "{}", output.stderr);
    assert!(refused(&[&component, Path::new("-o"), folder.path()]).contains("directory"));
}

#[test]
fn a_bundle_is_called_by_its_connector_unless_another_name_is_given_and_can_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(artifacts::host());
    command.arg("bundle").arg(artifacts::orb()).current_dir(folder.path());
    for _ in 0..2 {
        let made = command.output().unwrap();
        let told = String::from_utf8(made.stderr).unwrap();
        assert!(made.status.success() && told.starts_with("wrote source-orb: "), "{told}");
        assert!(made.stdout.is_empty());
    }
    let written = fs::metadata(folder.path().join("source-orb")).unwrap();
    assert_eq!(written.len(), fs::metadata(bundle()).unwrap().len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(written.permissions().mode() & 0o700, 0o700);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn whoever_bundles_a_connector_decides_where_secrets_go() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("source-guest");
    let made = make(&[guests::ASKER.path(), Path::new("-o"), &program]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = serde_json::json!({ "api_key": "sk_live_0123456789" });
    let warned = |output: &Output| output.logs().iter().any(|log| log.level == "WARN");
    let run = |setup: Setup| setup.read(&["things"]);
    assert!(warned(&run(Setup::guest(guests::ASKER, config.clone()))));
    let bundled = run(Setup::guest(guests::ASKER, config).bundle(&program));
    assert_eq!(bundled.code, Some(0), "{}", bundled.stderr);
    assert!(!warned(&bundled), "{}", bundled.stdout);
}
