//! Time by `wasi:clocks`.

use std::time::{Duration, SystemTime};

use futures_util::future::LocalBoxFuture;
use time::Timestamp;
use wasi::clocks::monotonic_clock::subscribe_duration;

use super::reactor::Readiness;
use crate::sdk::clock::Clock;

/// The clock of the host.
#[derive(Debug, Clone, Copy)]
pub struct WasiClock;

impl Clock for WasiClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
        Timestamp::new(seconds, since_epoch.subsec_nanos()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Box::pin(Readiness::of(subscribe_duration(nanoseconds)))
    }
}
