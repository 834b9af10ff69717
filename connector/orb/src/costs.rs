//! Reads costs: one record per customer or subscription, price and day.
//!
//! Costs are requested in timeframes of a month. In the periodic view, a day is the difference to
//! the day before, and the first day of a response may have none. Neighbours therefore overlap by
//! more than a day, and the first day of a timeframe is never kept, unless the subscription starts
//! in it.

use time::{SignedDuration, Time, Timestamp};

use crate::{
    config::Config,
    subscription::{Life, life},
    usage::{DAY, HOUR, LONGEST_DAY},
};
use elt_sdk::{
    ranges::Ranges,
    record::Record,
    slice::{Slice, Until},
};

/// A month, and what it overlaps with its neighbours. Orb answers a year, but repeats all of a
/// price for each day.
const MONTHS: Ranges = Ranges {
    width: SignedDuration::hours(31 * 24 + 2 * 25),
    before: LONGEST_DAY,
    after: LONGEST_DAY,
    unit: SignedDuration::ZERO,
};

/// Returns the slices of a subscription's costs. There are none if it was not active at the time.
pub fn of_subscription(config: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    slices(config, &life(subscription), whole)
}

/// Returns the slices of a customer's costs. The subscriptions of a customer can be older than the
/// customer.
pub fn of_customer(config: &Config, _: &Record, whole: &Slice) -> Vec<Slice> {
    slices(config, &Life::default(), whole)
}

fn slices(config: &Config, life: &Life, whole: &Slice) -> Vec<Slice> {
    let (Some(from), Some(Until::Before(until) | Until::Including(until))) = (whole.from, whole.until) else {
        return Vec::new();
    };
    let (begin, keep_from) = match life.begin.filter(|begin| *begin >= from) {
        Some(begin) => (begin, None),
        None => {
            let begin = day_before(from);
            (begin, Some(begin.saturating_add(HOUR).max(config.range.start)))
        }
    };
    let until = life.end.map_or(until, |end| end.min(until));
    let timeframes = MONTHS.cut(begin, until, keep_from).into_iter();
    timeframes.map(|timeframe| Slice { parent: whole.parent.clone(), ..timeframe }).collect()
}

/// Returns an instant a whole day earlier in every time zone.
pub fn day_before(instant: Timestamp) -> Timestamp {
    instant.replace_time(Time::MIDNIGHT).saturating_sub(DAY)
}

/// Returns the currency, which is part of the primary key if costs are requested in several.
pub fn key_fields(config: &Config) -> Vec<String> {
    if config.cost_currencies.is_empty() { Vec::new() } else { vec!["currency".to_owned()] }
}

/// Returns the schema of the currency, which is never null if it is part of the primary key.
pub fn properties(config: &Config) -> Vec<(String, String)> {
    const CURRENCY: &str = r#"{"type":"string","description":"The currency that was requested."}"#;
    key_fields(config).into_iter().map(|field| (field, CURRENCY.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use elt_sdk::{instant::format_instant, testing::instant};

    fn config() -> Config {
        Config::sample(r#","start_date":"2022-01-01T06:00:00Z""#)
    }

    fn cut(life: &str, from: &str, until: &str) -> Vec<Slice> {
        let until = Some(Until::Before(instant(until)));
        let whole = Slice { parent: Some("s".into()), from: Some(instant(from)), until, ..Slice::default() };
        let subscription = Record::new(life.to_owned(), None);
        of_subscription(&config(), &subscription, &whole)
    }

    fn ends(slices: &[Slice]) -> Vec<(String, String)> {
        let text = |slice: &Slice| {
            let Some(Until::Before(until)) = slice.until else { panic!("no end") };
            (format_instant(slice.from.unwrap()), format_instant(until))
        };
        slices.iter().map(text).collect()
    }

    #[test]
    fn a_year_is_twelve_requests() {
        let slices = cut("{}", "2022-01-01T06:00:00Z", "2023-01-01T00:00:00Z");
        assert_eq!(slices.len(), 12);
        let longest = slices.iter().filter_map(Slice::span).max().unwrap();
        assert!(longest <= SignedDuration::hours(34 * 24), "{longest}");
    }

    #[test]
    fn slices_are_clipped_to_the_life_of_the_subscription() {
        let life = r#"{"start_date":"2022-02-01T00:00:00+00:00","end_date":"2022-02-20T00:00:00+00:00"}"#;
        let slices = cut(life, "2022-01-01T06:00:00Z", "2023-01-01T00:00:00Z");
        let whole = [("2022-02-01T00:00:00+00:00".to_owned(), "2022-02-20T00:00:00+00:00".to_owned())];
        assert_eq!((ends(&slices), slices[0].keep_from), (whole.to_vec(), None));
        assert!(cut(life, "2022-06-01T00:00:00Z", "2023-01-01T00:00:00Z").is_empty());
        // One that has not started yet.
        assert!(cut(life, "2022-01-01T06:00:00Z", "2022-01-15T00:00:00Z").is_empty());
    }

    #[test]
    fn a_read_begins_a_day_earlier_and_drops_it_and_what_is_before_the_start() {
        let slices = cut("{}", "2022-05-04T03:00:00Z", "2022-05-06T00:00:00Z");
        let expected = [("2022-05-03T00:00:00+00:00".to_owned(), "2022-05-06T00:00:00+00:00".to_owned())];
        assert_eq!(ends(&slices), expected);
        assert_eq!(slices[0].keep_from, Some(instant("2022-05-03T01:00:00Z")));
        let first = cut("{}", "2022-01-01T06:00:00Z", "2022-01-06T00:00:00Z");
        assert_eq!(ends(&first)[0].0, "2021-12-31T00:00:00+00:00");
        assert_eq!(first[0].keep_from, Some(instant("2022-01-01T06:00:00Z")));
    }

    #[test]
    fn every_day_of_every_time_zone_is_kept_once_and_is_never_the_first_of_a_response() {
        let slices = cut("{}", "2022-01-01T06:00:00Z", "2022-12-01T00:00:00Z");
        for half_hours in -24..=28 {
            let midnight = instant("2021-12-25T00:00:00Z") + SignedDuration::minutes(30) * half_hours;
            for day in (0..330).map(|number| midnight + DAY * number) {
                let holds = |slice: &&Slice| {
                    let Some(Until::Before(until)) = slice.until else { panic!("no end") };
                    day < until && day + DAY > slice.from.unwrap() && slice.keeps(Some(day))
                };
                let kept: Vec<&Slice> = slices.iter().filter(holds).collect();
                let expected = usize::from(day >= instant("2022-01-01T06:00:00Z"));
                assert_eq!(kept.len(), expected, "{day} {half_hours}");
                // Another day begins in the response before this one.
                assert!(kept.iter().all(|slice| day > slice.from.unwrap()), "{day} {half_hours}");
            }
        }
    }

    #[test]
    fn the_currency_is_part_of_the_key_if_costs_are_asked_for_by_currency() {
        let config = Config::sample(r#","cost_currencies":["USD","credits"]"#);
        assert_eq!(
            (key_fields(&config), properties(&config)[0].0.as_str()),
            (vec!["currency".into()], "currency")
        );
        assert_eq!((key_fields(&self::config()), properties(&self::config())), (Vec::new(), Vec::new()));
    }
}
