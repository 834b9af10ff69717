//! Shared code of the tests.

pub(crate) mod artifacts;
pub(crate) mod guests;
pub(crate) mod output;
pub(crate) mod setup;
pub(crate) mod shape;

pub(crate) use guests::Guest;
pub(crate) use output::Output;
pub(crate) use scripted_server::{Answer, Canary, Peer, Server};
pub(crate) use setup::Setup;
