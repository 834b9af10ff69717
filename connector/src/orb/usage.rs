//! Subscription usage: one record per subscription, billable metric and day (and value of the grouping key).
//!
//! In: a subscription and the time that is wanted of it; the elements of an answer, each a billable metric with its days.
//! Out: slices of at most a year, clipped to the subscription's life, one per metric if usage is grouped; and a record
//! for each day with usage.
//!
//! Orb cuts days at the customer's midnight. Where a slice does not begin or end with the life of a subscription or the
//! wanted time, it may cut a day in two. So neighbours overlap by more than a day, and each day is taken from the one that
//! has it whole.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde_json::{Value, json, value::RawValue};

use crate::{
    orb::config::Config,
    sdk::{
        fields::{Fields, Object},
        instant::parse_instant,
        record::Record,
        slice::{Ask, Slice, Until},
    },
};

/// How long usage can still change after its day: twelve hours of grace are Orb's default for late events, some accounts
/// have more, and a day ends up to fourteen hours later in other time zones. Orb's own connector for costs uses two days.
pub const GRACE: SignedDuration = SignedDuration::from_hours(48);

/// The longest timeframe that Orb answers, which allows exactly a year.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

const DAY: SignedDuration = SignedDuration::from_hours(24);

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The day on which clocks go back.
const LONGEST_DAY: SignedDuration = SignedDuration::from_hours(25);

/// The slices of one subscription's usage; none if the config wants another plan, or it did not live at the time.
pub fn slices(config: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    let Ok(fields) = Fields::decode(&subscription.json) else { return Vec::new() };
    let plan = fields.object("plan");
    if let Some(wanted) = &config.plan_id
        && plan.as_ref().and_then(|plan| plan.text("id")).as_deref() != Some(wanted)
    {
        return Vec::new();
    }
    let instant = |name: &str| fields.text(name).as_deref().and_then(parse_instant);
    let (Some(from), Some(Until::Before(until) | Until::Including(until))) = (whole.from, whole.until) else {
        return Vec::new();
    };
    let (from, continues) = begin(config, from);
    let born = instant("start_date").filter(|born| *born >= from);
    let until = instant("end_date").map_or(until, |died| until.min(died));
    let keep_from = from.checked_add(HOUR).ok().filter(|_| continues && born.is_none());
    let years = years(born.unwrap_or(from), until, keep_from);
    let parts: Vec<Option<String>> = match &config.subscription_usage_grouping_key {
        Some(_) => metrics(&fields).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let slice = |part: &Option<String>, year: &Slice| Slice {
        parent: whole.parent.clone(),
        part: part.clone(),
        ..year.clone()
    };
    parts.iter().flat_map(|part| years.iter().map(|year| slice(part, year))).collect()
}

/// Where to begin: at the config's start exactly, or at a whole day before the cursor, so that the days of customers of
/// all time zones are whole.
fn begin(config: &Config, from: Timestamp) -> (Timestamp, bool) {
    let start = config.range.start;
    let seconds_into_day = from.as_second().rem_euclid(DAY.as_secs());
    let midnight = Timestamp::from_second(from.as_second() - seconds_into_day);
    let day_before = midnight.and_then(|midnight| midnight.checked_sub(DAY)).unwrap_or(start);
    if day_before > start { (day_before, true) } else { (start, false) }
}

/// Slices of at most a year. Days that begin before a boundary, which lies a longest day before the end of a slice, are
/// whole in it; all others are whole in the next one, which begins an hour before the boundary.
fn years(from: Timestamp, until: Timestamp, keep_from: Option<Timestamp>) -> Vec<Slice> {
    let (mut slices, mut from, mut keep_from) = (Vec::new(), from, keep_from);
    while from < until {
        let end = from.checked_add(YEAR).map_or(until, |end| end.min(until));
        let keep_before = (end < until).then(|| end.checked_sub(LONGEST_DAY).unwrap_or(end));
        let (begin, end) = (Some(from), Some(Until::Before(end)));
        slices.push(Slice { from: begin, until: end, keep_from, keep_before, ..Slice::default() });
        let Some(boundary) = keep_before else { break };
        from = boundary.checked_sub(HOUR).unwrap_or(boundary);
        keep_from = Some(boundary);
    }
    slices
}

/// The billable metrics of a subscription: those of its plan's prices, and of the prices it has of its own.
fn metrics(subscription: &Fields<'_>) -> Vec<String> {
    let of_plan = subscription.object("plan").map(|plan| plan.list("prices")).unwrap_or_default();
    let intervals = subscription.list("price_intervals");
    let own = intervals.iter().filter_map(|interval| Fields::decode(interval.get()).ok()?.raw("price"));
    let mut metrics: Vec<String> = Vec::new();
    for price in of_plan.into_iter().chain(own) {
        let metric = Fields::decode(price.get()).ok().and_then(|price| price.object("billable_metric"));
        let id = metric.and_then(|metric| metric.text("id").map(Cow::into_owned));
        metrics.extend(id.filter(|id| !metrics.contains(id)));
    }
    metrics
}

/// Asks for usage of the slice's metric, grouped.
pub fn query(config: &Config, slice: &Slice) -> Vec<(&'static str, String)> {
    let (Some(metric), Some(key)) = (&slice.part, &config.subscription_usage_grouping_key) else {
        return Vec::new();
    };
    vec![("billable_metric_id", metric.clone()), ("group_by", key.clone())]
}

/// The value of the grouping key stands in a field of that name.
pub fn properties(config: &Config) -> Vec<(String, Value)> {
    let property = |key: &String| (key.clone(), json!({ "type": ["null", "string"] }));
    config.subscription_usage_grouping_key.iter().map(property).collect()
}

/// The grouping key tells records of one day apart.
pub fn primary_key(config: &Config) -> Vec<String> {
    config.subscription_usage_grouping_key.iter().cloned().collect()
}

/// The records of one element of an answer: one for each of its days that has usage.
///
/// # Errors
/// If it is not an object, or one of its days is not.
pub fn records(element: &RawValue, ask: &Ask) -> serde_json::Result<Vec<Record>> {
    let element = Fields::decode(element.get())?;
    let metric = element.object("billable_metric");
    let of_metric = |name| metric.as_ref().and_then(|metric| metric.raw(name)).map_or("null", RawValue::get);
    let group = element.object("metric_group");
    let mut records = Vec::new();
    // What has another shape is not the same as no usage.
    let days = element.raw("usage").ok_or_else(|| serde_json::Error::missing_field("usage"))?;
    for day in serde_json::from_str::<Vec<&RawValue>>(days.get())? {
        let day = Fields::decode(day.get())?;
        let quantity = day.raw("quantity").ok_or_else(|| serde_json::Error::missing_field("quantity"))?;
        let position = day.text("timeframe_start").as_deref().and_then(parse_instant);
        if !is_positive(quantity.get()) || is_elsewhere(position, &ask.slice) {
            continue;
        }
        let mut object = Object::default();
        let others =
            element.iter().filter(|(name, _)| !matches!(*name, "billable_metric" | "usage" | "metric_group"));
        for (name, value) in others.chain(day.iter()) {
            object.push(name, value.get());
        }
        object.push("subscription_id", &json!(ask.slice.parent).to_string());
        object.push("billable_metric_name", of_metric("name"));
        object.push("billable_metric_id", of_metric("id"));
        if let Some(group) = &group
            && let Some(key) = group.text("property_key")
        {
            object.push(&key, group.raw("property_value").map_or("null", RawValue::get));
        }
        records.push(Record::new(object.finish(), position));
    }
    Ok(records)
}

/// Whether the text of a JSON number means more than nothing, to the last digit.
fn is_positive(number: &str) -> bool {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    !number.starts_with('-') && mantissa.bytes().any(|digit| matches!(digit, b'1'..=b'9'))
}

/// Whether a neighbour of the slice has the day that begins at this instant.
fn is_elsewhere(position: Option<Timestamp>, slice: &Slice) -> bool {
    let Some(position) = position else { return false };
    slice.keep_from.is_some_and(|from| position < from)
        || slice.keep_before.is_some_and(|before| position >= before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        orb::streams::row,
        sdk::{instant::format_instant, testing::instant},
    };

    fn config(changes: &str) -> Config {
        let base = r#""api_key":"hidden","start_date":"2022-01-01T06:00:00Z""#;
        Config::parse(&format!("{{{base}{changes}}}")).unwrap()
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
        let slices =
            slices(&config, &subscription(json), &whole("2022-01-01T06:00:00Z", "2022-02-01T00:00:00Z"));
        let queries: Vec<_> = slices.iter().map(|slice| query(&config, slice)).collect();
        let asked =
            |metric: &str| vec![("billable_metric_id", metric.to_owned()), ("group_by", "region".to_owned())];
        assert_eq!(queries, [asked("a"), asked("b")]);
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

    fn decode(element: &str, slice: Slice) -> Vec<Record> {
        let ask = Ask { key: 1, stream: row("subscription_usage").unwrap().stream, slice, page_token: None };
        let raw: Box<RawValue> = serde_json::from_str(element).unwrap();
        records(&raw, &ask).unwrap()
    }

    #[test]
    fn a_day_with_usage_is_a_record_with_its_digits() {
        let element = r#"{"billable_metric":{"id":"m","name":"Calls"},"view_mode":"periodic","metric_group":{"property_key":"region","property_value":"eu"},
            "usage":[{"quantity":12345678901234567890.10,"timeframe_start":"2022-01-01T00:00:00+00:00","timeframe_end":"2022-01-02T00:00:00+00:00"},
            {"quantity":0.00,"timeframe_start":"x","timeframe_end":"y"},{"quantity":-1},{"quantity":1e-400}]}"#;
        let records = decode(element, whole("2022-01-01T00:00:00Z", "2022-02-01T00:00:00Z"));
        assert_eq!(records.len(), 2);
        let expected = r#"{"view_mode":"periodic","quantity":12345678901234567890.10,"timeframe_start":"2022-01-01T00:00:00+00:00","timeframe_end":"2022-01-02T00:00:00+00:00","subscription_id":"s","billable_metric_name":"Calls","billable_metric_id":"m","region":"eu"}"#;
        assert_eq!(records[0].json, expected);
        assert_eq!(records[0].position, Some(instant("2022-01-01T00:00:00Z")));
    }

    #[test]
    fn what_has_another_shape_is_not_the_same_as_no_usage() {
        let ask = |element: &str| {
            let stream = row("subscription_usage").unwrap().stream;
            let ask = Ask { key: 1, stream, slice: Slice::default(), page_token: None };
            records(&serde_json::from_str::<Box<RawValue>>(element).unwrap(), &ask)
        };
        for element in [r#"{"billable_metric":{}}"#, r#"{"usage":{}}"#, r#"{"usage":[{}]}"#, "[]"] {
            assert!(ask(element).is_err(), "{element}");
        }
        assert_eq!(ask(r#"{"usage":[]}"#).unwrap(), []);
    }

    /// The days of a customer whose midnight lies `offset` hours after UTC's, as far as they lie in a slice.
    fn days(slice: &Slice, offset: i64) -> Vec<(Timestamp, Timestamp)> {
        let Some(Until::Before(until)) = slice.until else { panic!("no end") };
        let (from, hour) = (slice.from.unwrap(), SignedDuration::from_hours(1));
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
        let config = config("");
        for offset in -12..=14 {
            let slices =
                slices(&config, &subscription("{}"), &whole("2022-01-01T06:00:00Z", "2024-06-01T00:00:00Z"));
            let mut kept: Vec<(Timestamp, Timestamp)> = slices
                .iter()
                .flat_map(|slice| {
                    days(slice, offset).into_iter().filter(|(start, _)| !is_elsewhere(Some(*start), slice))
                })
                .collect();
            kept.sort_unstable();
            assert!(kept.windows(2).all(|pair| pair[0].1 == pair[1].0), "{offset}");
            let whole_days = kept.iter().filter(|(start, end)| end.duration_since(*start) == DAY).count();
            assert!(kept.len() - whole_days <= 2, "{offset}: only the first and the last may be cut");
            assert_eq!(kept.first().unwrap().0, instant("2022-01-01T06:00:00Z"));
            assert_eq!(kept.last().unwrap().1, instant("2024-06-01T00:00:00Z"));
        }
    }
}
