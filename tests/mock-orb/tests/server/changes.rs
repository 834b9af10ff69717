//! Tests of an account that changes during reads.

use mock_orb::{Account, Collection, MockOrb, RecordError, Settings, Timestamp};

use crate::client::{Client, encoded, id_of};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

#[test]
fn inserted_text_is_served_as_it_was_written() {
    let orb = start();
    let record = "{\"id\": \"mine\",\n  \"created_at\":\"2030-01-01T00:00:00Z\", \"n\":1.10, \"big\":1e999}";
    assert_eq!(orb.account().insert(Collection::Customers, record), Ok("mine".to_owned()));
    let mut client = Client::new(&orb);
    assert_eq!(client.get("/v1/customers?limit=1").unwrap().records(), [record]);
    assert_eq!(client.get("/v1/customers/mine").unwrap().text(), record);
    assert!(client.get("/v1/customers/mine/credits/ledger").unwrap().records().is_empty());
    assert!(orb.account().remove(Collection::Customers, "mine"));
    assert_eq!(client.get("/v1/customers/mine").unwrap().status, 404);
}

#[test]
fn records_that_have_no_place_are_refused() {
    let mut account = Account::generate(&Settings::empty());
    let mut insert = |record: &str| account.insert(Collection::Invoices, record);
    assert_eq!(insert("[]"), Err(RecordError::NotAnObject));
    assert_eq!(insert("{}"), Err(RecordError::FieldMissing("id")));
    assert_eq!(insert(r#"{"id":"a"}"#), Err(RecordError::FieldMissing("invoice_date")));
    assert_eq!(insert(r#"{"id":"a","invoice_date":"soon"}"#), Err(RecordError::NotAnInstant("invoice_date")));
    assert!(
        account.insert_ledger_entry("nobody", r#"{"id":"a","created_at":"2024-01-01T00:00:00Z"}"#).is_err()
    );
    assert!(account.is_empty(Collection::Invoices));
}

#[test]
fn records_inserted_while_somebody_pages_do_not_shift_the_pages() {
    let orb = start();
    let expected = orb.account().records(Collection::Subscriptions);
    let mut client = Client::new(&orb);
    let mut target = "/v1/subscriptions?limit=4".to_owned();
    let mut records = Vec::new();
    loop {
        let page = client.get(&target).unwrap();
        records.extend(page.records());
        let Some(token) = page.page_token() else { break };
        orb.account().create_subscription(at("2024-12-31T23:59:59Z"));
        target = format!("/v1/subscriptions?limit=4&cursor={}", encoded(&token));
    }
    assert_eq!(records, expected);
    assert!(orb.account().len(Collection::Subscriptions) > expected.len());
}

#[test]
fn removing_the_last_record_of_a_page_loses_none_of_the_next() {
    let orb = start();
    let expected = orb.account().ids(Collection::Customers);
    let mut client = Client::new(&orb);
    let page = client.get("/v1/customers?limit=5").unwrap();
    orb.account().remove(Collection::Customers, &expected[4]);
    let token = encoded(&page.page_token().unwrap());
    let next = client.get(&format!("/v1/customers?limit=1&cursor={token}")).unwrap();
    assert_eq!(next.records().iter().map(|it| id_of(it)).collect::<Vec<_>>(), [expected[5].as_str()]);
}

#[test]
fn an_issued_draft_appears_in_the_default_list() {
    let orb = start();
    let draft = orb.account().create_invoice(at("2025-01-01T00:00:00Z"));
    orb.account().set_field(Collection::Invoices, &draft, "status", "\"draft\"").unwrap();
    let mut client = Client::new(&orb);
    let mut newest = || id_of(&client.get("/v1/invoices?limit=1").unwrap().records()[0]);
    assert_ne!(newest(), draft);
    orb.account().set_field(Collection::Invoices, &draft, "status", "\"issued\"").unwrap();
    assert_eq!(newest(), draft);
    orb.account()
        .set_field(Collection::Invoices, &draft, "invoice_date", "\"2020-01-01T00:00:00Z\"")
        .unwrap();
    assert_ne!(newest(), draft);
    orb.account().set_field(Collection::Invoices, &draft, "id", "\"other\"").unwrap();
    assert_eq!(orb.account().record(Collection::Invoices, &draft), None);
    assert!(orb.account().record(Collection::Invoices, "other").is_some());
}

#[test]
fn a_pending_entry_is_committed_where_it_stands() {
    let orb = start();
    let pending = |id: &String| !orb.account().pending_ledger_entries(id).is_empty();
    let ids = orb.account().customer_ids();
    let customer = ids.iter().find(|id| pending(id)).unwrap();
    let before = orb.account().ledger(customer);
    let entries = orb.account().pending_ledger_entries(customer);
    let mut client = Client::new(&orb);
    let target = format!("/v1/customers/{customer}/credits/ledger?limit=1000&entry_status=committed");
    let committed = client.read_all(&target).len();
    for entry in &entries {
        orb.account().commit_ledger_entry(customer, entry).unwrap();
    }
    assert_eq!(client.read_all(&target).len(), committed + entries.len());
    let expected: Vec<String> = before.iter().map(|it| it.replace("\"pending\"", "\"committed\"")).collect();
    assert_eq!(orb.account().ledger(customer), expected);
}

#[test]
fn new_entries_go_on_where_the_ledger_ended() {
    let orb = start();
    let mut account = orb.account();
    let customer = account.create_customer(at("2024-07-01T00:00:00Z"));
    account.insert_ledger_entry(
        &customer,
        r#"{"id":"a","created_at":"2024-07-02T00:00:00Z","currency":"credits","ending_balance":10.00,"ledger_sequence_number":1}"#,
    ).unwrap();
    let second = account.create_pending_ledger_entry(&customer, at("2024-07-02T00:00:00Z")).unwrap();
    let ledger = account.ledger(&customer);
    assert_eq!(ledger.len(), 2);
    assert_eq!(id_of(&ledger[0]), second);
    for part in [
        "\"starting_balance\":10.0,",
        "\"ending_balance\":8.9,",
        "\"amount\":1.10,",
        "\"pending\"",
        "number\":2,",
    ] {
        assert!(ledger[0].contains(part), "{part} in {}", ledger[0]);
    }
    assert!(account.remove_ledger_entry(&customer, &second));
}

#[test]
fn a_customer_under_deletion_is_a_stub_in_its_place() {
    let orb = start();
    let ids = orb.account().customer_ids();
    orb.account().begin_customer_deletion(&ids[3]).unwrap();
    let mut client = Client::new(&orb);
    let stub = format!("{{\"id\":\"{}\",\"deleted\":true}}", ids[3]);
    assert_eq!(client.get("/v1/customers?limit=4").unwrap().records()[3], stub);
    assert_eq!(client.get(&format!("/v1/customers/{}", ids[3])).unwrap().text(), stub);
}

#[test]
fn a_replaced_customer_keeps_its_ledger() {
    let mut account = Account::generate(&Settings::default());
    let ids = account.customer_ids();
    let customer = ids.iter().find(|id| !account.ledger(id).is_empty()).unwrap();
    let ledger = account.ledger(customer);
    let record = account.record(Collection::Customers, customer).unwrap();
    account.insert(Collection::Customers, record).unwrap();
    assert_eq!(account.ledger(customer), ledger);
}

#[test]
fn a_created_subscription_embeds_its_customer_as_it_is() {
    let mut account = Account::generate(&Settings::default());
    account
        .insert(Collection::Customers, r#"{"id":"0042","created_at":"2024-01-01T00:00:00Z","name":"\u00e9"}"#)
        .unwrap();
    let id = account.create_subscription_for("0042", at("2024-02-01T00:00:00Z")).unwrap();
    let subscription = account.record(Collection::Subscriptions, &id).unwrap();
    assert!(
        subscription
            .contains(r#""customer":{"id":"0042","created_at":"2024-01-01T00:00:00Z","name":"\u00e9"}"#)
    );
}

#[test]
fn equal_settings_give_equal_accounts() {
    let [one, two] = [(); 2].map(|()| Account::generate(&Settings::default()));
    let other = Account::generate(&Settings { seed: 2, ..Settings::default() });
    for collection in Collection::ALL {
        assert_eq!(one.records(collection), two.records(collection));
        assert_ne!(one.ids(collection), other.ids(collection));
    }
}

#[test]
fn kept_answers_are_those_of_the_account_as_it_is() {
    let orb = start();
    let mut client = Client::new(&orb);
    let fresh = client.get("/v1/customers?limit=5").unwrap().body;
    orb.keep_answers();
    for _ in 0..2 {
        assert_eq!(client.get("/v1/customers?limit=5").unwrap().body, fresh);
        assert_ne!(client.get("/v1/customers?limit=6").unwrap().body, fresh);
    }
    assert_eq!(client.request("GET", "/v1/customers?limit=5", "").unwrap().status, 401);
    orb.account().create_customer(at("2030-01-01T00:00:00Z"));
    assert_ne!(client.get("/v1/customers?limit=5").unwrap().body, fresh);
}
