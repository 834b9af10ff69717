//! `read --output-dir` and `verify`: folders of files, and what is promised about them.

mod durable;
mod exact;
mod folder;
mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use elt_files::StoredRecord;
use json_text::Fields;
use mock_orb::{Account, MockOrb, Settings};
use serde_json::{Value, json};

use crate::support::guests::SCRIPT;
use crate::support::{Output, Setup};

/// A stream of the guest `script`.
pub(crate) fn stream(name: &str, schema: &Value, batches: &[&[&str]]) -> Value {
    json!({ "name": name, "schema": schema, "key": ["id"], "cursor": "at", "batches": batches })
}

/// The guest `script` with these streams.
pub(crate) fn script(streams: &[Value]) -> Setup {
    Setup::guest(SCRIPT, json!({ "streams": streams }))
}

/// A small account.
fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

/// An account with so many customers.
fn account_of(customers: usize) -> MockOrb {
    MockOrb::start(Account::generate(&Settings { customers, ..Settings::default() }))
}

/// Reads into the folder `out`, with more flags.
fn read(setup: &Setup, flags: &[&str]) -> Output {
    let config = setup.config_file();
    let mut all: Vec<&dyn AsRef<std::ffi::OsStr>> =
        vec![&"read", &"--config", &config, &"--output-dir", &"out"];
    all.extend(flags.iter().map(|flag| flag as &dyn AsRef<std::ffi::OsStr>));
    setup.run(&all)
}

/// Reads into the folder `out`, which must succeed and say nothing on stdout.
fn read_well(setup: &Setup, flags: &[&str]) {
    let output = read(setup, flags);
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{}", output.stderr);
}

/// What a stream has in a folder, in the order in which it was written.
fn stored(folder: &Path, stream: &str) -> Vec<StoredRecord> {
    let mut records = Vec::new();
    for file in elt_files::files(&folder.join(stream)).unwrap() {
        let read = elt_files::read(&file, &mut |record| {
            records.push(record);
            Ok(())
        });
        read.unwrap_or_else(|problem| panic!("{problem}"));
    }
    records
}

/// The fields of a record that was stored.
fn fields(record: &StoredRecord) -> BTreeMap<String, String> {
    record
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), spelled(json_text::Json::checked(value))))
        .collect()
}

/// The fields of a record as its source wrote it. Null is as good as absent.
fn expected(record: &str) -> BTreeMap<String, String> {
    let fields = Fields::decode(record).unwrap();
    let fields = fields.iter().filter(|(_, value)| value.get() != "null");
    fields.map(|(name, value)| (name.text().unwrap().into_owned(), spelled(value))).collect()
}

/// A value as it is; but a string with the escapes that it needs.
fn spelled(value: json_text::Json<'_>) -> String {
    value.text().map_or_else(|| value.get().to_owned(), |text| json_text::quoted(&text))
}

/// The newest record of each key.
fn newest(records: Vec<StoredRecord>, key: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut newest = BTreeMap::new();
    let mut records = records;
    records.sort_by_key(|record| record.extracted_at);
    for record in records {
        let fields = fields(&record);
        newest.insert(fields[key].clone(), fields);
    }
    newest
}

/// The manifests of a folder, in the order of their runs.
fn manifests(folder: &Path) -> Vec<Value> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "json"))
        .collect();
    names.sort();
    names.iter().map(|name| serde_json::from_str(&fs::read_to_string(name).unwrap()).unwrap()).collect()
}
