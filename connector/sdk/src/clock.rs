//! Time.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use time::Timestamp;

/// Returns the time and sleeps.
pub trait Clock {
    /// Returns the current instant by the wall clock.
    fn now(&self) -> Timestamp;

    /// Returns a future that completes after `duration`, counted from this call.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}
