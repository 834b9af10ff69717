//! Reads whole streams from a scripted server, on a simulated clock.

mod backfills;
mod changes;

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
    let error = connector(&world).read(&config, "plans", None).unwrap_err();
    assert_eq!(error.message, "config: the start date lies in the future");
    assert_eq!(error.failure_type, FailureType::Config);
}

#[test]
fn what_cannot_be_read_is_said_before_any_request() {
    let world = World::new(|_| panic!("a request"));
    let orb = connector(&world);
    let read = |stream, state| orb.read(CONFIG, stream, Some(state)).unwrap_err();
    assert!(read("nothing", "{}").message.contains("no stream \"nothing\""));
    let error = read("plans", r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#);
    assert!(error.message.starts_with("plans: its state is not understood"), "{error}");
    assert_eq!(error.failure_type, FailureType::Config);
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

#[test]
fn customers_whose_ledger_is_gone_are_skipped() {
    let (count, state, error, world) = read_ledgers(&[("c1", 404), ("c4", 410)]);
    assert_eq!((count, error), (4, None));
    assert!(state.is_some());
    let lines = world.lines.borrow();
    for id in ["c1", "c4"] {
        let skipped = format!("skipped {id}, which is gone");
        assert!(lines.iter().any(|(level, line)| *level == Level::Warn && line.contains(&skipped)), "{id}");
    }
}

#[test]
fn one_customer_that_is_refused_fails_the_ledger_once_all_others_are_read() {
    for (status, failure_type, words) in [
        (403, FailureType::Config, "the API key is not allowed"),
        (400, FailureType::System, "Orb refused the request"),
        (422, FailureType::System, "unexpected status"),
    ] {
        let answers: &'static [(&str, u16)] = Box::leak(Box::new([("c2", status)]));
        let (count, state, error, world) = read_ledgers(answers);
        let error = error.unwrap();
        assert_eq!((count, state, error.failure_type), (5, None, failure_type), "{status}");
        let begins =
            "credits_ledger_entries: the lists of 1 customers were refused (c2); all others were read";
        assert!(error.message.starts_with(begins) && error.message.contains(words), "{error}");
        assert!(error.internal_message.unwrap().contains("/customers/c2/credits/ledger"));
        let lines = world.lines.borrow();
        let warned = |(level, line): &(Level, String)| *level == Level::Warn && line.contains("skipped c2");
        assert!(lines.iter().any(warned), "{lines:?}");
    }
}

#[test]
fn a_key_that_is_not_accepted_ends_a_ledger_at_once() {
    let (_, state, error, _) = read_ledgers(&[("c2", 401)]);
    assert_eq!(state, None);
    assert!(error.unwrap().message.contains("does not accept the API key"));
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

#[test]
fn pages_that_are_too_large_are_halved_and_stay_so() {
    for (most, limits) in [
        (30, vec![100, 50, 25]),
        (3, vec![100, 50, 25, 12, 6, 3, 3, 3, 3]),
        (1, [vec![100, 50, 25, 12, 6, 3], vec![1; 10]].concat()),
    ] {
        let (batches, world) = read("plans", Duration::ZERO, small_pages(most));
        let batches = batches.unwrap();
        assert_eq!(records(&batches).iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
        assert_eq!(records(&batches).len(), 10, "{most}");
        let asked: Vec<usize> = world.requests.borrow().iter().map(|request| limit(request)).collect();
        assert_eq!(asked, limits, "{most}");
    }
}

#[test]
fn a_page_of_one_record_that_is_too_large_is_an_error() {
    let (batches, world) = read("plans", Duration::ZERO, small_pages(0));
    let error = batches.unwrap_err();
    assert_eq!(error.failure_type, FailureType::System);
    assert!(
        error
            .message
            .starts_with("plans: Orb reports that the request or its results are too large (status 413)"),
        "{error}"
    );
    assert!(error.message.ends_with("this happens even with one record per page"), "{error}");
    assert_eq!(world.requests.borrow().len(), 7);
}

#[test]
fn a_chain_of_pages_goes_on_in_smaller_ones_where_a_later_one_is_too_large() {
    let (batches, world) = read("plans", Duration::ZERO, |url| {
        let record = |id: &str| format!(r#"{{"id":"{id}","created_at":"2024-03-01T00:00:00Z"}}"#);
        match parameter(url, "cursor") {
            None => page(&record("a"), Some("t")),
            Some(_) if limit(url) > 50 => answer(413, TOO_LARGE),
            Some(_) => page(&record("b"), None),
        }
    });
    assert_eq!(records(&batches.unwrap()).len(), 2);
    let requests = world.requests.borrow();
    let asked: Vec<_> = requests.iter().map(|url| (limit(url), parameter(url, "cursor"))).collect();
    assert_eq!(asked, [(100, None), (100, Some("t")), (50, Some("t"))]);
}

#[test]
fn the_parents_list_and_their_own_lists_have_page_sizes_of_their_own() {
    let (batches, world) = read("credits_ledger_entries", Duration::from_millis(40), |url| {
        let is_ledger = url.contains("/ledger");
        if limit(url) > if is_ledger { 300 } else { 60 } {
            return answer(413, TOO_LARGE);
        }
        if is_ledger { page(ENTRY, None) } else { page(&customers(20), None) }
    });
    assert_eq!(records(&batches.unwrap()).len(), 20);
    let requests = world.requests.borrow();
    let asked = |wanted: bool, most: usize| {
        let of = requests.iter().filter(|url| url.contains("/ledger") == wanted);
        of.filter(|url| limit(url) == most).count()
    };
    assert_eq!([asked(false, 100), asked(false, 50)], [1, 1]);
    // Sixteen are in flight when the first of them is refused. Later ones use the smaller page
    // size.
    assert_eq!([asked(true, 1000), asked(true, 500), asked(true, 250)], [16, 16, 20]);
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
fn times_that_are_too_long_are_halved_and_every_day_is_whole() {
    let (expected, _) = read_usage(i64::MAX, Excess::Refuses);
    let expected = expected.unwrap();
    assert!(expected.len() > 2 * 840);
    let most = [24 * 300, 24 * 31, 60, 28];
    for (most, excess) in
        most.into_iter().flat_map(|most| [(most, Excess::Refuses), (most, Excess::LeavesOut)])
    {
        let (records, world) = read_usage(most, excess);
        assert_eq!(records.unwrap(), expected, "{most}");
        // A few attempts, and none once the longest timeframe is known.
        let of_second =
            |url: &&String| url.contains("/t/usage") && days(url).iter().map(|day| day.1).sum::<i64>() > most;
        assert!(world.requests.borrow().iter().filter(of_second).count() <= 12, "{most}");
    }
}

#[test]
fn a_day_that_is_too_long_is_an_error() {
    let (records, _) = read_usage(24, Excess::LeavesOut);
    let error = records.unwrap_err();
    assert!(
        error.message.contains("is incomplete")
            && error.message.ends_with("no shorter time range can be requested"),
        "{error}"
    );
    let (records, _) = read_usage(24, Excess::Refuses);
    let error = records.unwrap_err();
    assert!(
        error.message.contains("status 413")
            && error.message.ends_with("no shorter time range can be requested"),
        "{error}"
    );
    assert_eq!(error.failure_type, FailureType::System);
}

#[test]
fn a_search_for_more_events_than_orb_answers_is_halved() {
    let entry = |number| {
        format!(
            r#"{{"id":"{number}","created_at":"2024-03-01T00:00:00Z","entry_status":"committed","event_id":"e{number}"}}"#
        )
    };
    let entries = (0..9).map(entry).collect::<Vec<_>>().join(",");
    let asked = Rc::new(std::cell::RefCell::new(Vec::new()));
    let sizes = Rc::clone(&asked);
    let world = World::new(move |request: &Request| {
        let Some(body) = &request.body else {
            let is_ledger = request.url.contains("/ledger");
            return Ok(page(if is_ledger { entries.clone() } else { customers(1) }.as_str(), None));
        };
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let ids = body["event_ids"].as_array().unwrap();
        sizes.borrow_mut().push(ids.len());
        if ids.len() > 3 {
            return Ok(answer(413, TOO_LARGE));
        }
        let event = |id| format!(r#"{{"id":{id},"properties":{{"region":"eu"}}}}"#);
        Ok(page(&ids.iter().map(event).collect::<Vec<_>>().join(","), None))
    });
    let config = CONFIG.replace('}', r#","string_event_properties_keys":["region"]}"#);
    let mut reader = connector(&world).read(&config, "credits_ledger_entries", None).unwrap();
    let mut records = Vec::new();
    while let Some(batch) = world.run(reader.next_batch()).unwrap() {
        records.extend(batch.records);
    }
    assert_eq!(records.len(), 9);
    assert!(records.iter().all(|record| record.contains(r#""properties":{"region":"eu"}"#)), "{records:?}");
    assert_eq!(*asked.borrow(), [9, 5, 3, 2, 4, 2, 2]);
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
