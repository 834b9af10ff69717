//! Cuts time into ranges of fixed width.

use time::{SignedDuration, Timestamp};

use crate::slice::{Slice, Until};

/// How a stream is cut into ranges of fixed width.
///
/// Neighbours share a boundary. A record at or after it belongs to the later range. If the server
/// aggregates records, for instance by day, and truncates them at the ends of a range, neighbours
/// must overlap, so that each record is complete in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranges {
    /// The length of a range. Must be longer than both overlaps together.
    pub width: SignedDuration,
    /// How far below the boundary the later range begins.
    pub before: SignedDuration,
    /// How far above the boundary the earlier range ends.
    pub after: SignedDuration,
    /// What the server aggregates by in UTC, for instance an hour. The first range begins and the
    /// last one ends on a multiple of it. The width must be a multiple, too. Zero if nothing is
    /// aggregated.
    pub unit: SignedDuration,
}

impl Ranges {
    /// Ranges that do not overlap.
    pub const fn of(width: SignedDuration) -> Self {
        let zero = SignedDuration::ZERO;
        Self { width, before: zero, after: zero, unit: zero }
    }

    /// Returns the multiple of the unit at or before an instant.
    pub fn floor(&self, instant: Timestamp) -> Timestamp {
        let unit = self.unit.whole_seconds().max(1);
        let floored = instant.as_seconds().div_euclid(unit) * unit;
        if self.unit.is_zero() { instant } else { Timestamp::from_seconds(floored).unwrap_or(instant) }
    }

    /// Returns the multiple of the unit at or after an instant.
    pub fn ceil(&self, instant: Timestamp) -> Timestamp {
        let floored = self.floor(instant);
        if floored == instant { instant } else { floored.saturating_add(self.unit) }
    }

    /// Cuts the time from `from` up to `until`. Records before `keep_from` are dropped.
    pub fn cut(&self, from: Timestamp, until: Timestamp, keep_from: Option<Timestamp>) -> Vec<Slice> {
        let (mut slices, mut from, mut keep_from) = (Vec::new(), from, keep_from);
        while from < until {
            let end = from.checked_add(self.width).map_or(until, |end| end.min(until));
            let keep_before = (end < until).then(|| end.checked_sub(self.after).unwrap_or(end));
            let (begin, end) = (Some(from), Some(Until::Before(end)));
            slices.push(Slice { from: begin, until: end, keep_from, keep_before, ..Slice::default() });
            let Some(boundary) = keep_before else { break };
            from = boundary.checked_sub(self.before).unwrap_or(boundary);
            keep_from = Some(boundary);
        }
        slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    #[test]
    fn ranges_follow_each_other_and_the_last_is_shorter() {
        let ranges = Ranges::of(SignedDuration::hours(24));
        let slices = ranges.cut(instant("2024-01-01T00:00:00Z"), instant("2024-01-02T06:00:00Z"), None);
        let ends: Vec<_> = slices.iter().map(|slice| (slice.from.unwrap(), slice.until.unwrap())).collect();
        let noon = instant("2024-01-02T00:00:00Z");
        let expected = [
            (instant("2024-01-01T00:00:00Z"), Until::Before(noon)),
            (noon, Until::Before(instant("2024-01-02T06:00:00Z"))),
        ];
        assert_eq!(ends, expected);
    }

    #[test]
    fn there_is_no_range_where_there_is_no_time() {
        let ranges = Ranges::of(SignedDuration::hours(24));
        let [earlier, later] = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"].map(instant);
        assert_eq!(ranges.cut(earlier, earlier, None), []);
        assert_eq!(ranges.cut(later, earlier, None), []);
        assert_eq!(ranges.cut(earlier, later, None).len(), 1);
    }

    #[test]
    fn where_ranges_overlap_each_instant_is_kept_once() {
        let ranges = Ranges {
            width: SignedDuration::hours(72),
            before: SignedDuration::hours(1),
            after: SignedDuration::hours(25),
            unit: SignedDuration::ZERO,
        };
        let (from, until) = (instant("2024-01-01T00:00:00Z"), instant("2024-02-01T00:00:00Z"));
        let slices = ranges.cut(from, until, None);
        assert!(slices.len() > 10);
        for hour in 0..31 * 24 {
            let position = Some(from + SignedDuration::hours(hour));
            assert_eq!(slices.iter().filter(|slice| slice.keeps(position)).count(), 1, "{hour}");
        }
    }

    #[test]
    fn ends_are_rounded_to_what_the_server_aggregates_by() {
        let hours = Ranges { unit: SignedDuration::hours(1), ..Ranges::of(SignedDuration::hours(96)) };
        for (text, floor, ceil) in [
            ("2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00Z"),
            ("2024-01-01T10:00:00.5Z", "2024-01-01T10:00:00Z", "2024-01-01T11:00:00Z"),
            ("1969-12-31T23:30:00Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(hours.floor(instant(text)), instant(floor));
            assert_eq!(hours.ceil(instant(text)), instant(ceil));
            assert_eq!(Ranges::of(SignedDuration::hours(96)).floor(instant(text)), instant(text));
        }
    }
}
