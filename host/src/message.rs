//! What there is to tell: said by the streams of a sync and by the commands, written by the [`Emitter`](crate::Emitter).
//!
//! How it looks on the wire is not known here.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::contract::{Level, Specification, Stream};
use crate::document::Document;
use crate::error::Error;
use crate::record::Record;

/// Which stream a message is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamDescriptor {
    /// Name of the stream.
    pub name: String,
    /// The namespace that the configured catalog gives the stream, repeated in whatever is said of it.
    pub namespace: Option<String>,
}

impl StreamDescriptor {
    /// A stream of this name. An empty namespace is the same as none: clients write either.
    pub fn new(name: impl Into<String>, namespace: Option<String>) -> Self {
        Self { name: name.into(), namespace: namespace.filter(|namespace| !namespace.is_empty()) }
    }
}

/// How far the reading of a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    /// It is about to be read.
    Started,
    /// Its first record has come.
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

/// One thing to tell. [`Message::Records`] is one line per record, [`Message::Slices`] none, everything else one line.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the connector says of itself.
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
        state: Document,
        /// How many records of the stream were emitted since its previous state.
        record_count: u64,
    },
    /// How far the reading of a stream has come.
    StreamStatus {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// How far.
        status: StreamStatus,
        /// When, in milliseconds since 1970.
        emitted_at: i64,
    },
    /// How many slices of a stream have been read. For whoever watches; not part of the output.
    Slices {
        /// The stream.
        stream: Arc<StreamDescriptor>,
        /// Read to their end.
        done: u64,
        /// Of so many, which may still grow, if that is known.
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

    /// Whether programs read what is in it, and not people.
    pub(crate) fn is_data(&self) -> bool {
        matches!(self, Self::Records { .. } | Self::State { .. } | Self::Catalog(_) | Self::Spec(_))
    }

    /// Whether whoever reads the output should see this at once.
    pub fn is_urgent(&self) -> bool {
        !matches!(self, Self::Records { .. } | Self::Log { .. } | Self::Slices { .. })
    }
}

/// The time of a message, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
