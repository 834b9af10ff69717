//! Time: the current instant, and waiting.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use time::Timestamp;

/// Tells the time and waits.
pub trait Clock {
    /// Returns the current instant by the wall clock.
    fn now(&self) -> Timestamp;

    /// Returns a future that is ready `duration` after this call.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
}
