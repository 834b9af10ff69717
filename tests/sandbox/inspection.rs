//! `host inspect` is for components that nobody trusts yet: it ends with each of them.

use serde_json::{Value, json};

use super::memory::{ALONE, MIB, measure_any};
use super::time::in_time;
use crate::support::setup::{execute, inspect};
use crate::support::{Setup, guests};

#[test]
fn every_hostile_component_can_be_inspected() {
    let folder = tempfile::tempdir().unwrap();
    for guest in guests::all() {
        let mut command = inspect(guest.path());
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

#[test]
fn what_inspect_shows_can_be_pinned() {
    let mut command = inspect(guests::ASKER.path());
    command.args(["--format", "json"]);
    let seen: Value = serde_json::from_slice(&execute(command).stdout).unwrap();
    let digest = seen["specification"].as_str().unwrap();
    let (prefix, digits) = digest.split_once(':').unwrap();
    let spec = |digest: &str| Setup::guest(guests::ASKER, json!({})).flags(&["--pin-spec", digest]).spec();
    for same in [digest, &format!("{prefix}:{}", digits.to_uppercase())] {
        let output = spec(same);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
    // One digit is another.
    let last = if digits.ends_with('0') { '1' } else { '0' };
    let output = spec(&format!("{prefix}:{}{last}", &digits[..63]));
    assert_eq!(output.error().failure_type, "config_error");
    assert!(output.error().message.contains(digest), "{}", output.stderr);
}
