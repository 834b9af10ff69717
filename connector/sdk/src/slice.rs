//! One bounded part of a stream.

use time::{SignedDuration, Timestamp};

/// One bounded part of a stream, which is read page by page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slice {
    /// The id of the parent whose list is read, or of the object.
    pub parent: Option<String>,
    /// The part of the list, if the stream requests a list once per part.
    pub part: Option<String>,
    /// The first instant to request.
    pub from: Option<Timestamp>,
    /// Where the slice ends. `None` means no upper bound.
    pub until: Option<Until>,
    /// Records before this instant are dropped: another slice or an earlier read has them.
    pub keep_from: Option<Timestamp>,
    /// Records at this instant or later are dropped: another slice has them.
    pub keep_before: Option<Timestamp>,
    /// Which part of the list is requested.
    pub scope: Scope,
}

/// Which part of a list is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All of it.
    #[default]
    All,
    /// Its open objects. See [`Open`](crate::stream::Open).
    Open,
    /// The single object whose identifier is in place of the parent's.
    Object,
    /// The events of a [`Feed`](crate::stream::Feed), or the corrections of
    /// [`Corrections`](crate::stream::Corrections).
    Feed,
}

/// The upper end of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Records at this instant belong to the slice.
    Including(Timestamp),
    /// Records at this instant belong to the next slice.
    Before(Timestamp),
}

impl Until {
    /// Returns the end that is so much later.
    #[must_use]
    pub fn later(self, by: SignedDuration) -> Self {
        match self {
            Self::Including(until) => Self::Including(until.saturating_add(by)),
            Self::Before(until) => Self::Before(until.saturating_add(by)),
        }
    }

    /// Returns whether a record at `position` lies below this end.
    pub fn is_above(self, position: Timestamp) -> bool {
        match self {
            Self::Including(until) => position <= until,
            Self::Before(until) => position < until,
        }
    }
}

impl Slice {
    /// Returns the length of the requested time. `None` if an end is open.
    pub fn span(&self) -> Option<SignedDuration> {
        let (Until::Including(until) | Until::Before(until)) = self.until?;
        Some(until - self.from?)
    }

    /// Returns whether to keep a record at `position`. A record without a position is always kept.
    pub fn keeps(&self, position: Option<Timestamp>) -> bool {
        let Some(position) = position else { return true };
        self.keep_from.is_none_or(|from| position >= from)
            && self.keep_before.is_none_or(|before| position < before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    #[test]
    fn a_record_at_a_boundary_belongs_to_one_of_two_slices() {
        let [before, boundary, after] =
            ["2024-01-01T23:59:59Z", "2024-01-02T00:00:00Z", "2024-01-02T00:00:01Z"].map(instant);
        let positions = [before, boundary, after];
        let includes = |until: Until| positions.map(|position| until.is_above(position));
        assert_eq!(includes(Until::Before(boundary)), [true, false, false]);
        assert_eq!(includes(Until::Including(boundary)), [true, true, false]);
        let earlier = Slice { keep_before: Some(boundary), ..Slice::default() };
        let later = Slice { keep_from: Some(boundary), ..Slice::default() };
        let kept = |slice: &Slice| positions.map(|position| slice.keeps(Some(position)));
        assert_eq!((kept(&earlier), kept(&later)), ([true, false, false], [false, true, true]));
        assert!(earlier.keeps(None) && later.keeps(None));
    }

    #[test]
    fn a_later_end_is_of_the_same_kind() {
        let [early, late] = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"].map(instant);
        let day = SignedDuration::hours(24);
        assert_eq!(Until::Before(early).later(day), Until::Before(late));
        assert_eq!(Until::Including(early).later(day), Until::Including(late));
        let slice = Slice { from: Some(early), until: Some(Until::Before(late)), ..Slice::default() };
        assert_eq!(slice.span(), Some(day));
        assert_eq!(Slice { from: None, ..slice.clone() }.span(), None);
        assert_eq!(Slice { until: None, ..slice }.span(), None);
    }
}
