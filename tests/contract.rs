//! The contract's versions: a connector that was built against an older one works as before.

use serde_json::{Value, json};

use crate::support::{Setup, guests, setup::run};

fn setup() -> Setup {
    Setup::guest(guests::CONTRACT_0_2, json!({ "last": 3 }))
}

#[test]
fn a_connector_of_version_0_2_is_read() {
    let output = setup().read(&["numbers"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("numbers"), [r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    assert_eq!(output.statuses("numbers").last(), Some(&"COMPLETE"));
    assert!(output.logs().iter().any(|line| line.message.contains("reads numbers from None")));
}

#[test]
fn a_connector_of_version_0_2_continues_from_its_state_and_describes_itself() {
    let state = setup().read(&["numbers"]).state_file();
    let again = setup().read_from(&["numbers"], &state);
    assert!(again.logs().iter().any(|line| line.message.contains(r#"{\"n\":3}"#)), "{}", again.stderr);

    let spec: Value = serde_json::from_str(&setup().spec().stdout).unwrap();
    assert_eq!(spec["spec"]["connectionSpecification"]["required"], json!(["last"]));
}

#[test]
fn without_groups_every_stream_is_read_by_default() {
    let setup = setup();
    let output = setup.run(&[&"read", &"--config", &setup.config_file()]);
    assert_eq!(output.records("numbers").len(), 3, "{}", output.stderr);
}

/// A guest with a stream of each of three groups, of which one is not read by default.
fn groups() -> Setup {
    let stream = |name: &str, group: Option<&str>, by_default: bool| json!([name, null, group, by_default]);
    let streams =
        [stream("a", Some("core"), true), stream("b", None, true), stream("c", Some("costs"), false)];
    Setup::guest(guests::CATALOG, json!({ "streams": streams }))
}

fn completed(selection: &[&str]) -> Vec<String> {
    let setup = groups();
    let mut command = setup.command(&[&"read", &"--config", &setup.config_file()]);
    command.args(selection);
    let output = run(command);
    ["a", "b", "c"]
        .into_iter()
        .filter(|name| output.statuses(name).contains(&"COMPLETE"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_read_without_a_selection_reads_the_default_streams() {
    assert_eq!(completed(&[]), ["a", "b"]);
}

#[test]
fn streams_are_selected_by_name_by_group_or_all() {
    assert_eq!(completed(&["--streams", "costs"]), ["c"]);
    assert_eq!(completed(&["--streams", "costs,b"]), ["b", "c"]);
    assert_eq!(completed(&["--streams", "all"]), ["a", "b", "c"]);
}

#[test]
fn discover_shows_the_groups_to_a_person() {
    let setup = groups();
    let table = setup
        .command(&[&"discover", &"--config", &setup.config_file(), &"--format", &"table"])
        .output()
        .unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    let row = table.lines().find(|line| line.trim_start().starts_with('c')).unwrap().to_owned();
    assert!(row.contains("costs") && row.contains("3 in all"), "{row}");
}
