//! `host inspect` is for components that nobody trusts yet: it ends with each of them.

use std::process::Command;

use super::memory::{ALONE, MIB, measure_any};
use super::time::in_time;
use crate::support::{artifacts, guests};

#[test]
fn every_hostile_component_can_be_inspected() {
    let folder = tempfile::tempdir().unwrap();
    for guest in guests::all() {
        let mut command = Command::new(artifacts::host());
        command.arg("inspect").arg(guest.path()).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
        command.args(["--max-compute", "1s", "--max-call", "2s", "--max-memory", "64MiB"]);
        let (output, peak) = in_time(|| measure_any(command, folder.path()));
        let stderr = String::from_utf8(output.stderr).unwrap();
        // A panic would be 101, an abort a signal.
        assert!(matches!(output.status.code(), Some(0 | 1)), "{guest}: {} {stderr}", output.status);
        assert_eq!(output.status.success(), stderr.is_empty(), "{guest}: {stderr}");
        assert!(stderr.len() < 4_000 && output.stdout.len() < 64_000, "{guest}: {stderr}");
        assert!(peak < ALONE + 64 * MIB, "{guest}: {} MiB", peak / MIB);
    }
}
