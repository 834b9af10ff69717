//! What incremental reads see of an account that changes: between two reads and during the second,
//! and if reads are killed. A deduplicating destination is compared with a read in full. A third of
//! it is that destination, which nothing else uses.

use std::collections::BTreeMap;

use mock_orb::{
    Account, Action, Applied, Clock, MockOrb, Moment, Mutation, MutationOptions, Script, Settings, Timestamp,
    Unavailable,
};
use serde_json::{Value, json};

use crate::support::{Output, Setup, setup::catalog};

/// Keeps the newest record of each key, and drops those that say that they were deleted.
#[derive(Default)]
struct Destination {
    rows: BTreeMap<String, Value>,
    state: String,
    emitted: usize,
}

impl Destination {
    fn take(&mut self, output: &Output, stream: &str) {
        for record in output.records(stream) {
            let mut record: Value = serde_json::from_str(&record).unwrap();
            let key = key(&record);
            self.emitted += 1;
            if record["deleted"] == true {
                assert_eq!(record.as_object().unwrap().len(), 2, "{record}");
                self.rows.remove(&key);
                continue;
            }
            if stream == "subscriptions" {
                // There is no event for a new billing period.
                let record = record.as_object_mut().unwrap();
                record.retain(|name, _| !name.starts_with("current_billing_period"));
                if let Some(intervals) = record.get_mut("price_intervals").and_then(Value::as_array_mut) {
                    for interval in intervals.iter_mut().filter_map(Value::as_object_mut) {
                        interval.retain(|name, _| !name.starts_with("current_billing_period"));
                    }
                }
            }
            self.rows.insert(key, record);
        }
        let told = output.state_file();
        if told != "[]" {
            self.state = told;
        }
    }

    /// Reads a stream in full.
    fn full(setup: &Setup, stream: &str) -> Self {
        let output = setup.read(&[stream]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let mut destination = Self::default();
        destination.take(&output, stream);
        destination
    }

    /// Reads a stream from the last state, in runs that are killed after some lines.
    fn resume(&mut self, setup: &Setup, stream: &str, lines: usize) {
        for run in 1.. {
            assert!(run < 200, "{stream}: no progress");
            let catalog = catalog(&[stream]).to_string();
            let output = setup.read_killed_after(&catalog, &self.state, lines + 3 * run);
            self.take(&output, stream);
            if output.statuses(stream).contains(&"COMPLETE") {
                return;
            }
        }
    }

    fn read(&mut self, setup: &Setup, stream: &str) {
        let output = setup.read_from(&[stream], &self.state);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        self.take(&output, stream);
    }

    /// Reads until all planned mutations have happened, and once more, which sees the last of them.
    fn finish(&mut self, setup: &Setup, stream: &str, planned: usize, orb: &MockOrb) {
        for _ in 0..20 {
            let is_last = orb.mutations().len() >= planned;
            self.read(setup, stream);
            if is_last {
                return;
            }
        }
        panic!("{stream}: {} of {planned} mutations", orb.mutations().len());
    }

    fn compare(&self, setup: &Setup, stream: &str) {
        let full = Self::full(setup, stream);
        for (key, expected) in &full.rows {
            assert_eq!(self.rows.get(key), Some(expected), "{stream} {key}");
        }
        let extra: Vec<&String> = self.rows.keys().filter(|key| !full.rows.contains_key(*key)).collect();
        assert!(extra.is_empty(), "{stream} still has {extra:?}");
    }
}

/// The fields that identify a record of any of these streams.
fn key(record: &Value) -> String {
    let names = ["id", "invoice_id", "credit_note_id", "subscription_id", "customer_id", "price_id"];
    let days = ["billable_metric_id", "timeframe_start"];
    match &record["id"] {
        Value::String(id) => id.clone(),
        _ => names.iter().chain(&days).map(|name| format!("{} ", record[*name])).collect(),
    }
}

fn settings() -> Settings {
    Settings { customers: 300, subscriptions: 300, invoices: 900, ..Settings::default() }
}

/// An account whose mutations happen now, as events of a real one do.
fn start(settings: &Settings) -> MockOrb {
    let orb = MockOrb::start(Account::generate(settings));
    let options = MutationOptions { clock: Clock::Wall, ..MutationOptions::default() };
    orb.account().set_mutation_options(options);
    orb
}

#[test]
fn events_show_what_changed_between_two_reads_and_during_the_second() {
    for (number, stream) in
        ["customers", "subscriptions", "plans", "invoices", "invoice_summaries", "credit_notes"]
            .into_iter()
            .enumerate()
    {
        let seed = 100 + number as u64;
        let orb = start(&settings());
        let setup = Setup::new(&orb).with("changes", "webhook_events");
        let mut to = Destination::full(&setup, stream);
        orb.account().mutate_at_random(seed, 100);
        let planned = orb.mutations().len() + 60;
        let mut script = Script::default();
        for request in 1..=12 {
            script = script.random_at(Moment::Request(request), seed + request, 5);
        }
        orb.plan(script);
        if number % 2 == 0 {
            to.read(&setup, stream);
        } else {
            to.resume(&setup, stream, 2);
        }
        to.finish(&setup, stream, planned, &orb);
        to.compare(&setup, stream);
    }
}

#[test]
fn a_hundred_changes_of_a_large_account_cost_a_twentieth_of_the_requests_of_reading_everything() {
    let settings =
        Settings { customers: 10_000, subscriptions: 10_000, invoices: 120_000, ..Settings::default() };
    let orb = start(&settings);
    let lists = [
        ("customers", "created_at", settings.customers),
        ("subscriptions", "created_at", settings.subscriptions),
        ("subscription_price_intervals", "created_at", settings.subscriptions),
        ("subscription_adjustment_intervals", "created_at", settings.subscriptions),
        ("plans", "created_at", settings.plans),
        ("invoices", "invoice_date", settings.invoices),
        ("invoice_summaries", "invoice_date", settings.invoices),
        ("invoice_line_items", "invoice_date", settings.invoices),
        ("invoice_payment_attempts", "invoice_date", settings.invoices),
    ];
    let streams = lists.map(|(stream, ..)| stream);
    // All pages of a hundred, without what a read in full costs besides.
    let full: usize = lists.iter().map(|(.., count)| count.div_ceil(100)).sum();
    let now = Timestamp::now().to_string();
    let state = lists.map(|(stream, cursor, _)| {
        json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {cursor: now}}})
    });
    let changed = orb.account().mutate_at_random(7, 80);
    let mut script = Script::default();
    for request in 1..=20 {
        script = script.random_at(Moment::Request(request), request, 1);
    }
    orb.plan(script);
    let setup = Setup::new(&orb).with("changes", "webhook_events");
    let output = setup.read_from(&streams, &json!(state).to_string());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(orb.mutations().len(), 20);
    let requests = orb.requests().len();
    assert!(requests * 20 <= full, "{requests} of {full}");
    // What changed before the read is in it.
    let has = |stream: &str, id: &str| output.records(stream).iter().any(|record| record.contains(id));
    let mut found = 0;
    for Applied { action, id, .. } in &changed {
        let stream = match action {
            Action::EditCustomer => "customers",
            Action::EndSubscription => "subscriptions",
            Action::PayInvoice | Action::VoidInvoice | Action::MarkInvoicePaid => "invoices",
            _ => continue,
        };
        assert!(has(stream, id), "{action:?} {id}");
        found += 1;
    }
    assert!(found >= 10, "{found} of {changed:?}");
}

/// What Orb and its users do to an invoice that is not settled.
const OPEN: [Action; 9] = [
    Action::PayInvoice,
    Action::IssueInvoice,
    Action::VoidInvoice,
    Action::AddLineItem,
    Action::SyncInvoice,
    Action::MarkInvoicePaid,
    Action::MoveInvoiceDate,
    Action::FailPayment,
    Action::DeleteInvoice,
];

#[test]
fn what_becomes_of_open_invoices_is_seen_by_default() {
    let last: Timestamp = Timestamp::now();
    let first = last - std::time::Duration::from_secs(80 * 24 * 3600);
    for (stream, lines) in
        [("invoices", 30), ("invoice_summaries", usize::MAX), ("invoice_payment_attempts", 3)]
    {
        let settings = Settings { first, last, invoices: 500, ..Settings::default() };
        let orb = start(&settings);
        let setup = Setup::new(&orb);
        let mut to = Destination::full(&setup, stream);
        for action in OPEN.into_iter().cycle().take(100) {
            orb.account().mutate(&Mutation::from(action)).ok();
        }
        let planned = orb.mutations().len() + OPEN.len();
        let mut script = Script::default();
        for (request, action) in OPEN.into_iter().enumerate() {
            script = script.at(Moment::Request(request as u64 + 1), action);
        }
        orb.plan(script);
        if lines == usize::MAX {
            to.read(&setup, stream);
        } else {
            to.resume(&setup, stream, lines);
        }
        to.finish(&setup, stream, planned, &orb);
        to.compare(&setup, stream);
        // What did not change does not come again.
        to.emitted = 0;
        to.read(&setup, stream);
        assert!(to.emitted <= 5, "{stream}: {}", to.emitted);
    }
}

#[test]
fn a_sweep_sees_what_no_event_names() {
    let orb = start(&settings());
    let setup = Setup::new(&orb).with("full_sweep_days", 30);
    let stream = "customers";
    let mut to = Destination::full(&setup, stream);
    let is_due = |state: &str| {
        let mut state: Value = serde_json::from_str(state).unwrap();
        state[0]["stream"]["stream_state"]["swept"] = "2024-01-01T00:00:00Z".into();
        state.to_string()
    };
    let cursor = |state: &str| {
        let state: Value = serde_json::from_str(state).unwrap();
        state[0]["stream"]["stream_state"]["created_at"].clone()
    };
    for _ in 0..20 {
        orb.account().mutate(&Action::EditCustomer.into()).unwrap();
    }
    let before = cursor(&to.state);
    // Not yet due.
    to.emitted = 0;
    to.read(&setup, stream);
    assert!(to.emitted < 20, "{}", to.emitted);
    to.state = is_due(&to.state);
    to.resume(&setup, stream, 50);
    assert_eq!(cursor(&to.state), before);
    to.compare(&setup, stream);
    to.emitted = 0;
    to.read(&setup, stream);
    assert!(to.emitted < 20, "{}", to.emitted);
}

#[test]
fn the_days_that_backfills_touched_are_read_again() {
    for (stream, lines) in
        [("subscription_usage", usize::MAX), ("subscription_costs", 40), ("customer_costs", usize::MAX)]
    {
        let settings = Settings { customers: 25, subscriptions: 40, ..Settings::default() };
        let orb = MockOrb::start(Account::generate(&settings));
        let setup = Setup::new(&orb)
            .with("start_date", "2024-09-01T00:00:00Z")
            .with("end_date", "2025-01-01T00:00:00Z");
        let mut to = Destination::full(&setup, stream);
        let customers = orb.account().customer_ids();
        let start = |customer: &str, days: &str| {
            orb.mutate(&format!("start_backfill {customer} {days}")).unwrap().remove(0).unwrap().id
        };
        let (mut known, mut pending) = (Vec::new(), Vec::new());
        for (number, customer) in customers.iter().take(6).map(String::as_str).chain(["all"]).enumerate() {
            let days = format!("2024-10-{:02}T00:00:00Z/2024-10-{:02}T00:00:00Z", number + 3, number + 5);
            let id = start(customer, &days);
            if number % 3 == 0 { &mut pending } else { &mut known }.push(id);
        }
        for id in &known {
            orb.mutate(&format!("reflect_backfill {id}")).unwrap();
        }
        orb.clear_log();
        if lines == usize::MAX {
            to.read(&setup, stream);
        } else {
            to.resume(&setup, stream, lines);
        }
        for request in orb.requests() {
            let Some(start) = request.parameter("timeframe_start") else { continue };
            let is_new = start >= "2024-12-28";
            assert!(is_new || ("2024-10-01".."2024-10-12").contains(&start), "{stream}: {start}");
        }
        to.compare(&setup, stream);
        for id in pending {
            orb.mutate(&format!("reflect_backfill {id}")).unwrap();
        }
        for id in known {
            orb.mutate(&format!("begin_revert {id}")).unwrap();
            orb.mutate(&format!("revert_backfill {id}")).unwrap();
        }
        to.read(&setup, stream);
        to.compare(&setup, stream);
    }
}

#[test]
fn a_check_says_what_it_found_of_events() {
    let orb = start(&settings());
    let setup = Setup::new(&orb).with("changes", "webhook_events");
    let said = |setup: &Setup| {
        let output = setup.check();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.logs().iter().map(|log| log.message.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(said(&setup).contains("the newest webhook event is of "), "{}", said(&setup));
    orb.account().make_unavailable("webhook_events", Unavailable::UrlNotFound).unwrap();
    assert!(said(&setup).contains("webhook events cannot be read"), "{}", said(&setup));
}
