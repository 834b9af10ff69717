//! Generates a metric's usage on one day: quantities at instants.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::amount::Amount;
use crate::dice::{Dice, Salt, hash};
use crate::time_zone::Zone;
use crate::timeframe::Timeframe;
use crate::timeline::later;

/// Quantities as JSON numbers whose spelling clients must preserve. One is zero although usage was
/// reported.
const QUANTITIES: [&str; 9] =
    ["1", "0.1", "12345678901234.5", "42", "1e-7", "100.00", "7.25", "0.0", "0.333333333333"];

/// Values of the property `region`, some easily mistaken for null or for numbers. A missing value
/// is a group of its own, which Orb omits.
const REGIONS: [Option<&str>; 6] =
    [Some("us-east-1"), Some("asia/pacific"), None, Some("région \"ü\""), Some(""), Some("0042")];

const CLUSTERS: [Option<&str>; 4] = [Some("alpha"), Some("beta"), None, Some("alpha")];

/// Usage at one instant, with the properties it can be grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsagePoint {
    pub(crate) at: Timestamp,
    /// A JSON number.
    pub(crate) quantity: String,
    pub(crate) properties: Vec<(String, String)>,
}

impl UsagePoint {
    pub(crate) fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// The generated usage of a day: none on three days of eight, up to three points on the others.
pub(crate) fn generate(
    dice: Dice,
    subscription_id: &str,
    metric_id: &str,
    day: Date,
    zone: &Zone,
) -> Vec<UsagePoint> {
    let start = zone.midnight(day);
    let length = zone.next_midnight(day).duration_since(start).as_secs().max(1);
    let owner = hash(subscription_id) ^ hash(metric_id).rotate_left(1);
    // Days count in seconds, which leaves gaps for the points of each.
    let first = owner.wrapping_add(start.as_second() as u64);
    let count = [0, 0, 0, 1, 1, 1, 2, 3][(dice.roll(Salt::Usage, first) % 8) as usize];
    let point = |number: u64| {
        let roll = dice.roll(Salt::Usage, first.wrapping_add(number));
        let properties = [("region", pick(&REGIONS, roll >> 8)), ("cluster", pick(&CLUSTERS, roll >> 16))];
        let present = properties.into_iter().filter_map(|(name, value)| Some((name, value?)));
        UsagePoint {
            at: later(start, SignedDuration::from_secs((roll >> 32) as i64 % length)),
            quantity: pick(&QUANTITIES, roll).to_owned(),
            properties: present.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    };
    (1..=count).map(point).collect()
}

fn pick<T: Copy>(from: &[T], roll: u64) -> T {
    from[(roll % from.len() as u64) as usize]
}

/// The usage within a timeframe: a single point's quantity as written, the exact sum of several, or
/// 0.
pub(crate) fn total<'a>(points: impl Iterator<Item = &'a UsagePoint>, within: Timeframe) -> String {
    let mut within = points.filter(|point| within.contains(point.at));
    let Some(first) = within.next() else { return "0".to_owned() };
    let amount = |point: &UsagePoint| Amount::parse(&point.quantity).unwrap_or_default();
    match within.next() {
        None => first.quantity.clone(),
        Some(second) => {
            let sum = amount(first).plus(amount(second));
            within.fold(sum, |sum, point| sum.plus(amount(point))).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn year() -> Vec<Vec<UsagePoint>> {
        let first: Date = "2024-01-01".parse().unwrap();
        let zone = Zone::named("Pacific/Chatham");
        let days = first.series(jiff::Span::new().days(1)).take(366);
        days.map(|day| generate(Dice::new(1), "subscription", "metric", day, &zone)).collect()
    }

    #[test]
    fn a_year_has_days_of_every_kind() {
        let year = year();
        let counts: HashSet<usize> = year.iter().map(Vec::len).collect();
        assert_eq!(counts, HashSet::from([0, 1, 2, 3]));
        let points: Vec<&UsagePoint> = year.iter().flatten().collect();
        let quantities: HashSet<&str> = points.iter().map(|point| point.quantity.as_str()).collect();
        assert_eq!(quantities.len(), QUANTITIES.len());
        let regions: HashSet<Option<&str>> = points.iter().map(|point| point.property("region")).collect();
        assert_eq!(regions, HashSet::from(REGIONS));
        assert_eq!(year, self::year());
    }

    #[test]
    fn sums_are_exact_and_single_quantities_stay_as_they_are_written() {
        let point = |second, quantity: &str| UsagePoint {
            at: Timestamp::constant(second, 0),
            quantity: quantity.to_owned(),
            properties: Vec::new(),
        };
        let points = [point(0, "100.00"), point(5, "12345678901234.5"), point(9, "1e-7")];
        let of = |start, end| {
            let within = Timeframe::new(Timestamp::constant(start, 0), Timestamp::constant(end, 0));
            total(points.iter(), within.unwrap())
        };
        assert_eq!(of(0, 5), "100.00");
        assert_eq!(of(1, 5), "0");
        assert_eq!(of(0, 10), "12345678901334.5000001");
    }
}
