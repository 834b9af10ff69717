//! Every stream that `discover` names, through the host and the component: what the server has is
//! what is read, also if requests fail or the read is killed.

mod faults;
mod held;
mod incremental;
mod rows;
mod server;
mod skipped;
mod whole;

use std::collections::BTreeMap;

use mock_orb::{Account, MockOrb, Settings};
use serde_json::{Value, json};

use self::held::{END, Fields, START, sorted};
use crate::support::{Output, Setup, shape::fields};

fn settings() -> Settings {
    Settings { customers: 13, subscriptions: 14, invoices: 120, ..Settings::default() }
}

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&settings()))
}

/// Reads the emulator's year.
fn setup(orb: &MockOrb) -> Setup {
    Setup::new(orb).with("start_date", START).with("end_date", END)
}

/// A stream of the catalog.
struct Stream {
    name: String,
    is_incremental: bool,
    primary_key: Vec<String>,
    discovered: Value,
}

impl Stream {
    /// The key of a record.
    fn key(&self, row: &Fields) -> Vec<String> {
        let part =
            |field: &String| row.get(field).unwrap_or_else(|| panic!("{}: no {field}", self.name)).clone();
        self.primary_key.iter().map(part).collect()
    }

    /// The field that says how new a record is.
    fn cursor(&self) -> String {
        self.discovered["default_cursor_field"][0].as_str().unwrap().to_owned()
    }
}

/// All streams, as `discover` names them.
fn discover(setup: &Setup) -> Vec<Stream> {
    let output = setup.discover();
    let catalog = output.messages.iter().find_map(|message| message.catalog.as_ref()).unwrap();
    let stream = |discovered: &Value| Stream {
        name: discovered["name"].as_str().unwrap().to_owned(),
        is_incremental: discovered["supported_sync_modes"]
            .as_array()
            .unwrap()
            .contains(&json!("incremental")),
        primary_key: discovered["source_defined_primary_key"]
            .as_array()
            .unwrap()
            .iter()
            .map(|path| path[0].as_str().unwrap().to_owned())
            .collect(),
        discovered: discovered.clone(),
    };
    catalog["streams"].as_array().unwrap().iter().map(stream).collect()
}

/// A configured catalog of these streams, each incremental if it can be and `incremental` is set.
fn configured<'a>(streams: impl IntoIterator<Item = &'a Stream>, incremental: bool) -> String {
    let configure = |stream: &Stream| {
        let mode = if incremental && stream.is_incremental { "incremental" } else { "full_refresh" };
        json!({ "stream": stream.discovered, "sync_mode": mode, "destination_sync_mode": "append" })
    };
    json!({ "streams": streams.into_iter().map(configure).collect::<Vec<_>>() }).to_string()
}

/// Reads all streams of a configured catalog, from a state if there is one.
fn read(setup: &Setup, catalog: &str, state: Option<&str>) -> Output {
    let (config, catalog) = (setup.config_file(), setup.file("catalog.json", catalog));
    match state {
        None => setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]),
        Some(state) => {
            let state = setup.file("state.json", state);
            setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state])
        }
    }
}

/// The records of a stream, sorted.
fn records(output: &Output, stream: &str) -> Vec<Fields> {
    sorted(output.records(stream).iter().map(|record| fields(record)).collect())
}

/// What each stream must return. Usage, which has tests of its own, must return what a read without
/// faults does.
fn all_held(orb: &MockOrb, streams: &[Stream]) -> BTreeMap<String, Vec<Fields>> {
    let usage = setup(orb).read(&["subscription_usage"]);
    let of = |name: &str| match name {
        "subscription_usage" => records(&usage, name),
        name => held::held(orb, name),
    };
    streams.iter().map(|stream| (stream.name.clone(), of(&stream.name))).collect()
}

/// The first record that only one of two reads has, for messages.
#[track_caller]
fn assert_same(stream: &str, read: &[Fields], expected: &[Fields]) {
    let missing = expected.iter().find(|record| read.binary_search(record).is_err());
    let surplus = read.iter().find(|record| expected.binary_search(record).is_err());
    assert_eq!((missing, surplus), (None, None), "{stream}: {} read, {} held", read.len(), expected.len());
    assert_eq!(read.len(), expected.len(), "{stream}: some came twice");
}

/// Checks that the read succeeded, and that the server refused nothing that was asked.
#[track_caller]
fn assert_well(orb: &MockOrb, output: &Output) {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for request in orb.requests() {
        // Versions of a plan are asked for until there is none.
        let is_fine = request.status != Some(400)
            && (request.status != Some(404) || request.path.contains("/versions/"));
        assert!(is_fine, "{request:?}");
    }
}
