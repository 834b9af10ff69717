//! Reads whole streams from a scripted server, on a simulated clock. Half of it is what the tests
//! here and in the modules below share.

mod backfills;
mod changes;
mod events;
mod failures;
mod page_sizes;

use std::time::Duration;

use super::*;
use crate::config::CONCURRENCY;
use elt_sdk::{
    connector::Connector,
    error::{Error, FailureType},
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

fn connector(world: &Rc<World>) -> Connector<Orb> {
    Connector::new(world.platform(), Rc::default())
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
    let mut reader = connector(&world).read(CONFIG, stream, None).unwrap();
    let batches = world.run(async {
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            batches.push(batch);
        }
        Ok(batches)
    });
    (batches, world)
}

/// Returns customers, newest first, one per day.
fn customers(count: usize) -> String {
    let customer = |number| {
        let day = 28 - number;
        format!(r#"{{"id":"c{number}","created_at":"2024-02-{day:02}T00:00:00Z"}}"#)
    };
    (0..count).map(customer).collect::<Vec<_>>().join(",")
}

const ENTRY: &str = r#"{"id":"e","created_at":"2024-03-01T00:00:00Z","entry_status":"committed"}"#;

const FORBIDDEN: &str = r#"{"type":"https://docs.withorb.com/x#403","title":"Forbidden"}"#;

/// Reads the ledgers of six customers, some of which are answered with the status in `answers`.
fn read_ledgers(
    answers: &'static [(&'static str, u16)],
) -> (usize, Option<String>, Option<Error>, Rc<World>) {
    let world = World::new(move |request: &Request| {
        let ledger = |(id, _): &&(&str, u16)| request.url.contains(&format!("/customers/{id}/"));
        Ok(match answers.iter().find(ledger) {
            Some((_, status)) => answer(*status, FORBIDDEN),
            None if request.url.contains("/ledger") => page(ENTRY, None),
            None => page(&customers(6), None),
        })
    });
    let mut reader = connector(&world).read(CONFIG, "credits_ledger_entries", None).unwrap();
    let (mut count, mut state) = (0, None);
    let error = world.run(async {
        loop {
            match reader.next_batch().await {
                Ok(Some(batch)) => {
                    count += batch.records.len();
                    state = batch.checkpoint.or(state.take());
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        }
    });
    (count, state, error, world)
}

/// Returns the value of a parameter in a URL.
fn parameter<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn limit(url: &str) -> usize {
    parameter(url, "limit").unwrap().parse().unwrap()
}

const TOO_LARGE: &str =
    r#"{"type":"https://docs.withorb.com/x#413-too-many-results","title":"Too many results."}"#;

/// A server with a list of ten records that allows at most `most` per page.
fn small_pages(most: usize) -> impl FnMut(&str) -> Response {
    move |url| {
        if limit(url) > most {
            return answer(413, TOO_LARGE);
        }
        let skip: usize = parameter(url, "cursor").map_or(0, |token| token.parse().unwrap());
        let record = |number| format!(r#"{{"id":"{number}","created_at":"2024-03-01T00:00:00Z"}}"#);
        let end = (skip + limit(url)).min(10);
        let records: Vec<String> = (skip..end).map(record).collect();
        page(&records.join(","), (end < 10).then(|| end.to_string()).as_deref())
    }
}

fn records(batches: &[Batch]) -> Vec<&String> {
    batches.iter().flat_map(|batch| &batch.records).collect()
}

const YEARS: &str = r#"{"api_key":"hidden","start_date":"2022-01-01T06:00:00Z","end_date":"2024-05-01T00:00:00Z","api_url":"http://h/v1"}"#;

/// Returns the days in UTC+5 within the timeframe of a URL, truncated at its ends, each with its
/// hours.
fn days(url: &str) -> Vec<(String, i64)> {
    let instant = |name| {
        let value = parameter(url, name).unwrap().replace("%3A", ":").replace("%2B", "+");
        elt_sdk::testing::instant(&value)
    };
    let (from, until) = (instant("timeframe_start"), instant("timeframe_end"));
    let first = elt_sdk::testing::instant("2021-12-30T19:00:00Z");
    let hours = |number: i32| time::SignedDuration::hours(24) * number;
    let days = (0..1_000).map(|number| (first + hours(number), first + hours(number + 1)));
    let cut = days.map(|(start, end)| (start.max(from), end.min(until))).filter(|(start, end)| start < end);
    cut.map(|(start, end)| (elt_sdk::instant::format_instant(start), (end - start).whole_hours())).collect()
}

/// What a server does if a timeframe is too long.
#[derive(Clone, Copy)]
enum Excess {
    Refuses,
    LeavesOut,
}

/// Reads the usage of two subscriptions from a server that answers at most `most` hours at once.
fn read_usage(most: i64, excess: Excess) -> (Result<Vec<String>>, Rc<World>) {
    let world = World::new(move |request: &Request| {
        if !request.url.contains("/usage") {
            let subscription =
                |id| format!(r#"{{"id":"{id}","created_at":"2024-02-01T00:00:00Z","plan":null}}"#);
            return Ok(page(&[subscription("s"), subscription("t")].join(","), None));
        }
        let days = days(&request.url);
        if days.iter().map(|(_, hours)| hours).sum::<i64>() > most {
            return Ok(match excess {
                Excess::Refuses => answer(413, TOO_LARGE),
                Excess::LeavesOut => {
                    answer(200, r#"{"data":[],"pagination_metadata":{"has_more":true,"next_cursor":"t"}}"#)
                }
            });
        }
        let day =
            |(start, hours): &(String, i64)| format!(r#"{{"quantity":{hours},"timeframe_start":"{start}"}}"#);
        let days: Vec<String> = days.iter().map(day).collect();
        Ok(answer(200, format!(r#"{{"data":[{{"billable_metric":null,"usage":[{}]}}]}}"#, days.join(","))))
    });
    let mut reader = connector(&world).read(YEARS, "subscription_usage", None).unwrap();
    let records = world.run(async {
        let mut records = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            records.extend(batch.records);
        }
        records.sort();
        Ok(records)
    });
    (records, world)
}

#[test]
fn check_asks_once_and_says_what_is_wrong() {
    for (response, expected) in [
        (answer(200, r#"{"response":"pong"}"#), None),
        (answer(200, ""), None),
        (answer(200, "<html>"), Some("is not Orb's API")),
        (answer(404, ""), Some("check api_url")),
        (answer(401, UNAUTHORIZED), Some("check api_key")),
    ] {
        let world = World::new(move |_| Ok(response.clone()));
        let orb = connector(&world);
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
        let error = world.run(connector(&world).check(CONFIG)).unwrap_err();
        assert_eq!(error.failure_type, FailureType::Transient);
        assert!(error.message.starts_with("an outage, which says nothing about the config: "), "{error}");
        assert!(error.message.ends_with("try again later; if it stays so, check api_url"), "{error}");
        assert!((5..30).contains(&world.elapsed().as_secs()), "{:?}", world.elapsed());
    }
}

#[test]
fn the_config_bounds_for_how_long_a_request_is_tried() {
    for (minutes, seconds) in [(0, 0), (1, 60), (10, 600)] {
        let world = World::new(move |_| Ok(answer(503, "")));
        let config = CONFIG.replace('{', &format!(r#"{{"retry_minutes":{minutes},"#));
        let mut reader = connector(&world).read(&config, "plans", None).unwrap();
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
    let mut reader = connector(&world).read(CONFIG, "plans", None).unwrap();
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
fn a_future_invoice_does_not_hide_those_issued_later_with_an_older_date() {
    let invoices = |dates: &[&str]| {
        let invoice = |date: &&str| format!(r#"{{"id":"{date}","invoice_date":"{date}"}}"#);
        page(&dates.iter().map(invoice).collect::<Vec<_>>().join(","), None)
    };
    let read = |dates: &'static [&'static str]| {
        let (batches, _) = read("invoices", Duration::ZERO, move |_| invoices(dates));
        batches.unwrap().last().unwrap().checkpoint.clone().unwrap()
    };
    let state = read(&["2025-06-01T00:00:00+00:00", "2024-04-01T00:00:00+00:00"]);
    assert_eq!(state, r#"{"invoice_date":"2024-04-01T00:00:00+00:00"}"#);
    let state = read(&["2025-06-01T00:00:00+00:00"]);
    assert_eq!(state, r#"{"invoice_date":"2024-01-01T00:00:00+00:00"}"#);
}
