//! Tests of what mutations change, and leave as it was, in the usage and costs of past days.

use std::collections::HashSet;

use mock_orb::{Account, Action, Collection, MockOrb, RecordError, Settings};

use crate::client::Client;
use crate::mutations::{instant, text, value};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { invoices: 230, ..Settings::default() }))
}

/// What the account says about the days of some weeks, by path.
fn days(client: &mut Client, account: &Account) -> Vec<(String, String)> {
    let frame = "timeframe_start=2024-11-01T00:00:00Z&timeframe_end=2024-12-31T00:00:00Z";
    let mut paths = vec!["/v1/events/volume?limit=100&timeframe_start=2024-12-08T00:00:00Z".to_owned()];
    for id in account.ids(Collection::Subscriptions) {
        paths.push(format!("/v1/subscriptions/{id}/usage?granularity=day&view_mode=periodic&{frame}"));
        paths.push(format!("/v1/subscriptions/{id}/costs?view_mode=periodic&{frame}"));
    }
    let mut answer = |path: String| {
        let text = client.get(&path).expect("an answer").text().to_owned();
        (path, text)
    };
    paths.into_iter().map(&mut answer).collect()
}

#[test]
fn a_backfill_changes_its_days_of_its_customer_until_it_is_reverted() {
    let orb = start();
    let mut client = Client::new(&orb);
    let account = orb.account().clone();
    let before = days(&mut client, &account);
    let subscriptions = account.records(Collection::Subscriptions);
    // An old one, which was alive on those days.
    let mut oldest = subscriptions.iter().rev().map(|it| value(it));
    let active = oldest.find(|it| it["status"] == "active").unwrap();
    let customer = text(&active["customer"]["id"]);
    let mutate = |text: &str| orb.mutate(text).unwrap().remove(0).unwrap();
    let frame = "2024-12-08T00:00:00Z/2024-12-10T00:00:00Z";
    let backfill = mutate(&format!("start_backfill {customer} {frame}")).id;
    let status = |client: &mut Client| {
        value(client.get(&format!("/v1/events/backfills/{backfill}")).unwrap().text())["status"].clone()
    };
    assert_eq!((status(&mut client), days(&mut client, &account)), ("pending".into(), before.clone()));
    mutate(&format!("reflect_backfill {backfill}"));
    assert_eq!(status(&mut client), "reflected");
    let after = days(&mut client, &account);
    let changed: Vec<&String> =
        before.iter().zip(&after).filter(|(old, new)| old != new).map(|(old, _)| &old.0).collect();
    let of_customer = |path: &String| {
        subscriptions
            .iter()
            .map(|it| value(it))
            .any(|it| it["customer"]["id"] == customer && path.contains(text(&it["id"])))
    };
    assert!(changed[0].contains("/events/volume") && changed.len() >= 3, "{changed:?}");
    assert!(changed[1..].iter().all(|path| of_customer(path)), "{changed:?}");
    let usage = |answers: &[(String, String)]| {
        let id = text(&active["id"]);
        let (_, text) = answers.iter().find(|(path, _)| path.contains(id)).unwrap();
        let metrics = value(text)["data"].as_array().unwrap().clone();
        let rows = metrics.into_iter().flat_map(|metric| metric["usage"].as_array().unwrap().clone());
        rows.map(|row| row.to_string()).collect::<HashSet<String>>()
    };
    for row in usage(&after).difference(&usage(&before)) {
        let start = instant(&value(row)["timeframe_start"]);
        let days = ["2024-12-07T00:00:00Z", "2024-12-10T00:00:00Z"].map(|it| it.parse().unwrap());
        assert!((days[0]..days[1]).contains(&start), "{row}");
    }
    mutate(&format!("begin_revert {backfill}"));
    assert_eq!((status(&mut client), days(&mut client, &account)), ("pending_revert".into(), after));
    mutate(&format!("revert_backfill {backfill}"));
    assert_eq!((status(&mut client), days(&mut client, &account)), ("reverted".into(), before));
    let again = orb.mutate(&format!("revert_backfill {backfill}")).unwrap().remove(0);
    assert!(matches!(again, Err(RecordError::Refused { .. })));
}

#[test]
fn a_plan_change_or_an_end_leaves_the_past_as_it_was() {
    let orb = start();
    let mut client = Client::new(&orb);
    let account = orb.account().clone();
    let before = days(&mut client, &account);
    let changed = orb.account().mutate(&Action::ChangePlan.into()).unwrap().id;
    let ended = orb.account().mutate(&Action::EndSubscription.into()).unwrap().id;
    assert_eq!(days(&mut client, &account), before);
    let of = |id: &str| {
        (account.record(Collection::Subscriptions, id), orb.account().record(Collection::Subscriptions, id))
    };
    let (old, new) = of(&changed);
    let (old, new) = (value(&old.unwrap()), value(&new.unwrap()));
    assert_ne!(old["plan"]["id"], new["plan"]["id"]);
    let plan = orb.account().record(Collection::Plans, text(&new["plan"]["id"])).unwrap();
    assert_eq!(new["plan"], value(&plan));
    let schedule = orb.account().rows("subscription_schedules", &changed);
    assert_eq!(value(&schedule[0])["plan"]["id"], new["plan"]["id"]);
    let (_, new) = of(&ended);
    assert_eq!(value(&new.unwrap())["status"], "ended");
    let upcoming = client.get(&format!("/v1/invoices/upcoming?subscription_id={ended}")).unwrap();
    assert_eq!(upcoming.status, 400);
}
