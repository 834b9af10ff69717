//! Tests of what has no stored records: volumes, license usage, plan versions, upcoming invoices.

use mock_orb::{Account, Collection, MockOrb, Settings};
use serde_json::Value;

use crate::client::{Client, encoded, id_of};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn read(client: &mut Client, target: &str) -> Vec<Value> {
    let answer = client.get(&format!("/v1/{target}")).expect("an answer");
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.records().iter().map(|record| json(record)).collect()
}

#[test]
fn hours_are_cut_at_the_limit_without_a_sign() {
    let orb = start();
    let mut client = Client::new(&orb);
    let week = "events/volume?timeframe_start=2024-06-01T00:00:00Z&timeframe_end=2024-06-08T00:00:00Z";
    let answer = client.get(&format!("/v1/{week}&limit=100")).unwrap();
    assert_eq!(json(answer.text()).as_object().unwrap().keys().collect::<Vec<_>>(), ["data"]);
    let hours = read(&mut client, &format!("{week}&limit=100"));
    assert_eq!(hours.len(), 100);
    assert_eq!(read(&mut client, week), hours[..20]);
    let day =
        "events/volume?timeframe_start=2024-06-01T00:00:00Z&timeframe_end=2024-06-02T00:00:00Z&limit=100";
    let day = read(&mut client, day);
    assert!(day.len() < 24, "hours without events have no row");
    assert_eq!(hours[..day.len()], day);
}

#[test]
fn volumes_include_the_hours_that_the_bounds_are_in() {
    let orb = start();
    let mut client = Client::new(&orb);
    let at = "2030-01-01T10:30:00Z".parse().unwrap();
    orb.account().add_event_volume(at, 3);
    orb.account().add_event_volume(at, 4);
    let mut volumes = |start: &str, end: &str| {
        let target =
            format!("events/volume?timeframe_start=2030-01-01T{start}Z&timeframe_end=2030-01-01T{end}Z");
        read(&mut client, &target)
    };
    let expected = serde_json::json!([{
        "timeframe_start": "2030-01-01T10:00:00+00:00", "timeframe_end": "2030-01-01T11:00:00+00:00", "count": 7
    }]);
    for (start, end) in [("10:00:00", "11:00:00"), ("10:59:59", "12:00:00"), ("09:00:00", "10:00:01")] {
        assert_eq!(Value::from(volumes(start, end)), expected, "{start} to {end}");
    }
    assert!(volumes("09:00:00", "10:00:00").is_empty() && volumes("11:00:00", "12:00:00").is_empty());
}

/// A subscription with licenses, and their type.
fn licensed(orb: &MockOrb) -> (String, String) {
    let account = orb.account();
    let ids = account.ids(Collection::Subscriptions);
    // An old one, so that all of its licenses have begun.
    let with_license = |id: &String| Some((id.clone(), account.rows("licenses", id).pop()?));
    let (id, license) = ids.iter().rev().find_map(with_license).expect("a license");
    (id, json(&license)["license_type_id"].as_str().expect("a type").to_owned())
}

#[test]
fn license_usage_is_grouped_as_asked() {
    let orb = start();
    let mut client = Client::new(&orb);
    let (id, license_type) = licensed(&orb);
    let target = format!("/v1/licenses/usage?subscription_id={id}&license_type_id={license_type}");
    let mut rows = |query: &str| -> Vec<Value> {
        client.read_all(&format!("{target}&limit=7&{query}")).iter().map(|row| json(row)).collect()
    };
    let month = "start_date=2024-05-01&end_date=2024-06-01";
    let each = rows(&format!("{month}&group_by=license,day"));
    let mut keys: Vec<(String, String)> =
        each.iter().map(|row| (row["license_id"].to_string(), row["start_date"].to_string())).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), each.len());
    assert!(each.len() > 40, "{}", each.len());
    let licenses = orb.account().rows("licenses", &id);
    let ids: Vec<String> = licenses.iter().map(|it| id_of(it)).collect();
    for row in &each {
        assert!(ids.iter().any(|id| row["license_id"] == id.as_str()));
        assert_eq!(
            (&row["subscription_id"], &row["license_type_id"]),
            (&id.as_str().into(), &license_type.as_str().into())
        );
    }
    let consumed =
        |rows: &[Value]| rows.iter().map(|row| row["consumed_credits"].as_f64().unwrap()).sum::<f64>();
    for (query, count) in [("", 1), ("group_by=day", 31)] {
        let grouped = rows(&format!("{month}&{query}"));
        assert_eq!(grouped.len(), count);
        assert!(grouped.iter().all(|row| row.get("license_id").is_none_or(Value::is_null)));
        assert!((consumed(&grouped) - consumed(&each)).abs() < 1e-6);
    }
    let by_license = rows(&format!("{month}&group_by=license"));
    assert!((consumed(&by_license) - consumed(&each)).abs() < 1e-6);
    assert!(
        by_license.iter().all(|row| row["start_date"] == "2024-05-01" && row["end_date"] == "2024-06-01")
    );
    assert!(rows("start_date=2024-05-01&end_date=2024-05-01&group_by=license,day").is_empty());
}

#[test]
fn asking_wrongly_for_license_usage_is_refused() {
    let orb = start();
    let mut client = Client::new(&orb);
    let (id, license_type) = licensed(&orb);
    let mut problem = |query: String| client.get(&format!("/v1/licenses/usage?{query}")).unwrap().problem();
    let both = format!("subscription_id={id}&license_type_id={license_type}");
    for query in [
        format!("license_type_id={license_type}"),
        format!("subscription_id={id}"),
        format!("{both}&group_by=customer"),
        format!("{both}&start_date=2024-05-01T00:00:00Z"),
        format!("{both}&limit=101"),
    ] {
        assert_eq!(problem(query.clone()), "400-request-validation-errors", "{query}");
    }
    assert_eq!(problem(format!("subscription_id={id}&license_type_id=none")), "404-resource-not-found");
    let upcoming = orb.account().records(Collection::Subscriptions);
    let upcoming = upcoming.iter().find(|it| json(it)["status"] == "upcoming").map(|it| id_of(it)).unwrap();
    let without_dates = format!("subscription_id={upcoming}&license_type_id={license_type}");
    assert_eq!(problem(without_dates), "400-constraint-violation");
}

#[test]
fn plans_have_versions_from_one_to_the_newest() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut beyond_default = 0;
    let held = orb.account().records(Collection::Plans);
    for plan in held {
        let plan = json(&plan);
        let id = plan["id"].as_str().unwrap();
        let mut version = |number: u64| {
            let answer = client.get(&format!("/v1/plans/{id}/versions/{number}")).unwrap();
            (answer.status == 200).then(|| json(answer.text()))
        };
        assert_eq!(version(0), None);
        let versions: Vec<Value> = (1..).map_while(&mut version).collect();
        let default = plan["version"].as_u64().unwrap();
        assert!((default..=default + 1).contains(&(versions.len() as u64)));
        beyond_default += versions.len() as u64 - default;
        for (position, version) in versions.iter().enumerate() {
            assert_eq!(version["version"], position + 1);
        }
        let current = &versions[default as usize - 1];
        assert_eq!((&current["prices"], &current["adjustments"]), (&plan["prices"], &plan["adjustments"]));
    }
    assert!(beyond_default > 0);
    let id = orb.account().ids(Collection::Plans).swap_remove(0);
    for other in ["x", "1.0", "-1"] {
        let answer = client.get(&format!("/v1/plans/{id}/versions/{}", encoded(other))).unwrap();
        assert_eq!(answer.problem(), "404-resource-not-found");
    }
}

#[test]
fn only_active_subscriptions_have_an_upcoming_invoice() {
    let orb = start();
    let mut client = Client::new(&orb);
    orb.account().create_subscription("2024-12-01T00:00:00Z".parse().unwrap());
    let (mut ids, mut lines) = (Vec::new(), Vec::new());
    let held = orb.account().records(Collection::Subscriptions);
    for subscription in held.iter().map(|it| json(it)) {
        let id = subscription["id"].as_str().unwrap();
        let answer = client.get(&format!("/v1/invoices/upcoming?subscription_id={id}")).unwrap();
        if subscription["status"] != "active" {
            assert_eq!(answer.problem(), "400-constraint-violation");
            continue;
        }
        let invoice = json(answer.text());
        assert_eq!(invoice["subscription"]["id"], id);
        assert_eq!(invoice["customer"]["id"], subscription["customer"]["id"]);
        assert_eq!(invoice["target_date"].as_str().map(|it| &it[..19]), Some("2025-01-01T00:00:00"));
        assert!(invoice.get("invoice_date").is_none());
        let prices = subscription["price_intervals"].as_array().unwrap();
        for line in invoice["line_items"].as_array().unwrap() {
            assert!(prices.iter().any(|interval| interval["price"] == line["price"]));
            lines.push(line["id"].as_str().unwrap().to_owned());
        }
        ids.push(invoice["id"].as_str().unwrap().to_owned());
    }
    for list in [&mut ids, &mut lines] {
        let count = list.len();
        list.sort_unstable();
        list.dedup();
        assert!(count > 10 && list.len() == count);
    }
}

#[test]
fn created_records_have_lists_of_their_own() {
    let orb = start();
    let mut client = Client::new(&orb);
    let at = "2024-11-01T00:00:00Z".parse().unwrap();
    let subscription = orb.account().create_subscription(at);
    let schedule = read(&mut client, &format!("subscriptions/{subscription}/schedule"));
    assert!(!schedule.is_empty());
    let record = orb.account().record(Collection::Subscriptions, &subscription).unwrap();
    let starts: Vec<&Value> = schedule.iter().map(|it| &it["start_date"]).collect();
    assert!(starts.contains(&&json(&record)["start_date"]));
    let mut account = orb.account();
    let stranger = r#"{"id":"stranger","created_at":"2024-11-01T00:00:00Z"}"#;
    account.insert(Collection::Customers, stranger).unwrap();
    drop(account);
    for list in ["credits", "balance_transactions", "credits/top_ups", "costs"] {
        assert!(read(&mut client, &format!("customers/stranger/{list}")).is_empty(), "{list}");
    }
}
