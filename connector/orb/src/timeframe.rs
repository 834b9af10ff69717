//! Halves timeframes that Orb says are too large to answer. The halves overlap, so that each day of
//! any time zone is complete in exactly one of them.

use time::SignedDuration;

use crate::usage::{HOUR, LONGEST_DAY};
use elt_sdk::{
    instant::floor_to_second,
    slice::{Slice, Until},
};

/// How much longer two halves are than the slice.
const OVERLAP: SignedDuration = SignedDuration::hours(26);

/// The shortest half: slightly more than a day of any time zone.
const SHORTEST: SignedDuration = SignedDuration::hours(27);

/// Returns the two halves of a slice. `None` if it is about a day.
///
/// Days that begin before the boundary are complete in the first half, which ends [`LONGEST_DAY`]
/// after it. All others are complete in the second half, which begins an hour before it. A half
/// that would keep nothing is omitted.
pub fn halves(slice: &Slice) -> Option<Vec<Slice>> {
    let (from, span) = (slice.from?, slice.span()?);
    let half = (span + OVERLAP) / 2;
    if half < SHORTEST {
        return None;
    }
    let boundary = floor_to_second(from.checked_add(half - LONGEST_DAY)?);
    let below = Slice {
        until: Some(Until::Before(boundary.checked_add(LONGEST_DAY)?)),
        keep_before: Some(boundary),
        ..slice.clone()
    };
    let above = Slice { from: Some(boundary.checked_sub(HOUR)?), keep_from: Some(boundary), ..slice.clone() };
    let is_kept =
        |slice: &Slice| slice.keep_from.zip(slice.keep_before).is_none_or(|(from, before)| from < before);
    Some([below, above].into_iter().filter(is_kept).collect())
}

/// Returns the two halves of a slice of whole hours. `None` if it is an hour.
pub fn half_hours(slice: &Slice) -> Option<Vec<Slice>> {
    let (from, span) = (slice.from?, slice.span()?);
    let hours = span.whole_hours() / 2;
    let boundary = from.checked_add(SignedDuration::hours(hours)).filter(|_| hours > 0)?;
    let below = Slice { until: Some(Until::Before(boundary)), keep_before: Some(boundary), ..slice.clone() };
    Some(vec![below, Slice { from: Some(boundary), keep_from: Some(boundary), ..slice.clone() }])
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use time::Timestamp;

    use super::*;
    use elt_sdk::testing::instant;

    const DAY: SignedDuration = SignedDuration::hours(24);

    /// A year in the middle of a read. Its neighbours have the days that it does not keep.
    fn year() -> Slice {
        Slice {
            from: Some(instant("2024-01-01T05:00:00Z")),
            until: Some(Until::Before(instant("2024-12-31T05:00:00Z"))),
            keep_from: Some(instant("2024-01-01T06:00:00Z")),
            keep_before: Some(instant("2024-12-30T04:00:00Z")),
            ..Slice::default()
        }
    }

    /// Cuts a slice until no part is longer than `longest`, or none can be cut.
    fn cut(slice: Slice, longest: SignedDuration) -> Vec<Slice> {
        let (mut left, mut done) = (VecDeque::from([slice]), Vec::new());
        while let Some(slice) = left.pop_front() {
            match halves(&slice).filter(|_| slice.span().unwrap() > longest) {
                Some(parts) => parts.into_iter().rev().for_each(|part| left.push_front(part)),
                None => done.push(slice),
            }
        }
        done
    }

    /// Returns the days that a slice keeps, truncated at its ends, if midnight is `offset` hours
    /// after UTC's.
    fn kept(slice: &Slice, offset: i32) -> Vec<(Timestamp, Timestamp)> {
        let Some(Until::Before(until)) = slice.until else { panic!("no end") };
        let first = instant("2023-12-28T00:00:00Z") + SignedDuration::hours(1) * offset;
        let days = (0..400_i32).map(|number| (first + DAY * number, first + DAY * (number + 1)));
        let cut = days.map(|(start, end)| (start.max(slice.from.unwrap()), end.min(until)));
        let is_kept = |&(start, end): &(Timestamp, Timestamp)| {
            let (from, before) = (slice.keep_from, slice.keep_before);
            start < end && from.is_none_or(|from| start >= from) && before.is_none_or(|before| start < before)
        };
        cut.filter(is_kept).collect()
    }

    #[test]
    fn every_day_of_every_time_zone_is_in_exactly_one_part_as_it_was_in_the_whole() {
        let open = Slice { keep_from: None, keep_before: None, ..year() };
        let short = Slice { until: Some(Until::Before(instant("2024-01-03T01:00:00Z"))), ..open.clone() };
        for whole in [year(), open, short] {
            for longest in [SignedDuration::hours(24 * 100), SignedDuration::hours(72), SignedDuration::ZERO]
            {
                let parts = cut(whole.clone(), longest);
                for offset in -12..=14 {
                    let mut days: Vec<_> = parts.iter().flat_map(|part| kept(part, offset)).collect();
                    days.sort_unstable();
                    assert_eq!(days, kept(&whole, offset), "{offset}, {longest}");
                }
            }
        }
    }

    #[test]
    fn parts_are_shorter_each_time_down_to_about_a_day() {
        let parts = halves(&year()).unwrap();
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.span().unwrap() < SignedDuration::hours(24 * 184)));
        let shortest = cut(year(), SignedDuration::ZERO);
        assert!(shortest.iter().all(|part| part.span().unwrap() <= SignedDuration::hours(28)));
        assert!(shortest.iter().all(|part| part.keep_from < part.keep_before));
        let of_hours = |count: i64| {
            let until = instant("2024-01-01T05:00:00Z") + SignedDuration::hours(count);
            let slice = Slice { until: Some(Until::Before(until)), ..year() };
            halves(&slice).map(|parts| parts.len())
        };
        assert_eq!((of_hours(27), of_hours(28)), (None, Some(2)));
        // One whose second half would keep nothing.
        let until = Some(Until::Before(instant("2024-01-02T09:00:00Z")));
        let kept_up_to = |hour: i64| {
            let keep_before = Some(instant("2024-01-01T00:00:00Z") + SignedDuration::hours(hour));
            halves(&Slice { until, keep_before, ..year() }).map(|parts| parts.len())
        };
        assert_eq!([7, 8].map(kept_up_to), [Some(1), Some(2)]);
    }

    #[test]
    fn what_has_an_open_end_cannot_be_cut() {
        assert_eq!(halves(&Slice { until: None, ..year() }), None);
        assert_eq!(halves(&Slice { from: None, ..year() }), None);
    }

    #[test]
    fn hours_are_halved_at_whole_hours_down_to_one() {
        let hours = |count: i64| Slice {
            from: Some(instant("2024-01-01T05:00:00Z")),
            until: Some(Until::Before(instant("2024-01-01T05:00:00Z") + SignedDuration::hours(count))),
            ..Slice::default()
        };
        let spans = |count| {
            let halves = half_hours(&hours(count));
            halves.map(|halves| halves.iter().map(|half| half.span().unwrap().whole_hours()).collect())
        };
        assert_eq!(spans(96), Some(vec![48, 48]));
        assert_eq!(spans(3), Some(vec![1, 2]));
        assert_eq!((spans(1), spans(0)), (None, None));
        let [first, second] = &half_hours(&hours(4)).unwrap()[..] else { panic!("two halves") };
        assert_eq!(first.keep_before, second.keep_from);
        assert_eq!((first.until, second.keep_from), (second.from.map(Until::Before), second.from));
    }
}
