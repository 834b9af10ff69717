//! Tests searches, conversions and enriched entries.

use super::*;
use elt_sdk::testing::instant;

fn config() -> Config {
    Config::sample(r#","string_event_properties_keys":["s"],"numeric_event_properties_keys":["n"]"#)
}

fn page(entries: &[(&str, &str)]) -> Page {
    let record = |(id, at): &(&str, &str)| {
        Record::new(format!(r#"{{"event_id":{id:?},"a":1.0,"created_at":{at:?}}}"#), Some(instant(at)))
    };
    Page { records: entries.iter().map(record).collect(), ..Page::default() }
}

#[test]
fn the_schema_of_an_event_has_the_configured_properties() {
    let [(name, schema)] = &properties(&config())[..] else { panic!("it is one property") };
    assert_eq!(name, "event");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let of_event = &schema["properties"];
    assert_eq!(of_event["id"]["type"], "string");
    assert_eq!(
        of_event["properties"]["properties"],
        serde_json::json!({"s": {"type": ["null", "string"]}, "n": {"type": ["null", "number"]}})
    );
    assert_eq!(schema["additionalProperties"], true);
}

#[test]
fn entries_without_an_event_cost_nothing_and_stay_as_they_are() {
    let records = [r#"{"event_id":null}"#, r#"{"a":1}"#].map(|json| Record::new(json.into(), None));
    let page = Page { records: records.into(), ..Page::default() };
    assert!(searches(&page, instant("2024-01-01T00:00:00Z")).is_empty());
    assert_eq!(complete(page.clone(), true, &[], &Notes::default()), page);
}

#[test]
fn the_timeframe_contains_the_event_which_precedes_its_entry() {
    let entries =
        [("a", "2024-03-10T00:00:00Z"), ("b", "2024-03-01T00:00:00Z"), ("a", "2024-03-02T00:00:00Z")];
    let searches = searches(&page(&entries), instant("2024-06-01T00:00:00Z"));
    assert_eq!(searches.len(), 1);
    let expected = r#"{"event_ids":["a","b"],"timeframe_start":"2024-02-09T00:10:00+00:00","timeframe_end":"2024-03-10T00:10:00+00:00"}"#;
    assert_eq!(searches[0].body(), expected);
    assert_eq!(searches[0].clone().earlier().end, instant("2024-02-09T00:10:00Z"));
}

#[test]
fn many_events_and_events_far_apart_are_searched_for_apart() {
    let names: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    let entries: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "2024-03-10T00:00:00Z")).collect();
    let now = instant("2024-06-01T00:00:00Z");
    let sizes: Vec<usize> = searches(&page(&entries), now).iter().map(|search| search.ids.len()).collect();
    assert_eq!(sizes, [500, 500, 1]);
    let apart = [("a", "2024-03-10T00:00:00Z"), ("b", "2024-02-20T00:00:00Z")];
    assert_eq!(searches(&page(&apart), now).len(), 2);
}

#[test]
fn an_event_that_several_entries_share_is_put_into_each() {
    let body = r#"{"data":[{"id":"a","properties":{"s":"x","n":1.50,"other":true}}]}"#;
    let notes = Notes::default();
    let found = decode(&config(), &notes, body.as_bytes()).unwrap().events;
    let at = "2024-03-10T00:00:00Z";
    let page = complete(page(&[("a", at), ("a", at), ("b", at)]), true, &found, &notes);
    let expected =
        format!(r#"{{"a":1.0,"created_at":"{at}","event":{{"id":"a","properties":{{"s":"x","n":1.50}}}}}}"#);
    assert_eq!([&page.records[0].json, &page.records[1].json], [&expected, &expected]);
    assert!(page.records[2].json.ends_with(r#""event":{"id":"b"}}"#));
    assert!(notes.sentences()[0].starts_with("1 entries have no event properties"));
}

#[test]
fn values_are_converted_where_that_is_exact_and_reported_where_not() {
    let notes = Notes::default();
    let select = |properties: &str| selection(&config(), &notes, properties);
    assert_eq!(select(r#"{"s":1.10,"n":"2.50"}"#), r#"{"s":"1.10","n":2.50}"#);
    assert_eq!(select(r#"{"s":true,"n":null}"#), r#"{"s":"true","n":null}"#);
    assert_eq!(select(r#"{"s":"1","n":-1e5}"#), r#"{"s":"1","n":-1e5}"#);
    assert!(notes.sentences().is_empty());
    assert_eq!(select(r#"{"s":{},"n":"many"}"#), r#"{"s":null,"n":null}"#);
    assert_eq!(select(r#"{"n":true}"#), r#"{"n":null}"#);
    assert_eq!(notes.sentences().len(), 2);
    assert!(notes.sentences()[1].contains("\"n\" was not of the configured type 2 times"));
}

#[test]
fn a_name_that_comes_twice_counts_as_it_comes_last_and_is_written_once() {
    let notes = Notes::default();
    let body =
        r#"{"data":[{"id":"x"}],"data":[{"id":"old","id":"a","properties":{"s":"1","s":"2","\u0073":"3"}}]}"#;
    let found = decode(&config(), &notes, body.as_bytes()).unwrap().events;
    assert_eq!(found.len(), 1);
    let json = r#"{"event":7,"event_id":"b","event_id":"a"}"#;
    let page = Page { records: vec![Record::new(json.into(), None)], ..Page::default() };
    assert_eq!(searches(&page, instant("2024-01-01T00:00:00Z"))[0].ids, ["a"]);
    let page = complete(page, true, &found, &notes);
    assert_eq!(page.records[0].json, r#"{"event":{"id":"a","properties":{"s":"3"}}}"#);
}

#[test]
fn without_configured_keys_an_entry_has_the_id_of_its_event_and_nothing_is_reported() {
    let notes = Notes::default();
    let page = complete(page(&[("a", "2024-03-10T00:00:00Z")]), false, &[], &notes);
    assert!(page.records[0].json.ends_with(r#""event":{"id":"a"}}"#));
    assert!(notes.sentences().is_empty());
}
