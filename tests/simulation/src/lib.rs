//! Deterministic simulation of orb.wasm: the shipped component runs in a world that is a function
//! of one number. Time is virtual, the account changes while it is read, requests fail in every
//! known way, and the process dies at any call of the host. [`Simulator::run`] runs the history of
//! a seed and checks what the connector promises; docs/RELIABILITY.md lists that.

mod bindings;
mod dice;
mod fault;
mod history;
mod judge;
mod run;
mod server;
mod shrink;
mod simulator;
mod stream;
mod subject;
mod union;
mod wasi;
mod world;

pub use crate::run::{Report, Violation};
pub use crate::simulator::{Simulator, Statistics, Sweep};
pub use crate::stream_names::{position_of_stream, stream_names};

mod stream_names {
    use crate::stream::STREAMS;

    /// The names of the streams that are simulated.
    #[must_use]
    pub fn stream_names() -> Vec<&'static str> {
        STREAMS.iter().map(|row| row.name).collect()
    }

    /// The number of a stream, for [`crate::Simulator::run`].
    #[must_use]
    pub fn position_of_stream(name: &str) -> Option<usize> {
        STREAMS.iter().position(|row| row.name == name)
    }
}
