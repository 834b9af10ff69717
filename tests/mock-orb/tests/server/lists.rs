//! Tests of lists: paging, order, filters, limits and errors of invalid requests.

use mock_orb::{Account, Authorization, Collection, MockOrb, Settings};

use crate::client::{Client, encoded, id_of};

fn start() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { invoices: 230, ..Settings::default() }))
}

#[test]
fn paging_gives_every_record_once_in_order_byte_for_byte() {
    let orb = start();
    let mut client = Client::new(&orb);
    for collection in [Collection::Customers, Collection::Plans, Collection::Subscriptions] {
        let expected = orb.account().records(collection);
        for limit in [1, 7, 100] {
            let records = client.read_all(&format!("/v1/{}?limit={limit}", collection.segment()));
            assert_eq!(records, expected, "{collection:?} by {limit}");
        }
    }
    let statuses = "status[]=draft&status[]=issued&status[]=paid&status[]=synced&status[]=void";
    let records = client.read_all(&format!("/v1/invoices?limit=99&{statuses}"));
    assert_eq!(records, orb.account().records(Collection::Invoices));
    assert_eq!(orb.connections(), 1);
}

#[test]
fn twenty_records_are_a_page_unless_the_limit_says_otherwise() {
    let orb = start();
    let page = Client::new(&orb).get("/v1/customers").unwrap();
    assert_eq!(page.records(), orb.account().records(Collection::Customers)[..20]);
    assert_eq!(page.header("content-type"), Some("application/json"));
}

#[test]
fn records_and_ledgers_are_found_by_identifier() {
    let orb = start();
    let mut client = Client::new(&orb);
    for collection in Collection::ALL {
        let expected = orb.account().records(collection).swap_remove(2);
        let record = client.get(&format!("/v1/{}/{}", collection.segment(), id_of(&expected))).unwrap();
        assert_eq!(record.text(), expected);
    }
    let mut entries = 0;
    let customers = orb.account().customer_ids();
    for customer in &customers {
        let records = client.read_all(&format!("/v1/customers/{customer}/credits/ledger?limit=10"));
        assert_eq!(records, orb.account().ledger(customer));
        entries += records.len();
    }
    assert_eq!(entries, 5 * 24);
}

#[test]
fn brackets_and_offsets_may_be_encoded_or_not() {
    let orb = start();
    let mut client = Client::new(&orb);
    let mut ask = |query: &str| client.read_all(&format!("/v1/customers?limit=100&{query}"));
    let expected =
        ask("created_at%5Bgte%5D=2024-03-01T00%3A00%3A00%2B00%3A00&created_at[lt]=2024-06-01T00:00:00Z");
    assert!(!expected.is_empty() && expected.len() < 25);
    for from in ["2024-03-01T00:00:00Z", "2024-03-01T02:00:00%2B02:00", "2024-02-29T19:00:00.000000-05:00"] {
        let query = format!("created_at[gte]={from}&created_at%5blt%5d=2024-06-01T00:00:00%2B00:00");
        assert_eq!(ask(&query), expected, "{from}");
    }
}

#[test]
fn filters_select_what_they_say() {
    let orb = start();
    let mut client = Client::new(&orb);
    let subscriptions = orb.account().records(Collection::Subscriptions);
    let select = |test: &dyn Fn(&serde_json::Value) -> bool| -> Vec<String> {
        let parsed = |record: &&String| test(&serde_json::from_str(record).unwrap());
        subscriptions.iter().filter(parsed).cloned().collect()
    };
    let mut ask = |query: &str| client.read_all(&format!("/v1/subscriptions?limit=3&{query}"));
    let customers = orb.account().customer_ids();
    let [first, second] = [&customers[2], &customers[9]];
    assert_eq!(
        ask(&format!("customer_id[]={first}&customer_id[]={second}")),
        select(&|it| it["customer"]["id"] == **first || it["customer"]["id"] == **second)
    );
    assert_eq!(ask("status=ended"), select(&|it| it["status"] == "ended"));
    assert_eq!(ask("status[]=ended&status[]=upcoming"), select(&|it| it["status"] != "active"));
    assert_eq!(
        ask("external_customer_id=0042"),
        select(&|it| it["customer"]["external_customer_id"] == "0042")
    );
    assert_eq!(ask("external_plan_id=0010"), select(&|it| it["plan"]["external_plan_id"] == "0010"));
    assert!(ask("customer_id=nobody").is_empty());
    assert!(!select(&|it| it["plan"].is_null()).is_empty());
}

#[test]
fn drafts_and_voided_invoices_are_left_out_unless_asked_for() {
    let orb = start();
    let mut client = Client::new(&orb);
    let status = |record: &String| {
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        record["status"].as_str().unwrap().to_owned()
    };
    let all = orb.account().records(Collection::Invoices);
    let usual: Vec<String> =
        all.iter().filter(|it| !["draft", "void"].contains(&status(it).as_str())).cloned().collect();
    assert_eq!(client.read_all("/v1/invoices?limit=100"), usual);
    let void = client.read_all("/v1/invoices?limit=100&status[]=void&status%5B%5D=draft");
    assert_eq!(void.len() + usual.len(), all.len());
}

#[test]
fn ledgers_are_filtered_by_status_type_amount_and_currency() {
    let orb = start();
    let mut client = Client::new(&orb);
    let ids = orb.account().customer_ids();
    let customer = ids.iter().find(|id| !orb.account().pending_ledger_entries(id).is_empty()).unwrap();
    let mut count = |query: &str| {
        client.read_all(&format!("/v1/customers/{customer}/credits/ledger?limit=1000&{query}")).len()
    };
    assert_eq!(count("entry_status=committed") + count("entry_status=pending"), 24);
    assert_eq!(count("currency=credits") + count("currency=USD"), 24);
    assert_eq!(count("entry_type=increment"), 5);
    assert_eq!(count("minimum_amount=12345678901234567890.123456789"), 2);
    assert_eq!(count("minimum_amount=12345678901234567890.1234567891"), 0);
}

#[test]
fn asking_wrongly_is_an_error_of_orbs_form() {
    let orb = start();
    let mut client = Client::new(&orb);
    let customer = orb.account().customer_ids().swap_remove(0);
    let ledger = format!("/v1/customers/{customer}/credits/ledger");
    for (target, status, problem) in [
        ("/v1/customers?limit=101", 400, "400-request-validation-errors"),
        ("/v1/customers?limit=0", 400, "400-request-validation-errors"),
        ("/v1/customers?page=2", 400, "400-request-validation-errors"),
        ("/v1/customers?created_at[gte]=2024-01-01T00:00:00+00:00", 400, "400-request-validation-errors"),
        ("/v1/customers?cursor=abc", 400, "400-request-validation-errors"),
        ("/v1/subscriptions?status=paid", 400, "400-request-validation-errors"),
        ("/v1/ping?limit=1", 400, "400-request-validation-errors"),
        ("/v1/customers/nobody", 404, "404-resource-not-found"),
        ("/v1/customers/nobody/credits/ledger", 404, "404-resource-not-found"),
        ("/v1/payments", 404, "404-url-not-found"),
        ("/customers", 404, "404-url-not-found"),
        (&format!("{ledger}?limit=1001"), 400, "400-request-validation-errors"),
    ] {
        let answer = client.get(target).unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{target}");
    }
    assert_eq!(client.get(&format!("{ledger}?limit=1000")).unwrap().status, 200);
    let post =
        client.request("POST", "/v1/customers", "Authorization: Bearer mock-orb-key-0123456789\r\n").unwrap();
    assert_eq!((post.status, post.problem().as_str()), (404, "404-url-not-found"));
}

#[test]
fn page_tokens_are_bound_to_their_list_and_filters() {
    let orb = start();
    let mut client = Client::new(&orb);
    let token = encoded(&client.get("/v1/customers?limit=2").unwrap().page_token().unwrap());
    let mut status = |target: String| client.get(&target).unwrap().status;
    assert_eq!(status(format!("/v1/customers?limit=5&cursor={token}")), 200);
    assert_eq!(status(format!("/v1/plans?limit=2&cursor={token}")), 400);
    assert_eq!(status(format!("/v1/customers?created_at[gte]=2024-01-01T00:00:00Z&cursor={token}")), 400);
}

#[test]
fn every_request_needs_a_key_of_the_account() {
    let orb = start();
    let mut client = Client::new(&orb);
    for headers in ["", "Authorization: Bearer other\r\n", "Authorization: mock-orb-key-0123456789\r\n"] {
        let answer = client.request("GET", "/v1/ping", headers).unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (401, "401-authentication-error"));
    }
    assert_eq!(client.get("/v1/ping").unwrap().text(), "{\"response\":\"Orb API says hello!\"}");
    orb.account().revoke_key("mock-orb-key-0123456789");
    assert_eq!(client.get("/v1/ping").unwrap().status, 401);
    let seen: Vec<_> = orb.requests().iter().map(|it| (it.authorization, it.status)).collect();
    assert_eq!(
        seen,
        [
            (Authorization::Missing, Some(401)),
            (Authorization::Wrong, Some(401)),
            (Authorization::Wrong, Some(401)),
            (Authorization::Valid, Some(200)),
            (Authorization::Wrong, Some(401)),
        ]
    );
}

#[test]
fn requests_are_logged_decoded_and_without_the_key() {
    let orb = start();
    Client::new(&orb).get("/v1/plans?created_at%5Bgte%5D=2024-01-01T00:00:00%2B00:00").unwrap();
    Client::new(&orb).get("/v1/plans?limit=1").unwrap();
    let [first, second] = orb.requests().try_into().unwrap();
    assert_eq!((first.method.as_str(), first.path.as_str(), first.status), ("GET", "/v1/plans", Some(200)));
    assert_eq!(first.parameter("created_at[gte]"), Some("2024-01-01T00:00:00+00:00"));
    assert_eq!(first.header("user-agent"), Some("socket/1"));
    assert!(!format!("{first:?}").contains("mock-orb-key-0123456789"));
    assert_eq!([first.connection, second.connection, orb.connections()], [1, 2, 2]);
    orb.clear_log();
    assert!(orb.requests().is_empty());
}
