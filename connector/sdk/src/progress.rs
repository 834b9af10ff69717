//! The progress of a read, for the person who runs it.

use time::Timestamp;

/// Takes the progress of a read.
pub trait Progress {
    /// The API's rate limit is exceeded, and requests wait until this instant.
    fn rate_limited(&self, until: Timestamp);

    /// `done` slices have been read to their end, of `total` if that is known.
    fn slices(&self, done: u64, total: Option<u64>);
}
