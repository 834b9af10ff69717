//! The JSON of Airbyte's messages. Fields without a value are left out: some clients fail at a
//! null.

use elt_host::events::Level;
use elt_host::types::{JsonObject, Stream, SyncMode};
use elt_host::{Error, FailureType};
use serde::Serialize;

use crate::message::{StreamDescriptor, StreamStatus};

/// All of a record's envelope that is before its data.
#[derive(Serialize)]
pub(super) struct RecordHead<'a> {
    pub(super) stream: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
    pub(super) emitted_at: i64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Line<'a> {
    Spec {
        spec: SpecBody<'a>,
    },
    ConnectionStatus {
        #[serde(rename = "connectionStatus")]
        connection_status: StatusBody<'a>,
    },
    Catalog {
        catalog: CatalogBody<'a>,
    },
    State {
        state: StateBody<'a>,
    },
    Trace {
        trace: Trace<'a>,
    },
    Log {
        log: LogBody<'a>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) documentation_url: Option<&'a str>,
    pub(super) connection_specification: &'a JsonObject,
}

#[derive(Serialize)]
pub(super) struct StatusBody<'a> {
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct CatalogBody<'a> {
    pub(super) streams: Vec<CatalogStream<'a>>,
}

#[derive(Serialize)]
pub(super) struct CatalogStream<'a> {
    pub(super) name: &'a str,
    pub(super) json_schema: &'a JsonObject,
    pub(super) supported_sync_modes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_defined_cursor: Option<bool>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) default_cursor_field: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) source_defined_primary_key: &'a [Vec<String>],
    pub(super) is_resumable: bool,
}

impl<'a> CatalogStream<'a> {
    pub(super) fn new(stream: &'a Stream) -> Self {
        Self {
            name: &stream.name,
            json_schema: &stream.json_schema,
            supported_sync_modes: stream.supported_sync_modes.iter().map(|mode| mode_name(*mode)).collect(),
            source_defined_cursor: (!stream.cursor_field.is_empty()).then_some(true),
            default_cursor_field: &stream.cursor_field,
            source_defined_primary_key: &stream.primary_key,
            is_resumable: stream.resumable,
        }
    }
}

#[derive(Serialize)]
pub(super) struct StateBody<'a> {
    pub(super) r#type: &'static str,
    pub(super) stream: StreamState<'a>,
    #[serde(rename = "sourceStats")]
    pub(super) source_stats: SourceStats,
}

#[derive(Serialize)]
pub(super) struct StreamState<'a> {
    pub(super) stream_descriptor: Descriptor<'a>,
    pub(super) stream_state: &'a JsonObject,
}

#[derive(Serialize)]
pub(super) struct Descriptor<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<&'a str>,
}

impl<'a> Descriptor<'a> {
    pub(super) fn new(stream: &'a StreamDescriptor) -> Self {
        Self { name: &stream.name, namespace: stream.namespace.as_deref() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceStats {
    pub(super) record_count: f64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Trace<'a> {
    StreamStatus { emitted_at: i64, stream_status: StatusOfStream<'a> },
    Error { emitted_at: i64, error: ErrorBody<'a> },
}

#[derive(Serialize)]
pub(super) struct StatusOfStream<'a> {
    pub(super) stream_descriptor: Descriptor<'a>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasons: Option<[Reason; 1]>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Reason {
    RateLimited { rate_limited: RateLimited },
}

#[derive(Serialize)]
pub(super) struct RateLimited {
    pub(super) quota_reset: i64,
}

#[derive(Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) internal_message: Option<&'a str>,
    pub(super) failure_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stream_descriptor: Option<Descriptor<'a>>,
}

impl<'a> ErrorBody<'a> {
    pub(super) fn new(error: &'a Error, stream: Option<&'a StreamDescriptor>) -> Self {
        Self {
            message: error.message(),
            internal_message: error.internal_message(),
            failure_type: failure_name(error.failure_type()),
            stream_descriptor: stream.map(Descriptor::new),
        }
    }
}

#[derive(Serialize)]
pub(super) struct LogBody<'a> {
    pub(super) level: &'static str,
    pub(super) message: &'a str,
}

pub(super) fn failure_name(failure_type: FailureType) -> &'static str {
    match failure_type {
        FailureType::Config => "config_error",
        FailureType::Transient => "transient_error",
        FailureType::System => "system_error",
    }
}

pub(super) fn mode_name(mode: SyncMode) -> &'static str {
    match mode {
        SyncMode::FullRefresh => "full_refresh",
        SyncMode::Incremental => "incremental",
    }
}

pub(super) fn status_name(status: StreamStatus) -> &'static str {
    match status {
        StreamStatus::Started => "STARTED",
        StreamStatus::Running | StreamStatus::RateLimited { .. } => "RUNNING",
        StreamStatus::Complete => "COMPLETE",
        StreamStatus::Incomplete => "INCOMPLETE",
    }
}

pub(super) fn level_name(level: Level) -> &'static str {
    match level {
        Level::Trace => "TRACE",
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    }
}
