//! Represents half-open timeframes, intersects them, and splits them into days.

use std::iter::successors;

use jiff::{Timestamp, ToSpan as _};

use crate::time_zone::Zone;

/// The time from one instant, inclusive, to a later one, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeframe {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Timeframe {
    /// A timeframe, or `None` if it would be empty.
    pub(crate) fn new(start: Timestamp, end: Timestamp) -> Option<Timeframe> {
        (start < end).then_some(Timeframe { start, end })
    }

    pub(crate) fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The intersection of the two.
    pub(crate) fn overlap(self, other: Timeframe) -> Option<Timeframe> {
        Timeframe::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// Splits the timeframe into days of a time zone; the first and the last may be partial.
    pub(crate) fn days(self, zone: &Zone) -> impl Iterator<Item = Timeframe> {
        let day =
            move |start: Timestamp| Timeframe::new(start, zone.next_midnight(zone.date(start)).min(self.end));
        successors(day(self.start), move |before| day(before.end))
    }
}

/// Whether a timeframe is no longer than a year, which is a day longer if it includes a February
/// 29.
pub(crate) fn fits_a_year(timeframe: Timeframe) -> bool {
    let start = jiff::tz::Offset::UTC.to_datetime(timeframe.start);
    let end = jiff::tz::Offset::UTC.to_datetime(timeframe.end);
    start.checked_add(1.year()).is_ok_and(|latest| end <= latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeframe(start: &str, end: &str) -> Timeframe {
        Timeframe::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn days(start: &str, end: &str, zone: &str) -> Vec<String> {
        let days = timeframe(start, end).days(&Zone::named(zone)).collect::<Vec<_>>();
        assert!(days.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(days.last().unwrap().end, end.parse().unwrap());
        days.iter().map(|day| day.start.to_string()).collect()
    }

    /// The example in Orb's documentation.
    #[test]
    fn days_are_cut_at_local_midnight() {
        let expected =
            ["2022-02-01T05:00:00Z", "2022-02-01T08:00:00Z", "2022-02-02T08:00:00Z", "2022-02-03T08:00:00Z"];
        assert_eq!(days("2022-02-01T05:00:00Z", "2022-02-04T01:00:00Z", "America/Los_Angeles"), expected);
    }

    #[test]
    fn days_are_as_long_as_the_clocks_make_them() {
        let expected = ["2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"];
        assert_eq!(days("2024-03-30T23:00:00Z", "2024-04-01T22:00:00Z", "Europe/Berlin"), expected);
    }

    #[test]
    fn the_start_is_inside_and_the_end_is_not() {
        let day = timeframe("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
        assert!(day.contains(day.start) && !day.contains(day.end));
        assert_eq!(Timeframe::new(day.end, day.end), None);
        let next = timeframe("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z");
        assert_eq!(day.overlap(next), None);
        let both = timeframe("2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z");
        assert_eq!(both.overlap(next), Some(next));
    }
}
