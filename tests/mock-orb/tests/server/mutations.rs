//! Tests of accounts that mutate while somebody reads them. What they share is how an account is
//! compared before and after.

use std::collections::HashSet;

use mock_orb::{
    Account, Action, Applied, Clock, Collection, MockOrb, Moment, Mutation, MutationOptions, PayloadStyle,
    RecordError, Script, Settings, Timestamp,
};
use serde_json::Value;

use crate::client::{Client, id_of};
use crate::resources::{List, lists};
use crate::singles::path_of;

fn settings() -> Settings {
    Settings { invoices: 230, ..Settings::default() }
}

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&settings()))
}

pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub(crate) fn instant(value: &Value) -> Timestamp {
    text(value).parse().expect("an instant")
}

/// The events that mutations have logged, newest first.
fn logged(account: &Account) -> Vec<Value> {
    let events = account.rows("webhook_events", "").into_iter().map(|text| value(&text));
    events.filter(|event| instant(&event["created_at"]) > account.settings().last).collect()
}

/// The path of the object that an event names, its name in the payload, and the object.
fn subject(event: &Value) -> (String, String, Value) {
    let names = [
        ("invoice", "invoices"),
        ("subscription", "subscriptions"),
        ("customer", "customers"),
        ("plan", "plans"),
        ("credit_note", "credit_notes"),
        ("price", "prices"),
        ("billable_metric", "metrics"),
        ("backfill", "events/backfills"),
    ];
    let payload = &event["payload"];
    let (name, path) = *names.iter().find(|(name, _)| payload.get(*name).is_some()).expect("an object");
    let object = payload[name].clone();
    (format!("/v1/{path}/{}", text(&object["id"])), name.to_owned(), object)
}

/// Everything that an account says.
fn everything(account: &Account) -> Vec<String> {
    let rows = lists(account).into_iter().flat_map(|List { name, owner, .. }| account.rows(name, &owner));
    let records = Collection::ALL.into_iter().flat_map(|collection| account.records(collection));
    records.chain(rows).collect()
}

#[test]
fn each_action_is_logged_with_the_object_as_it_is() {
    let orb = start();
    let mut client = Client::new(&orb);
    // So that there is a stub to erase, and a backfill to revert.
    orb.mutate("delete_customer").unwrap().remove(0).unwrap();
    orb.mutate("reflect_backfill").unwrap().remove(0).unwrap();
    for action in Action::ALL {
        if *action == Action::RevertBackfill {
            orb.mutate("reflect_backfill").unwrap().remove(0).unwrap();
        }
        let before = logged(&orb.account()).len();
        let applied = orb.account().mutate(&(*action).into()).unwrap();
        let events = logged(&orb.account());
        let events = &events[..events.len() - before];
        let types: HashSet<&str> = events.iter().map(|event| text(&event["type"])).collect();
        let expected: HashSet<&str> = action.events().iter().copied().collect();
        if *action == Action::DeleteCustomer {
            assert!(types.contains("customer.edited") && types.is_subset(&expected), "{types:?}");
        } else {
            assert_eq!(types, expected, "{action:?}");
        }
        for event in events {
            assert_eq!(event["payload"]["type"], event["type"]);
            assert_eq!(event["payload"]["payload_style"], "expanded");
            assert_eq!(instant(&event["created_at"]), applied.at);
            let (path, _, object) = subject(event);
            let answer = client.get(&path).unwrap();
            if answer.status == 404 {
                assert!([Action::DeleteCustomer, Action::DeleteInvoice].contains(action), "{path}");
            } else {
                assert_eq!(value(answer.text()), object, "{action:?}");
            }
            let single = client.get(&format!("/v1/webhook_events/{}", text(&event["id"])));
            assert_eq!(value(single.unwrap().text()), *event);
        }
    }
}

#[test]
fn lists_and_records_agree_after_any_mutations() {
    let orb = start();
    let mut client = Client::new(&orb);
    assert_eq!(orb.account().mutate_at_random(5, 300).len(), 300);
    for collection in Collection::ALL {
        let path = format!("/v1/{}", collection.segment());
        let statuses = if collection == Collection::Invoices {
            "&status[]=draft&status[]=issued&status[]=paid&status[]=synced&status[]=void"
        } else {
            ""
        };
        let records = client.read_all(&format!("{path}?limit=100{statuses}"));
        // A stub has no state and no date, but is listed.
        assert_eq!(records, orb.account().records(collection));
        for record in records {
            assert_eq!(client.get(&format!("{path}/{}", id_of(&record))).unwrap().text(), record);
        }
    }
    let all = lists(&orb.account());
    let customers = orb.account().records(Collection::Customers);
    let stubs = customers.iter().filter(|it| it.contains("\"deleted\":true")).map(|it| id_of(it));
    let stubs: HashSet<String> = stubs.collect();
    assert!(!stubs.is_empty());
    for List { name, owner, target } in all.iter().filter(|list| !stubs.contains(&list.owner)) {
        let records = client.read_all(&format!("{target}limit=100"));
        assert_eq!(records, orb.account().rows(name, owner), "{target}");
        for record in records.iter().filter(|_| *name != "alerts" && *name != "subscription_schedules") {
            if let Some(path) = path_of(name, owner, &id_of(record)) {
                assert_eq!(client.get(&path).unwrap().text(), record, "{path}");
            }
        }
    }
}

#[test]
fn equal_seeds_give_equal_mutations_and_none_leave_the_account_as_it_was() {
    let generated = everything(&Account::generate(&settings()));
    let [one, two, other] = [1, 1, 2].map(|seed| {
        let mut account = Account::generate(&settings());
        assert_eq!(everything(&account), generated);
        let applied = account.mutate_at_random(seed, 100);
        (applied, everything(&account))
    });
    assert_eq!(one, two);
    assert_ne!(one.0, other.0);
    let actions: HashSet<Action> = one.0.iter().map(|applied| applied.action).collect();
    assert!(actions.len() > 20, "{actions:?}");
}

#[test]
fn an_invoice_goes_through_its_states() {
    let orb = start();
    let mut account = orb.account();
    let first = |account: &Account, status: &str| {
        let records = account.records(Collection::Invoices);
        id_of(records.iter().find(|record| record.contains(&format!("\"status\":\"{status}\""))).unwrap())
    };
    let invoice = |account: &Account, id: &str| value(&account.record(Collection::Invoices, id).unwrap());
    let id = first(&account, "draft");
    let draft = invoice(&account, &id);
    account.mutate(&Mutation::new(Action::AddLineItem, &id)).unwrap();
    let longer = invoice(&account, &id);
    let lines = |invoice: &Value| invoice["line_items"].as_array().unwrap().len();
    let cents = |text: &Value| text.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    assert_eq!(lines(&longer), lines(&draft) + 1);
    assert_eq!(cents(&longer["total"]), cents(&draft["total"]) + 1_100);

    let applied = account.mutate(&Mutation::new(Action::IssueInvoice, &id)).unwrap();
    let issued = invoice(&account, &id);
    assert_eq!(issued["status"], "issued");
    assert_eq!(issued["invoice_date"], draft["invoice_date"]);
    assert_eq!(instant(&issued["issued_at"]), applied.at);
    let again = account.mutate(&Mutation::new(Action::IssueInvoice, &id));
    assert!(matches!(&again, Err(RecordError::Refused { reason, .. }) if reason == "it is issued"));

    account.mutate(&Mutation::new(Action::FailPayment, &id)).unwrap();
    let note = account.mutate(&Mutation::new(Action::IssueCreditNote, &id)).unwrap();
    let credited = invoice(&account, &id);
    assert_eq!(credited["payment_attempts"][0]["succeeded"], false);
    assert_eq!(credited["credit_notes"][0]["id"], note.id);
    assert_eq!(cents(&credited["amount_due"]), cents(&issued["amount_due"]) - 100);
    account.mutate(&Mutation::new(Action::VoidCreditNote, &note.id)).unwrap();
    assert_eq!(invoice(&account, &id)["amount_due"], issued["amount_due"]);

    account.mutate(&Mutation::new(Action::SyncInvoice, &id)).unwrap();
    account.mutate(&Mutation::new(Action::PayInvoice, &id)).unwrap();
    let paid = invoice(&account, &id);
    assert_eq!((&paid["status"], &paid["amount_due"]), (&"paid".into(), &"0.00".into()));
    assert_eq!(paid["payment_attempts"].as_array().unwrap().len(), 2);
    account.mutate(&Mutation::new(Action::UndoPayment, &id)).unwrap();
    let undone = invoice(&account, &id);
    assert_eq!((&undone["status"], &undone["amount_due"]), (&"issued".into(), &undone["total"]));
    account.mutate(&Mutation::new(Action::VoidInvoice, &id)).unwrap();
    assert_eq!(invoice(&account, &id)["status"], "void");

    let id = first(&account, "draft");
    let moved = Mutation::new(Action::MoveInvoiceDate, &id).with("2020-02-29T01:02:03Z");
    account.mutate(&moved).unwrap();
    assert_eq!(invoice(&account, &id)["invoice_date"], "2020-02-29T01:02:03+00:00");
    assert_eq!(account.ids(Collection::Invoices).last(), Some(&id));
    account.mutate(&Mutation::new(Action::DeleteInvoice, &id)).unwrap();
    assert_eq!(account.record(Collection::Invoices, &id), None);
    let unknown = account.mutate(&Mutation::new(Action::PayInvoice, &id));
    assert!(matches!(unknown, Err(RecordError::Unknown { .. })));
}

#[test]
fn a_deleted_customer_is_a_stub_and_then_gone() {
    let orb = start();
    let mut client = Client::new(&orb);
    let account = orb.account().clone();
    let subscription = value(&account.records(Collection::Subscriptions)[0]);
    let customer = text(&subscription["customer"]["id"]).to_owned();
    let path = format!("/v1/customers/{customer}");
    let deleted = Mutation::new(Action::DeleteCustomer, &customer);
    orb.account().mutate(&deleted).unwrap();
    let stub = format!("{{\"id\":\"{customer}\",\"deleted\":true}}");
    assert_eq!(client.get(&path).unwrap().text(), stub);
    assert!(client.read_all("/v1/customers?limit=100").contains(&stub));
    for list in ["credits", "credits/ledger", "costs", "balance_transactions"] {
        let answer = client.get(&format!("{path}/{list}")).unwrap();
        assert_eq!(answer.problem(), "404-resource-not-found", "{list}");
    }
    let alerts = client.get(&format!("/v1/alerts?customer_id={customer}")).unwrap();
    assert_eq!(alerts.status, 404);
    let gone = format!("/v1/subscriptions/{}", text(&subscription["id"]));
    assert_eq!(client.get(&gone).unwrap().status, 404);
    let drafts = client.read_all(&format!("/v1/invoices?limit=100&status[]=draft&customer_id={customer}"));
    assert!(drafts.is_empty());
    assert!(matches!(orb.account().mutate(&deleted), Err(RecordError::Refused { .. })));
    orb.account().mutate(&Mutation::new(Action::EraseCustomer, &customer)).unwrap();
    assert_eq!(client.get(&path).unwrap().status, 404);
    assert!(!client.read_all("/v1/customers?limit=100").contains(&stub));
}

#[test]
fn mutations_come_at_their_moments() {
    let orb = start();
    let mut client = Client::new(&orb);
    orb.plan(
        Script::default()
            .at(Moment::Request(2), Action::CreateCustomer)
            .at(Moment::RequestTo("/v1/plans".to_owned(), 2), Action::EditPlan)
            .at(Moment::RequestTo("/v1/plans".to_owned(), 2), Mutation::new(Action::PayInvoice, "none")),
    );
    orb.keep_answers();
    let applied = || orb.mutations().iter().filter(|it| it.is_ok()).count();
    let first = client.get("/v1/customers?limit=1").unwrap().body;
    assert_eq!(applied(), 0);
    let second = client.get("/v1/customers?limit=1").unwrap().body;
    assert_eq!(applied(), 1);
    assert_ne!(first, second);
    client.get("/v1/plans").unwrap();
    assert_eq!(applied(), 1);
    client.get("/v1/plans/x").unwrap();
    assert_eq!(applied(), 2);
    assert!(matches!(orb.mutations().last(), Some(Err(RecordError::Unknown { .. }))));
    orb.plan(Script::seeded(1, 5));
    for _ in 0..30 {
        client.get("/v1/ping").unwrap();
    }
    assert_eq!(applied(), 7);
}

#[test]
fn events_can_have_summaries_and_the_time_of_the_wall() {
    let orb = start();
    let mut client = Client::new(&orb);
    let started = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let mut account = orb.account();
    account.set_mutation_options(MutationOptions {
        payload: PayloadStyle::Standard,
        clock: Clock::Wall,
        ..MutationOptions::default()
    });
    let Applied { id, at, .. } = account.mutate(&Action::EditInvoice.into()).unwrap();
    account.mutate(&Action::EditSubscription.into()).unwrap();
    account.mutate(&Action::EditCustomer.into()).unwrap();
    let events = logged(&account);
    drop(account);
    assert!(at >= started);
    let invoice = &events[2]["payload"]["invoice"];
    assert_eq!((&invoice["id"], invoice.get("line_items")), (&Value::from(id), None));
    assert_eq!(events[1]["payload"]["subscription"].get("price_intervals"), None);
    assert!(events[0]["payload"]["customer"]["email"].is_string());
    let page = client.get("/v1/webhook_events?limit=3&include_payload=false").unwrap();
    assert!(page.records().iter().all(|event| !event.contains("payload")));
    let since = at.to_string();
    let page = client.get(&format!("/v1/webhook_events?created_at[gte]={since}")).unwrap();
    assert_eq!(page.records().len(), 3);
}

#[test]
fn deletions_can_be_silent_and_embedded_copies_can_follow() {
    let mut account = Account::generate(&settings());
    account.set_mutation_options(MutationOptions {
        silent_deletions: true,
        refresh_embedded: true,
        ..MutationOptions::default()
    });
    account.mutate(&Action::DeleteInvoice.into()).unwrap();
    account.mutate(&Action::DeleteCustomer.into()).unwrap();
    assert!(logged(&account).is_empty());
    let customer = account.mutate(&Action::EditCustomer.into()).unwrap().id;
    let plan = account.mutate(&Action::EditPlan.into()).unwrap().id;
    let customer = value(&account.record(Collection::Customers, &customer).unwrap());
    let plan = value(&account.record(Collection::Plans, &plan).unwrap());
    let subscriptions = account.records(Collection::Subscriptions);
    let subscriptions: Vec<Value> = subscriptions.iter().map(|it| value(it)).collect();
    let mut compared = 0;
    for (field, object) in [("customer", &customer), ("plan", &plan)] {
        for embedding in subscriptions.iter().filter(|it| it[field]["id"] == object["id"]) {
            assert_eq!(embedding[field], *object);
            compared += 1;
        }
    }
    assert!(compared > 1);
}
