//! What is in a folder, over several runs.

use serde_json::json;

use super::*;

fn text() -> Value {
    json!({"type": "string"})
}

fn columns(setup: &Setup) -> Vec<String> {
    let manifest = manifests(&setup.folder().join("out")).pop().unwrap();
    let columns = manifest["columns"]["things"].as_array().unwrap().clone();
    columns
        .iter()
        .map(|column| format!("{}: {}", column["name"].as_str().unwrap(), column["type"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_changed_schema_adds_columns_and_changes_none() {
    let first =
        stream("things", &json!({"properties": {"id": text(), "n": text()}}), &[&[r#"{"id":"1","n":"x"}"#]]);
    let setup = script(&[first]);
    read_well(&setup, &[]);
    let schema = json!({"properties": {"id": text(), "n": {"type": "integer"}, "more": text()}});
    let second = stream("things", &schema, &[&[r#"{"id":"2","n":7,"more":"y"}"#]]);
    let setup = setup.with("streams", vec![second]);
    read_well(&setup, &[]);
    assert_eq!(columns(&setup), ["id: text", "n: text", "n_integer: integer", "more: text"]);
    let stored: Vec<_> = stored(&setup.folder().join("out"), "things").iter().map(fields).collect();
    assert_eq!(stored, [expected(r#"{"id":"1","n":"x"}"#), expected(r#"{"id":"2","n":7,"more":"y"}"#)]);
}

#[test]
fn the_manifest_says_what_a_run_has_written() {
    let batches: [&[&str]; 2] = [&[r#"{"id":"1"}"#, r#"{"id":"2"}"#], &[r#"{"id":"3"}"#]];
    let setup = script(&[stream("things", &json!({"properties": {"id": text()}}), &batches)]);
    read_well(&setup, &["--format", "jsonl"]);
    read_well(&setup, &["--format", "jsonl"]);
    let folder = setup.folder().join("out");
    let manifests = manifests(&folder);
    assert_eq!(manifests.len(), 2);
    assert!(manifests[0]["extracted_until"].as_str() < manifests[1]["extracted_until"].as_str());
    let manifest = &manifests[0];
    let run = manifest["run"].as_str().unwrap();
    assert_eq!((&manifest["status"], &manifest["format"]), (&json!("complete"), &json!("jsonl")));
    assert_eq!(manifest["connector"], json!({"name": "guest", "version": "0.0.0"}));
    assert_eq!(manifest["host"]["version"], env!("CARGO_PKG_VERSION"));
    let things = &manifest["streams"]["things"];
    assert_eq!((&things["records"], &things["state"]), (&json!(3), &json!({"batches": 2})));
    assert_eq!((&things["primary_key"], &things["cursor_field"]), (&json!([["id"]]), &json!(["at"])));
    assert!(things["schema"].as_str().unwrap().starts_with("sha256:"));
    let name = format!("things/{run}-00001.jsonl");
    let size = fs::metadata(folder.join(&name)).unwrap().len();
    assert_eq!(things["parts"], json!([{"file": name, "records": 3, "bytes": size}]));
}

#[test]
fn files_are_in_folders_by_month_if_that_is_wanted() {
    let schema = json!({"properties": {"id": text(), "at": {"type": "string", "format": "date-time"}}});
    let records = [
        r#"{"id":"1","at":"2024-01-31T23:59:59Z"}"#,
        r#"{"id":"2","at":"2024-02-01T00:30:00+01:00"}"#,
        r#"{"id":"3","at":"2024-02-01T00:00:00Z"}"#,
        r#"{"id":"4","at":"soon"}"#,
        r#"{"id":"5"}"#,
    ];
    for format in ["parquet", "jsonl"] {
        let setup = script(&[stream("things", &schema, &[&records])]);
        read_well(&setup, &["--partition", "month", "--format", format]);
        let folder = setup.folder().join("out");
        let count = |month: &str| stored(&folder, &format!("things/_month={month}")).len();
        assert_eq!((count("2024-01"), count("2024-02"), count("__HIVE_DEFAULT_PARTITION__")), (2, 1, 2));
        assert_eq!(stored(&folder, "things").len(), 5);
    }
}

#[test]
fn files_are_no_larger_than_is_said_but_for_a_batch() {
    let orb = account_of(3000);
    let setup = Setup::new(&orb);
    for format in ["parquet", "jsonl", "jsonl.zst"] {
        read_well(&setup, &["--streams", "customers", "--part-size", "100KiB", "--format", format]);
        let folder = setup.folder().join("out");
        let files = elt_files::files(&folder.join("customers")).unwrap();
        assert!(files.len() > 1, "{format}: {}", files.len());
        for file in files {
            assert!(fs::metadata(&file).unwrap().len() < 1 << 20, "{}", file.display());
        }
        assert_eq!(newest(stored(&folder, "customers"), "id").len(), 3000, "{format}");
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn warnings_and_errors_are_on_stderr() {
    let failing = json!({
        "name": "things", "schema": {"properties": {"id": text()}}, "key": ["id"],
        "batches": [[r#"{"id":"1"}"#], "no more today"],
    });
    let setup = script(&[failing, stream("others", &json!({}), &[&[r#"{"id":"2"}"#]])]);
    let output = read(&setup, &["--state", "state.json", "--save-state"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    assert!(output.stderr.contains("no more today"), "{}", output.stderr);
    // What was read is there, and so is its state.
    let folder = setup.folder().join("out");
    assert_eq!((stored(&folder, "things").len(), stored(&folder, "others").len()), (1, 1));
    let manifest = manifests(&folder).remove(0);
    assert_eq!(
        (&manifest["status"], &manifest["streams"]["others"]["status"]),
        (&json!("failed"), &json!("complete"))
    );
    assert_eq!(manifest["streams"]["things"]["status"], "failed");
    let state = fs::read_to_string(setup.folder().join("state.json")).unwrap();
    assert!(state.contains(r#""name":"things""#) && state.contains(r#""name":"others""#), "{state}");
}

#[test]
fn a_name_of_a_stream_leads_to_no_other_folder() {
    let setup = script(&[stream("../../evil", &json!({}), &[&["{}"]])]);
    let output = read(&setup, &[]);
    let entries = fs::read_dir(setup.folder().parent().unwrap()).unwrap();
    assert!(!entries.flatten().any(|entry| entry.file_name() == "evil"), "{}", output.stderr);
    if output.code == Some(0) {
        assert!(setup.folder().join("out/%2E%2E%2F%2E%2E%2Fevil").is_dir());
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_told_before_anything_is_read() {
    let orb = orb();
    let setup = Setup::new(&orb);
    setup.file("file", "");
    for (folder, why) in [("file", "file"), ("file/below", "file/below")] {
        let config = setup.config_file();
        let output = setup.run(&[&"read", &"--config", &config, &"--output-dir", &folder]);
        assert_eq!(output.code, Some(1));
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
    fs::create_dir(setup.folder().join("out")).unwrap();
    setup.file("out/20240101T000000000Z.json", "{");
    let output = read(&setup, &[]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("20240101T000000000Z.json is not the manifest of a run"),
        "{}",
        output.stderr
    );
    assert!(orb.requests().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn an_isolated_process_writes_and_verifies_a_folder() {
    let orb = orb();
    let setup = Setup::new(&orb).flags(&["--isolate"]);
    let spec = setup.run(&[&"spec"]);
    if spec.code != Some(0) {
        assert!(spec.stderr.contains("(--isolate)"), "{}", spec.stderr);
        return;
    }
    read_well(&setup, &["--streams", "customers,plans", "--partition", "month"]);
    read_well(&setup, &["--streams", "customers"]);
    let config = setup.config_file();
    let verify = setup.command(&[
        &"verify",
        &"--config",
        &config,
        &"--against",
        &"out",
        &"--streams",
        &"customers,plans",
    ]);
    let output = crate::support::setup::execute(verify);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
