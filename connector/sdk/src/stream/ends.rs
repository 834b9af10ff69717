//! What certain responses mean for a list.

use crate::slice::Slice;

/// What it means that a list is absent, unknown, cut off or too large. A stream whose feature the
/// account does not have is always skipped with a warning.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// What it means that a parent's list is not found.
    pub absent: Absent,
    /// Whether the server may not have the list at all. If it then does not find it, the stream is
    /// skipped with a warning; if not, it fails.
    pub may_be_unknown: bool,
    /// Whether a response may not say if there is more. A full page is then taken as cut off, and
    /// the slice is cut into shorter ones.
    pub may_be_silent: bool,
    /// Cuts a slice that is too large to answer into shorter ones with the same records. Returns
    /// `None` if it cannot be shorter. A list with pages is requested in smaller pages instead.
    pub too_large: fn(&Slice) -> Option<Vec<Slice>>,
}

impl Ends {
    /// The usual meaning: a parent that is gone is skipped, the path is known, responses say if
    /// there is more, and slices cannot be cut.
    pub const USUAL: Self =
        Self { absent: Absent::Gone, may_be_unknown: false, may_be_silent: false, too_large: |_| None };
}

/// What it means that a parent's list is not found.
#[derive(Debug, Clone, Copy)]
pub enum Absent {
    /// The parent is gone. It is skipped with a warning.
    Gone,
    /// The parent has none.
    Nothing,
    /// The parent does not have this part. Once all [`Parts`](super::Parts) have been requested,
    /// those follow that the function returns for the one before, until one is not found.
    EndOfParts(fn(&str) -> String),
}
