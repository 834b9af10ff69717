//! The contract, for all guests: the generated bindings, and a source with one stream whose batches a guest supplies.

#![allow(
    missing_docs,
    clippy::all,
    unsafe_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code"
)]
#![allow(clippy::allow_attributes, reason = "which of these lints fire depends on the target")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "source-connector",
    pub_export_macro: true,
    default_bindings_module: "guests",
});

pub use elt::connector::types::{
    Batch, ConfiguredStream, Error, FailureType, Specification, Stream, SyncMode,
};

/// The specification of a guest without wishes.
pub fn specification() -> Specification {
    Specification {
        name: "guest".into(),
        version: "0.0.0".into(),
        config_schema: r#"{"type":"object","properties":{}}"#.into(),
        documentation_url: None,
        allowed_hosts: Vec::new(),
    }
}

/// The one stream of a guest.
pub fn things() -> Stream {
    Stream {
        name: "things".into(),
        json_schema: r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#.into(),
        supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        primary_key: Vec::new(),
        cursor_field: Vec::new(),
        resumable: false,
    }
}

/// A batch of records without a checkpoint.
pub fn batch(records: &[&str]) -> Batch {
    Batch { records: records.iter().map(|record| (*record).to_owned()).collect(), checkpoint: None }
}
