//! Tests of the filters and defaults of the resources' lists.

use mock_orb::{Account, Collection, MockOrb, Settings, Timestamp};
use serde_json::Value;

use crate::client::{Client, id_of};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { invoices: 230, subscriptions: 60, ..Settings::default() }))
}

fn value(record: &str) -> Value {
    serde_json::from_str(record).expect("JSON")
}

fn select(records: &[String], test: impl Fn(&Value) -> bool) -> Vec<String> {
    records.iter().filter(|record| test(&value(record))).cloned().collect()
}

fn at(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[test]
fn account_wide_lists_are_filtered_by_what_they_say() {
    let orb = start();
    let mut client = Client::new(&orb);
    let half = "2024-07-01T00:00:00Z";
    let july: Timestamp = half.parse().unwrap();
    let metric = value(&orb.account().rows("dimensional_price_groups", "")[0])["billable_metric_id"].clone();
    let customer = orb
        .account()
        .rows("event_backfills", "")
        .iter()
        .find_map(|it| value(it)["customer_id"].as_str().map(str::to_owned));
    let customer = customer.unwrap();
    let notes = format!("credit_notes?created_at[gte]={half}");
    let backfills = format!("events/backfills?customer_id={customer}");
    let groups = format!("dimensional_price_groups?billable_metric_id={}", metric.as_str().unwrap());
    type Test<'a> = &'a dyn Fn(&Value) -> bool;
    let cases: [(&str, &str, Test<'_>); 10] = [
        ("billable_metrics", "metrics?status=archived", &|it| it["status"] == "archived"),
        ("coupons", "coupons?show_archived=false", &|it| it["archived_at"].is_null()),
        ("coupons", "coupons?show_archived=true&redemption_code=HALF%20OFF/4", &|it| {
            it["redemption_code"] == "HALF OFF/4"
        }),
        ("credit_notes", &notes, &|it| at(&it["created_at"]) >= Some(july)),
        ("event_backfills", "events/backfills?status=reverted", &|it| it["status"] == "reverted"),
        ("event_backfills", &backfills, &|it| it["customer_id"] == customer.as_str()),
        ("dimensional_price_groups", &groups, &|it| it["billable_metric_id"] == metric),
        ("webhook_events", "webhook_events?event_type=invoice.issued", &|it| it["type"] == "invoice.issued"),
        ("webhook_events", "webhook_events?delivery_success=false", &|it| it["is_delivered"] == false),
        ("webhook_events", "webhook_events?delivery_success=true", &|it| it["is_delivered"] == true),
    ];
    for (name, target, test) in cases {
        let expected = select(&orb.account().rows(name, ""), test);
        let read = client.read_all(&format!("/v1/{target}&limit=100"));
        assert!(!expected.is_empty(), "{target}");
        assert_eq!(read, expected, "{target}");
    }
    let all = orb.account().rows("billable_metrics", "").len();
    let older = client.read_all(&format!("/v1/metrics?created_at[lt]={half}")).len();
    let newer = client.read_all(&format!("/v1/metrics?created_at[gte]={half}")).len();
    assert!(older > 0 && newer > 0 && older + newer == all, "{older} {newer} {all}");
}

#[test]
fn payloads_are_left_out_on_request() {
    let orb = start();
    let mut client = Client::new(&orb);
    let full = client.read_all("/v1/webhook_events?limit=100");
    assert!(full.iter().all(|it| value(it)["payload"].is_object()));
    for (light, full) in
        client.read_all("/v1/webhook_events?limit=100&include_payload=false").iter().zip(&full)
    {
        let mut expected = value(full);
        expected.as_object_mut().unwrap().remove("payload");
        assert_eq!(value(light), expected);
    }
}

#[test]
fn only_pending_changes_are_listed_unless_asked_otherwise() {
    let orb = start();
    let mut client = Client::new(&orb);
    let all = orb.account().rows("subscription_changes", "");
    let pending = select(&all, |it| it["status"] == "pending");
    assert_eq!(client.read_all("/v1/subscription_changes?limit=7"), pending);
    let mut read = pending.len();
    for status in ["applied", "cancelled"] {
        let target = format!("/v1/subscription_changes?limit=7&status={status}");
        let changes = client.read_all(&target);
        assert_eq!(changes, select(&all, |it| it["status"] == status));
        read += changes.len();
    }
    assert_eq!(read, all.len());
    let customers = orb.account().customer_ids();
    let of = |client: &mut Client, query: &str| {
        client.read_all(&format!("/v1/subscription_changes?status=applied&{query}"))
    };
    let counts = customers.iter().map(|id| of(&mut client, &format!("customer_id={id}")).len());
    assert_eq!(counts.sum::<usize>(), select(&all, |it| it["status"] == "applied").len());
}

#[test]
fn blocks_are_of_one_currency_and_current_unless_asked_otherwise() {
    let orb = start();
    let mut client = Client::new(&orb);
    let now = Settings::default().last;
    let (mut hidden, mut dollars) = (0, 0);
    let held = orb.account().customer_ids();
    for customer in held {
        let mut read =
            |query: &str| client.read_all(&format!("/v1/customers/{customer}/credits?limit=100{query}"));
        let current = |it: &Value| {
            it["balance"].as_f64() != Some(0.0) && at(&it["expiry_date"]).is_none_or(|expiry| expiry > now)
        };
        let all = read("&include_all_blocks=true");
        assert_eq!(read("&include_all_blocks=true&currency=credits"), all);
        assert_eq!(read(""), select(&all, current));
        assert_eq!(read("&include_all_blocks=false"), select(&all, current));
        assert!(read("&include_all_blocks=true&currency=EUR").is_empty());
        let usd = read("&include_all_blocks=true&currency=USD");
        assert_eq!(all.len() + usd.len(), orb.account().rows("credit_blocks", &customer).len());
        let from = "2024-07-01T00:00:00Z";
        let effective = read(&format!("&include_all_blocks=true&effective_date[gte]={from}"));
        let since = |it: &Value| at(&it["effective_date"]).is_some_and(|at| at >= from.parse().unwrap());
        assert_eq!(effective, select(&all, since));
        hidden += all.len() - read("").len();
        dollars += usd.len();
    }
    assert!(hidden > 0 && dollars > 0);
}

#[test]
fn a_stored_block_is_in_credits_unless_it_says_otherwise() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customers = orb.account().customer_ids();
    let has_none = |id: &&String| orb.account().rows("credit_blocks", id).is_empty();
    let customer = customers.iter().find(has_none).unwrap();
    let now = Settings::default().last;
    orb.account().insert_row("credit_blocks", customer, now, r#"{"id":"mine","balance":5}"#).unwrap();
    let mut read = |query: &str| {
        let blocks = client.read_all(&format!("/v1/customers/{customer}/credits?limit=1{query}"));
        blocks.iter().map(|it| id_of(it)).collect::<Vec<_>>()
    };
    assert_eq!((read(""), read("&currency=credits")), (vec!["mine".to_owned()], vec!["mine".to_owned()]));
    assert!(read("&currency=USD").is_empty());
    let invoices = client.get("/v1/credit_blocks/mine/invoices").unwrap();
    assert_eq!(invoices.text(), r#"{"block":{"id":"mine","balance":5},"invoices":[]}"#);
}

#[test]
fn transactions_and_schedules_are_filtered_by_their_time() {
    let orb = start();
    let mut client = Client::new(&orb);
    let half = "2024-09-01T00:00:00Z";
    let (mut older, mut newer) = (0, 0);
    let held = orb.account().customer_ids();
    for id in held {
        let all = orb.account().rows("customer_balance_transactions", &id);
        let mut read = |bound: &str| {
            client
                .read_all(&format!("/v1/customers/{id}/balance_transactions?operation_time[{bound}]={half}"))
        };
        let (before, after) = (read("lt"), read("gte"));
        assert_eq!([after.clone(), before.clone()].concat(), all);
        (older, newer) = (older + before.len(), newer + after.len());
    }
    assert!(older > 0 && newer > 0);
    let (now, mut planned) = ("2024-12-31T23:59:59Z", 0);
    let held = orb.account().ids(Collection::Subscriptions);
    for id in held {
        let all = orb.account().rows("subscription_schedules", &id);
        let future = client.read_all(&format!("/v1/subscriptions/{id}/schedule?start_date[gt]={now}"));
        let starts_later = |it: &Value| at(&it["start_date"]).is_some_and(|at| at > now.parse().unwrap());
        assert_eq!(future, select(&all, starts_later));
        planned += future.len();
    }
    assert!(planned > 0);
}

#[test]
fn licenses_and_group_prices_are_filtered_by_status() {
    let orb = start();
    let mut client = Client::new(&orb);
    let (mut active, mut inactive) = (0, 0);
    let held = orb.account().ids(Collection::Subscriptions);
    for id in held {
        let target = format!("/v1/licenses?subscription_id={id}");
        let all = orb.account().rows("licenses", &id);
        for (status, count) in [("active", &mut active), ("inactive", &mut inactive)] {
            let read = client.read_all(&format!("{target}&status={status}"));
            assert_eq!(read, select(&all, |it| it["status"] == status));
            *count += read.len();
        }
        let external = client.read_all(&format!("{target}&external_license_id=0042"));
        assert_eq!(external, select(&all, |it| it["external_license_id"] == "0042"));
        assert!(client.read_all(&format!("{target}&license_type_id=none")).is_empty());
    }
    assert!(active > 0 && inactive > 0);
    let group = id_of(&orb.account().rows("dimensional_price_groups", "").pop().unwrap());
    let mut prices = |query: &str| {
        client.read_all(&format!("/v1/dimensional_price_groups/{group}/prices?limit=100{query}")).len()
    };
    assert_eq!(prices("&status=all"), prices("") + prices("&status=archived"));
    assert_eq!((prices(""), prices("&status=active"), prices("&status=archived")), (1, 1, 2));
}

#[test]
fn alerts_are_of_a_customer_or_of_a_subscription_with_its_plan() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customers: Vec<Value> =
        orb.account().records(Collection::Customers).iter().map(|it| value(it)).collect();
    for customer in &customers {
        let alerts = client.read_all(&format!("/v1/alerts?customer_id={}", customer["id"].as_str().unwrap()));
        let of_it = |it: &String| value(it)["customer"]["id"] == customer["id"];
        assert!(alerts.iter().all(of_it));
        if customer["external_customer_id"] == "0042" {
            assert_eq!(client.read_all("/v1/alerts?external_customer_id=0042"), alerts);
        }
    }
    let mut shared: Vec<String> = Vec::new();
    let held = orb.account().ids(Collection::Subscriptions);
    for id in held {
        let alerts = client.read_all(&format!("/v1/alerts?subscription_id={id}"));
        for alert in alerts.iter().map(|it| value(it)) {
            match alert["type"].as_str() {
                Some("spend_exceeded") => {
                    assert!(alert["subscription"].is_null() && alert["plan"]["id"].is_string());
                    shared.push(alert["id"].as_str().unwrap().to_owned());
                }
                _ => assert_eq!(alert["subscription"]["id"], id.as_str()),
            }
        }
    }
    let all = shared.len();
    shared.sort_unstable();
    shared.dedup();
    assert!(!shared.is_empty() && shared.len() < all, "subscriptions share the alert of their plan");
}

#[test]
fn summaries_follow_their_records() {
    let orb = start();
    let mut client = Client::new(&orb);
    let statuses = "status[]=draft&status[]=issued&status[]=paid&status[]=synced&status[]=void";
    let invoices = client.read_all(&format!("/v1/invoices?limit=100&{statuses}"));
    let summaries = client.read_all(&format!("/v1/invoices/summary?limit=100&{statuses}"));
    assert_eq!(summaries.len(), invoices.len());
    for (summary, invoice) in summaries.iter().map(|it| value(it)).zip(invoices.iter().map(|it| value(it))) {
        for (name, field) in summary.as_object().unwrap() {
            assert_eq!(*field, invoice[name], "{name}");
        }
        assert!(summary.get("line_items").is_none() && summary.get("subtotal").is_none());
    }
    assert_eq!(
        client.read_all("/v1/invoices/summary?status=void").len(),
        client.read_all("/v1/invoices?status[]=void").len()
    );
    let default = client.read_all("/v1/invoices/summary?limit=100").len();
    assert_eq!(default, client.read_all("/v1/invoices?limit=100").len());
    let id = orb.account().ids(Collection::Subscriptions).swap_remove(3);
    orb.account().set_field(Collection::Subscriptions, &id, "name", "\"renamed\"").unwrap();
    let subscriptions = client.read_all("/v1/subscriptions?limit=100");
    let summaries = client.read_all("/v1/subscriptions/summary?limit=100");
    for (summary, whole) in summaries.iter().map(|it| value(it)).zip(subscriptions.iter().map(|it| value(it)))
    {
        for name in ["id", "created_at", "name", "metadata", "start_date", "end_date", "status"] {
            assert_eq!(summary[name], whole[name], "{name}");
        }
        assert_eq!(summary["customer"]["id"], whole["customer"]["id"]);
        assert_eq!(summary["plan"]["id"], whole["plan"]["id"]);
        assert_eq!(summary.as_object().unwrap().len(), 9);
    }
    assert!(summaries.iter().any(|it| value(it)["name"] == "renamed"));
    let ended = client.read_all("/v1/subscriptions/summary?status=ended");
    assert_eq!(ended.len(), client.read_all("/v1/subscriptions?status=ended").len());
}
