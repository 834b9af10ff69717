//! Reads from the beginning.

use std::collections::BTreeSet;

use boon::{Compiler, Draft, Schemas};
use mock_orb::{Account, MockOrb, Settings};
use serde_json::Value;

use super::{assert_same, assert_well, configured, discover, held, orb, read, records, settings, setup};

#[test]
fn the_records_of_every_stream_are_those_of_the_server() {
    let orb = orb();
    let setup = setup(&orb).flags(&["--streams", "all"]);
    let streams = discover(&super::setup(&orb));
    assert!(streams.len() > 40, "{}", streams.len());
    let output = setup.run(&[&"read", &"--config", &setup.config_file()]);
    assert_well(&orb, &output);
    for stream in &streams {
        let name = &stream.name;
        assert_eq!(output.statuses(name).last(), Some(&"COMPLETE"), "{name}");
        let read = records(&output, name);
        assert!(!read.is_empty(), "{name}: without rows, this proves nothing");
        if name != "subscription_usage" {
            assert_same(name, &read, &held::held(&orb, name));
        }
        let keys: BTreeSet<_> = read.iter().map(|row| stream.key(row)).collect();
        assert_eq!(keys.len(), read.len(), "{name}: keys are not unique");
        assert!(keys.iter().flatten().all(|part| part != "null"), "{name}: a key is null");
    }
}

#[test]
fn every_record_is_valid_by_the_schema_of_its_stream() {
    let orb = orb();
    let setup = setup(&orb);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_well(&orb, &output);
    for stream in &streams {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        compiler.enable_format_assertions();
        let schema = stream.discovered["json_schema"].clone();
        compiler.add_resource("file:///stream.json", schema.clone()).unwrap();
        let index = compiler.compile("file:///stream.json", &mut schemas).unwrap();
        for record in output.records(&stream.name) {
            let record: Value = serde_json::from_str(&record).unwrap();
            let valid = schemas.validate(&record, index).map_err(|error| error.to_string());
            assert_eq!(valid, Ok(()), "{}: {record}", stream.name);
            let known = &schema["properties"];
            // The emulator adds undocumented fields, which must be kept.
            let unknown = record
                .as_object()
                .unwrap()
                .keys()
                .find(|name| known.get(name.as_str()).is_none() && !name.starts_with("x_"));
            assert_eq!(unknown, None, "{}: a field that is not in the schema", stream.name);
        }
    }
}

#[test]
fn a_full_refresh_returns_all_of_every_stream_again() {
    let orb = orb();
    let setup = setup(&orb);
    let streams = discover(&setup);
    let first = read(&setup, &configured(&streams, false), None);
    let second = read(&setup, &configured(&streams, false), None);
    assert_well(&orb, &second);
    for stream in &streams {
        let (first, second) = (records(&first, &stream.name), records(&second, &stream.name));
        assert_same(&stream.name, &second, &first);
        if stream.name != "subscription_usage" {
            assert_same(&stream.name, &second, &held::held(&orb, &stream.name));
        }
    }
}

#[test]
fn an_account_without_anything_is_empty_streams() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let setup = setup(&orb);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_well(&orb, &output);
    for stream in &streams {
        assert_eq!(output.statuses(&stream.name).last(), Some(&"COMPLETE"), "{}", stream.name);
        if stream.name != "subscription_usage" {
            assert_same(&stream.name, &records(&output, &stream.name), &held::held(&orb, &stream.name));
        }
    }
}

#[test]
fn every_stream_is_read_to_today_without_an_end() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 3, subscriptions: 3, ..settings() }));
    let setup = crate::support::Setup::new(&orb).with("start_date", held::START);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_well(&orb, &output);
    for stream in streams.iter().filter(|stream| stream.name != "subscription_usage") {
        // The emulator's time ends with its year, but a day can begin in it and end after it.
        let is_of_year = |row: &held::Fields| {
            !row.contains_key("timeframe_start")
                || held::instant(&held::text(row, "timeframe_start")) < held::instant(held::END)
        };
        let rows: Vec<_> = records(&output, &stream.name).into_iter().filter(is_of_year).collect();
        assert_same(&stream.name, &rows, &held::held(&orb, &stream.name));
    }
}

#[test]
fn currencies_and_statuses_of_the_config_are_read_one_after_the_other() {
    let orb = orb();
    let setup = setup(&orb)
        .with("ledger_currencies", vec!["credits", "USD"])
        .with("cost_currencies", vec!["USD", "EUR"])
        .with("subscription_change_statuses", vec!["applied"])
        .with("billable_metric_statuses", vec!["active", "archived"]);
    let streams = discover(&setup);
    let output = read(&setup, &configured(&streams, true), None);
    assert_well(&orb, &output);
    for stream in &streams {
        let name = &stream.name;
        let rows = records(&output, name);
        let keys: BTreeSet<_> = rows.iter().map(|row| stream.key(row)).collect();
        assert_eq!(keys.len(), rows.len(), "{name}: keys are not unique");
    }
    let ids = |rows: &[held::Fields]| rows.iter().map(|row| row["id"].clone()).collect::<BTreeSet<_>>();
    let customers = orb.account().customer_ids();
    let blocks: Vec<_> = customers
        .iter()
        .flat_map(|id| orb.account().rows("credit_blocks", id))
        .map(|row| crate::support::shape::fields(&row))
        .collect();
    assert_eq!(ids(&records(&output, "credit_blocks")), ids(&blocks));
    let costs = records(&output, "subscription_costs");
    assert!(!costs.is_empty() && costs.iter().all(|row| row["currency"] == row["price_currency"]));
    let of_status = |name: &str, statuses: &[&str]| {
        let rows = held::held(&orb, name).into_iter();
        let rows: Vec<_> = rows.filter(|row| statuses.contains(&row["status"].trim_matches('"'))).collect();
        assert!(!rows.is_empty());
        assert_same(name, &records(&output, name), &rows);
    };
    of_status("subscription_changes", &["applied"]);
    of_status("billable_metrics", &["active", "archived"]);
}
