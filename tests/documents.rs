//! README agrees with the program, and docs/SECURITY.md with the tests.

use std::fs;
use std::path::{Path, PathBuf};

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

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The files that a path with `{a,b}` in it stands for.
fn files(path: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (names, after))) => {
            names.split(',').map(|name| root.join(format!("{before}{name}{after}"))).collect()
        }
        None => vec![root.join(path)],
    }
}

/// The tests at a path, which is a file or a folder of files. `None` if there is neither.
fn tests_at(path: &Path) -> Option<String> {
    let Ok(folder) = path.read_dir() else { return fs::read_to_string(path).ok() };
    folder.map(|entry| fs::read_to_string(entry.unwrap().path()).ok()).collect()
}

#[test]
fn every_test_and_file_that_security_names_exists() {
    let mut tests = 0;
    let named = include_str!("../docs/SECURITY.md").split("Tests: ").skip(1);
    for named in named {
        let named = named.split("\n\n").next().unwrap();
        let (of_tests, of_code) = named.split_once("Code: ").unwrap_or((named, ""));
        let mut of_file = None;
        for name in quoted(of_tests.split("\n- ").next().unwrap()) {
            let path = match name {
                file if file.ends_with(".rs") => file.to_owned(),
                folder if folder.starts_with("host/") => folder.to_owned(),
                folder if files(&format!("tests/{folder}"))[0].join("mod.rs").exists() => {
                    format!("tests/{folder}")
                }
                file => format!("tests/{file}.rs"),
            };
            if let Some(text) = tests_at(&files(&path)[0]) {
                of_file = Some(text);
                continue;
            }
            let text = of_file.as_ref().unwrap_or_else(|| panic!("{name} is of no file"));
            assert!(text.contains(&format!("fn {name}(")), "there is no {name}");
            tests += 1;
        }
        for path in quoted(of_code).filter(|path| path.starts_with("host/")) {
            assert!(files(path).iter().all(|file| file.exists()), "{path}");
        }
    }
    assert!(tests > 50, "{tests}");
    let paths = quoted(include_str!("../docs/SECURITY.md")).filter(|text| text.starts_with("host/"));
    assert!(paths.flat_map(files).all(|file| file.exists()));
}
