//! `subscription_usage`: every day with usage, exactly once, to the digit.

use std::collections::BTreeSet;

use mock_orb::{Account, Collection, MockOrb, Settings, Timestamp};

use crate::support::{Output, Setup, shape::fields};

const STREAM: [&str; 1] = ["subscription_usage"];
const START: &str = "2024-01-01T00:00:00Z";
const END: &str = "2025-02-01T00:00:00Z";

/// The key and quantity of a day of usage: subscription, metric, group, start, quantity.
type Day = (String, String, Option<String>, Timestamp, String);

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { subscriptions: 24, ..Settings::default() }))
}

fn setup(orb: &MockOrb) -> Setup {
    Setup::new(orb).with("start_date", START).with("end_date", END)
}

fn read(output: &Output, group: Option<&str>) -> Vec<Day> {
    let day = |record: &String| {
        let fields = fields(record);
        let text = |name: &str| fields[name].trim_matches('"').to_owned();
        let group = group.map(|key| fields[key].clone());
        let start = text("timeframe_start").parse().unwrap();
        (text("subscription_id"), text("billable_metric_id"), group, start, text("quantity"))
    };
    output.records(STREAM[0]).iter().map(day).collect()
}

/// The server's usage between two instants, without days of no usage.
fn held(account: &Account, group: Option<&str>, start: &str, end: &str) -> BTreeSet<Day> {
    let (start, end): (Timestamp, Timestamp) = (start.parse().unwrap(), end.parse().unwrap());
    let mut days = BTreeSet::new();
    for subscription in account.ids(Collection::Subscriptions) {
        let record = fields(&account.record(Collection::Subscriptions, &subscription).unwrap());
        let born: Timestamp = record["start_date"].trim_matches('"').parse().unwrap();
        for metric in account.billable_metrics(&subscription) {
            let from = start.max(born);
            let series = match group {
                None => vec![(None, account.usage(&subscription, &metric, from, end))],
                Some(key) => {
                    let grouped = account.grouped_usage(&subscription, &metric, key, from, end);
                    let quoted = |value: String| serde_json::to_string(&value).unwrap();
                    grouped.into_iter().map(|(value, usage)| (Some(quoted(value)), usage)).collect()
                }
            };
            for (group, usage) in series {
                for day in usage
                    .into_iter()
                    .filter(|day| day.quantity.bytes().any(|digit| (b'1'..=b'9').contains(&digit)))
                {
                    days.insert((
                        subscription.clone(),
                        metric.clone(),
                        group.clone(),
                        day.timeframe_start,
                        day.quantity,
                    ));
                }
            }
        }
    }
    days
}

#[track_caller]
fn assert_same(output: &Output, group: Option<&str>, expected: &BTreeSet<Day>) {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let read = read(output, group);
    let once: BTreeSet<Day> = read.iter().cloned().collect();
    assert_eq!(once.len(), read.len(), "some came twice");
    let (missing, surplus) = (expected.difference(&once).next(), once.difference(expected).next());
    assert_eq!((missing, surplus), (None, None), "{} read, {} held", once.len(), expected.len());
}

#[test]
fn every_day_with_usage_of_every_subscription_is_read() {
    let orb = orb();
    let output = setup(&orb).read(&STREAM);
    let expected = held(&orb.account(), None, START, END);
    assert!(expected.len() > 1_000, "{}", expected.len());
    assert_same(&output, None, &expected);
    let asked = orb.requests().iter().filter(|request| request.path.ends_with("/usage")).count();
    assert!(asked <= 2 * 24, "{asked} requests for 24 subscriptions and 13 months");
}

#[test]
fn usage_is_grouped_by_the_configured_key() {
    let orb = orb();
    let output = setup(&orb).with("subscription_usage_grouping_key", "region").read(&STREAM);
    let expected = held(&orb.account(), Some("region"), START, END);
    assert!(expected.len() > 1_000, "{}", expected.len());
    assert_same(&output, Some("region"), &expected);
    for request in orb.requests().iter().filter(|request| request.path.ends_with("/usage")) {
        assert_eq!(request.parameter("group_by"), Some("region"));
        assert!(request.parameter("billable_metric_id").is_some());
    }
}

#[test]
fn days_of_less_than_nothing_are_records_and_days_of_nothing_are_not() {
    let orb = orb();
    let account = orb.account();
    let subscriptions = account.ids(Collection::Subscriptions);
    let start =
        |id: &String| fields(&account.record(Collection::Subscriptions, id).unwrap())["start_date"].clone();
    let id = subscriptions.iter().find(|id| start(id).trim_matches('"') < "2024-05-01").unwrap().clone();
    let metric = account.billable_metrics(&id)[0].clone();
    drop(account);
    for (day, quantity) in
        [("2024-06-10", "-3.50"), ("2024-06-11", "-0.0"), ("2024-06-12", "0.00"), ("2024-06-13", "-1e2")]
    {
        orb.account().set_usage(&id, &metric, day.parse().unwrap(), quantity).unwrap();
    }
    let output = setup(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let read = read(&output, None);
    let of_metric = read.iter().filter(|day| day.0 == id && day.1 == metric);
    let negative: Vec<&str> =
        of_metric.map(|day| &*day.4).filter(|quantity| quantity.starts_with('-')).collect();
    assert_eq!(negative, ["-3.50", "-1e2"]);
    assert!(read.iter().all(|day| day.4.bytes().any(|digit| (b'1'..=b'9').contains(&digit))));
}

#[test]
fn a_grouping_key_is_part_of_the_catalog() {
    let orb = orb();
    let output = setup(&orb).with("subscription_usage_grouping_key", "region").discover();
    let streams = output.messages[0].catalog.as_ref().unwrap()["streams"].as_array().unwrap();
    let usage = streams.iter().find(|stream| stream["name"] == STREAM[0]).unwrap();
    let key =
        serde_json::json!([["subscription_id"], ["billable_metric_id"], ["timeframe_start"], ["region"]]);
    assert_eq!(usage["source_defined_primary_key"], key);
    assert!(usage["json_schema"]["properties"].get("region").is_some());
}

#[test]
fn only_subscriptions_to_the_configured_plan_are_asked() {
    let orb = orb();
    let plan = orb.account().ids(Collection::Plans)[1].clone();
    let output = setup(&orb).with("plan_id", plan.as_str()).read(&STREAM);
    let subscriptions: BTreeSet<String> = orb
        .account()
        .records(Collection::Subscriptions)
        .iter()
        .map(|record| fields(record))
        .filter(|record| record["plan"] != "null" && fields(&record["plan"])["id"] == format!("{plan:?}"))
        .map(|record| record["id"].trim_matches('"').to_owned())
        .collect();
    let expected: BTreeSet<Day> = held(&orb.account(), None, START, END)
        .into_iter()
        .filter(|day| subscriptions.contains(&day.0))
        .collect();
    assert!(!expected.is_empty());
    assert_same(&output, None, &expected);
}

#[test]
fn no_subscriptions_are_an_empty_stream() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let output = Setup::new(&orb).read(&STREAM);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.statuses(STREAM[0]), ["STARTED", "COMPLETE"]);
}

#[test]
fn a_read_that_continues_gives_whole_days_and_misses_none() {
    let orb = orb();
    let middle = "2024-07-01T00:00:00Z";
    let first = Setup::new(&orb).with("start_date", START).with("end_date", middle).read(&STREAM);
    let second = setup(&orb).read_from(&STREAM, &first.state_file());
    assert_eq!((first.code, second.code), (Some(0), Some(0)));
    let whole = |day: &Day| day.3 < "2024-06-30T00:00:00Z".parse().unwrap();
    let mut both: BTreeSet<Day> = read(&first, None).into_iter().filter(whole).collect();
    both.extend(read(&second, None));
    let expected = held(&orb.account(), None, START, END);
    let missing: Vec<&Day> = expected.difference(&both).collect();
    assert_eq!(missing, Vec::<&Day>::new());
    assert!(read(&second, None).len() < expected.len(), "everything was read again");
}

#[test]
fn days_within_the_grace_period_are_read_again() {
    let orb = orb();
    let first = Setup::new(&orb).with("start_date", START).read(&STREAM);
    let cursor: Timestamp = first.states(STREAM[0]).last().unwrap().stream.stream_state["timeframe_start"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let now = Timestamp::now();
    let behind = now.duration_since(cursor).as_hours();
    assert!((48..50).contains(&behind), "{behind} hours behind");
    orb.clear_log();
    let second = Setup::new(&orb).with("start_date", START).read_from(&STREAM, &first.state_file());
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    for request in orb.requests().iter().filter(|request| request.path.ends_with("/usage")) {
        let from: Timestamp = request.parameter("timeframe_start").unwrap().parse().unwrap();
        assert!(now.duration_since(from).as_hours() < 6 * 24, "{from}");
    }
}
