//! A connector that was built against version 0.2 of the contract.

use std::cell::Cell;

#[allow(
    missing_docs,
    clippy::all,
    unsafe_code,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications,
    reason = "generated code"
)]
#[allow(clippy::allow_attributes, reason = "which of these lints fire depends on the target")]
mod contract {
    wit_bindgen::generate!({ path: "../../host/engine/wit/v0.2", world: "source-connector" });
    export!(Source with_types_in self);

    pub(crate) use super::Source;
}

use contract::elt::connector::{
    log::{Level, log},
    progress,
    types::{Batch, ConfiguredStream, Error, FailureType, Specification, Stream, SyncMode},
};
use contract::exports::elt::connector::source::{Guest, GuestReader, Reader};

pub(crate) struct Source;

impl Guest for Source {
    type Reader = Counter;

    fn spec() -> Specification {
        Specification {
            name: "contract-0-2".into(),
            version: "1.2.3".into(),
            config_schema: r#"{"type": "object", "required": ["last"]}"#.into(),
            documentation_url: None,
            allowed_hosts: vec![],
        }
    }

    fn check(config: String) -> Result<(), Error> {
        let message = format!("nothing to reach with {config}");
        Err(Error { failure_type: FailureType::Config, message, internal_message: None })
    }

    fn discover(_: String) -> Result<Vec<Stream>, Error> {
        Ok(vec![Stream {
            name: "numbers".into(),
            json_schema: r#"{"type": "object", "properties": {"n": {"type": "integer"}}}"#.into(),
            supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
            primary_key: vec![vec!["n".into()]],
            cursor_field: vec!["n".into()],
            resumable: true,
        }])
    }

    fn read(_: String, stream: ConfiguredStream, state: Option<String>) -> Result<Reader, Error> {
        log(Level::Info, &format!("reads {} from {state:?}", stream.name));
        progress::slices(0, Some(1));
        Ok(Reader::new(Counter(Cell::new(0))))
    }
}

/// Returns three numbers, each in a batch with a checkpoint.
pub(crate) struct Counter(Cell<u32>);

impl GuestReader for Counter {
    fn next_batch(&self) -> Result<Option<Batch>, Error> {
        let n = self.0.get() + 1;
        self.0.set(n);
        let record = format!(r#"{{"n":{n}}}"#);
        Ok((n <= 3).then(|| Batch { records: vec![record.clone()], checkpoint: Some(record) }))
    }
}
