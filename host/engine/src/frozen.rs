//! A world without time and chance, for a connector that is asked for its specification.
//!
//! What a connector says about itself is looked at, and then relied on: which properties are
//! secret, which hosts are asked for. So it must be the same whenever it is asked. Clocks stand
//! still, random numbers are always the same ones, and nothing can be waited for, because how long
//! that takes would be a clock and a source of chance too.

use std::fmt;
use std::time::Duration;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::{WasiClocksCtxView, WasiClocksView as _};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtxBuilder};

use crate::store::StoreData;

/// The time of day: the beginning of 2020.
const NOW: Duration = Duration::from_secs(1_577_836_800);
/// What counts as the time since the start.
const SINCE_START: Duration = Duration::from_secs(1);
/// Random bytes, over and over.
const RANDOM: [u8; 32] = *b"\x9e\x37\x79\xb9\x7f\x4a\x7c\x15\xf3\x9c\xc0\x60\x5c\xed\xc8\x34\x10\x82\x27\x6b\xf3\xa2\x72\x51\xf8\x6c\x6a\x11\xd0\xc1\x8e\x95";

/// A clock that stands still.
struct Still;

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        NOW
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(SINCE_START.as_nanos()).unwrap_or_default()
    }
}

/// Takes time and chance from an instance.
pub(crate) fn freeze(builder: &mut WasiCtxBuilder) {
    builder
        .wall_clock(Still)
        .monotonic_clock(Still)
        .secure_random(Deterministic::new(RANDOM.to_vec()))
        .insecure_random(Deterministic::new(RANDOM.to_vec()))
        .insecure_random_seed(0);
}

/// The error for a connector that waits where no time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoTimePasses;

impl fmt::Display for NoTimePasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connector waits where no time passes")
    }
}

impl std::error::Error for NoTimePasses {}

/// The clock by which connectors wait, unless they are frozen.
pub(crate) struct Clock<'a> {
    inner: WasiClocksCtxView<'a>,
    is_frozen: bool,
}

struct HasClock;

impl HasData for HasClock {
    type Data<'a> = Clock<'a>;
}

/// Offers the monotonic clock, in place of that of WASI's own implementation.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<StoreData, HasClock>(linker, |data| {
        let is_frozen = data.is_frozen();
        Clock { inner: data.clocks(), is_frozen }
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

impl Clock<'_> {
    fn may_wait(&self, nanoseconds: u64) -> wasmtime::Result<()> {
        if self.is_frozen && nanoseconds > 0 { Err(NoTimePasses.into()) } else { Ok(()) }
    }
}

impl monotonic_clock::Host for Clock<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.inner.now()
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        self.inner.resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.inner.now()?;
        self.may_wait(when.saturating_sub(now))?;
        self.inner.subscribe_instant(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.may_wait(duration)?;
        self.inner.subscribe_duration(duration)
    }
}
