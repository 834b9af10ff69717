//! `verify`: a folder is compared with its source.

use super::*;

fn verify(setup: &Setup, flags: &[&str]) -> (Option<i32>, String, String) {
    let config = setup.config_file();
    let mut command = setup.command(&[&"verify", &"--config", &config, &"--against", &"out"]);
    command.args(flags);
    let output = crate::support::setup::execute(command);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_folder_of_an_account_is_the_account_in_every_format() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for format in ["parquet", "jsonl.gz"] {
        read_well(&setup, &["--streams", "all", "--format", format]);
        let (code, stdout, stderr) = verify(&setup, &["--streams", "all", "--format", "json"]);
        let found: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
        assert_eq!((code, &found["equal"]), (Some(0), &Value::Bool(true)), "{stdout}");
        assert!(found["streams"].as_array().unwrap().len() > 20);
        fs::remove_dir_all(setup.folder().join("out")).unwrap();
    }
}

#[test]
fn nasty_values_are_the_same() {
    let records = exact::nasty();
    let texts: Vec<&str> = records.iter().map(String::as_str).collect();
    let setup = script(&[stream("things", &exact::schema(), &[&texts])]);
    read_well(&setup, &[]);
    let (code, stdout, stderr) = verify(&setup, &[]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
}

#[test]
fn each_difference_is_told_by_its_key_and_its_fields() {
    let schema = exact::schema();
    let then: &[&str] = &[
        r#"{"id":"same","quantity":1.0}"#,
        r#"{"id":"changed","quantity":1.0,"count":1}"#,
        r#"{"id":"older","count":1}"#,
        r#"{"id":"gone"}"#,
        r#"{"id":"older","count":2}"#,
    ];
    let setup = script(&[stream("things", &schema, &[then])]);
    read_well(&setup, &[]);
    let now: &[&str] = &[
        r#"{"id":"older","count":2}"#,
        r#"{"id":"same","quantity":1.0,"count":null}"#,
        r#"{"id":"changed","quantity":1.00,"count":2}"#,
        r#"{"id":"new"}"#,
    ];
    let setup = setup.with("streams", vec![stream("things", &schema, &[now])]);
    let (code, stdout, stderr) = verify(&setup, &["--format", "json"]);
    assert_eq!(code, Some(1), "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    let expected = serde_json::json!({"equal": false, "streams": [{
        "stream": "things", "source": 4, "folder": 4,
        "missing": {"count": 1, "examples": ["[\"new\"]"]},
        "surplus": {"count": 1, "examples": ["[\"gone\"]"]},
        "different": {"count": 1, "examples": ["[\"changed\"]"]},
        "fields": {"count": 1, "quantity": 1},
    }]});
    assert_eq!(found, expected);
    let (code, table, _) = verify(&setup, &[]);
    assert_eq!(code, Some(1));
    let told = r#"missing ["new"], surplus ["gone"], different ["changed"], in count, quantity"#;
    assert!(table.trim_start().starts_with("stream") && table.contains(told), "{table}");
}

#[test]
fn a_read_that_fails_proves_nothing() {
    let setup = script(&[stream("things", &exact::schema(), &[&[r#"{"id":"1"}"#]])]);
    read_well(&setup, &[]);
    let failing =
        serde_json::json!({"name": "things", "schema": {}, "key": ["id"], "batches": ["not today"]});
    let setup = setup.with("streams", vec![failing]);
    let (code, stdout, stderr) = verify(&setup, &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("not today"), "{stderr}");
    let (code, _, stderr) = verify(&setup, &["--against", "nowhere"]);
    assert!(code != Some(0), "{stderr}");
}
