//! Components that are rejected before they run, with a helpful message.

use std::fs;

use serde_json::json;

use crate::support::{Guest, Output, Setup, guests};

/// A guest whose bytes have one name replaced by another of the same length.
fn patched(guest: Guest, from: &str, to: &str) -> Output {
    assert_eq!(from.len(), to.len(), "lengths are written in a component too");
    let mut bytes = fs::read(guest.path()).unwrap();
    let mut at = 0;
    let mut found = false;
    while let Some(next) = bytes[at..].windows(from.len()).position(|window| window == from.as_bytes()) {
        at += next;
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        found = true;
    }
    assert!(found, "{from} is not in {guest}");
    loaded(&bytes)
}

/// The result of `spec` for a component with these bytes.
fn loaded(bytes: &[u8]) -> Output {
    let setup = Setup::guest(guests::TRAP, json!({}));
    let path = setup.file("other.wasm", bytes);
    setup.component(path).spec()
}

/// Checks that a component was rejected, and returns the reason.
#[track_caller]
fn refused(output: &Output) -> String {
    let error = output.error();
    assert_eq!(error.failure_type, "config_error", "{}", error.message);
    error.message.clone()
}

#[test]
fn a_component_that_wants_files_is_refused_before_it_runs() {
    let message = refused(&Setup::guest(guests::FILES, json!({})).spec());
    assert!(message.contains("wasi:filesystem/types"), "{message}");
}

#[test]
fn a_component_that_wants_sockets_is_refused_before_it_runs() {
    let message = refused(&Setup::guest(guests::SOCKETS, json!({})).spec());
    assert!(message.contains("wasi:sockets/"), "{message}");
}

#[test]
fn a_component_that_wants_what_nobody_has_is_refused_before_it_runs() {
    let message = refused(&patched(guests::LOG_FLOOD, "elt:connector/log@0.3.0", "elt:connector/lug@0.3.0"));
    assert!(message.contains("elt:connector/lug@0.3.0"), "{message}");
}

#[test]
fn a_component_of_another_contract_is_refused_with_both_versions() {
    for version in ["0.9.0", "1.1.0", "0.0.1"] {
        let other = format!("elt:connector/source@{version}");
        let message = refused(&patched(guests::TRAP, "elt:connector/source@0.3.0", &other));
        assert!(message.contains(&other) && message.contains("elt:connector/source@0.3.0"), "{message}");
    }
}

#[test]
fn a_component_that_is_no_source_is_refused() {
    let message = refused(&patched(guests::TRAP, "elt:connector/source@", "elt:connector/sauce@@"));
    assert!(message.contains("other.wasm"), "{message}");
    let message = refused(&patched(guests::TRAP, "elt:connector/source@", "elt:connector/sourse@"));
    assert!(message.contains("does not export elt:connector/source"), "{message}");
}

#[test]
fn a_component_that_is_broken_is_refused() {
    let bytes = fs::read(guests::TRAP.path()).unwrap();
    for end in [0, 4, 8, 9, 100, bytes.len() / 2, bytes.len() - 1] {
        refused(&loaded(&bytes[..end]));
    }
    // Corrupt part of the component, so that types do not match or sections end early.
    for at in (8..bytes.len() / 2).step_by(bytes.len() / 16) {
        let mut broken = bytes.clone();
        broken[at..at + 8].fill(0xff);
        let output = loaded(&broken);
        assert!(matches!(output.code, Some(0 | 1)), "at {at}: {}", output.stderr);
        output.assert_clean();
    }
}
