//! Tests that the identifiers with which records refer to others are those of existing records.

use std::collections::HashSet;

use mock_orb::{Account, Collection, MockOrb, Settings};
use serde_json::Value;

use crate::client::{Client, id_of};
use crate::resources::{List, lists};

fn account() -> Account {
    Account::generate(&Settings { invoices: 230, plans: 9, subscriptions: 60, ..Settings::default() })
}

fn values(records: &[String]) -> Vec<Value> {
    records.iter().map(|record| serde_json::from_str(record).expect("JSON")).collect()
}

/// All records of a resource, whoever owns them.
fn all(account: &Account, name: &str) -> Vec<Value> {
    let lists = lists(account).into_iter().filter(|list| list.name == name);
    let rows = lists.flat_map(|List { owner, .. }| account.rows(name, &owner));
    values(&rows.collect::<Vec<_>>())
}

fn ids(records: &[Value]) -> HashSet<&str> {
    records.iter().filter_map(|record| record["id"].as_str()).collect()
}

fn set(ids: Vec<String>) -> HashSet<String> {
    ids.into_iter().collect()
}

/// Every text at a path in some records, through lists; nulls and absent values are left out.
fn texts<'a>(records: &'a [Value], path: &[&str]) -> Vec<&'a str> {
    fn collect<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a str>) {
        match (value, path) {
            (Value::Array(items), path) => items.iter().for_each(|item| collect(item, path, found)),
            (Value::String(text), []) => found.push(text),
            (value, [name, rest @ ..]) => collect(&value[*name], rest, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    records.iter().for_each(|record| collect(record, path, &mut found));
    found
}

fn assert_found(what: &str, used: &[&str], known: impl Fn(&str) -> bool) {
    assert!(!used.is_empty(), "{what}: none");
    for id in used {
        assert!(known(id), "{what}: {id}");
    }
}

#[test]
fn prices_measure_metrics_of_items_that_exist() {
    let account = account();
    let (items, metrics) = (all(&account, "items"), all(&account, "billable_metrics"));
    let (items, metric_ids) = (ids(&items), ids(&metrics));
    let plans = values(&account.records(Collection::Plans));
    let prices = all(&account, "prices");
    let groups = all(&account, "dimensional_price_groups");
    let types = all(&account, "license_types");
    assert_found("item of a metric", &texts(&metrics, &["item", "id"]), |id| items.contains(id));
    assert_found("metric of a group", &texts(&groups, &["billable_metric_id"]), |id| metric_ids.contains(id));
    for (what, prices, path) in [("plans", &plans, "prices"), ("prices", &prices, "")] {
        let at = |rest: &[&'static str]| -> Vec<&str> {
            let path: Vec<&str> =
                [path].into_iter().filter(|it| !it.is_empty()).chain(rest.iter().copied()).collect();
            texts(prices, &path)
        };
        assert_found(what, &at(&["item", "id"]), |id| items.contains(id));
        assert_found(what, &at(&["billable_metric", "id"]), |id| metric_ids.contains(id));
        let configured = at(&["dimensional_price_configuration", "dimensional_price_group_id"]);
        assert_found(what, &configured, |id| ids(&groups).contains(id));
        assert_found(what, &at(&["license_type", "id"]), |id| ids(&types).contains(id));
    }
}

#[test]
fn groups_list_the_prices_that_name_them() {
    let account = account();
    let plans = values(&account.records(Collection::Plans));
    let mut listed = 0;
    for group in all(&account, "dimensional_price_groups") {
        let id = group["id"].as_str().unwrap();
        let named: Vec<&Value> = plans
            .iter()
            .flat_map(|plan| plan["prices"].as_array().unwrap())
            .filter(|price| price["dimensional_price_configuration"]["dimensional_price_group_id"] == id)
            .collect();
        let rows = values(&account.rows("dimensional_price_group_prices", id));
        let active: Vec<&Value> = rows.iter().filter(|row| named.contains(row)).collect();
        assert_eq!(active, named);
        assert_eq!(group["price_count"], named.len());
        assert!(named.iter().all(|price| price["billable_metric"]["id"] == group["billable_metric_id"]));
        listed += named.len();
    }
    assert!(listed > 1);
}

#[test]
fn credit_notes_are_of_invoices_and_their_lines() {
    let account = account();
    let notes = all(&account, "credit_notes");
    assert!(notes.len() > 20);
    for note in &notes {
        let invoice = account.record(Collection::Invoices, note["invoice_id"].as_str().unwrap()).unwrap();
        let invoice: Value = serde_json::from_str(&invoice).unwrap();
        assert_eq!(note["customer"], invoice["customer"]);
        let items: Vec<&Value> = invoice["line_items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| &line["price"]["item"]["id"])
            .collect();
        let credited: Vec<&Value> =
            note["line_items"].as_array().unwrap().iter().map(|line| &line["item_id"]).collect();
        assert_eq!(credited, items);
        let cents = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<u64>().unwrap();
        let sum: u64 =
            note["line_items"].as_array().unwrap().iter().map(|line| cents(&line["subtotal"])).sum();
        assert_eq!(cents(&note["subtotal"]), sum);
    }
    let lines = texts(&notes, &["line_items", "id"]);
    assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len());
}

#[test]
fn balances_go_on_where_they_ended_and_name_the_customers_own_invoices() {
    let account = account();
    let notes = all(&account, "credit_notes");
    let (mut invoiced, mut credited) = (0, 0);
    for customer in account.customer_ids() {
        let mut transactions = values(&account.rows("customer_balance_transactions", &customer));
        transactions.reverse();
        for pair in transactions.windows(2) {
            assert_eq!(pair[0]["ending_balance"], pair[1]["starting_balance"]);
        }
        for transaction in &transactions {
            if let Some(id) = transaction["invoice"]["id"].as_str() {
                let invoice = account.record(Collection::Invoices, id).unwrap();
                let invoice: Value = serde_json::from_str(&invoice).unwrap();
                assert_eq!(invoice["customer"]["id"], customer.as_str());
                invoiced += 1;
            }
            if let Some(id) = transaction["credit_note"]["id"].as_str() {
                let note = notes.iter().find(|note| note["id"] == id).unwrap();
                assert_eq!(note["invoice_id"], transaction["invoice"]["id"]);
                credited += 1;
            }
        }
    }
    assert!(invoiced > 10 && credited > 2);
}

#[test]
fn credit_blocks_are_those_of_the_ledgers() {
    let orb = MockOrb::start(account());
    let mut client = Client::new(&orb);
    let mut purchased = 0;
    let held = orb.account().customer_ids();
    for customer in held {
        let ledger = values(&orb.account().ledger(&customer));
        let mut listed = HashSet::new();
        for currency in ["credits", "USD"] {
            let target =
                format!("/v1/customers/{customer}/credits?include_all_blocks=true&currency={currency}");
            let blocks = values(&client.read_all(&target));
            let affected: HashSet<&str> = ledger
                .iter()
                .filter(|entry| entry["currency"] == currency)
                .filter_map(|entry| entry["credit_block"]["id"].as_str())
                .collect();
            assert_eq!(ids(&blocks), affected, "{currency} of {customer}");
            listed.extend(blocks.iter().map(|block| block["id"].as_str().unwrap().to_owned()));
        }
        for id in listed {
            let answer = client.get(&format!("/v1/credit_blocks/{id}/invoices")).unwrap();
            let answer: Value = serde_json::from_str(answer.text()).unwrap();
            assert_eq!(answer["block"]["id"], id.as_str());
            let of_block = |entry: &&Value| entry["credit_block"]["id"] == id.as_str();
            let entries: Vec<Value> = ledger.iter().filter(of_block).cloned().collect();
            let bought: HashSet<&str> = texts(&entries, &["created_invoices", "id"]).into_iter().collect();
            assert_eq!(
                texts(&[answer["invoices"].clone()], &["id"]).into_iter().collect::<HashSet<_>>(),
                bought
            );
            purchased += bought.len();
        }
    }
    assert!(purchased > 0);
}

#[test]
fn records_name_existing_customers_subscriptions_and_plans() {
    let account = account();
    let customers = set(account.ids(Collection::Customers));
    let subscriptions = set(account.ids(Collection::Subscriptions));
    let plans = set(account.ids(Collection::Plans));
    let types = all(&account, "license_types");
    let metrics = all(&account, "billable_metrics");
    for (name, path, known) in [
        ("event_backfills", &["customer_id"][..], &customers),
        ("alerts", &["customer", "id"], &customers),
        ("alerts", &["subscription", "id"], &subscriptions),
        ("alerts", &["plan", "id"], &plans),
        ("licenses", &["subscription_id"], &subscriptions),
        ("subscription_schedules", &["plan", "id"], &plans),
        ("plan_migrations", &["plan_id"], &plans),
        ("webhook_events", &["payload", "invoice", "customer", "id"], &customers),
    ] {
        assert_found(name, &texts(&all(&account, name), path), |id| known.contains(id));
    }
    let licenses = all(&account, "licenses");
    assert_found("licenses", &texts(&licenses, &["license_type_id"]), |id| ids(&types).contains(id));
    let alerts = all(&account, "alerts");
    assert_found("alerts", &texts(&alerts, &["metric", "id"]), |id| ids(&metrics).contains(id));
    assert_found("alerts", &texts(&alerts, &["license_type", "id"]), |id| ids(&types).contains(id));
    let changes = values(&account.rows("subscription_changes", ""));
    assert_found("changes", &texts(&changes, &["subscription_id"]), |id| subscriptions.contains(id));
    let invoices = set(account.ids(Collection::Invoices));
    let events = all(&account, "webhook_events");
    assert_found("events", &texts(&events, &["payload", "invoice", "id"]), |id| invoices.contains(id));
}

#[test]
fn subscriptions_with_licenses_are_those_whose_prices_have_a_license_type() {
    let account = account();
    let mut licensed = 0;
    for subscription in values(&account.records(Collection::Subscriptions)) {
        let types =
            texts(std::slice::from_ref(&subscription), &["price_intervals", "price", "license_type", "id"]);
        let licenses = values(&account.rows("licenses", subscription["id"].as_str().unwrap()));
        assert_eq!(licenses.is_empty(), types.is_empty());
        assert!(licenses.iter().all(|license| types.contains(&license["license_type_id"].as_str().unwrap())));
        licensed += licenses.len();
    }
    assert!(licensed > 10);
}

#[test]
fn coupons_are_redeemed_by_the_subscriptions_that_say_so() {
    let orb = MockOrb::start(account());
    let mut client = Client::new(&orb);
    let subscriptions = values(&orb.account().records(Collection::Subscriptions));
    let coupons = values(&orb.account().rows("coupons", ""));
    let redeemed = texts(&subscriptions, &["redeemed_coupon", "coupon_id"]);
    assert_found("redeemed coupon", &redeemed, |id| ids(&coupons).contains(id));
    for coupon in &coupons {
        let id = coupon["id"].as_str().unwrap();
        let listed = client.read_all(&format!("/v1/coupons/{id}/subscriptions?limit=2"));
        let listed: Vec<String> = listed.iter().map(|it| id_of(it)).collect();
        let says_so = |it: &&Value| it["redeemed_coupon"]["coupon_id"] == id;
        let expected: Vec<&str> =
            subscriptions.iter().filter(says_so).map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(listed, expected);
        assert_eq!(coupon["times_redeemed"], listed.len());
    }
}
