//! Second reads: what is new is read, and what is repeated is near the cursor.

use std::time::Duration;

use mock_orb::{Account, Collection, MockOrb, Settings, Timestamp};

use super::{assert_well, configured, discover, held, held::Fields, orb, read, records};
use crate::support::{Output, Setup, shape::fields};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far below its cursor a stream may be read again. Days begin in other time zones, and a day
/// is only complete with the one before it.
fn overlap(stream: &str) -> Duration {
    match stream {
        "subscription_usage" | "subscription_costs" | "customer_costs" | "license_usage" => 3 * DAY,
        "event_volumes" => 4 * DAY,
        "customer_balance_transactions" => DAY + HOUR,
        _ => Duration::from_secs(60),
    }
}

/// The instant of a record.
fn position(row: &Fields, field: &str) -> Timestamp {
    let text = held::text(row, field);
    if text.len() == 10 { held::instant(&format!("{text}T00:00:00Z")) } else { held::instant(&text) }
}

fn cursor(output: &Output, stream: &str, field: &str) -> Timestamp {
    let state = &output.states(stream).last().unwrap().stream.stream_state;
    let text = state[field].as_str().unwrap_or_else(|| panic!("{stream}: {state}"));
    if text.len() == 10 { held::instant(&format!("{text}T00:00:00Z")) } else { held::instant(text) }
}

/// Adds a row that is newer than all others to the list behind each incremental stream.
fn grow(orb: &MockOrb, at: Timestamp) {
    let mut account = orb.account();
    let customer = account.customer_ids()[0].clone();
    account.create_customer(at);
    account.create_plan(at);
    let subscription = account.create_subscription(at);
    let subscriptions = account.records(Collection::Subscriptions);
    let intervals = subscriptions.iter().map(|record| fields(record)["adjustment_intervals"].clone());
    let intervals = intervals.max_by_key(String::len).unwrap().replace("\"id\":\"", "\"id\":\"new_");
    account.set_field(Collection::Subscriptions, &subscription, "adjustment_intervals", &intervals).unwrap();
    let invoice = account.create_invoice(at);
    account.set_field(Collection::Invoices, &invoice, "status", "\"paid\"").unwrap();
    account.create_ledger_entry(&customer, at).unwrap();
    let text = |at: Timestamp| format!("\"{at}\"");
    let owner = account
        .customer_ids()
        .into_iter()
        .find(|id| !account.rows("customer_balance_transactions", id).is_empty())
        .unwrap();
    let lists =
        [("credit_notes", ""), ("webhook_events", ""), ("customer_balance_transactions", owner.as_str())];
    for (resource, owner) in lists {
        let mut row = fields(&account.rows(resource, owner)[0]);
        row.insert("id".to_owned(), format!("\"new_{resource}\""));
        row.insert("created_at".to_owned(), text(at));
        if resource == "credit_notes" {
            row.insert("line_items".to_owned(), row["line_items"].replace("\"id\":\"", "\"id\":\"new_"));
        }
        let body: Vec<String> = row.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        account.insert_row(resource, owner, at, format!("{{{}}}", body.join(","))).unwrap();
    }
    account.add_event_volume(at, 77);
}

#[test]
fn a_second_read_returns_what_is_new_and_repeats_only_what_is_near_the_cursor() {
    let orb = orb();
    // Everything is settled, so that nothing old is read again.
    let invoices = orb.account().ids(Collection::Invoices);
    for invoice in invoices {
        let record = orb.account().record(Collection::Invoices, &invoice).unwrap();
        if held::text(&fields(&record), "status") != "void" {
            orb.account().set_field(Collection::Invoices, &invoice, "status", "\"paid\"").unwrap();
        }
    }
    let customers = orb.account().customer_ids();
    for customer in customers {
        let pending = orb.account().pending_ledger_entries(&customer);
        for entry in pending {
            orb.account().commit_ledger_entry(&customer, &entry).unwrap();
        }
    }
    let begin = |end: &str| Setup::new(&orb).with("start_date", held::START).with("end_date", end);
    let setup = begin(held::END);
    let streams: Vec<_> = discover(&setup).into_iter().filter(|stream| stream.is_incremental).collect();
    assert!(streams.len() > 15, "{}", streams.len());
    let catalog = configured(&streams, true);
    let first = read(&setup, &catalog, None);
    assert_well(&orb, &first);
    grow(&orb, held::instant("2025-01-20T10:00:00Z"));
    let second = read(&begin("2025-02-01T00:00:00Z"), &catalog, Some(&first.state_file()));
    assert_well(&orb, &second);
    for stream in &streams {
        let (name, field) = (&stream.name, stream.cursor());
        let (before, after) = (records(&first, name), records(&second, name));
        let at = cursor(&first, name, &field);
        let oldest = at - overlap(name);
        let far = after.iter().find(|row| position(row, &field) < oldest);
        assert_eq!(far, None, "{name} repeats what is far below its cursor {at}");
        // These are computed for the emulator's year, which has ended.
        if ["subscription_usage", "subscription_costs", "customer_costs", "license_usage"]
            .contains(&name.as_str())
        {
            continue;
        }
        let new: Vec<_> = after.iter().filter(|row| before.binary_search(row).is_err()).collect();
        assert!(!new.is_empty(), "{name} does not have what is new");
        assert!(cursor(&second, name, &field) > at, "{name}");
    }
}

#[test]
fn two_reads_of_halves_have_every_day_and_hour() {
    let orb = orb();
    let middle = "2024-07-03T15:00:00Z";
    let first_half = Setup::new(&orb).with("start_date", held::START).with("end_date", middle);
    let setup = super::setup(&orb);
    let names = ["subscription_costs", "customer_costs", "license_usage", "event_volumes"];
    let streams: Vec<_> =
        discover(&setup).into_iter().filter(|stream| names.contains(&stream.name.as_str())).collect();
    assert_eq!(streams.len(), names.len());
    let catalog = configured(&streams, true);
    let first = read(&first_half, &catalog, None);
    assert_well(&orb, &first);
    // More usage on the day that was not over.
    let late = held::instant("2024-07-03T16:00:00Z");
    let subscriptions = orb.account().ids(Collection::Subscriptions);
    for id in subscriptions {
        let metrics = orb.account().billable_metrics(&id);
        for metric in metrics {
            orb.account().add_usage(&id, &metric, late, "12.5", &[]).unwrap();
        }
    }
    let second = read(&setup, &catalog, Some(&first.state_file()));
    assert_well(&orb, &second);
    for stream in &streams {
        let name = stream.name.as_str();
        // A warehouse keeps the last row of each key.
        let mut rows = std::collections::BTreeMap::new();
        for row in records(&first, name).into_iter().chain(records(&second, name)) {
            rows.insert(stream.key(&row), row);
        }
        let rows = held::sorted(rows.into_values().collect());
        super::assert_same(name, &rows, &held::held(&orb, name));
        let repeated = records(&second, name).len();
        assert!(repeated < rows.len() * 3 / 4, "{name}: {repeated} of {} were read again", rows.len());
    }
}

#[test]
fn changes_within_the_days_of_grace_are_read_again() {
    let now = Timestamp::now();
    let settings = Settings { first: now - 90 * DAY, last: now, ..super::settings() };
    let orb = MockOrb::start(Account::generate(&settings));
    let setup = Setup::new(&orb).with("start_date", (now - 60 * DAY).strftime("%FT00:00:00Z").to_string());
    let names =
        ["subscription_usage", "subscription_costs", "customer_costs", "license_usage", "event_volumes"];
    let streams: Vec<_> =
        discover(&setup).into_iter().filter(|stream| names.contains(&stream.name.as_str())).collect();
    let catalog = configured(&streams, true);
    let first = read(&setup, &catalog, None);
    assert_well(&orb, &first);
    let subscriptions = orb.account().ids(Collection::Subscriptions);
    for id in subscriptions {
        let metrics = orb.account().billable_metrics(&id);
        for metric in metrics {
            // A subscription that was not alive then has no usage.
            let _ = orb.account().add_usage(&id, &metric, now - 40 * HOUR, "12.5", &[]);
        }
    }
    orb.account().add_event_volume(now - 30 * DAY, 5);
    let second = read(&setup, &catalog, Some(&first.state_file()));
    assert_well(&orb, &second);
    for stream in &streams {
        let (name, field) = (stream.name.as_str(), stream.cursor());
        let (before, after) = (records(&first, name), records(&second, name));
        let changed = after.iter().filter(|row| before.binary_search(row).is_err()).count();
        match name {
            // The emulator's license usage does not change.
            "license_usage" => assert!(!after.is_empty(), "{name} does not repeat its last days"),
            _ => assert!(changed > 0, "{name} does not see what changed"),
        }
        let oldest = now - if name == "event_volumes" { 41 * DAY } else { 6 * DAY };
        let far = after.iter().find(|row| position(row, &field) < oldest);
        assert_eq!(far, None, "{name} is read again further than promised");
    }
}

#[test]
fn an_invoice_that_is_not_settled_is_read_again_until_it_is() {
    let orb = orb();
    let today = Timestamp::now();
    let old = orb.account().create_invoice(today - 20 * DAY);
    orb.account().set_field(Collection::Invoices, &old, "status", "\"issued\"").unwrap();
    let new = orb.account().create_invoice(today - DAY);
    orb.account().set_field(Collection::Invoices, &new, "status", "\"paid\"").unwrap();
    let setup = Setup::new(&orb);
    let names = ["invoice_summaries", "invoice_line_items", "invoice_payment_attempts"];
    let streams: Vec<_> =
        discover(&setup).into_iter().filter(|stream| names.contains(&stream.name.as_str())).collect();
    let catalog = configured(&streams, true);
    let first = read(&setup, &catalog, None);
    orb.account().set_field(Collection::Invoices, &old, "status", "\"paid\"").unwrap();
    let second = read(&setup, &catalog, Some(&first.state_file()));
    let third = read(&setup, &catalog, Some(&second.state_file()));
    let statuses = |output: &Output| -> Vec<String> {
        let rows = records(output, "invoice_summaries").into_iter();
        rows.filter(|row| held::text(row, "id") == old).map(|row| held::text(&row, "status")).collect()
    };
    assert_eq!((statuses(&first), statuses(&second)), (vec!["issued".to_owned()], vec!["paid".to_owned()]));
    assert_eq!(statuses(&third), [] as [&str; 0]);
    let lines = |output: &Output| {
        records(output, "invoice_line_items")
            .iter()
            .filter(|row| held::text(row, "invoice_id") == old)
            .count()
    };
    assert!(lines(&first) > 0);
    assert_eq!((lines(&second), lines(&third)), (lines(&first), 0));
}
