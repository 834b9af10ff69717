//! Tests of records that are asked for by their identifier.

use mock_orb::{Account, Collection, MockOrb, Settings, Unavailable};
use serde_json::Value;

use crate::client::{Client, encoded, id_of};
use crate::resources::{List, lists};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { invoices: 230, ..Settings::default() }))
}

/// The path of a record of a list; `None` if Orb has no endpoint for it.
pub(crate) fn path_of(name: &str, owner: &str, id: &str) -> Option<String> {
    let path = match name {
        "event_backfills" => "events/backfills",
        "billable_metrics" => "metrics",
        "dimensional_price_group_prices" => "prices",
        "plan_migrations" => return Some(format!("/v1/plans/{owner}/migrations/{}", encoded(id))),
        "customer_balance_transactions" | "credit_top_ups" | "subscription_schedules" => return None,
        name => name,
    };
    Some(format!("/v1/{path}/{}", encoded(id)))
}

#[test]
fn a_record_by_its_identifier_is_the_one_in_the_list() {
    let orb = start();
    let mut client = Client::new(&orb);
    let lists = lists(&orb.account());
    let mut compared = 0;
    for List { name, owner, .. } in &lists {
        let records = orb.account().rows(name, owner);
        for record in records {
            let value: Value = serde_json::from_str(&record).unwrap();
            // A plan's alert is listed by all of its subscriptions.
            let is_shared = *name == "alerts" && !value["plan"].is_null() && value["subscription"].is_null();
            let Some(id) = value["id"].as_str() else { continue };
            let Some(path) = path_of(name, owner, id).filter(|_| !is_shared) else { continue };
            assert_eq!(client.get(&path).unwrap().text(), record, "{path}");
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared}");
    for collection in Collection::ALL {
        let records = orb.account().records(collection);
        for record in records {
            let path = format!("/v1/{}/{}", collection.segment(), id_of(&record));
            assert_eq!(client.get(&path).unwrap().text(), record);
        }
    }
}

#[test]
fn credit_blocks_changes_and_prices_of_plans_are_found() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut found = [0; 3];
    let account = orb.account().clone();
    for customer in account.customer_ids() {
        for block in account.rows("credit_blocks", &customer) {
            let answer = client.get(&format!("/v1/credit_blocks/{}", id_of(&block))).unwrap();
            assert_eq!(answer.text(), block);
            found[0] += 1;
        }
    }
    for row in account.rows("subscription_changes", "") {
        let row: Value = serde_json::from_str(&row).unwrap();
        let path = format!("/v1/subscription_changes/{}", row["id"].as_str().unwrap());
        let change: Value = serde_json::from_str(client.get(&path).unwrap().text()).unwrap();
        assert_eq!((&change["id"], &change["status"]), (&row["id"], &row["status"]));
        assert_eq!(change["subscription"]["id"], row["subscription_id"]);
        assert!(change["change_type"].is_string() && change.get("subscription_id").is_none());
        found[1] += 1;
    }
    for plan in account.records(Collection::Plans) {
        let plan: Value = serde_json::from_str(&plan).unwrap();
        for price in plan["prices"].as_array().unwrap() {
            let path = format!("/v1/prices/{}", price["id"].as_str().unwrap());
            let answer: Value = serde_json::from_str(client.get(&path).unwrap().text()).unwrap();
            assert_eq!(answer, *price);
            found[2] += 1;
        }
    }
    assert!(found.iter().all(|count| *count > 10), "{found:?}");
}

#[test]
fn what_does_not_exist_is_not_found_and_queries_are_refused() {
    let orb = start();
    let mut client = Client::new(&orb);
    let plan = orb.account().ids(Collection::Plans).remove(0);
    let paths = [
        "items",
        "metrics",
        "prices",
        "coupons",
        "credit_notes",
        "dimensional_price_groups",
        "license_types",
        "licenses",
        "events/backfills",
        "alerts",
        "credit_blocks",
        "subscription_changes",
        "webhook_endpoints",
        "webhook_events",
        &format!("plans/{plan}/migrations"),
    ];
    for path in paths {
        let missing = client.get(&format!("/v1/{path}/none")).unwrap();
        assert_eq!((missing.status, missing.problem()), (404, "404-resource-not-found".to_owned()), "{path}");
        let refused = client.get(&format!("/v1/{path}/none?limit=1")).unwrap();
        assert_eq!(refused.problem(), "400-request-validation-errors", "{path}");
    }
}

#[test]
fn a_record_follows_its_list() {
    let orb = start();
    let mut client = Client::new(&orb);
    let id = id_of(&orb.account().rows("items", "")[3]);
    orb.account().set_row_field("items", "", &id, "name", "\"other\"").unwrap();
    let path = format!("/v1/items/{id}");
    assert!(client.get(&path).unwrap().text().contains("\"name\":\"other\""));
    assert!(orb.account().remove_row("items", "", &id));
    assert_eq!(client.get(&path).unwrap().status, 404);
    orb.account().make_unavailable("items", Unavailable::FeatureNotAvailable).unwrap();
    assert_eq!(client.get(&path).unwrap().problem(), "404-feature-not-available");

    let subscriptions = orb.account().ids(Collection::Subscriptions);
    let licensed = subscriptions.iter().find(|id| !orb.account().rows("licenses", id).is_empty()).unwrap();
    let license = id_of(&orb.account().rows("licenses", licensed)[0]);
    let path = format!("/v1/licenses/{license}");
    orb.account().set_row_field("licenses", licensed, &license, "status", "\"inactive\"").unwrap();
    assert!(client.get(&path).unwrap().text().contains("\"inactive\""));
    orb.account().remove(Collection::Subscriptions, licensed);
    assert_eq!(client.get(&path).unwrap().status, 404);
}
