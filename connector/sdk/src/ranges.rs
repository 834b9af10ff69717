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
}

impl Ranges {
    /// Ranges that do not overlap.
    pub const fn of(width: SignedDuration) -> Self {
        Self { width, before: SignedDuration::ZERO, after: SignedDuration::ZERO }
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
    fn where_ranges_overlap_each_instant_is_kept_once() {
        let ranges = Ranges {
            width: SignedDuration::hours(72),
            before: SignedDuration::hours(1),
            after: SignedDuration::hours(25),
        };
        let (from, until) = (instant("2024-01-01T00:00:00Z"), instant("2024-02-01T00:00:00Z"));
        let slices = ranges.cut(from, until, None);
        assert!(slices.len() > 10);
        for hour in 0..31 * 24 {
            let position = Some(from + SignedDuration::hours(hour));
            assert_eq!(slices.iter().filter(|slice| slice.keeps(position)).count(), 1, "{hour}");
        }
    }
}
