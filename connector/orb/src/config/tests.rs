//! Tests defaults, errors and redaction.

use super::*;
use elt_sdk::{error::FailureType, testing::instant};
use time::SignedDuration;

fn parse(changes: &str) -> Result<Config> {
    let mut config = serde_json::json!({"api_key": "k", "start_date": "2024-01-01T00:00:00Z"});
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    Config::parse(&config.to_string())
}

#[test]
fn what_is_left_out_has_its_default() {
    let config = parse(r#"{"end_date":"","lookback_window_days":null,"unknown":1}"#).unwrap();
    assert_eq!(config.api_url, API_URL);
    assert_eq!((config.concurrency, config.draft_invoices), (CONCURRENCY, false));
    assert_eq!(config.retry_minutes, RETRY_MINUTES);
    assert_eq!(config.open_invoices_for(), Some(SignedDuration::hours(90 * 24)));
    assert_eq!((config.sweep(), config.reads_webhook_events), (None, false));
    let start = instant("2024-01-01T00:00:00Z");
    assert_eq!(config.range, TimeRange::since(start));
}

#[test]
fn every_property_that_is_wrong_is_named() {
    for (changes, named) in [
        (r#"{"api_key":null}"#, "api_key"),
        (r#"{"api_key":" "}"#, "api_key"),
        (r#"{"api_key":"a\nb"}"#, "api_key"),
        (r#"{"start_date":null}"#, "start_date"),
        (r#"{"start_date":"2024-01-01"}"#, "start_date"),
        (r#"{"start_date":"2024-13-01T00:00:00Z"}"#, "start_date"),
        (r#"{"start_date":"2024-01-01T00:00:00+00:00"}"#, "start_date"),
        (r#"{"end_date":7}"#, "end_date"),
        (r#"{"end_date":"2023-01-01T00:00:00Z"}"#, "end_date is before start_date"),
        (r#"{"lookback_window_days":-1}"#, "lookback_window_days"),
        (r#"{"lookback_window_days":1.5}"#, "lookback_window_days"),
        (r#"{"open_invoice_days":-1}"#, "open_invoice_days"),
        (r#"{"full_sweep_days":36501}"#, "full_sweep_days"),
        (r#"{"changes":"events"}"#, "changes"),
        (r#"{"changes":true}"#, "changes"),
        (r#"{"string_event_properties_keys":"a"}"#, "string_event_properties_keys"),
        (r#"{"numeric_event_properties_keys":[1]}"#, "numeric_event_properties_keys"),
        (
            r#"{"string_event_properties_keys":["a"],"numeric_event_properties_keys":["a"]}"#,
            "\"a\" is in both",
        ),
        (r#"{"subscription_usage_grouping_key":1}"#, "subscription_usage_grouping_key"),
        (r#"{"plan_id":[]}"#, "plan_id"),
        (r#"{"draft_invoices":"yes"}"#, "draft_invoices"),
        (r#"{"ledger_currencies":["USD",1]}"#, "ledger_currencies"),
        (r#"{"concurrency":0}"#, "concurrency must be a whole number from 1 to 64"),
        (r#"{"concurrency":65}"#, "concurrency"),
        (r#"{"concurrency":1.5}"#, "concurrency"),
        (r#"{"concurrency":"4"}"#, "concurrency"),
        (r#"{"retry_minutes":-1}"#, "retry_minutes must be a whole number from 0 to 10"),
        (r#"{"retry_minutes":11}"#, "retry_minutes"),
        (r#"{"retry_minutes":0.5}"#, "retry_minutes"),
        (r#"{"api_url":"api.withorb.com"}"#, "api_url"),
        (r#"{"api_url":"https://user@host/v1"}"#, "api_url"),
        (r#"{"api_url":"https://host/v1?x=1"}"#, "api_url"),
    ] {
        let error = parse(changes).unwrap_err();
        assert_eq!(error.failure_type, FailureType::Config, "{changes}");
        assert!(error.message.contains(named), "{changes}: {error}");
    }
}

#[test]
fn the_api_url_loses_its_last_slash() {
    assert_eq!(
        parse(r#"{"api_url":"http://127.0.0.1:8080/v1/"}"#).unwrap().api_url,
        "http://127.0.0.1:8080/v1"
    );
}

#[test]
fn the_key_is_never_shown() {
    let config = parse(r#"{"api_key":"hidden"}"#).unwrap();
    assert!(!format!("{config:?}").contains("hidden"));
    assert!(!parse(r#"{"api_key":"hid den"}"#).unwrap_err().message.contains("hid"));
}

#[test]
fn a_whole_number_is_taken_however_it_is_spelled() {
    for spelled in ["3", "3.0", "3e0", "0.3E1", "30e-1", "3.000"] {
        let base = r#""api_key":"k","start_date":"2024-01-01T00:00:00Z""#;
        let json = format!(
            r#"{{{base},"lookback_window_days":{spelled},"concurrency":{spelled},"retry_minutes":{spelled}}}"#
        );
        let config = Config::parse(&json).unwrap();
        assert_eq!(config.range.lookback, SignedDuration::days(3), "{spelled}");
        assert_eq!((config.concurrency, config.retry_minutes), (3, 3), "{spelled}");
    }
}

#[test]
fn a_property_that_comes_twice_counts_as_it_comes_last() {
    let base = r#""start_date":"2023-01-01T00:00:00Z","start_date":"2024-01-01T00:00:00Z""#;
    let json = format!(r#"{{"api_key":"a","concurrency":0,{base},"api_key":"b","\u0063oncurrency":2}}"#);
    let config = Config::parse(&json).unwrap();
    assert_eq!(config.range.start, instant("2024-01-01T00:00:00Z"));
    assert_eq!((config.api_key.expose(), config.concurrency), ("b", 2));
}

#[test]
fn statuses_have_defaults_and_must_be_known() {
    let parse = |changes: &str| {
        let base = r#""api_key":"hidden","start_date":"2022-01-01T06:00:00Z""#;
        Config::parse(&format!("{{{base}{changes}}}"))
    };
    let config = parse("").unwrap();
    assert_eq!(config.subscription_change_statuses, ["pending", "applied", "cancelled"]);
    assert_eq!(config.billable_metric_statuses, Vec::<String>::new());
    assert_eq!(Config::parts(&config.billable_metric_statuses), [None]);
    let config = parse(r#","subscription_change_statuses":[],"billable_metric_statuses":["draft"]"#).unwrap();
    assert_eq!(config.subscription_change_statuses, Vec::<String>::new());
    assert_eq!(Config::parts(&config.billable_metric_statuses), [Some("draft".to_owned())]);
    let error = parse(r#","subscription_change_statuses":["pending","done"]"#).unwrap_err();
    assert_eq!(
        error.message,
        r#"config: subscription_change_statuses has "done"; it may have: pending, applied, cancelled"#
    );
}
