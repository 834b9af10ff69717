//! `host inspect`: what a connector is, what it asks for, and what it is granted.

use serde_json::Value;

use crate::support::{artifacts, guests, setup::STREAMS};

fn inspect(arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(artifacts::host());
    command.arg("inspect").args(arguments).env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = inspect(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_program_learns_all_there_is() {
    let orb = artifacts::orb();
    let seen = json(&[orb.to_str().unwrap()]);
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
    let path = guests::CONTRACT_0_2.path();
    assert_eq!(json(&[path.to_str().unwrap()])["interface"], "elt:connector/source@0.2.0");
}

#[test]
fn the_imports_of_orb_are_these_and_no_others() {
    let orb = artifacts::orb();
    let seen = json(&[orb.to_str().unwrap()]);
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
    let orb = artifacts::orb();
    let flags = ["--allow-host", "*.example.com", "--max-memory", "1GiB"];
    let output = inspect(&[&[orb.to_str().unwrap()], &flags[..]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    for expected in
        ["may reach       https://*.example.com\n", "--max-memory 1GiB\n", "sealed secrets  api_key\n"]
    {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
}

#[test]
fn what_cannot_be_loaded_cannot_be_inspected() {
    let output = inspect(&[guests::FILES.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("wasi:filesystem/types"));
}
