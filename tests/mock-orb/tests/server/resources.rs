//! Tests of what all lists of resources have in common: pages, keys, refusals, changes, faults.

use std::collections::HashSet;

use mock_orb::{Account, Collection, Fault, MockOrb, RecordError, Settings, Unavailable};
use serde_json::Value;

use crate::client::{Client, encoded, id_of};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { invoices: 230, ..Settings::default() }))
}

/// A list: its name, its target with a query that selects everything, and the owner in it.
pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) owner: String,
    /// Ends in `?` or `&`.
    pub(crate) target: String,
}

/// Every list of records of an account.
pub(crate) fn lists(account: &Account) -> Vec<List> {
    let list = |name, owner: &str, target: String| List { name, owner: owner.to_owned(), target };
    let mut lists: Vec<List> = [
        ("items", "items?"),
        ("billable_metrics", "metrics?"),
        ("prices", "prices?"),
        ("coupons", "coupons?show_archived=true&"),
        ("credit_notes", "credit_notes?"),
        ("dimensional_price_groups", "dimensional_price_groups?"),
        ("license_types", "license_types?"),
        ("event_backfills", "events/backfills?"),
        ("webhook_endpoints", "webhook_endpoints?"),
        ("webhook_events", "webhook_events?"),
    ]
    .map(|(name, target)| list(name, "", format!("/v1/{target}")))
    .into();
    for id in account.ids(Collection::Customers) {
        let at = |rest: &str| format!("/v1/customers/{id}/{rest}");
        lists.push(list("customer_balance_transactions", &id, at("balance_transactions?")));
        lists.push(list("credit_top_ups", &id, at("credits/top_ups?")));
        lists.push(list("alerts", &id, format!("/v1/alerts?customer_id={id}&")));
    }
    for id in account.ids(Collection::Subscriptions) {
        lists.push(list("subscription_schedules", &id, format!("/v1/subscriptions/{id}/schedule?")));
        lists.push(list("licenses", &id, format!("/v1/licenses?subscription_id={id}&")));
        lists.push(list("alerts", &id, format!("/v1/alerts?subscription_id={id}&")));
    }
    for id in account.ids(Collection::Plans) {
        lists.push(list("plan_migrations", &id, format!("/v1/plans/{id}/migrations?")));
    }
    for group in account.rows("dimensional_price_groups", "") {
        let id = id_of(&group);
        let target = format!("/v1/dimensional_price_groups/{id}/prices?status=all&");
        lists.push(list("dimensional_price_group_prices", &id, target));
    }
    lists
}

#[test]
fn every_list_is_read_whole_and_in_order_whatever_the_limit() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut filled = HashSet::new();
    let lists = lists(&orb.account());
    for List { name, owner, target } in &lists {
        let expected = orb.account().rows(name, owner);
        for limit in [1, 7, 100] {
            let records = client.read_all(&format!("{target}limit={limit}"));
            assert_eq!(records, expected, "{target} by {limit}");
        }
        if !expected.is_empty() {
            filled.insert(*name);
        }
    }
    let names: HashSet<&str> = lists.iter().map(|list| list.name).collect();
    assert_eq!(filled, names, "lists without records");
}

#[test]
fn identifiers_are_unique_among_all_owners() {
    let account = Account::generate(&Settings { invoices: 230, ..Settings::default() });
    let mut seen: HashSet<(&str, String)> = HashSet::new();
    for List { name, owner, .. } in lists(&account) {
        for record in account.rows(name, &owner) {
            let value: Value = serde_json::from_str(&record).expect("JSON");
            // A schedule has no identifiers, and a plan's alert is listed by each subscription.
            let key = match name {
                "subscription_schedules" => format!("{owner} {}", value["start_date"]),
                "alerts" => format!("{owner} {}", value["id"]),
                _ => value["id"].to_string(),
            };
            assert!(seen.insert((name, key)), "{name} {owner}: {record}");
        }
    }
}

#[test]
fn equal_settings_give_equal_resources() {
    let [one, two] = [(); 2].map(|()| Account::generate(&Settings::default()));
    let other = Account::generate(&Settings { seed: 2, ..Settings::default() });
    for List { name, owner, .. } in lists(&one) {
        let rows = one.rows(name, &owner);
        assert_eq!(rows, two.rows(name, &owner));
        assert!(rows.is_empty() || rows != other.rows(name, &owner), "{name}");
    }
}

#[test]
fn asking_wrongly_is_refused_everywhere() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut refused = |target: &str| {
        let answer = client.get(target).unwrap();
        (answer.status, answer.problem()) == (400, "400-request-validation-errors".to_owned())
    };
    let mut seen = HashSet::new();
    let first = lists(&orb.account()).into_iter().filter(|it| seen.insert(it.name));
    for List { name, target, .. } in first {
        for query in
            ["limit=0", "limit=101", "limit=1.0", "cursor=abc", "updated_at[gte]=2024-01-01T00:00:00Z"]
        {
            assert!(refused(&format!("{target}{query}")), "{name}: {query}");
        }
    }
    for target in [
        "items?created_at[gte]=2024-01-01T00:00:00Z",
        "coupons?show_archived=yes",
        "credit_notes?customer_id=x",
        "events/volume",
        "events/volume?timeframe_start=2024-06-01",
        "events/volume?timeframe_start=2024-06-02T00:00:00Z&timeframe_end=2024-06-01T00:00:00Z",
        "invoices/upcoming",
        "licenses",
        "licenses/usage?subscription_id=x",
        "alerts",
        "alerts?customer_id=a&subscription_id=b",
        "alerts?customer_id=a&external_customer_id=b",
        "subscription_changes?status=done",
        "invoices/summary?include_zero_quantity_line_items=true",
    ] {
        assert!(refused(&format!("/v1/{target}")), "{target}");
    }
}

#[test]
fn what_does_not_exist_has_no_lists() {
    let orb = start();
    let mut client = Client::new(&orb);
    for target in [
        "customers/none/credits",
        "customers/none/balance_transactions",
        "customers/none/credits/top_ups",
        "customers/none/costs",
        "subscriptions/none/costs",
        "subscriptions/none/schedule",
        "plans/none/migrations",
        "plans/none/versions/1",
        "coupons/none/subscriptions",
        "dimensional_price_groups/none/prices",
        "credit_blocks/none/invoices",
        "alerts?external_customer_id=none",
        "licenses?subscription_id=none",
        "invoices/upcoming?subscription_id=none",
    ] {
        let answer = client.get(&format!("/v1/{target}")).unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (404, "404-resource-not-found"), "{target}");
    }
    for target in ["items/x/y", "customers/x/credits/", "plans/x/versions", "webhook_events/x/y"] {
        assert_eq!(client.get(&format!("/v1/{target}")).unwrap().problem(), "404-url-not-found", "{target}");
    }
}

#[test]
fn page_tokens_are_bound_to_their_owner_and_filters() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customers = orb.account().customer_ids();
    let long = |id: &&String| orb.account().rows("customer_balance_transactions", id).len() > 20;
    let [one, two] =
        <[&String; 2]>::try_from(customers.iter().filter(long).take(2).collect::<Vec<_>>()).unwrap();
    let target = |id: &str| format!("/v1/customers/{id}/balance_transactions?limit=5");
    let token = encoded(&client.get(&target(one)).unwrap().page_token().unwrap());
    assert_eq!(client.get(&format!("{}&cursor={token}", target(one))).unwrap().status, 200);
    assert_eq!(client.get(&format!("{}&cursor={token}", target(two))).unwrap().status, 400);
    let filtered = format!("{}&operation_time[gte]=2024-01-01T00:00:00Z&cursor={token}", target(one));
    assert_eq!(client.get(&filtered).unwrap().status, 400);
}

#[test]
fn an_account_may_lack_any_resource() {
    let orb = start();
    let mut client = Client::new(&orb);
    let targets = [
        ("items", "/v1/items"),
        ("customers", "/v1/customers"),
        ("subscription_summaries", "/v1/subscriptions/summary"),
        ("event_volumes", "/v1/events/volume"),
        ("webhook_events", "/v1/webhook_events?limit=1"),
    ];
    for (name, target) in targets {
        let mut problem = |how| {
            orb.account().make_unavailable(name, how).unwrap();
            client.get(target).unwrap().problem()
        };
        assert_eq!(problem(Unavailable::UrlNotFound), "404-url-not-found");
        assert_eq!(problem(Unavailable::FeatureNotAvailable), "404-feature-not-available");
    }
    assert_eq!(client.get("/v1/subscriptions").unwrap().status, 200);
    assert!(orb.account().make_unavailable("nothing", Unavailable::UrlNotFound).is_err());
}

#[test]
fn records_are_stored_changed_and_removed() {
    let orb = start();
    let mut client = Client::new(&orb);
    let at = "2024-06-01T00:00:00Z".parse().unwrap();
    let note = "{\"id\": \"mine\", \"created_at\":\"2024-06-01T00:00:00Z\", \"total\":1.10}";
    assert_eq!(orb.account().insert_row("credit_notes", "", at, note), Ok("mine".to_owned()));
    let query = "created_at[gte]=2024-06-01T00:00:00Z&created_at[lte]=2024-06-01T00:00:00Z&limit=100";
    assert_eq!(client.read_all(&format!("/v1/credit_notes?{query}")), [note]);
    orb.account().set_row_field("credit_notes", "", "mine", "total", "2.0").unwrap();
    let changed = client.read_all(&format!("/v1/credit_notes?{query}"));
    assert_eq!(changed, [note.replace("1.10", "2.0")]);
    assert!(orb.account().remove_row("credit_notes", "", "mine"));
    assert!(client.read_all(&format!("/v1/credit_notes?{query}")).is_empty());
    let mut account = orb.account();
    assert!(!account.remove_row("credit_notes", "", "mine"));
    let unknown = account.insert_row("credit_top_ups", "nobody", at, "{\"id\":\"a\"}");
    assert!(matches!(unknown, Err(RecordError::Unknown { .. })));
    assert_eq!(account.insert_row("items", "", at, "{}"), Err(RecordError::FieldMissing("id")));
    assert_eq!(account.insert_row("items", "", at, "[]"), Err(RecordError::NotAnObject));
    assert!(account.insert_row("customer_costs", "", at, "{\"id\":\"a\"}").is_err(), "no list of records");
}

#[test]
fn a_change_leaves_a_list_in_its_order() {
    let orb = start();
    let mut client = Client::new(&orb);
    let before = orb.account().rows("items", "");
    let id = id_of(&before[3]);
    orb.account().set_row_field("items", "", &id, "name", "\"renamed\"").unwrap();
    let after = client.read_all("/v1/items?limit=5");
    assert_eq!(after.len(), before.len());
    assert!(after[3].contains("\"renamed\"") && id_of(&after[3]) == id);
    assert_eq!([&after[..3], &after[4..]], [&before[..3], &before[4..]]);
}

#[test]
fn faults_befall_every_resource() {
    let orb = start();
    let mut client = Client::new(&orb);
    orb.inject(Fault::status(503).on("/v1/credit_notes").times(1));
    assert_eq!(client.get("/v1/credit_notes").unwrap().status, 503);
    assert_eq!(client.get("/v1/credit_notes").unwrap().status, 200);
    orb.inject(Fault::repeat_page_token().on("/v1/coupons"));
    let token = client.get("/v1/coupons?limit=50").unwrap().page_token().unwrap();
    let target = format!("/v1/coupons?limit=50&cursor={}", encoded(&token));
    assert_eq!(client.get(&target).unwrap().page_token(), Some(token));
    orb.inject(Fault::status(413).on_exactly("/v1/events/volume").with_query_above("limit", 50));
    let volume = "/v1/events/volume?timeframe_start=2024-06-01T00:00:00Z";
    assert_eq!(client.get(&format!("{volume}&limit=51")).unwrap().status, 413);
    assert_eq!(client.get(&format!("{volume}&limit=50")).unwrap().status, 200);
}

#[test]
fn license_types_are_the_only_list_with_the_oldest_first() {
    let orb = start();
    let mut client = Client::new(&orb);
    let before = client.read_all("/v1/license_types?limit=1");
    let later = "2024-12-31T00:00:00Z".parse().unwrap();
    orb.account().insert_row("license_types", "", later, "{\"id\":\"last\"}").unwrap();
    let earlier = "2020-01-01T00:00:00Z".parse().unwrap();
    orb.account().insert_row("license_types", "", earlier, "{\"id\":\"first\"}").unwrap();
    let ids: Vec<String> = client.read_all("/v1/license_types?limit=2").iter().map(|it| id_of(it)).collect();
    let expected: Vec<String> = before.iter().map(|it| id_of(it)).collect();
    assert_eq!(ids[0], "first");
    assert!(ids.iter().position(|id| *id == expected[0]) < ids.iter().position(|id| id == "last"));
    assert_eq!(ids.len(), expected.len() + 2);
}
