//! Tests slices in all time zones, and the records of a response.

use super::*;
use elt_sdk::{instant::format_instant, testing::instant};

fn config(changes: &str) -> Config {
    Config::sample(&format!(r#","start_date":"2022-01-01T06:00:00Z"{changes}"#))
}

fn subscription(json: &str) -> Record {
    Record::new(json.to_owned(), None)
}

fn whole(from: &str, until: &str) -> Slice {
    let until = Some(Until::Before(instant(until)));
    Slice { parent: Some("s".into()), from: Some(instant(from)), until, ..Slice::default() }
}

fn cut(config: &Config, json: &str, from: &str, until: &str) -> Vec<(String, String)> {
    let text = |slice: Slice| {
        let Some(Until::Before(until)) = slice.until else { panic!("no end") };
        (format_instant(slice.from.unwrap()), format_instant(until))
    };
    slices(config, &subscription(json), &whole(from, until)).into_iter().map(text).collect()
}

#[test]
fn a_year_is_one_request_and_more_overlap() {
    let spans = cut(&config(""), "{}", "2022-01-01T06:00:00Z", "2023-01-01T06:00:00Z");
    assert_eq!(spans, [("2022-01-01T06:00:00+00:00".into(), "2023-01-01T06:00:00+00:00".into())]);
    let spans = cut(&config(""), "{}", "2022-01-01T06:00:00Z", "2023-03-01T00:00:00Z");
    assert_eq!(spans[1], ("2022-12-31T04:00:00+00:00".into(), "2023-03-01T00:00:00+00:00".into()));
    assert_eq!(spans.len(), 2);
}

#[test]
fn a_read_that_continues_begins_a_whole_day_earlier() {
    let spans = cut(&config(""), "{}", "2022-05-04T03:00:00Z", "2022-05-06T00:00:00Z");
    assert_eq!(spans, [("2022-05-03T00:00:00+00:00".into(), "2022-05-06T00:00:00+00:00".into())]);
}

#[test]
fn the_day_of_the_start_is_read_from_the_start() {
    let config = config(r#","start_date":"2022-01-01T00:00:00Z""#);
    let first = |from: &str| {
        let whole = whole(from, "2022-01-06T00:00:00Z");
        let slice = slices(&config, &subscription("{}"), &whole).swap_remove(0);
        (format_instant(slice.from.unwrap()), slice.keep_from)
    };
    let start = "2022-01-01T00:00:00+00:00".to_owned();
    assert_eq!(first("2022-01-01T05:00:00Z"), (start.clone(), None));
    assert_eq!(first("2022-01-02T05:00:00Z"), (start, None));
    let next = ("2022-01-02T00:00:00+00:00".to_owned(), Some(instant("2022-01-02T01:00:00Z")));
    assert_eq!(first("2022-01-03T05:00:00Z"), next);
}

#[test]
fn slices_are_clipped_to_the_life_of_the_subscription() {
    let life = r#"{"start_date":"2022-02-01T00:00:00+00:00","end_date":"2022-03-01T00:00:00+00:00"}"#;
    let spans = cut(&config(""), life, "2022-01-01T06:00:00Z", "2023-01-01T00:00:00Z");
    assert_eq!(spans, [("2022-02-01T00:00:00+00:00".into(), "2022-03-01T00:00:00+00:00".into())]);
    assert!(cut(&config(""), life, "2022-06-01T00:00:00Z", "2023-01-01T00:00:00Z").is_empty());
    assert!(cut(&config(""), life, "2022-01-01T06:00:00Z", "2022-01-15T00:00:00Z").is_empty());
}

#[test]
fn grouped_usage_is_asked_for_per_metric_of_the_plan_and_never_without_one() {
    let config = config(r#","subscription_usage_grouping_key":"region""#);
    let json = r#"{"plan":{"id":"p","prices":[{"billable_metric":{"id":"a"}},{"billable_metric":null},{"billable_metric":{"id":"a"}}]},
        "price_intervals":[{"price":{"billable_metric":{"id":"b"}}}]}"#;
    let metric = |id: &str| Some(id.to_owned());
    assert_eq!(metrics(&config, Some(&subscription(json))), [metric("a"), metric("b")]);
    assert_eq!(metrics(&config, Some(&subscription("{}"))), []);
    assert_eq!(query(&config, &Slice::default()), [("group_by", "region".to_owned())]);
    let ungrouped = self::config("");
    assert_eq!(metrics(&ungrouped, Some(&subscription(json))), [None]);
    assert_eq!(query(&ungrouped, &Slice::default()), []);
}

#[test]
fn grouped_usage_is_asked_for_by_the_month() {
    let config = config(r#","subscription_usage_grouping_key":"region""#);
    let json = r#"{"plan":{"prices":[{"billable_metric":{"id":"a"}}]}}"#;
    let spans = cut(&config, json, "2022-01-01T06:00:00Z", "2023-01-01T06:00:00Z");
    assert_eq!(spans[0], ("2022-01-01T06:00:00+00:00".into(), "2022-02-01T06:00:00+00:00".into()));
    assert_eq!(spans[1].0, "2022-01-31T04:00:00+00:00");
    assert_eq!((spans.len(), &*spans[spans.len() - 1].1), (13, "2023-01-01T06:00:00+00:00"));
}

#[test]
fn only_subscriptions_to_the_wanted_plan_are_read() {
    let config = config(r#","plan_id":"p""#);
    let cut = |json| cut(&config, json, "2022-01-01T06:00:00Z", "2022-02-01T00:00:00Z").len();
    assert_eq!(
        [cut(r#"{"plan":{"id":"p"}}"#), cut(r#"{"plan":{"id":"q"}}"#), cut(r#"{"plan":null}"#)],
        [1, 0, 0]
    );
}

fn decode(element: &str, slice: &Slice) -> Vec<Record> {
    let raw = Json::parse(element).unwrap();
    records(raw, slice).unwrap()
}

#[test]
fn a_day_with_usage_is_a_record_with_its_digits() {
    let element = r#"{"billable_metric":{"id":"m","name":"Calls"},"view_mode":"periodic","metric_group":{"property_key":"region","property_value":"eu"},
        "usage":[{"quantity":12345678901234567890.10,"timeframe_start":"2022-01-01T00:00:00+00:00","timeframe_end":"2022-01-02T00:00:00+00:00"},
        {"quantity":0.00,"timeframe_start":"x","timeframe_end":"y"},{"quantity":1e-400}]}"#;
    let records = decode(element, &whole("2022-01-01T00:00:00Z", "2022-02-01T00:00:00Z"));
    assert_eq!(records.len(), 2);
    let expected = r#"{"view_mode":"periodic","quantity":12345678901234567890.10,"timeframe_start":"2022-01-01T00:00:00+00:00","timeframe_end":"2022-01-02T00:00:00+00:00","subscription_id":"s","billable_metric_name":"Calls","billable_metric_id":"m","region":"eu"}"#;
    assert_eq!(records[0].json, expected);
    assert_eq!(records[0].position, Some(instant("2022-01-01T00:00:00Z")));
}

#[test]
fn only_days_of_zero_are_left_out() {
    let quantities = |days: &str| -> Vec<String> {
        let element = format!(r#"{{"billable_metric":{{"id":"m"}},"usage":[{days}]}}"#);
        let records = decode(&element, &whole("2022-01-01T00:00:00Z", "2022-02-01T00:00:00Z"));
        let quantity = |record: &Record| record.fields().unwrap().raw("quantity").unwrap().get().to_owned();
        records.iter().map(quantity).collect()
    };
    for quantity in ["-1", "-0.10", "-2e3", "1e-400", "-1e-400", "0.001", "null", "\"5\""] {
        assert_eq!(quantities(&format!(r#"{{"quantity":{quantity}}}"#)), [quantity]);
    }
    for quantity in ["0", "-0", "0.0", "-0.00", "0e5", "0.0E-9"] {
        assert_eq!(quantities(&format!(r#"{{"quantity":{quantity}}}"#)), [""; 0], "{quantity}");
    }
    // The last of two quantities counts, both for whether there is a record and for its value.
    assert_eq!(quantities(r#"{"quantity":5,"quantity":0},{"quantity":0,"quantity":6}"#), ["6"]);
}

#[test]
fn no_name_comes_twice_in_a_record() {
    let element = r#"{"billable_metric":{"id":"old"},"billable_metric":{"id":"m","name":"N"},"subscription_id":"x",
        "view_mode":"a","metric_group":{"property_key":"region","property_value":"eu"},
        "usage":[{"quantity":1,"view_mode":"b","region":"y","billable_metric_id":"z"}]}"#;
    let records = decode(element, &whole("2022-01-01T00:00:00Z", "2022-02-01T00:00:00Z"));
    let expected = r#"{"quantity":1,"view_mode":"b","subscription_id":"s","billable_metric_name":"N","billable_metric_id":"m","region":"eu"}"#;
    assert_eq!(records[0].json, expected);
}

#[test]
fn a_grouping_key_with_the_name_of_a_field_replaces_nothing() {
    for name in
        ["quantity", "timeframe_start", "timeframe_end", "view_mode", "subscription_id", "billable_metric_id"]
    {
        let config = config(&format!(r#","subscription_usage_grouping_key":{name:?}"#));
        let field = format!("group_{name}");
        assert_eq!(key_fields(&config).concat(), field);
        assert_eq!(properties(&config)[0].0, field);
        let element = format!(
            r#"{{"billable_metric":{{"id":"m","name":"N"}},"view_mode":"periodic",
            "metric_group":{{"property_key":{name:?},"property_value":"v"}},
            "usage":[{{"quantity":7,"timeframe_start":"2022-01-02T00:00:00Z","timeframe_end":"2022-01-03T00:00:00Z"}}]}}"#
        );
        let records = decode(&element, &whole("2022-01-01T00:00:00Z", "2022-02-01T00:00:00Z"));
        let record = Fields::decode(&records[0].json).unwrap();
        assert_eq!(record.text(&field).as_deref(), Some("v"));
        assert_eq!(record.raw("quantity").unwrap().get(), "7");
        for own in ["timeframe_start", "timeframe_end", "view_mode", "subscription_id", "billable_metric_id"]
        {
            assert_ne!(record.text(own).unwrap(), "v");
        }
    }
}

#[test]
fn what_has_another_shape_is_not_the_same_as_no_usage() {
    let decode = |element: &str| records(Json::parse(element).unwrap(), &Slice::default());
    for element in [r#"{"billable_metric":{}}"#, r#"{"usage":{}}"#, r#"{"usage":[{}]}"#, "[]"] {
        assert!(decode(element).is_err(), "{element}");
    }
    assert_eq!(decode(r#"{"usage":[]}"#).unwrap(), []);
}

/// Returns the days within a slice, truncated at its ends, if midnight is `offset` hours after
/// UTC's.
fn days(slice: &Slice, offset: i64) -> Vec<(Timestamp, Timestamp)> {
    let Some(Until::Before(until)) = slice.until else { panic!("no end") };
    let (from, hour) = (slice.from.unwrap(), SignedDuration::hours(1));
    let first = instant("2021-12-30T00:00:00Z") + hour * i32::try_from(offset).unwrap();
    let day = |number: i32| (first + DAY * number, first + DAY * (number + 1));
    (0..1200)
        .map(day)
        .map(|(start, end)| (start.max(from), end.min(until)))
        .filter(|(start, end)| start < end)
        .collect()
}

#[test]
fn every_day_of_every_time_zone_is_whole_in_exactly_one_slice() {
    let plain = (config(""), "{}", 3);
    let grouped = config(r#","subscription_usage_grouping_key":"region""#);
    let grouped = (grouped, r#"{"plan":{"prices":[{"billable_metric":{"id":"m"}}]}}"#, 30);
    for ((config, json, count), offset) in
        [plain, grouped].iter().flat_map(|case| (-12..=14).map(move |it| (case, it)))
    {
        let slices =
            slices(config, &subscription(json), &whole("2022-01-01T06:00:00Z", "2024-06-01T00:00:00Z"));
        assert_eq!(slices.len(), *count);
        let mut kept: Vec<(Timestamp, Timestamp)> = slices
            .iter()
            .flat_map(|slice| days(slice, offset).into_iter().filter(|(start, _)| slice.keeps(Some(*start))))
            .collect();
        kept.sort_unstable();
        assert!(kept.windows(2).all(|pair| pair[0].1 == pair[1].0), "{offset}");
        let whole_days = kept.iter().filter(|(start, end)| *end - *start == DAY).count();
        assert!(kept.len() - whole_days <= 2, "{offset}: only the first and the last may be cut");
        assert_eq!(kept.first().unwrap().0, instant("2022-01-01T06:00:00Z"));
        assert_eq!(kept.last().unwrap().1, instant("2024-06-01T00:00:00Z"));
    }
}
