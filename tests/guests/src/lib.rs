//! The bindings of the contract, and a source that behaves well until its guest misbehaves.
//!
//! A native build gets an empty library: `tests/components` builds the guests for WebAssembly.

#![cfg(target_family = "wasm")]
#![allow(
    missing_docs,
    clippy::all,
    unsafe_code,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated code"
)]
#![allow(clippy::allow_attributes, reason = "which of these lints fire depends on the target")]

use std::cell::Cell;
use std::marker::PhantomData;

pub use serde_json::{Value, json};

pub mod http;

wit_bindgen::generate!({
    path: "../../wit",
    world: "source-connector",
    pub_export_macro: true,
    default_bindings_module: "guests",
});

pub use elt::connector::{
    log::{Level, log},
    progress,
    types::{Batch, ConfiguredStream, Error, FailureType, Specification, Stream, SyncMode},
};
use exports::elt::connector::source::{Guest, GuestReader, Reader};

/// The result of a `next-batch` call.
pub type Next = Result<Option<Batch>, Error>;

/// A guest. Its stream `things` returns two good records and a checkpoint before the guest
/// misbehaves; its stream `good` ends after those. Everything but `misbehave` behaves well by
/// default.
pub trait Hostile: 'static {
    fn spec() -> Specification {
        specification()
    }

    fn check(_: &Value) -> Result<(), Error> {
        Ok(())
    }

    fn discover(_: &Value) -> Result<Vec<Stream>, Error> {
        Ok(vec![stream("things"), stream("good")])
    }

    /// Called for every `next-batch` after the first, with the config and the number of earlier
    /// turns.
    fn misbehave(config: &Value, turn: u64) -> Next;
}

/// Exports a [`Hostile`] guest as a component.
#[macro_export]
macro_rules! hostile {
    ($guest:ident) => {
        type Component = $crate::Source<$guest>;
        $crate::export!(Component);
    };
}

/// The source behind every guest.
pub struct Source<H>(PhantomData<H>);

impl<H: Hostile> Guest for Source<H> {
    type Reader = Reading<H>;

    fn spec() -> Specification {
        H::spec()
    }

    fn check(config: String) -> Result<(), Error> {
        H::check(&parse(&config))
    }

    fn discover(config: String) -> Result<Vec<Stream>, Error> {
        H::discover(&parse(&config))
    }

    fn read(config: String, stream: ConfiguredStream, _: Option<String>) -> Result<Reader, Error> {
        let good = stream.name == "good";
        Ok(Reader::new(Reading::<H> {
            config: parse(&config),
            good,
            calls: Cell::new(0),
            guest: PhantomData,
        }))
    }
}

/// A read of one stream.
pub struct Reading<H> {
    config: Value,
    good: bool,
    calls: Cell<u64>,
    guest: PhantomData<H>,
}

impl<H: Hostile> GuestReader for Reading<H> {
    fn next_batch(&self) -> Next {
        match self.calls.replace(self.calls.get() + 1) {
            0 => Ok(Some(Batch {
                checkpoint: Some(r#"{"n":2}"#.into()),
                ..batch([r#"{"n":1}"#, r#"{"n":2}"#])
            })),
            _ if self.good => Ok(None),
            call => H::misbehave(&self.config, call - 1),
        }
    }

    fn stop(&self) {}

    fn is_complete(&self) -> bool {
        true
    }
}

fn parse(config: &str) -> Value {
    serde_json::from_str(config).unwrap_or_default()
}

/// The specification of a guest, with its `api_url` as a host to reach and two secrets.
pub fn specification() -> Specification {
    let secret = json!({ "type": "string", "airbyte_secret": true });
    let schema = json!({
        "type": "object",
        "properties": {
            "api_url": { "type": "string" },
            "api_key": secret,
            "credentials": { "type": "object", "properties": { "password": secret } },
        },
    });
    Specification {
        name: "guest".into(),
        version: "0.0.0".into(),
        config_schema: schema.to_string(),
        documentation_url: None,
        allowed_hosts: vec!["${api_url}".into()],
    }
}

/// A well-formed stream.
pub fn stream(name: &str) -> Stream {
    Stream {
        name: name.into(),
        json_schema: r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#.into(),
        supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
        primary_key: Vec::new(),
        cursor_field: Vec::new(),
        resumable: false,
        group: None,
        selected_by_default: true,
        requests: None,
    }
}

/// A batch of records without a checkpoint.
pub fn batch<R: Into<String>>(records: impl IntoIterator<Item = R>) -> Batch {
    Batch { records: records.into_iter().map(Into::into).collect(), checkpoint: None }
}

/// Returns one record at the first turn, and then ends the stream.
pub fn once(turn: u64, record: impl FnOnce() -> Value) -> Next {
    Ok((turn == 0).then(|| batch([record().to_string()])))
}

/// A string property of the config, or an empty string.
pub fn text<'c>(config: &'c Value, property: &str) -> &'c str {
    config[property].as_str().unwrap_or_default()
}

/// A numeric property of the config, or zero.
pub fn number(config: &Value, property: &str) -> usize {
    config[property].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default()
}

/// An error of one stream.
pub fn error(message: impl Into<String>) -> Error {
    Error { failure_type: FailureType::System, message: message.into(), internal_message: None }
}
