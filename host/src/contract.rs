//! The words of the contract between host and connector, as this crate's own types.
//!
//! `bindings.rs` turns what a connector says into them; everything else in the crate and its users see only these.

use std::fmt;

use crate::document::Document;
use crate::record::Record;
use crate::seal::places;

/// What a connector says of itself before it is configured.
#[derive(Clone, Debug)]
pub struct Specification {
    /// Short name of the connector, for instance `orb`.
    pub name: String,
    /// Version of the connector, as semver.
    pub version: String,
    /// JSON Schema (draft-07) of the configuration.
    pub config_schema: Document,
    /// A page for the person who configures the connector.
    pub documentation_url: Option<String>,
    /// Hosts the connector asks to reach, as patterns for [`AllowedHosts`](crate::http::AllowedHosts).
    pub allowed_hosts: Vec<String>,
}

impl Specification {
    /// Where the configuration has secrets, as paths with dots; `*` is any member or element.
    pub fn secrets(&self) -> Vec<String> {
        serde_json::from_str(self.config_schema.as_str()).map(|schema| places(&schema)).unwrap_or_default()
    }
}

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Everything, whatever was read before.
    FullRefresh,
    /// What is new since the state of the last read.
    Incremental,
}

/// A sequence of records of one shape.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Unique within the connector.
    pub name: String,
    /// JSON Schema (draft-07) of a record.
    pub json_schema: Document,
    /// At least one.
    pub supported_sync_modes: Vec<SyncMode>,
    /// Paths of the fields that identify a record; empty if there is no such key.
    pub primary_key: Vec<Vec<String>>,
    /// Path of the field by which the stream is read incrementally; empty if there is none.
    pub cursor_field: Vec<String>,
    /// Whether a read that was cut short continues from its last checkpoint.
    pub resumable: bool,
}

/// Records that cross together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// May be empty.
    pub records: Vec<Record>,
    /// The state that is true once the records of this batch, and of all before it, are safely written.
    pub checkpoint: Option<Document>,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For tracing a single record or request.
    Trace,
    /// For finding out why something happened.
    Debug,
    /// Progress that a person wants to see.
    Info,
    /// Something was skipped or is not as it should be; the read goes on.
    Warn,
    /// Something failed.
    Error,
}

impl fmt::Display for SyncMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FullRefresh => "full_refresh",
            Self::Incremental => "incremental",
        })
    }
}
