//! The generated bindings of the contract, and what the contract itself gives a connector.

mod generated {
    wasmtime::component::bindgen!({ path: "../../wit", world: "source-connector" });
}

pub(crate) use generated::elt::connector::types::{ConfiguredStream, Error, FailureType, SyncMode};
pub(crate) use generated::{SourceConnector, SourceConnectorPre};

use generated::elt::connector::{log, progress, types};

use crate::world::World;

impl log::Host for World {
    fn log(&mut self, level: log::Level, message: String) {
        self.note_log(&format!("{level:?}: {message}"));
    }
}

impl progress::Host for World {
    fn rate_limited(&mut self, _: u64) {}

    fn slices(&mut self, _: u64, _: Option<u64>) {}
}

impl types::Host for World {}
