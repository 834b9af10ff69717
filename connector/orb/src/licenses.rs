//! Reads licenses and their usage. Only subscriptions with a price that names a license type have
//! any, so others are not asked.

use std::borrow::Cow;

use time::SignedDuration;

use crate::{
    config::Config,
    costs::day_before,
    subscription::{life, prices},
};
use elt_sdk::{
    ranges::Ranges,
    record::Record,
    slice::{Slice, Until},
};
use json_text::Fields;

/// A month. Orb does not say how much it answers.
const MONTHS: Ranges = Ranges::of(SignedDuration::hours(31 * 24));

/// Returns the license types that the prices of a subscription name.
pub fn types(_: &Config, subscription: Option<&Record>) -> Vec<Option<String>> {
    let Some(fields) = subscription.and_then(Record::fields) else { return Vec::new() };
    let mut types: Vec<String> = Vec::new();
    for price in prices(&fields).into_iter().filter_map(Fields::of) {
        for (object, field) in [("license_type", "id"), ("credit_allocation", "license_type_id")] {
            let id = price.object(object).and_then(|object| object.text(field).map(Cow::into_owned));
            types.extend(id.filter(|id| !types.contains(id)));
        }
    }
    types.into_iter().map(Some).collect()
}

/// Returns the list of a subscription that has licenses.
pub fn slices(config: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    if types(config, Some(subscription)).is_empty() { Vec::new() } else { vec![whole.clone()] }
}

/// Returns the slices of the usage of a subscription's licenses, by dates. There are none before
/// the subscription starts.
pub fn days(config: &Config, subscription: &Record, whole: &Slice) -> Vec<Slice> {
    let (Some(from), Some(Until::Before(until) | Until::Including(until))) = (whole.from, whole.until) else {
        return Vec::new();
    };
    // Orb does not say that licenses end with their subscription.
    let first = life(subscription).begin.map_or(from, |begin| begin.max(from));
    let mut slices = MONTHS.cut(day_before(first), until, Some(config.range.start));
    for slice in &mut slices {
        slice.parent.clone_from(&whole.parent);
        // Orb does not say whether the end date is included.
        slice.keep_before = slice.keep_before.or(Some(until));
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::DAY;
    use elt_sdk::testing::instant;

    fn config() -> Config {
        Config::sample(r#","start_date":"2024-01-01T06:00:00Z""#)
    }

    fn cut(life: &str, from: &str, until: &str) -> Vec<Slice> {
        let until = Some(Until::Before(instant(until)));
        let whole = Slice { parent: Some("s".into()), from: Some(instant(from)), until, ..Slice::default() };
        days(&config(), &Record::new(life.to_owned(), None), &whole)
    }

    #[test]
    fn license_types_are_those_of_the_prices_of_the_plan_and_of_the_subscription() {
        let json = r#"{"plan":{"prices":[{"license_type":{"id":"a"}},{"license_type":null},{}]},
            "price_intervals":[{"price":{"credit_allocation":{"license_type_id":"b"}}},
            {"price":{"license_type":{"id":"a"},"credit_allocation":{"license_type_id":null}}}]}"#;
        let subscription = Record::new(json.to_owned(), None);
        assert_eq!(types(&config(), Some(&subscription)), ["a", "b"].map(|id| Some(id.to_owned())));
        assert_eq!(slices(&config(), &subscription, &Slice::default()).len(), 1);
        let without = Record::new(r#"{"plan":null,"price_intervals":[]}"#.to_owned(), None);
        assert_eq!(types(&config(), Some(&without)), []);
        assert_eq!(slices(&config(), &without, &Slice::default()), []);
    }

    #[test]
    fn each_day_is_kept_once_from_the_start_to_the_end() {
        let slices = cut("{}", "2024-01-01T06:00:00Z", "2024-06-01T12:00:00Z");
        assert_eq!(slices.len(), 5);
        for day in (-5..200).map(|number| instant("2024-01-01T00:00:00Z") + DAY * number) {
            let expected = day > instant("2024-01-01T06:00:00Z") && day < instant("2024-06-01T12:00:00Z");
            let kept = slices.iter().filter(|slice| slice.keeps(Some(day))).count();
            assert_eq!(kept, usize::from(expected), "{day}");
        }
    }

    #[test]
    fn days_begin_with_the_subscription_and_do_not_end_with_it() {
        let life = r#"{"start_date":"2024-02-10T20:00:00Z","end_date":"2024-02-20T20:00:00Z"}"#;
        let slices = cut(life, "2024-01-01T06:00:00Z", "2024-06-01T00:00:00Z");
        assert_eq!(slices[0].from, Some(instant("2024-02-09T00:00:00Z")));
        let last = slices.last().and_then(|slice| slice.until);
        assert_eq!(last, Some(Until::Before(instant("2024-06-01T00:00:00Z"))));
        let later = cut(life, "2024-03-01T06:00:00Z", "2024-03-20T00:00:00Z");
        assert_eq!(later[0].from, Some(instant("2024-02-29T00:00:00Z")));
    }
}
