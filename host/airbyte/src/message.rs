//! The messages of a sync and of the commands, in whatever form a sink writes them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use elt_host::Error;
use elt_host::events::Level;
use elt_host::types::{JsonObject, Record, Specification, Stream};

/// Which stream a message is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamDescriptor {
    /// Name of the stream.
    pub name: String,
    /// The namespace that the configured catalog gives the stream. Every message about the stream
    /// repeats it.
    pub namespace: Option<String>,
}

impl StreamDescriptor {
    /// A stream of this name. An empty namespace is the same as none: clients write either.
    pub fn new(name: impl Into<String>, namespace: Option<String>) -> Self {
        Self { name: name.into(), namespace: namespace.filter(|namespace| !namespace.is_empty()) }
    }
}

/// How far a stream has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    /// It is about to be read.
    Started,
    /// Its first record was read.
    Running,
    /// The API refuses requests as too many.
    RateLimited {
        /// Until when, in milliseconds since 1970.
        quota_reset: i64,
    },
    /// It was read to its end and its last state was emitted.
    Complete,
    /// It was not read to its end.
    Incomplete,
}

/// A message. As Airbyte's lines, [`Message::Records`] is one line for each record,
/// [`Message::Slices`] is none, everything else is one line.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the connector says about itself.
    Spec(Specification),
    /// Whether the source can be reached; if not, why.
    ConnectionStatus(Result<(), String>),
    /// The streams that can be read.
    Catalog(Vec<Stream>),
    /// Records of one stream.
    Records {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// When they were read, in milliseconds since 1970.
        emitted_at: i64,
        /// In the order of the connector.
        records: Vec<Record>,
    },
    /// A state of one stream.
    State {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// Where the next read continues.
        state: JsonObject,
        /// How many records of the stream were emitted since its previous state.
        record_count: u64,
    },
    /// How far a stream has been read.
    StreamStatus {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// How far.
        status: StreamStatus,
        /// When, in milliseconds since 1970.
        emitted_at: i64,
    },
    /// How many slices of a stream have been read. For a display of progress; not part of the
    /// output.
    Slices {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// Slices that have been read.
        done: u64,
        /// All slices, if that is known. The number may still grow.
        total: Option<u64>,
    },
    /// A failure.
    Error {
        /// What failed.
        error: Error,
        /// The stream that failed, if it was one.
        stream: Option<Arc<StreamDescriptor>>,
        /// When, in milliseconds since 1970.
        emitted_at: i64,
    },
    /// A line for a person.
    Log {
        /// How much it matters.
        level: Level,
        /// The text, of one or more lines.
        message: String,
    },
}

impl Message {
    /// An error that is not about one stream.
    pub fn error(error: Error) -> Self {
        Self::Error { error, stream: None, emitted_at: now() }
    }

    /// Whether the reader of the output should see this at once.
    pub fn is_urgent(&self) -> bool {
        !matches!(self, Self::Records { .. } | Self::Log { .. } | Self::Slices { .. })
    }
}

/// The time of a message, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
