//! The second seam: time.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use time::Timestamp;

/// Tells the time and waits.
pub trait Clock {
    /// The instant by the wall clock.
    fn now(&self) -> Timestamp;

    /// A future that is ready once `duration` has passed. The time runs from this call.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}
