//! Reads subscription usage: one record per subscription, billable metric and day (and value of the
//! grouping key).
//!
//! A subscription's usage is requested in timeframes of at most a year, clipped to its lifetime.
//! Grouped usage is requested per metric and in timeframes of at most a month.
//!
//! Days begin at the customer's midnight, so the boundary between two slices may divide a day.
//! Neighbours therefore overlap by more than a day, and each day is taken from the slice that has
//! it complete.

use std::borrow::Cow;

use time::{SignedDuration, Time, Timestamp};

use crate::{config::Config, subscription::prices};
use elt_sdk::{
    instant::parse_instant,
    problem::Problem,
    ranges::Ranges,
    record::Record,
    slice::{Slice, Until},
};
use json_text::{Fields, Json, Object, quoted};

/// How long usage can still change after its day. Orb's default grace period for late events is
/// twelve hours, some accounts have more, and in other time zones a day ends up to fourteen hours
/// later. Orb's own connector for costs uses two days.
pub const GRACE: SignedDuration = SignedDuration::hours(48);

/// The longest timeframe that Orb answers: exactly a year.
const YEAR: SignedDuration = SignedDuration::hours(365 * 24);

/// The longest timeframe of grouped usage. Orb returns all groups at once, without pages, and
/// recommends shorter timeframes. A thousand groups are some 5 MB in a month, and 60 MB in a year.
const MONTH: SignedDuration = SignedDuration::hours(31 * 24);

/// A day without a change of clocks.
pub const DAY: SignedDuration = SignedDuration::hours(24);

/// How far below a boundary a slice begins, so that its truncated first day also begins below the
/// boundary.
pub const HOUR: SignedDuration = SignedDuration::hours(1);

/// The length of the day on which clocks go back.
pub const LONGEST_DAY: SignedDuration = SignedDuration::hours(25);

/// Returns the slices of a subscription's usage. There are none if the config selects another plan,
/// or the subscription was not active at the time.
pub fn slices(config: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    let Some(fields) = subscription.fields() else { return Vec::new() };
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
    let keep_from = from.checked_add(HOUR).filter(|_| continues && born.is_none());
    let width = if config.subscription_usage_grouping_key.is_some() { MONTH } else { YEAR };
    let ranges = Ranges { width, before: HOUR, after: LONGEST_DAY, unit: SignedDuration::ZERO };
    let timeframes = ranges.cut(born.unwrap_or(from), until, keep_from);
    timeframes.into_iter().map(|timeframe| Slice { parent: whole.parent.clone(), ..timeframe }).collect()
}

/// Returns where to begin: exactly at the config's start, or a whole day before the cursor, so that
/// days of all time zones are complete.
fn begin(config: &Config, from: Timestamp) -> (Timestamp, bool) {
    let start = config.range.start;
    let day_before = from.replace_time(Time::MIDNIGHT).saturating_sub(DAY);
    if day_before > start { (day_before, true) } else { (start, false) }
}

/// Returns the billable metrics of a subscription, if usage is grouped: those of its plan's prices
/// and of its own prices.
pub fn metrics(config: &Config, subscription: Option<&Record>) -> Vec<Option<String>> {
    if config.subscription_usage_grouping_key.is_none() {
        return vec![None];
    }
    let Some(subscription) = subscription.and_then(Record::fields) else { return Vec::new() };
    let mut metrics: Vec<String> = Vec::new();
    for price in prices(&subscription) {
        let metric = Fields::of(price).and_then(|price| price.object("billable_metric"));
        let id = metric.and_then(|metric| metric.text("id").map(Cow::into_owned));
        metrics.extend(id.filter(|id| !metrics.contains(id)));
    }
    metrics.into_iter().map(Some).collect()
}

/// Returns the parameter that groups usage, if the config has a grouping key.
pub fn query(config: &Config, _: &Slice) -> Vec<(&'static str, String)> {
    config.subscription_usage_grouping_key.iter().map(|key| ("group_by", key.clone())).collect()
}

/// Returns the schema of the field for the grouping key.
pub fn properties(config: &Config) -> Vec<(String, String)> {
    let property = |key: &String| (group_field(key), r#"{"type":["null","string"]}"#.to_owned());
    config.subscription_usage_grouping_key.iter().map(property).collect()
}

/// Returns the grouping key, which is part of the primary key.
pub fn key_fields(config: &Config) -> Vec<String> {
    config.subscription_usage_grouping_key.iter().map(|key| group_field(key)).collect()
}

/// The fields of a record without a grouping key.
const FIELDS: [&str; 4] = ["quantity", "timeframe_start", "timeframe_end", "view_mode"];

/// Returns the field for the value of a grouping key: the key itself, unless a record has a field
/// of that name.
fn group_field(key: &str) -> String {
    if FIELDS.iter().chain(&ADDED).any(|field| *field == key) {
        format!("group_{key}")
    } else {
        key.to_owned()
    }
}

/// Fields that each record gets, in place of fields of the response.
const ADDED: [&str; 3] = ["subscription_id", "billable_metric_name", "billable_metric_id"];

/// Returns the records of one element of a response: one for each day whose quantity is not zero.
///
/// Negative quantities are kept. They come from amendments, or from a metric that is not a sum and
/// went down. Values that are not numbers, such as null, are kept too, because they are not known
/// to be zero.
///
/// # Errors
/// If the element or one of its days is not an object.
pub fn records(element: Json<'_>, slice: &Slice) -> Result<Vec<Record>, Problem> {
    let element = Fields::of(element).ok_or("it is not an object")?;
    let metric = element.object("billable_metric");
    let of_metric = |name| metric.as_ref().and_then(|metric| metric.raw(name)).map_or("null", Json::get);
    let group = element.object("metric_group");
    let key = group.as_ref().and_then(|group| Some(group_field(&group.text("property_key")?)));
    let mut records = Vec::new();
    // A missing list is an error, not the absence of usage.
    let days = element.raw("usage").ok_or("there is no \"usage\"")?;
    for day in days.list().ok_or("\"usage\" is not a list")? {
        let day = Fields::of(day).ok_or("a day is not an object")?;
        let quantity = day.raw("quantity").ok_or("there is no \"quantity\"")?;
        let position = day.text("timeframe_start").as_deref().and_then(parse_instant);
        if quantity.is_zero() || !slice.keeps(position) {
            continue;
        }
        let mut object = Object::default();
        // No name comes twice: fields made here win, and then those of the day.
        let is_added = |name: Json<'_>| {
            ADDED.iter().any(|made| name.is(made)) || key.as_deref().is_some_and(|key| name.is(key))
        };
        let is_taken_apart =
            |name: Json<'_>| ["billable_metric", "usage", "metric_group"].iter().any(|own| name.is(own));
        let is_of_day = |name: Json<'_>| name.text().is_some_and(|name| day.raw(&name).is_some());
        let of_element = element.iter().filter(|(name, _)| !is_taken_apart(*name) && !is_of_day(*name));
        for (name, value) in of_element.chain(day.iter()).filter(|(name, _)| !is_added(*name)) {
            object.carry(name, value.get());
        }
        let made = [
            quoted(slice.parent.as_deref().unwrap_or_default()),
            of_metric("name").to_owned(),
            of_metric("id").to_owned(),
        ];
        for (name, value) in ADDED.iter().zip(&made) {
            object.push(name, value);
        }
        if let (Some(group), Some(key)) = (&group, &key) {
            object.push(key, group.raw("property_value").map_or("null", Json::get));
        }
        records.push(Record::new(object.finish(), position));
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
