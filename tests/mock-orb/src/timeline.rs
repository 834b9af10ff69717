//! Spreads the creation of records evenly between two instants.

use jiff::{SignedDuration, Timestamp};

use crate::dice::mix;

/// The span over which a number of records were created, evenly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    first: Timestamp,
    last: Timestamp,
}

impl Timeline {
    pub(crate) fn new(first: Timestamp, last: Timestamp) -> Timeline {
        Timeline { first, last: last.max(first) }
    }

    pub(crate) fn last(self) -> Timestamp {
        self.last
    }

    /// When record `index` of `count` was created: the first at the first instant, the last at the
    /// last. Most have whole seconds; one in seven has microseconds, and one in ten shares its
    /// instant with the previous one.
    pub(crate) fn at(self, index: u64, count: u64) -> Timestamp {
        if index + 1 >= count {
            return if index == 0 { self.first } else { self.last };
        }
        if index % 10 == 9 {
            return self.at(index - 1, count);
        }
        let span = self.last.as_second() - self.first.as_second();
        let seconds = i128::from(span) * i128::from(index) / i128::from(count - 1);
        let at = later(self.first, SignedDuration::from_secs(seconds as i64));
        if index % 7 == 3 {
            let microseconds = (mix(index) % 1_000_000) as i64;
            later(at, SignedDuration::from_micros(microseconds)).min(self.last)
        } else {
            at
        }
    }
}

/// Adds a duration, which may be negative, to an instant, and clamps the result to jiff's range.
pub(crate) fn later(at: Timestamp, duration: SignedDuration) -> Timestamp {
    let limit = if duration.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(duration).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn year() -> Timeline {
        let settings = Settings::default();
        Timeline::new(settings.first, settings.last)
    }

    #[test]
    fn ends_are_exact_and_nothing_lies_outside() {
        let settings = Settings::default();
        for count in [1, 2, 9, 10, 100, 1_000] {
            let instants: Vec<Timestamp> = (0..count).map(|index| year().at(index, count)).collect();
            assert_eq!(instants.first(), Some(&settings.first));
            assert!(count == 1 || instants.last() == Some(&settings.last));
            assert!(instants.iter().all(|at| (settings.first..=settings.last).contains(at)));
        }
    }

    #[test]
    fn some_instants_are_shared_and_some_have_microseconds() {
        assert_eq!(year().at(8, 100), year().at(9, 100));
        assert_ne!(year().at(3, 100).subsec_nanosecond(), 0);
        assert_eq!(year().at(4, 100).subsec_nanosecond(), 0);
    }
}
