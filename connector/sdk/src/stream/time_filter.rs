//! How a server filters a list by time.

use time::SignedDuration;

/// The query parameters that filter a list by time.
#[derive(Debug, Clone, Copy)]
pub struct TimeFilter {
    /// How the values are written.
    pub form: TimeForm,
    /// How the names of the parameters begin, for instance with the name of a field.
    pub field: &'static str,
    /// The rest of the parameter's name for records at this time and later.
    pub from: &'static str,
    /// The same for records at this time and earlier.
    pub including: &'static str,
    /// The same for records before this time.
    pub before: &'static str,
    /// How far the time that the server filters by may be from the cursor field, either way. So
    /// much more is requested, and other records are dropped. Zero if both are the same field.
    pub slack: SignedDuration,
}

impl TimeFilter {
    /// Filters a field by instants, with the names that many APIs use: `created_at[gte]`,
    /// `created_at[lte]` and `created_at[lt]`.
    pub const fn by_field(field: &'static str) -> Self {
        let (from, including, before) = ("[gte]", "[lte]", "[lt]");
        Self { form: TimeForm::Instant, field, from, including, before, slack: SignedDuration::ZERO }
    }

    /// Filters by instants, with one parameter for each end of a time range.
    pub const fn by_ends(from: &'static str, to: &'static str) -> Self {
        Self { from, including: to, before: to, ..Self::by_field("") }
    }
}

/// How an instant is written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// `2024-01-03T10:00:00+00:00`.
    Instant,
    /// `2024-01-03`, in UTC. If an end lies within a day, the whole day is requested.
    Date,
}
