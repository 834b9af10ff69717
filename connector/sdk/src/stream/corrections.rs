//! How a stream learns that records of past days have changed.

use std::fmt;

use time::SignedDuration;

use super::Stream;

/// A list of corrections, each of which changes the records of a range of time: those of all
/// parents, or of one. A read that continues from a cursor reads these ranges again if it does not
/// know the correction, or its effect or one of the instants in it has changed.
pub struct Corrections<C: 'static> {
    /// The list. All of it is read, before the lists of the parents.
    pub stream: &'static Stream<C>,
    /// The field that says whether a correction counts.
    pub status: &'static str,
    /// The values of the field if it does, and the effect that it then has.
    pub effects: &'static [(&'static str, &'static str)],
    /// The fields with the instants at which its effect may have changed. They tell what is new if
    /// the state does not say which corrections are known.
    pub since: &'static [&'static str],
    /// The field with the beginning of the range.
    pub from: &'static str,
    /// The field with its end, which is not part of it.
    pub until: &'static str,
    /// The field with an identifier. Those parents are concerned that have it in any string. All
    /// are if it is null.
    pub parent: &'static str,
    /// The longest time that a record covers. So much more is requested on both sides of a range.
    pub longest: SignedDuration,
}

impl<C> fmt::Debug for Corrections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Corrections").field("stream", &self.stream).finish_non_exhaustive()
    }
}
