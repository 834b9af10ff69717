//! Whole reads of a scripted server, on a clock that jumps.

use std::time::Duration;

use super::*;
use crate::config::CONCURRENCY;
use elt_sdk::{
    error::FailureType,
    http::{Request, Response, TransportError},
    log::Level,
    reader::Batch,
    testing::{World, answer},
};

const CONFIG: &str = r#"{"api_key":"hidden","start_date":"2024-01-01T00:00:00Z","api_url":"http://h/v1"}"#;

const UNAUTHORIZED: &str = r#"{"type":"https://docs.withorb.com/reference/error-responses#401-authentication-error",
    "status":401,"title":"Authentication failed.","detail":"key hidden"}"#;

fn page(records: &str, next_cursor: Option<&str>) -> Response {
    let next_token = next_cursor.map_or("null".into(), |token| format!("{token:?}"));
    let has_more = next_cursor.is_some();
    let pagination = format!(r#"{{"has_more":{has_more},"next_cursor":{next_token}}}"#);
    answer(200, format!(r#"{{"data":[{records}],"pagination_metadata":{pagination}}}"#))
}

/// Reads a stream to its end from a server that answers by URL.
fn read(
    stream: &str,
    latency: Duration,
    script: impl FnMut(&str) -> Response + 'static,
) -> (Result<Vec<Batch>>, Rc<World>) {
    let mut script = script;
    let world = World::new(move |request: &Request| Ok::<_, TransportError>(script(&request.url)))
        .with_latency(latency);
    let mut reader = Orb::new(world.platform()).read(CONFIG, stream, None).unwrap();
    let batches = world.run(async {
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            batches.push(batch);
        }
        Ok(batches)
    });
    (batches, world)
}

#[test]
fn check_asks_once_and_says_what_is_wrong() {
    for (response, expected) in [
        (answer(200, r#"{"response":"pong"}"#), None),
        (answer(200, ""), None),
        (answer(200, "<html>"), Some("not as Orb's API does")),
        (answer(404, ""), Some("is api_url right?")),
        (answer(401, UNAUTHORIZED), Some("check api_key")),
    ] {
        let world = World::new(move |_| Ok(response.clone()));
        let orb = Orb::new(world.platform());
        let result = world.run(orb.check(CONFIG));
        match expected {
            None => assert_eq!(result, Ok(())),
            Some(expected) => {
                let error = result.unwrap_err();
                assert_eq!(error.failure_type, FailureType::Config);
                assert!(error.message.contains(expected), "{error}");
            }
        }
        assert_eq!(*world.requests.borrow(), ["GET http://h/v1/ping"]);
    }
}

#[test]
fn a_check_that_an_outage_hinders_takes_seconds_and_says_so() {
    for failure in [
        Ok(answer(503, "")),
        Ok(answer(429, "")),
        Ok(answer(403, "<html>Forbidden</html>")),
        Err(TransportError::Broken("the connection was refused".into())),
    ] {
        let world = World::new(move |_| failure.clone());
        let error = world.run(Orb::new(world.platform()).check(CONFIG)).unwrap_err();
        assert_eq!(error.failure_type, FailureType::Transient);
        assert!(error.message.starts_with("an outage, which says nothing about the config: "), "{error}");
        assert!(error.message.ends_with("try again later; if it stays so, is api_url right?"), "{error}");
        assert!((5..30).contains(&world.elapsed().as_secs()), "{:?}", world.elapsed());
    }
}

#[test]
fn the_config_bounds_for_how_long_a_request_is_tried() {
    for (minutes, seconds) in [(0, 0), (1, 60), (10, 600)] {
        let world = World::new(move |_| Ok(answer(503, "")));
        let config = CONFIG.replace('{', &format!(r#"{{"retry_minutes":{minutes},"#));
        let mut reader = Orb::new(world.platform()).read(&config, "plans", None).unwrap();
        assert!(world.run(reader.next_batch()).is_err());
        assert_eq!(world.elapsed().as_secs(), seconds);
    }
}

#[test]
fn the_next_page_is_asked_for_before_a_batch_is_handed_over() {
    let world = World::new(|request: &Request| {
        let is_first = !request.url.contains("cursor=");
        let record = r#"{"id":"a","created_at":"2024-03-01T00:00:00+00:00"}"#;
        Ok(page(record, is_first.then_some("next")))
    });
    let mut reader = Orb::new(world.platform()).read(CONFIG, "plans", None).unwrap();
    let batch = world.run(reader.next_batch()).unwrap().unwrap();
    assert_eq!((batch.records.len(), batch.checkpoint), (1, None));
    assert_eq!(world.requests.borrow().len(), 2);
}

#[test]
fn ledgers_are_read_concurrently_and_a_customer_that_is_gone_is_skipped() {
    let customers: Vec<String> = (0..40)
        .map(|number| {
            format!(r#"{{"id":"c{number}","created_at":"2024-02-{:02}T00:00:00Z"}}"#, 28 - number / 2)
        })
        .collect();
    let customers = customers.join(",");
    let (batches, world) = read("credits_ledger_entries", Duration::from_millis(40), move |url| {
        if url.contains("/c7/") {
            answer(
                404,
                r#"{"type":"https://docs.withorb.com/reference/error-responses#404-resource-not-found"}"#,
            )
        } else if url.contains("/ledger") {
            page(
                r#"{"id":"e","created_at":"2024-03-01T00:00:00Z","entry_status":"committed","credit_block":null}"#,
                None,
            )
        } else {
            page(&customers, None)
        }
    });
    let batches = batches.unwrap();
    let records: Vec<&String> = batches.iter().flat_map(|batch| &batch.records).collect();
    assert_eq!(records.len(), 39);
    assert!(records[0].ends_with(r#""credit_block_per_unit_cost_basis":null,"credit_block_filters":null}"#));
    assert_eq!(
        batches.last().unwrap().checkpoint.as_deref(),
        Some(r#"{"created_at":"2024-03-01T00:00:00+00:00"}"#)
    );
    assert_eq!(world.most_in_flight.get(), CONCURRENCY);
    assert_eq!(world.elapsed().as_millis(), 40 * (1 + 40_u128.div_ceil(16)));
    let lines = world.lines.borrow();
    assert!(lines.iter().any(|(level, line)| *level == Level::Warn && line.contains("skipped c7")));
}

#[test]
fn a_feature_that_the_account_lacks_is_a_warning_and_the_end() {
    let kind = r#"{"type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    let (batches, world) = read("invoices", Duration::ZERO, move |_| answer(404, kind));
    assert_eq!(batches, Ok(Vec::new()));
    assert!(world.lines.borrow()[0].1.contains("this account does not have"));
}

#[test]
fn an_error_names_the_stream_and_ends_the_read() {
    let (batches, _) = read("plans", Duration::ZERO, |_| answer(401, UNAUTHORIZED));
    let error = batches.unwrap_err();
    assert!(error.message.starts_with("plans: Orb does not accept the API key"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"));
}

#[test]
fn a_page_token_that_comes_back_is_an_error() {
    let record = r#"{"id":"a","created_at":"2024-03-01T00:00:00+00:00"}"#;
    let (batches, _) = read("customers", Duration::ZERO, move |_| page(record, Some("again")));
    assert!(batches.unwrap_err().message.contains("\"again\" twice"));
}

#[test]
fn a_start_in_the_future_is_a_config_error() {
    let world = World::new(|_| panic!("a request"));
    let config = CONFIG.replace("2024-01-01", "2090-01-01");
    let error = Orb::new(world.platform()).read(&config, "plans", None).unwrap_err();
    assert_eq!(error.message, "config: start_date lies in the future");
    assert_eq!(error.failure_type, FailureType::Config);
}

#[test]
fn what_cannot_be_read_is_said_before_any_request() {
    let world = World::new(|_| panic!("a request"));
    let orb = Orb::new(world.platform());
    let read = |stream, state| orb.read(CONFIG, stream, Some(state)).unwrap_err();
    assert!(read("nothing", "{}").message.contains("no stream \"nothing\""));
    let error = read("plans", r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#);
    assert!(error.message.starts_with("plans: its state is not understood"), "{error}");
    assert_eq!(error.failure_type, FailureType::Config);
}
