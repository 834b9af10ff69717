//! An incremental read from the first read's state: new records, plus the documented overlap.

use mock_orb::{Account, Collection, MockOrb, Settings, Timestamp};
use serde_json::Value;

use crate::support::{Output, Setup, setup::STREAMS, shape::fields};

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn ids(output: &Output, stream: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        output.records(stream).iter().map(|record| fields(record)["id"].clone()).collect();
    ids.sort();
    ids
}

fn cursor_of(output: &Output, stream: &str) -> Timestamp {
    let field = if stream == "invoices" { "invoice_date" } else { "created_at" };
    output.states(stream).last().unwrap().stream.stream_state[field].as_str().unwrap().parse().unwrap()
}

/// Commits every pending ledger entry, so that none holds back the cursor.
fn commit_all(orb: &MockOrb) {
    let customers = orb.account().customer_ids();
    for customer in customers {
        let pending = orb.account().pending_ledger_entries(&customer);
        for entry in pending {
            orb.account().commit_ledger_entry(&customer, &entry).unwrap();
        }
    }
}

#[test]
fn only_new_records_and_those_at_the_cursor_come_again() {
    let orb = orb();
    commit_all(&orb);
    let setup = Setup::new(&orb);
    let first = setup.read(&STREAMS);
    let later: Timestamp = "2025-02-03T04:05:06Z".parse().unwrap();
    let customer = orb.account().create_customer(later);
    let plan = orb.account().create_plan(later);
    let subscription = orb.account().create_subscription(later);
    let invoice = orb.account().create_invoice(later);
    let entry = orb.account().create_ledger_entry(&customer, later).unwrap();
    let second = setup.read_from(&STREAMS, &first.state_file());
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    for (stream, new) in STREAMS.into_iter().zip([customer, subscription, plan, invoice, entry]) {
        let cursor = cursor_of(&first, stream);
        let field = if stream == "invoices" { "invoice_date" } else { "created_at" };
        let at_cursor = |record: &String| {
            fields(record)[field].trim_matches('"').parse::<Timestamp>().is_ok_and(|at| at >= cursor)
        };
        let mut expected: Vec<String> = first
            .records(stream)
            .iter()
            .filter(|record| at_cursor(record))
            .map(|record| fields(record)["id"].clone())
            .collect();
        expected.push(format!("{new:?}"));
        expected.sort();
        assert_eq!(ids(&second, stream), expected, "{stream}");
        assert_eq!(cursor_of(&second, stream), later, "{stream}");
    }
}

#[test]
fn an_invoice_dated_in_the_future_does_not_hide_those_issued_later_with_an_older_date() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let newest: Timestamp = "2025-02-03T00:00:00Z".parse().unwrap();
    orb.account().create_invoice(newest);
    let ahead = orb.account().create_invoice(Timestamp::now() + jiff_days(200));
    let first = setup.read(&["invoices"]);
    assert_eq!(cursor_of(&first, "invoices"), newest);
    let late = orb.account().create_invoice("2025-03-01T00:00:00Z".parse().unwrap());
    let second = setup.read_from(&["invoices"], &first.state_file());
    for (read, id) in [(&first, ahead), (&second, late)] {
        assert!(ids(read, "invoices").contains(&format!("{id:?}")), "{id}");
    }
    assert_eq!(cursor_of(&second, "invoices"), "2025-03-01T00:00:00Z".parse().unwrap());
}

#[test]
fn a_record_a_second_below_the_cursor_that_becomes_visible_late_is_not_missed() {
    let orb = orb();
    commit_all(&orb);
    let setup = Setup::new(&orb);
    let at: Timestamp = "2025-02-03T04:05:06Z".parse().unwrap();
    let customer = orb.account().create_customer(at);
    let create = |at: Timestamp| {
        let mut account = orb.account();
        let new = [account.create_customer(at), account.create_subscription(at), account.create_plan(at)];
        let [of_customers, of_subscriptions, of_plans] = new;
        let invoice = account.create_invoice(at);
        let entry = account.create_ledger_entry(&customer, at).unwrap();
        [of_customers, of_subscriptions, of_plans, invoice, entry]
    };
    create(at);
    let first = setup.read(&STREAMS);
    for stream in STREAMS {
        assert_eq!(cursor_of(&first, stream), at, "{stream}");
    }
    let late = create(at - std::time::Duration::from_secs(1));
    let second = setup.read_from(&STREAMS, &first.state_file());
    for (stream, id) in STREAMS.into_iter().zip(late) {
        assert!(ids(&second, stream).contains(&format!("{id:?}")), "{stream}");
        assert_eq!(cursor_of(&second, stream), at, "{stream}");
    }
}

#[test]
fn an_entry_committed_late_is_not_missed() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let customer = orb.account().customer_ids()[0].clone();
    let pending = orb
        .account()
        .create_pending_ledger_entry(&customer, "2025-01-10T00:00:00Z".parse().unwrap())
        .unwrap();
    orb.account().create_ledger_entry(&customer, "2025-01-12T00:00:00Z".parse().unwrap()).unwrap();
    let stream = ["credits_ledger_entries"];
    let first = setup.read(&stream);
    assert!(!ids(&first, stream[0]).contains(&format!("{pending:?}")));
    orb.account().commit_ledger_entry(&customer, &pending).unwrap();
    let second = setup.read_from(&stream, &first.state_file());
    assert!(ids(&second, stream[0]).contains(&format!("{pending:?}")));
}

#[test]
fn lookback_reads_the_last_days_again() {
    let orb = orb();
    let setup = Setup::new(&orb).with("lookback_window_days", 60);
    let first = setup.read(&["customers"]);
    let second = setup.read_from(&["customers"], &first.state_file());
    let since = cursor_of(&first, "customers") - jiff_days(60);
    let expected = |record: &&String| {
        fields(record)["created_at"].trim_matches('"').parse::<Timestamp>().unwrap() >= since
    };
    assert_eq!(second.records("customers").len(), first.records("customers").iter().filter(expected).count());
    assert!(second.records("customers").len() > 1);
}

fn jiff_days(days: u64) -> std::time::Duration {
    std::time::Duration::from_secs(days * 24 * 60 * 60)
}

#[test]
fn every_form_of_state_file_continues_the_read() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let state = r#"{"created_at":"2024-12-01T00:00:00+00:00"}"#;
    let count = setup.read_from(&["customers"], &stream_state("customers", state)).records("customers").len();
    assert!(count > 0 && count < 25, "{count}");
    for file in [
        format!(
            r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"customers","namespace":null}},"stream_state":{state}}},"data":null,"global_":null}}]"#
        ),
        format!(r#"[{{"stream":{{"stream_descriptor":{{"name":"customers"}},"stream_state":{state}}}}}]"#),
        format!(r#"[{{"streamDescriptor":{{"name":"customers"}},"streamState":{state}}}]"#),
        format!(
            r#"[{{"type":"GLOBAL","global":{{"stream_states":[{{"stream_descriptor":{{"name":"customers"}},"stream_state":{state}}}]}}}}]"#
        ),
        format!(r#"{{"customers":{state},"plans":{{}}}}"#),
    ] {
        let output = setup.read_from(&["customers"], &file);
        assert_eq!(output.code, Some(0), "{file}: {}", output.stderr);
        assert_eq!(output.records("customers").len(), count, "{file}");
    }
    for empty in ["[]", "{}", "null", &stream_state("customers", "null"), &stream_state("plans", "{}")] {
        assert_eq!(setup.read_from(&["customers"], empty).records("customers").len(), 25, "{empty}");
    }
}

fn stream_state(stream: &str, state: &str) -> String {
    format!(
        r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"{stream}"}},"stream_state":{state}}}}}]"#
    )
}

#[test]
fn ledger_states_of_airbytes_connector_continue_per_customer() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let stream = ["credits_ledger_entries"];
    let all = setup.read(&stream);
    let with_ledger = all
        .records(stream[0])
        .iter()
        .map(|entry| fields(entry)["customer_id"].clone())
        .collect::<std::collections::BTreeSet<_>>();
    let cursors: serde_json::Map<String, Value> = with_ledger
        .iter()
        .map(|id| {
            (id.trim_matches('"').to_owned(), serde_json::json!({"created_at": "2025-01-01T00:01:00+00:00"}))
        })
        .collect();
    let partitions: Vec<Value> = cursors
        .iter()
        .map(|(id, cursor)| serde_json::json!({"partition": {"customer_id": id, "parent_slice": {}}, "cursor": cursor}))
        .collect();
    let one = Value::Object(cursors.clone()).to_string();
    let two = serde_json::json!({"use_global_cursor": false, "states": partitions, "lookback_window": 1})
        .to_string();
    for state in [one, two] {
        let output = setup.read_from(&stream, &stream_state(stream[0], &state));
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert_eq!(output.records(stream[0]).len(), 0, "{state}");
    }
}

#[test]
fn a_cursor_far_in_the_future_reads_nothing_and_stays() {
    let orb = orb();
    let state = stream_state("customers", r#"{"created_at":"2122-01-01T00:00:00Z"}"#);
    let output = Setup::new(&orb).read_from(&["customers"], &state);
    assert_eq!((output.code, output.records("customers").len()), (Some(0), 0));
    assert!(
        output.logs().iter().any(|log| log.level == "WARN" && log.message.contains("lies in the future"))
    );
    assert_eq!(output.states("customers")[0].stream.stream_state["created_at"], "2122-01-01T00:00:00Z");
}

#[test]
fn invoices_that_are_void_are_read_and_drafts_are_not() {
    let orb = orb();
    let output = Setup::new(&orb).read(&["invoices"]);
    let statuses: Vec<String> =
        output.records("invoices").iter().map(|invoice| fields(invoice)["status"].clone()).collect();
    assert!(statuses.iter().any(|status| status == "\"void\""));
    assert!(statuses.iter().all(|status| status != "\"draft\""));
    assert!(
        orb.account()
            .records(Collection::Invoices)
            .iter()
            .any(|invoice| fields(invoice)["status"] == "\"draft\"")
    );
}
