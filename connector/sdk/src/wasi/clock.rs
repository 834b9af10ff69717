//! Implements [`Clock`] with `wasi:clocks`.

use std::time::{Duration, SystemTime};

use futures_util::future::LocalBoxFuture;
use time::Timestamp;
use wasi::clocks::monotonic_clock::subscribe_duration;

use super::reactor::Readiness;
use crate::{clock::Clock, instant::instant_of};

/// The clock of the host.
#[derive(Debug, Clone, Copy)]
pub struct WasiClock;

impl Clock for WasiClock {
    fn now(&self) -> Timestamp {
        instant_of(SystemTime::now())
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Box::pin(Readiness::of(subscribe_duration(nanoseconds)))
    }
}
