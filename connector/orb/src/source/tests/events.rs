//! Searches for the events of ledger entries.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::*;

const KEYS: &str = r#""string_event_properties_keys":["s"]"#;

/// The ids and the end of the timeframe of each search.
type Searches = Vec<(Vec<String>, String)>;

/// Reads the ledger of one customer, with an entry of 1 March for each id. Searches are answered by
/// ids and timeframe.
fn read_events(
    ids: &[&str],
    keys: &str,
    events: impl Fn(&[String], &str) -> Response + 'static,
) -> (Result<Vec<Value>>, Searches) {
    let entry = |id: &&str| {
        format!(
            r#"{{"id":"e-{id}","event_id":"{id}","created_at":"2024-03-01T00:00:00Z","entry_status":"committed"}}"#
        )
    };
    let entries = ids.iter().map(entry).collect::<Vec<_>>().join(",");
    let searches = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&searches);
    let world = World::new(move |request: &Request| {
        let Some(body) = &request.body else {
            let is_ledger = request.url.contains("/ledger");
            return Ok(page(if is_ledger { &entries } else { r#"{"id":"c"}"# }, None));
        };
        assert!(request.url.ends_with("/events/search"));
        let body: Value = serde_json::from_slice(body).unwrap();
        let ids: Vec<String> = serde_json::from_value(body["event_ids"].clone()).unwrap();
        let end = body["timeframe_end"].as_str().unwrap()[..10].to_owned();
        let response = events(&ids, &end);
        seen.borrow_mut().push((ids, end));
        Ok(response)
    });
    let config = CONFIG.replace(r#""api_url""#, &format!(r#"{keys},"api_url""#));
    let mut reader = connector(&world).read(&config, "credits_ledger_entries", None).unwrap();
    let records = world.run(async {
        let mut records = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            let event = |record: &String| serde_json::from_str::<Value>(record).unwrap()["event"].clone();
            records.extend(batch.records.iter().map(event));
        }
        Ok(records)
    });
    (records, searches.take())
}

/// Returns a page of events whose property `s` is their id, and whose property `n` is 1.
fn found(ids: &[String], has_more: bool) -> Response {
    let event = |id: &String| json!({"id": id, "properties": {"s": id, "n": 1}});
    let data: Vec<_> = ids.iter().map(event).collect();
    answer(200, json!({"data": data, "pagination_metadata": {"has_more": has_more}}).to_string())
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn events_that_are_not_found_are_searched_for_in_the_thirty_days_before_once() {
    let (events, searches) = read_events(&["a", "b", "c"], KEYS, |ids, end| {
        let has = |id: &&String| (*id == "a") == (end == "2024-03-01") && *id != "c";
        found(&ids.iter().filter(has).cloned().collect::<Vec<_>>(), false)
    });
    let with = |id: &str| json!({"id": id, "properties": {"s": id}});
    assert_eq!(events.unwrap(), [with("a"), with("b"), json!({"id": "c"})]);
    let searches: Vec<_> = searches.into_iter().map(|(ids, end)| (ids.len(), end)).collect();
    assert_eq!(searches, [(3, "2024-03-01".to_owned()), (2, "2024-01-31".to_owned())]);
}

#[test]
fn where_all_events_are_found_there_is_one_search() {
    for (keys, expected) in [
        (KEYS, json!({"s": "a"})),
        (r#""numeric_event_properties_keys":["n"]"#, json!({"n": 1})),
        (
            r#""string_event_properties_keys":["s"],"numeric_event_properties_keys":["n"]"#,
            json!({"s": "a", "n": 1}),
        ),
    ] {
        let (events, searches) = read_events(&["a"], keys, |ids, _| found(ids, false));
        assert_eq!(events.unwrap(), [json!({"id": "a", "properties": expected})]);
        assert_eq!(searches.len(), 1);
    }
    let (events, searches) =
        read_events(&["a"], r#""string_event_properties_keys":[]"#, |ids, _| found(ids, false));
    assert_eq!((events.unwrap(), searches.len()), (vec![json!({"id": "a"})], 0));
}

#[test]
fn a_search_with_more_events_goes_on_with_those_that_are_missing() {
    let (events, searches) = read_events(&["a", "b", "c"], KEYS, |ids, _| {
        // One event per page. It says that there is more even after the last one.
        found(&ids[..1], true)
    });
    assert!(events.unwrap().iter().all(|event| !event["properties"]["s"].is_null()));
    let ids: Vec<_> = searches.into_iter().map(|(ids, _)| ids).collect();
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 1]);
}

#[test]
fn a_search_that_finds_nothing_and_says_that_there_is_more_ends() {
    let (events, searches) = read_events(&["a"], KEYS, |_, _| found(&[], true));
    assert_eq!(events.unwrap(), [json!({"id": "a"})]);
    assert_eq!(searches.len(), 2);
}

#[test]
fn a_search_whose_result_is_too_large_is_halved_down_to_one_event() {
    let (events, searches) = read_events(&["a", "b", "c", "d"], KEYS, |ids, _| {
        if ids.len() > 1 { answer(413, "{}") } else { found(ids, false) }
    });
    assert!(events.unwrap().iter().all(|event| !event["properties"]["s"].is_null()));
    let sorted = |(mut ids, _): (Vec<String>, String)| {
        ids.sort();
        ids
    };
    let mut ids: Vec<_> = searches.into_iter().map(sorted).collect();
    ids.sort();
    let expected = [&["a"][..], &["a", "b"], &["a", "b", "c", "d"], &["b"], &["c"], &["c", "d"], &["d"]];
    assert_eq!(ids, expected.map(owned));
    let (events, searches) = read_events(&["a", "b"], KEYS, |_, _| answer(413, "{}"));
    assert!(events.unwrap_err().message.contains("too large"));
    assert_eq!(searches.len(), 2);
}

#[test]
fn an_account_whose_events_cannot_be_searched_is_told_which_keys_to_remove() {
    const FEATURE: &str =
        r#"{"type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    const ABSENT: &str =
        r#"{"type":"https://docs.withorb.com/reference/error-responses#404-resource-not-found"}"#;
    for body in [FEATURE, ABSENT] {
        let (events, _) = read_events(&["a"], KEYS, move |_, _| answer(404, body));
        let error = events.unwrap_err();
        assert_eq!(error.failure_type, FailureType::Config);
        assert!(error.message.contains("remove the event properties keys"), "{error}");
    }
    let (events, _) = read_events(&["a"], KEYS, |_, _| answer(403, FORBIDDEN));
    assert!(events.unwrap_err().message.contains("not allowed"));
}
