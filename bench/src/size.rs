//! Selects between a full and a quick run.

/// A full run takes about a quarter of an hour, a quick one a minute and a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    Quick,
}

impl Size {
    /// The value for a run of this size.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Size::Full => full,
            Size::Quick => quick,
        }
    }
}
