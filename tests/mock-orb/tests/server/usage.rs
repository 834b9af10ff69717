//! Tests of usage: reading and changing it.

use std::collections::HashMap;

use mock_orb::{Account, Collection, Fault, MockOrb, RecordError, Settings, Timestamp, Usage};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{Answer, Client, encoded, id_of};

/// A month in the middle of the account's year, in two spellings of UTC.
const JUNE: &str =
    "granularity=day&timeframe_start=2024-06-01T00:00:00Z&timeframe_end=2024-07-01T00:00:00%2B00:00";

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn target(subscription: &str, query: &str) -> String {
    format!("/v1/subscriptions/{subscription}/usage?{query}")
}

/// The items of an answer with their windows: the quantity as sent, the start and the end.
fn items(answer: &Answer) -> Vec<(Value, Vec<Usage>)> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let item = |record: String| {
        let fields: HashMap<&str, &RawValue> = serde_json::from_str(&record).expect("JSON");
        let windows: Vec<HashMap<&str, &RawValue>> =
            serde_json::from_str(fields["usage"].get()).expect("windows");
        let instant = |text: &RawValue| at(text.get().trim_matches('"'));
        let windows = windows.iter().map(|window| Usage {
            quantity: window["quantity"].get().to_owned(),
            timeframe_start: instant(window["timeframe_start"]),
            timeframe_end: instant(window["timeframe_end"]),
        });
        (serde_json::from_str(&record).expect("JSON"), windows.collect())
    };
    answer.records().into_iter().map(item).collect()
}

/// The subscriptions billed in June, with their metrics.
fn active(orb: &MockOrb) -> Vec<(String, Vec<String>)> {
    let account = orb.account();
    let young = |record: &&String| {
        let record: Value = serde_json::from_str(record).expect("JSON");
        record["status"] == "active"
            && at(record["start_date"].as_str().expect("a date")) < at("2024-05-01T00:00:00Z")
    };
    let records = account.records(Collection::Subscriptions);
    let ids = records.iter().filter(young).map(|record| id_of(record));
    ids.map(|id| (id.clone(), account.billable_metrics(&id))).collect()
}

#[test]
fn every_metric_is_read_day_by_day_as_the_account_holds_it() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut used = 0;
    for (subscription, metrics) in active(&orb) {
        let answer = client.get(&target(&subscription, &format!("{JUNE}&view_mode=periodic"))).unwrap();
        let items = items(&answer);
        assert!(!metrics.is_empty());
        for ((item, usage), metric) in items.iter().zip(&metrics) {
            assert_eq!(item["billable_metric"]["id"].as_str(), Some(metric.as_str()));
            assert!(item["billable_metric"]["name"].is_string() && item["view_mode"] == "periodic");
            let (from, until) = (at("2024-06-01T00:00:00Z"), at("2024-07-01T00:00:00Z"));
            assert_eq!(*usage, orb.account().usage(&subscription, metric, from, until));
            assert!((30..=31).contains(&usage.len()));
            assert!(usage.windows(2).all(|pair| pair[0].timeframe_end == pair[1].timeframe_start));
            used += usage.iter().filter(|usage| usage.quantity != "0").count();
        }
        assert_eq!(items.len(), metrics.len());
    }
    assert!(used > 100);
}

/// The timeframe of the example in Orb's documentation.
#[test]
fn days_begin_at_the_customers_midnight() {
    let orb = start();
    let mut client = Client::new(&orb);
    for (zone, starts) in [
        ("America/Los_Angeles", ["2022-02-01T05:00:00Z", "2022-02-01T08:00:00Z", "2022-02-02T08:00:00Z"]),
        ("Asia/Kathmandu", ["2022-02-01T05:00:00Z", "2022-02-01T18:15:00Z", "2022-02-02T18:15:00Z"]),
        ("Etc/UTC", ["2022-02-01T05:00:00Z", "2022-02-02T00:00:00Z", "2022-02-03T00:00:00Z"]),
    ] {
        let customer = orb.account().create_customer(at("2022-01-01T00:00:00Z"));
        let json = format!("\"{zone}\"");
        orb.account().set_field(Collection::Customers, &customer, "timezone", &json).unwrap();
        let subscription =
            orb.account().create_subscription_for(&customer, at("2022-01-01T00:00:00Z")).unwrap();
        let query = "granularity=day&timeframe_start=2022-02-01T05:00:00Z&timeframe_end=2022-02-04T01:00:00Z";
        let usage = items(&client.get(&target(&subscription, query)).unwrap()).swap_remove(0).1;
        assert_eq!(usage.len(), 4);
        let read: Vec<Timestamp> = usage.iter().take(3).map(|usage| usage.timeframe_start).collect();
        assert_eq!(read, starts.map(at), "{zone}");
        assert_eq!(usage[3].timeframe_end, at("2022-02-04T01:00:00Z"));
    }
}

#[test]
fn usage_that_is_set_is_served_with_these_digits() {
    let orb = start();
    let (subscription, metrics) = active(&orb).swap_remove(0);
    let metric = &metrics[0];
    orb.account()
        .set_usage(&subscription, metric, "2024-06-10".parse().unwrap(), "12345678901234.50")
        .unwrap();
    orb.account().set_usage(&subscription, metric, "2024-06-11".parse().unwrap(), "0.1").unwrap();
    orb.account().set_usage(&subscription, metric, "2024-06-12".parse().unwrap(), "0").unwrap();
    let eleventh =
        orb.account().usage(&subscription, metric, at("2024-06-01T00:00:00Z"), at("2024-07-01T00:00:00Z"));
    let eleventh = eleventh.iter().find(|usage| usage.quantity == "0.1").unwrap().timeframe_start;
    orb.account().add_usage(&subscription, metric, eleventh, "0.20", &[("region", "late")]).unwrap();
    let body = Client::new(&orb).get(&target(&subscription, &format!("{JUNE}&view_mode=periodic"))).unwrap();
    let quantities: Vec<String> = items(&body)[0].1.iter().map(|usage| usage.quantity.clone()).collect();
    let position = quantities.iter().position(|quantity| quantity == "12345678901234.50").unwrap();
    assert_eq!(quantities[position + 1..position + 3], ["0.3", "0"]);
}

#[test]
fn nothing_is_used_outside_a_subscriptions_life() {
    let mut account = Account::generate(&Settings::default());
    let subscription = account.ids(Collection::Subscriptions).swap_remove(20);
    let metric = account.billable_metrics(&subscription).swap_remove(0);
    for (field, date) in [("start_date", "2024-03-10T00:00:00Z"), ("end_date", "2024-03-20T00:00:00Z")] {
        account.set_field(Collection::Subscriptions, &subscription, field, &format!("\"{date}\"")).unwrap();
    }
    account.clear_usage(&subscription, &metric);
    for day in 1..=30 {
        let instant = at(&format!("2024-03-{day:02}T12:00:00Z"));
        account.add_usage(&subscription, &metric, instant, "1", &[]).unwrap();
    }
    let usage = account.usage(&subscription, &metric, at("2024-03-01T00:00:00Z"), at("2024-04-01T00:00:00Z"));
    let used: Vec<&Usage> = usage.iter().filter(|usage| usage.quantity != "0").collect();
    assert!(usage.len() >= 31 && used.iter().all(|usage| usage.quantity == "1"));
    assert_eq!(used.len(), 10);
    let early = account.set_usage(&subscription, &metric, "2024-03-01".parse().unwrap(), "1");
    assert_eq!(early, Err(RecordError::OutsideLife("2024-03-01".parse().unwrap())));
    let unfit = account.set_usage(&subscription, &metric, "2024-03-15".parse().unwrap(), "007");
    assert_eq!(unfit, Err(RecordError::NotANumber("007".to_owned())));
    assert!(account.add_usage(&subscription, "other", at("2024-03-15T00:00:00Z"), "1", &[]).is_err());
}

#[test]
fn usage_is_cumulative_within_its_month_unless_periodic_is_asked_for() {
    let orb = start();
    let (subscription, metrics) = active(&orb).swap_remove(0);
    orb.account().clear_usage(&subscription, &metrics[0]);
    for (day, quantity) in
        [("2024-05-31", "5"), ("2024-06-03", "1.5"), ("2024-06-05", "0.25"), ("2024-07-01", "7")]
    {
        let noon = at(&format!("{day}T12:00:00Z"));
        orb.account().add_usage(&subscription, &metrics[0], noon, quantity, &[]).unwrap();
    }
    let timeframe = "timeframe_start=2024-06-04T00:00:00Z&timeframe_end=2024-07-01T00:00:00Z";
    let mut client = Client::new(&orb);
    let mut ask = |query: &str| items(&client.get(&target(&subscription, query)).unwrap()).swap_remove(0).1;
    let quantities = |usage: Vec<Usage>| -> Vec<String> { usage.into_iter().map(|it| it.quantity).collect() };
    let by_day = quantities(ask(&format!("{timeframe}&granularity=day")));
    assert_eq!((by_day[0].as_str(), by_day.last().map(String::as_str)), ("1.5", Some("1.75")));
    assert_eq!(quantities(ask(timeframe)), ["1.75"]);
    assert_eq!(quantities(ask(&format!("{timeframe}&view_mode=periodic"))), ["0.25"]);
    let period = ask("granularity=day");
    assert_eq!(period[0].timeframe_start, at("2024-12-01T00:00:00Z"), "the account's month");
    assert_eq!(period.last().unwrap().timeframe_end, at("2025-01-01T00:00:00Z"));
}

#[test]
fn groups_are_the_values_of_a_property() {
    let orb = start();
    let (subscription, metrics) = active(&orb).swap_remove(0);
    let (from, until) = (at("2024-06-01T00:00:00Z"), at("2024-07-01T00:00:00Z"));
    for (region, quantity) in [("eu", "0.10"), ("", "2"), ("eu", "0.20"), ("a&b=c", "3")] {
        let noon = at("2024-06-15T12:00:00Z");
        orb.account().add_usage(&subscription, &metrics[0], noon, quantity, &[("zone", region)]).unwrap();
    }
    let mut client = Client::new(&orb);
    let mut ask = |key: &str| {
        let query = format!("{JUNE}&view_mode=periodic&billable_metric_id={}&group_by={key}", metrics[0]);
        let answer = client.get(&target(&subscription, &query)).unwrap();
        let body: Value = serde_json::from_str(answer.text()).unwrap();
        (items(&answer), body["pagination_metadata"].clone())
    };
    for key in ["zone", "region", "cluster"] {
        let (items, metadata) = ask(key);
        let read: Vec<(String, Vec<Usage>)> = items
            .into_iter()
            .map(|(item, usage)| {
                assert_eq!(item["metric_group"]["property_key"], key);
                (item["metric_group"]["property_value"].as_str().unwrap().to_owned(), usage)
            })
            .collect();
        assert_eq!(read, orb.account().grouped_usage(&subscription, &metrics[0], key, from, until));
        assert!(read.iter().any(|(_, usage)| usage.iter().any(|usage| usage.quantity != "0")), "{key}");
        assert_eq!(metadata, serde_json::json!({"has_more": false, "next_cursor": null}));
    }
    let zones: Vec<Value> =
        ask("zone").0.into_iter().map(|(it, _)| it["metric_group"]["property_value"].clone()).collect();
    assert_eq!(zones, ["", "a&b=c", "eu"]);
    assert_eq!(ask("colour"), (Vec::new(), Value::Null));
}

#[test]
fn asking_wrongly_for_usage_is_refused() {
    let orb = start();
    let mut client = Client::new(&orb);
    let (subscription, metrics) = active(&orb).swap_remove(0);
    for (query, status, problem) in [
        ("limit=20", 400, "400-request-validation-errors"),
        ("cursor=x", 400, "400-request-validation-errors"),
        ("granularity=hour", 400, "400-request-validation-errors"),
        ("timeframe_start=2024-06-01T00:00:00Z", 400, "400-request-validation-errors"),
        (&format!("{JUNE}&group_by=region"), 400, "400-request-validation-errors"),
        (&format!("{JUNE}&billable_metric_id={}", metrics[0]), 400, "400-request-validation-errors"),
        (&format!("{JUNE}&group_by=region&billable_metric_id=other"), 404, "404-resource-not-found"),
    ] {
        let answer = client.get(&target(&subscription, query)).unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{query}");
    }
    assert_eq!(client.get(&target("nobody", JUNE)).unwrap().problem(), "404-resource-not-found");
    let ended = client.read_all("/v1/subscriptions?limit=100&status=ended");
    let ended = id_of(&ended[0]);
    assert_eq!(client.get(&target(&ended, "granularity=day")).unwrap().problem(), "400-constraint-violation");
    let anonymous = client.request("GET", &target(&subscription, JUNE), "").unwrap();
    assert_eq!(anonymous.status, 401);
}

#[test]
fn faults_befall_usage_too() {
    let orb = start();
    let (subscription, metrics) = active(&orb).swap_remove(0);
    orb.inject(Fault::repeat_page_token().on("/v1/subscriptions"));
    orb.inject(
        Fault::status(503).on(format!("/v1/subscriptions/{subscription}/usage")).with_query("view_mode"),
    );
    let mut client = Client::new(&orb);
    let grouped = target(&subscription, &format!("{JUNE}&billable_metric_id={}&group_by=region", metrics[0]));
    let token = client.get(&grouped).unwrap().page_token().unwrap();
    assert_eq!(client.get(&format!("{grouped}&cursor={}", encoded(&token))).unwrap().status, 400);
    assert_eq!(client.get(&format!("{grouped}&view_mode=periodic")).unwrap().status, 503);
}
