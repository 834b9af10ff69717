//! README agrees with the program.

use mock_orb::{Account, MockOrb, Settings};

use crate::support::Setup;

const README: &str = include_str!("../README.md");

/// The rows of the table under a heading, as cells without backticks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let section = README.split(&format!("\n## {heading}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect())
        .collect()
}

#[test]
fn the_table_of_streams_is_the_catalog() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).discover();
    let streams = output.messages[0].catalog.as_ref().unwrap()["streams"].as_array().unwrap();
    let said: Vec<[String; 3]> =
        table("Streams").into_iter().map(|row| [row[0].clone(), row[2].clone(), row[3].clone()]).collect();
    let is: Vec<[String; 3]> = streams
        .iter()
        .map(|stream| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            let key =
                stream["source_defined_primary_key"].as_array().unwrap().iter().map(|path| text(&path[0]));
            [
                text(&stream["name"]),
                key.collect::<Vec<_>>().join(", "),
                stream["default_cursor_field"][0].as_str().unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    assert_eq!(said, is);
}

#[test]
fn the_table_of_the_config_is_the_spec() {
    let spec: serde_json::Value = serde_json::from_str(include_str!("../connector/orb/spec.json")).unwrap();
    let mut said: Vec<String> = table("Config")
        .into_iter()
        .flat_map(|row| row[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut is: Vec<String> = spec["properties"].as_object().unwrap().keys().cloned().collect();
    said.sort();
    is.sort();
    assert_eq!(said, is);
}
