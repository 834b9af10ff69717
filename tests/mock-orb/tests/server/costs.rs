//! Tests of the costs of subscriptions and customers.

use std::collections::{BTreeMap, HashSet};

use mock_orb::{Account, Collection, MockOrb, RateTable, Settings, Timestamp};
use serde_json::Value;

use crate::client::Client;

/// Around a month, with the days of May and July that customers elsewhere are in.
const JUNE: &str = "timeframe_start=2024-06-01T00:00:00Z&timeframe_end=2024-07-01T00:00:00%2B00:00";

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn read(client: &mut Client, target: &str) -> Vec<Value> {
    let answer = client.get(&format!("/v1/{target}")).expect("an answer");
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.records().iter().map(|record| serde_json::from_str(record).expect("JSON")).collect()
}

fn at(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("an instant")
}

/// An amount of money in hundredths.
fn cents(value: &Value) -> i64 {
    value.as_str().expect("an amount").replace('.', "").parse().expect("a number")
}

fn subscriptions(orb: &MockOrb) -> Vec<Value> {
    let records = orb.account().records(Collection::Subscriptions);
    records.iter().map(|record| serde_json::from_str(record).expect("JSON")).collect()
}

#[test]
fn periodic_costs_are_whole_days_of_the_subscriptions_own_prices() {
    let orb = start();
    let mut client = Client::new(&orb);
    let (mut days, mut below_zero) = (0, 0);
    for subscription in subscriptions(&orb) {
        let id = subscription["id"].as_str().unwrap();
        let own: HashSet<&Value> =
            subscription["price_intervals"].as_array().unwrap().iter().map(|it| &it["price"]).collect();
        for currency in ["USD", "credits"] {
            let target = format!("subscriptions/{id}/costs?{JUNE}&view_mode=periodic&currency={currency}");
            let costs = read(&mut client, &target);
            for (position, day) in costs.iter().enumerate() {
                let (from, until) = (at(&day["timeframe_start"]), at(&day["timeframe_end"]));
                assert!((23..=25).contains(&until.duration_since(from).as_hours()));
                assert!(position == 0 || at(&costs[position - 1]["timeframe_end"]) == from);
                let prices = day["per_price_costs"].as_array().unwrap();
                assert!(!prices.is_empty());
                for cost in prices {
                    assert!(own.contains(&cost["price"]) && cost["price"]["id"] == cost["price_id"]);
                    assert_eq!(cost["price"]["currency"], currency);
                }
                for sum in ["subtotal", "total"] {
                    let each: i64 = prices.iter().map(|cost| cents(&cost[sum])).sum();
                    assert_eq!(cents(&day[sum]), each);
                }
                below_zero += usize::from(cents(&day["total"]) < 0);
            }
            days += costs.len();
        }
    }
    assert!(days > 500 && below_zero > 0, "{days} {below_zero}");
}

#[test]
fn cumulative_costs_are_the_default_and_the_sums_of_periodic_ones() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut compared = 0;
    for subscription in subscriptions(&orb) {
        let id = subscription["id"].as_str().unwrap();
        let year = "timeframe_start=2024-01-01T00:00:00Z&timeframe_end=2025-01-01T00:00:00Z";
        let periodic = read(&mut client, &format!("subscriptions/{id}/costs?{year}&view_mode=periodic"));
        let cumulative = read(&mut client, &format!("subscriptions/{id}/costs?{year}"));
        assert_eq!(periodic.len(), cumulative.len());
        let mut sums: BTreeMap<Timestamp, i64> = BTreeMap::new();
        for (day, sum) in periodic.iter().zip(&cumulative) {
            let period = at(&sum["timeframe_start"]);
            assert!(period <= at(&day["timeframe_start"]) && day["timeframe_end"] == sum["timeframe_end"]);
            // The first period may have begun before the timeframe.
            if period >= "2024-01-02T00:00:00Z".parse().unwrap() {
                let expected = sums.entry(period).or_default();
                *expected += cents(&day["total"]);
                assert_eq!(cents(&sum["total"]), *expected);
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000);
}

#[test]
fn a_customer_pays_for_all_its_subscriptions() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customer = orb.account().customer_ids().swap_remove(2);
    // More than it was generated with.
    orb.account().create_subscription_for(&customer, "2024-02-01T00:00:00Z".parse().unwrap()).unwrap();
    orb.account().create_subscription_for(&customer, "2024-03-01T00:00:00Z".parse().unwrap()).unwrap();
    let own: Vec<Value> =
        subscriptions(&orb).into_iter().filter(|it| it["customer"]["id"] == customer.as_str()).collect();
    assert!(own.len() >= 2);
    let query = format!("{JUNE}&view_mode=periodic");
    let mut expected: BTreeMap<(Timestamp, String), i64> = BTreeMap::new();
    let note = |days: Vec<Value>, sums: &mut BTreeMap<(Timestamp, String), i64>| {
        for day in days {
            for cost in day["per_price_costs"].as_array().unwrap() {
                let key = (at(&day["timeframe_start"]), cost["price_id"].as_str().unwrap().to_owned());
                *sums.entry(key).or_default() += cents(&cost["total"]);
            }
        }
    };
    for subscription in &own {
        let id = subscription["id"].as_str().unwrap();
        note(read(&mut client, &format!("subscriptions/{id}/costs?{query}")), &mut expected);
    }
    let mut sums = BTreeMap::new();
    note(read(&mut client, &format!("customers/{customer}/costs?{query}")), &mut sums);
    assert!(!sums.is_empty());
    assert_eq!(sums, expected);
}

#[test]
fn late_usage_changes_the_costs_of_its_day() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut changed = 0;
    for subscription in subscriptions(&orb) {
        let id = subscription["id"].as_str().unwrap();
        let metric = subscription["price_intervals"][1]["price"]["billable_metric"]["id"].as_str().unwrap();
        let target = format!("subscriptions/{id}/costs?{JUNE}&view_mode=periodic");
        let before = read(&mut client, &target);
        let late = "2024-06-12T12:00:00Z".parse().unwrap();
        orb.account().add_usage(id, metric, late, "3", &[]).unwrap();
        let after = read(&mut client, &target);
        let different: Vec<&Value> = after
            .iter()
            .zip(&before)
            .filter(|(after, before)| after != before)
            .map(|(after, _)| after)
            .collect();
        assert!(different.len() <= 1);
        for day in different {
            assert!(at(&day["timeframe_start"]) <= late && late < at(&day["timeframe_end"]));
            changed += 1;
        }
    }
    assert!(changed > 5);
}

#[test]
fn costs_without_a_timeframe_are_of_the_last_period_alive() {
    let orb = start();
    let mut client = Client::new(&orb);
    for subscription in subscriptions(&orb) {
        let id = subscription["id"].as_str().unwrap();
        let costs = read(&mut client, &format!("subscriptions/{id}/costs"));
        match subscription["status"].as_str() {
            Some("active") => {
                let first = at(&costs[0]["timeframe_end"]);
                assert!(costs.len() <= 32 && first > "2024-11-30T00:00:00Z".parse().unwrap());
            }
            Some("ended") => {
                let end = at(&subscription["end_date"]);
                let last = costs.last().expect("a day");
                assert!(at(&last["timeframe_end"]) >= end && at(&costs[0]["timeframe_start"]) <= end);
            }
            _ => assert!(costs.is_empty()),
        }
    }
}

#[test]
fn asking_wrongly_for_costs_is_refused() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customer = orb.account().customer_ids().swap_remove(0);
    let subscription = orb.account().ids(Collection::Subscriptions).swap_remove(0);
    for owner in [format!("customers/{customer}"), format!("subscriptions/{subscription}")] {
        for query in [
            "limit=20",
            "cursor=x",
            "granularity=day",
            "view_mode=daily",
            "timeframe_start=2024-06-01T00:00:00Z",
            "timeframe_start=2024-06-01&timeframe_end=2024-06-02",
            "timeframe_start=2024-06-02T00:00:00Z&timeframe_end=2024-06-01T00:00:00Z",
            "timeframe_start=2024-01-01T00:00:00Z&timeframe_end=2025-01-01T00:00:01Z",
        ] {
            let answer = client.get(&format!("/v1/{owner}/costs?{query}")).unwrap();
            assert_eq!(answer.problem(), "400-request-validation-errors", "{query}");
        }
        let none = read(&mut client, &format!("{owner}/costs?{JUNE}&currency=EUR"));
        assert!(none.is_empty());
    }
}

#[test]
fn costs_and_balances_have_limits_of_their_own() {
    let orb = start();
    // A hundredth of a live account's rate: one request of each class succeeds.
    orb.limit_by_class(RateTable::LIVE.scaled(0.01));
    let mut client = Client::new(&orb);
    let customer = orb.account().customer_ids().swap_remove(0);
    let subscription = orb.account().ids(Collection::Subscriptions).swap_remove(0);
    let mut status = |target: String| client.get(&format!("/v1/{target}")).unwrap().status;
    assert_eq!(status(format!("customers/{customer}/costs")), 200);
    assert_eq!(status(format!("subscriptions/{subscription}/costs")), 429, "one class");
    assert_eq!(status(format!("customers/{customer}/credits")), 200);
    assert_eq!(status(format!("customers/{customer}/credits")), 429);
    assert_eq!(status(format!("customers/{customer}/credits/top_ups")), 200);
    assert_eq!(status("items".to_owned()), 429, "all other reads are one class");
}
