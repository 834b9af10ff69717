//! Reports the progress of a read to the host.

use time::Timestamp;

/// Takes progress reports.
pub trait Progress {
    /// The API's rate limit is exceeded until this instant.
    fn rate_limited(&self, until: Timestamp);

    /// `done` slices have been read to their end, of `total` if that is known.
    fn slices(&self, done: u64, total: Option<u64>);
}
