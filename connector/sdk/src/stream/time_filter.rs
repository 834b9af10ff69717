//! How a server filters a list by time.

use time::SignedDuration;

/// The query parameters that filter a list by time.
#[derive(Debug, Clone, Copy)]
pub struct TimeFilter {
    /// How the values are written.
    pub form: TimeForm,
    /// The parameter for records at this time and later.
    pub from: &'static str,
    /// The parameter for records at this time and earlier.
    pub including: &'static str,
    /// The parameter for records before this time.
    pub before: &'static str,
    /// How far the time that the server filters by may be from the cursor field, either way. So
    /// much more is requested, and other records are dropped. Zero if both are the same field.
    pub slack: SignedDuration,
}

/// How an instant is written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `2024-01-03T10:00:00+00:00`.
    Instant,
    /// `2024-01-03`, in UTC. If an end lies within a day, the whole day is requested.
    Date,
}
