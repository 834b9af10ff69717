//! Rows about commands: what each prints, and its exit code.

use mock_orb::{Account, Fault, MockOrb, Settings};
use serde_json::{Value, json};

use super::{ALL, orb};
use crate::support::{Output, Setup, guests};

/// How many messages of each kind a command printed: answers and errors.
fn answers(output: &Output) -> (usize, usize) {
    let answers = output.messages.iter().filter(|message| {
        message.spec.is_some() || message.catalog.is_some() || message.connection_status.is_some()
    });
    (answers.count(), output.errors().len())
}

#[test]
fn row_01_the_exit_code_is_not_zero_if_and_only_if_an_error_is_traced() {
    let orb = orb();
    let good = || Setup::new(&orb);
    let wrong_key = || good().with("api_key", "another");
    let wrong_date = || good().with("start_date", "yesterday");
    let down = || good().with("api_url", "http://127.0.0.1:1/v1");
    let guest = |name| Setup::guest(name, json!({}));
    for (output, code) in [
        (good().spec(), 0),
        (good().check(), 0),
        (good().discover(), 0),
        (good().read(&ALL), 0),
        (wrong_key().check(), 0),
        (wrong_key().read(&["plans"]), 1),
        (wrong_key().read(&ALL), 1),
        (wrong_date().check(), 0),
        (wrong_date().discover(), 1),
        (wrong_date().read(&["plans"]), 1),
        (down().check(), 1),
        (good().read(&["nothing"]), 1),
        (good().read_from(&["plans"], "nonsense"), 1),
        (guest(guests::TRAP).read(&["things", "good"]), 1),
        (guest(guests::WRONG_SPEC).spec(), 1),
    ] {
        assert_eq!(output.code, Some(code), "{}{}", output.stdout, output.stderr);
        assert_eq!(output.errors().is_empty(), code == 0, "{}", output.stdout);
    }
}

#[test]
fn row_02_a_wrong_key_is_a_failed_check_with_one_request() {
    let orb = orb();
    let output = Setup::new(&orb).with("api_key", "another-key-0123456789").check();
    assert_eq!(output.code, Some(0));
    let status = output.messages[0].connection_status.as_ref().unwrap();
    assert_eq!(status.status, "FAILED");
    assert!(status.message.contains("api_key"), "{}", status.message);
    assert_eq!(orb.requests().len(), 1);
}

#[test]
fn row_03_a_question_has_exactly_one_answer() {
    let orb = orb();
    let setup = Setup::new(&orb);
    for output in [setup.spec(), setup.check(), setup.discover()] {
        assert_eq!(answers(&output), (1, 0), "{}", output.stdout);
    }
    orb.inject(Fault::status(503).retry_after("600"));
    assert_eq!(answers(&setup.check()), (0, 1));
}

#[test]
fn row_12_the_spec_is_that_of_airbytes_connector_and_more() {
    let output = Setup::new(&orb()).spec();
    let spec = &output.messages[0].spec.as_ref().unwrap()["connectionSpecification"];
    assert_eq!(spec["required"], json!(["api_key", "start_date"]));
    assert_eq!(spec["properties"]["api_key"]["airbyte_secret"], true);
    let instant = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$";
    let theirs = [
        ("api_key", "string", "Orb API Key"),
        ("start_date", "string", "Start Date"),
        ("end_date", "string", "End Date"),
        ("lookback_window_days", "integer", "Lookback Window (in days)"),
        ("string_event_properties_keys", "array", "Event properties keys (string values)"),
        ("numeric_event_properties_keys", "array", "Event properties keys (numeric values)"),
        ("subscription_usage_grouping_key", "string", "Subscription usage grouping key (string value)"),
        ("plan_id", "string", "Orb Plan ID for Subscription Usage (string value)"),
    ];
    let properties = spec["properties"].as_object().unwrap();
    for (place, ((name, property), (their_name, kind, title))) in properties.iter().zip(theirs).enumerate() {
        assert_eq!(name, their_name);
        assert_eq!((&property["type"], &property["title"]), (&json!(kind), &json!(title)));
        assert_eq!(property["order"], place + 1);
        if name.ends_with("_date") {
            assert_eq!(property["pattern"], instant);
        }
    }
    assert_eq!(spec["properties"]["lookback_window_days"]["minimum"], 0);
    assert_eq!(spec["properties"]["lookback_window_days"]["default"], 0);
}

#[test]
fn row_12_the_catalog_is_that_of_airbytes_connector_and_more() {
    let output = Setup::new(&orb()).discover();
    let streams = output.messages[0].catalog.as_ref().unwrap()["streams"].as_array().unwrap();
    let theirs = [
        ("customers", vec!["id"], "created_at", vec!["external_customer_id", "email", "billing_address"]),
        ("subscriptions", vec!["id"], "created_at", vec!["customer_id", "plan_id", "status", "end_date"]),
        ("plans", vec!["id"], "created_at", vec!["name", "description", "prices", "product"]),
        ("invoices", vec!["id"], "invoice_date", vec!["due_date", "amount_due", "line_items", "voided_at"]),
        (
            "credits_ledger_entries",
            vec!["id"],
            "created_at",
            vec!["customer_id", "credit_block_id", "credit_block_per_unit_cost_basis", "entry_type", "event"],
        ),
        (
            "subscription_usage",
            vec!["subscription_id", "billable_metric_id", "timeframe_start"],
            "timeframe_start",
            vec!["quantity", "timeframe_end", "billable_metric_name"],
        ),
    ];
    for (name, key, cursor, fields) in theirs {
        let stream = streams.iter().find(|stream| stream["name"] == name).unwrap();
        let key: Vec<Value> = key.into_iter().map(|field| json!([field])).collect();
        assert_eq!(stream["source_defined_primary_key"], json!(key), "{name}");
        assert_eq!(stream["default_cursor_field"], json!([cursor]), "{name}");
        assert_eq!(stream["supported_sync_modes"], json!(["full_refresh", "incremental"]), "{name}");
        assert_eq!((&stream["source_defined_cursor"], &stream["is_resumable"]), (&json!(true), &json!(true)));
        for field in fields {
            assert!(stream["json_schema"]["properties"].get(field).is_some(), "{name}: {field}");
        }
    }
}

#[test]
fn row_18_every_command_checks_the_config_by_the_spec_and_names_the_property() {
    let orb = orb();
    for (property, value, problem) in [
        ("start_date", json!("yesterday"), "`start_date` does not match"),
        ("start_date", json!(20_240_101), "`start_date` must be a string, but is a number"),
        ("start_date", json!("2024-02-30T00:00:00Z"), "`start_date` is no valid date-time"),
        ("lookback_window_days", json!(-1), "`lookback_window_days` must be at least 0"),
        ("lookback_window_days", json!("3"), "`lookback_window_days` must be an integer, but is a string"),
        ("string_event_properties_keys", json!("a"), "`string_event_properties_keys` must be a list"),
        ("concurrency", json!(65), "`concurrency` must be at most 64"),
    ] {
        let setup = Setup::new(&orb).with(property, value);
        let checked = setup.check();
        let status = checked.messages[0].connection_status.as_ref().unwrap();
        assert_eq!((checked.code, status.status.as_str()), (Some(0), "FAILED"));
        assert!(status.message.contains(problem), "{}", status.message);
        for output in [setup.discover(), setup.read(&["plans"])] {
            assert_eq!(output.error().failure_type, "config_error");
            assert!(output.error().message.contains(problem), "{}", output.error().message);
        }
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn row_20_nothing_is_asked_of_the_network_before_it_is_needed() {
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    let setup = Setup::new(&orb);
    assert_eq!((setup.spec().code, setup.discover().code), (Some(0), Some(0)));
    assert_eq!((orb.requests().len(), orb.connections()), (0, 0));
    setup.check();
    assert_eq!(orb.requests().len(), 1);
}

#[test]
fn row_25_a_read_says_a_line_per_stream_and_more_only_if_asked() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let quiet = setup.read(&ALL);
    assert!(quiet.logs().iter().all(|log| log.level == "INFO"), "{}", quiet.stdout);
    assert_eq!(quiet.logs().len(), ALL.len());
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["plans"]));
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 5] = [&"read", &"--config", &config, &"--catalog", &catalog];
    let debug = |output: &Output| output.logs().iter().any(|log| log.level == "DEBUG");
    let mut flag = arguments.to_vec();
    flag.push(&"--debug");
    assert!(debug(&setup.run(&flag)));
    assert!(!debug(&setup.run(&arguments)));
    let asked = setup.command(&arguments).env("LOG_LEVEL", "debug").output().unwrap();
    assert!(debug(&Output::of(asked)));
}
