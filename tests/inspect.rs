//! `host inspect`: what a connector is, what it asks for, and what it is granted.

use std::path::Path;

use serde_json::Value;

use crate::support::setup::{STREAMS, inspect};
use crate::support::{artifacts, guests};

fn json(component: &Path) -> Value {
    let output = inspect(component).args(["--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_program_learns_all_there_is() {
    let orb = artifacts::orb();
    let seen = json(&orb);
    assert_eq!(seen["name"], "orb");
    assert_eq!(seen["interface"], "elt:connector/source@0.3.0");
    assert_eq!(seen["hosts"], serde_json::json!(["https://api.withorb.com"]));
    assert_eq!(seen["secrets"], serde_json::json!(["api_key"]));
    assert_eq!(seen["size"], std::fs::metadata(&orb).unwrap().len());
    assert_eq!(seen["sha256"].as_str().unwrap().len(), 64);
    assert!(seen["specification"].as_str().unwrap().starts_with("sha256:"), "{seen}");
    assert_eq!(seen["limits"]["--max-memory"], "512MiB");
    let streams: Vec<_> =
        seen["streams"].as_array().unwrap().iter().map(|stream| stream["name"].as_str().unwrap()).collect();
    assert!(STREAMS.iter().all(|stream| streams.contains(stream)), "{streams:?}");
}

#[test]
fn a_connector_of_an_older_contract_is_inspected() {
    assert_eq!(json(guests::CONTRACT_0_2.path())["interface"], "elt:connector/source@0.2.0");
}

#[test]
fn the_imports_of_orb_are_these_and_no_others() {
    let seen = json(&artifacts::orb());
    let capabilities = seen["capabilities"].as_array().unwrap();
    let imports = capabilities.iter().flat_map(|capability| capability["imports"].as_array().unwrap());
    let interfaces: std::collections::BTreeSet<_> =
        imports.map(|import| import.as_str().unwrap().split('@').next().unwrap()).collect();
    let expected = [
        "elt:connector/log",
        "elt:connector/progress",
        "elt:connector/types",
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:http/outgoing-handler",
        "wasi:http/types",
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
    ];
    assert_eq!(interfaces, expected.into());
}

#[test]
fn a_person_sees_the_flags_that_are_in_force() {
    let flags = ["--allow-host", "*.example.com", "--max-memory", "1GiB"];
    let output = inspect(&artifacts::orb()).args(flags).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in
        ["may reach       https://*.example.com\n", "--max-memory 1GiB\n", "sealed secrets  api_key\n"]
    {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn what_cannot_be_loaded_cannot_be_inspected() {
    let output = inspect(guests::FILES.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("wasi:filesystem/types"));
}
