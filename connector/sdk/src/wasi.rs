//! Implements the platform traits with WASI 0.2: `wasi:http`, `wasi:clocks` and `wasi:io/poll`.

mod clock;
mod reactor;
mod stdio;
mod transport;

pub use clock::WasiClock;
pub use reactor::wait;
pub use transport::WasiTransport;
