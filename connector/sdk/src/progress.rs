//! The fourth seam: how a read goes, for the person who watches it.

use time::Timestamp;

/// Where it is told how a read goes.
pub trait Progress {
    /// The API refuses requests as too many, until this instant.
    fn rate_limited(&self, until: Timestamp);

    /// So many slices have been read to their end, of `total` if that is known.
    fn slices(&self, done: u64, total: Option<u64>);
}
