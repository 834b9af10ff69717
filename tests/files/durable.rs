//! Reads that are killed, that run at the same time, or that run out of space.

use std::process::{Child, Command, Stdio};

use mock_orb::Fault;

use super::*;

const STATE: [&str; 3] = ["--state", "state.json", "--save-state"];

/// Starts a read of small parts, and kills it once there are so many.
fn killed_after(setup: &Setup, parts: usize) {
    let config = setup.config_file();
    let flags = ["--output-dir", "out", "--streams", "customers,plans", "--part-size", "20KiB"];
    let mut command = setup.command(&[&"read", &"--config", &config]);
    command.args(flags).args(STATE).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let count = || elt_files::files(&setup.folder().join("out/customers")).map_or(0, |files| files.len());
    while count() < parts && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
}

/// The records of a folder, whether their files are whole, and what a glob finds.
fn assert_whole(setup: &Setup) {
    let folder = setup.folder().join("out/customers");
    let globbed = fs::read_dir(&folder).into_iter().flatten().flatten();
    let names: Vec<_> = globbed.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let parts = names.iter().filter(|name| !name.starts_with('.')).count();
    // Reading fails if one is not whole.
    stored(&setup.folder().join("out"), "customers");
    assert_eq!(parts, elt_files::files(&folder).unwrap().len(), "{names:?}");
    assert!(
        names.iter().filter(|name| name.starts_with('.')).all(|name| name.ends_with(".tmp")),
        "{names:?}"
    );
}

#[test]
fn a_read_that_is_killed_at_any_part_leaves_whole_files_and_the_next_goes_on() {
    let orb = account_of(4000);
    let setup = Setup::new(&orb);
    for _ in 0..20 {
        killed_after(&setup, elt_files::files(&setup.folder().join("out/customers")).unwrap().len() + 1);
        assert_whole(&setup);
    }
    let killed = manifests(&setup.folder().join("out"));
    let killed = killed.iter().filter(|manifest| manifest["status"] == "running").count();
    assert!(killed > 10, "only {killed} of 20 reads were killed");
    let flags = ["--streams", "customers,plans", "--part-size", "20KiB"];
    read_well(&setup, &[&flags[..], &STATE[..]].concat());
    let folder = setup.folder().join("out");
    let leftovers = fs::read_dir(folder.join("customers")).unwrap().flatten();
    assert!(!leftovers.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")));
    let messages = setup.read(&["customers", "plans"]);
    for stream in ["customers", "plans"] {
        let whole: BTreeMap<_, _> = messages
            .records(stream)
            .iter()
            .map(|record| expected(record))
            .map(|fields| (fields["id"].clone(), fields))
            .collect();
        assert_eq!(newest(stored(&folder, stream), "id"), whole, "{stream}");
    }
}

#[test]
fn parts_end_with_a_state_so_that_the_next_read_repeats_nothing() {
    let records: Vec<Vec<String>> = (0..40)
        .map(|batch| {
            (0..25).map(|n| format!(r#"{{"id":"{batch}-{n}","text":"{}"}}"#, "x".repeat(400))).collect()
        })
        .collect();
    let batches: Vec<Vec<&str>> =
        records.iter().map(|batch| batch.iter().map(String::as_str).collect()).collect();
    let batches: Vec<&[&str]> = batches.iter().map(Vec::as_slice).collect();
    let schema = serde_json::json!({"properties": {"id": {"type": "string"}, "text": {"type": "string"}}});
    let setup = script(&[stream("things", &schema, &batches)]);
    // Every part ends with a state, so what is saved is all that is there.
    read_well(&setup, &[&["--part-size", "30KiB", "--format", "jsonl"], &STATE[..]].concat());
    let manifest = manifests(&setup.folder().join("out")).remove(0);
    let parts = manifest["streams"]["things"]["parts"].as_array().unwrap().clone();
    assert!(parts.len() > 5, "{}", parts.len());
    assert!(parts.iter().all(|part| part["records"].as_u64().unwrap() % 25 == 0), "{parts:?}");
    let before = stored(&setup.folder().join("out"), "things").len();
    read_well(&setup, &[&["--part-size", "30KiB", "--format", "jsonl"], &STATE[..]].concat());
    assert_eq!((before, stored(&setup.folder().join("out"), "things").len()), (1000, 1000));
}

/// Starts a read that has the folder and never ends.
fn stalled(setup: &Setup) -> Child {
    let config = setup.config_file();
    let mut command = setup.command(&[&"read", &"--config", &config, &"--output-dir", &"out"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !setup.folder().join("out/.lock").exists() {
        std::thread::yield_now();
    }
    child
}

#[test]
fn two_reads_do_not_write_to_one_folder() {
    let orb = orb();
    orb.inject(Fault::silence().on("/v1/customers"));
    let setup = Setup::new(&orb);
    let mut first = stalled(&setup);
    // The first may not have locked it yet, but then the second is the one that has it.
    let output = loop {
        let output = read(&setup, &["--streams", "plans"]);
        if output.code != Some(0) {
            break output;
        }
        assert!(first.try_wait().unwrap().is_none());
    };
    assert!(output.stderr.contains("another read writes to the folder out"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: wait for its end"), "{}", output.stderr);
    first.kill().unwrap();
    first.wait().unwrap();
    read_well(&setup, &["--streams", "plans"]);
}

#[test]
fn a_read_that_is_stopped_keeps_what_it_has_read() {
    let orb = orb();
    orb.inject(Fault::silence().on("/v1/plans"));
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    let flags = ["--output-dir", "out", "--streams", "customers,plans", "--max-streams", "1"];
    let mut command = setup.command(&[&"read", &"--config", &config]);
    let mut child =
        command.args(flags).args(STATE).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !setup.folder().join("state.json").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended too soon");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap();
    let folder = setup.folder().join("out");
    assert_eq!(newest(stored(&folder, "customers"), "id").len(), 25);
    assert_eq!(manifests(&folder)[0]["status"], "failed");
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_is_an_error_and_what_was_saved_is_true() {
    let Some(way) = crate::in_place::mounts() else { return };
    // Texts that cannot be compressed much.
    let text = |seed: u64| -> String {
        let mut state = seed + 1;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{state:016x}")
        };
        std::iter::repeat_with(next).take(30).collect()
    };
    let batches: Vec<Vec<String>> = (0..40)
        .map(|batch| {
            (0..25).map(|n| format!(r#"{{"id":"{batch}-{n}","text":"{}"}}"#, text(batch * 25 + n))).collect()
        })
        .collect();
    let batches: Vec<Vec<&str>> =
        batches.iter().map(|batch| batch.iter().map(String::as_str).collect()).collect();
    let batches: Vec<&[&str]> = batches.iter().map(Vec::as_slice).collect();
    let schema = serde_json::json!({"properties": {"id": {"type": "string"}, "text": {"type": "string"}}});
    for format in ["parquet", "jsonl"] {
        let setup = script(&[stream("customers", &schema, &batches)]);
        let config = setup.config_file();
        fs::create_dir(setup.folder().join("out")).unwrap();
        let flags =
            ["--output-dir", "out", "--streams", "customers", "--part-size", "30KiB", "--format", format];
        let host = setup.command(&[&"read", &"--config", &config]);
        // What is on the disk is copied, because only this command sees it.
        let script = r#"mount -t tmpfs -o size=160k tmpfs out || exit 99
            "$0" "$@"; code=$?; cp -a out kept; exit $code"#;
        let mut command = Command::new("unshare");
        command.args(way.iter()).args(["sh", "-c", script]);
        command.arg(host.get_program()).args(host.get_args()).args(flags).args(STATE);
        command.current_dir(setup.folder()).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        let output = crate::support::setup::run(command);
        assert_eq!(output.code, Some(1), "{format}: {}", output.stderr);
        let why = "the folder out cannot be written to: ";
        assert!(output.stderr.contains(why) && output.stderr.contains("No space left"), "{}", output.stderr);
        fs::remove_dir(setup.folder().join("out")).unwrap();
        fs::rename(setup.folder().join("kept"), setup.folder().join("out")).unwrap();
        assert_whole(&setup);
        let before = stored(&setup.folder().join("out"), "customers").len();
        assert!(before > 0 && setup.folder().join("state.json").exists(), "{format}");
        read_well(&setup, &STATE);
        let after = stored(&setup.folder().join("out"), "customers");
        assert_eq!(after.len(), 1000, "{format}: it went on where the files end, which had {before}");
        assert_eq!(newest(after, "id").len(), 1000, "{format}");
    }
}
