//! The outside world by WASI 0.2: `wasi:http`, `wasi:clocks` and `wasi:io/poll` behind the seams of this SDK.

mod clock;
mod reactor;
mod transport;

pub use clock::WasiClock;
pub use reactor::wait;
pub use transport::WasiTransport;
