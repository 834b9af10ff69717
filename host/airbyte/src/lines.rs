//! Writes messages as Airbyte's clients read them: lines of JSON.

mod wire;

use std::io::{self, BufWriter, Write};

use elt_host::types::{JsonObject, Record};

use self::wire::{
    CatalogBody, CatalogStream, Descriptor, ErrorBody, Line, LogBody, RateLimited, Reason, RecordHead,
    SourceStats, SpecBody, StateBody, StatusBody, StatusOfStream, StreamState, Trace,
};
use crate::message::{Message, StreamDescriptor, StreamStatus};
use crate::redacted::Redacted;
use crate::sink::Sink;

/// Bytes that are gathered before they are written. A batch is commonly about this large, so that
/// most batches are one write.
const BUFFER: usize = 256 * 1024;

/// Writes messages of the Airbyte protocol, one JSON object a line.
#[derive(Debug)]
pub struct AirbyteLines<W: Write> {
    out: BufWriter<W>,
}

impl<W: Write> AirbyteLines<W> {
    /// Writes to `out`, which needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, out) }
    }

    /// The output, without what was not flushed.
    pub fn into_output(self) -> W {
        self.out.into_parts().0
    }
}

impl<W: Write> Sink for AirbyteLines<W> {
    fn write(&mut self, message: &Redacted) -> io::Result<()> {
        write(message, &mut self.out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes `message` as whole lines.
///
/// # Errors
///
/// Those of `out`. Also for a secret in what cannot be altered.
fn write(message: &Redacted, out: &mut impl Write) -> io::Result<()> {
    let line = match message.message() {
        Message::Slices { .. } => return Ok(()),
        Message::Records { stream, emitted_at, records } => {
            let head = RecordHead {
                stream: &stream.name,
                namespace: stream.namespace.as_deref(),
                emitted_at: *emitted_at,
            };
            let head = serde_json::to_string(&head)?;
            return write_records(&message.check(&head).map_err(io::Error::other)?, records, out);
        }
        Message::Spec(specification) => Line::Spec {
            spec: SpecBody {
                documentation_url: specification.documentation_url.as_deref(),
                connection_specification: &specification.config_schema,
            },
        },
        Message::ConnectionStatus(Ok(())) => {
            Line::ConnectionStatus { connection_status: StatusBody { status: "SUCCEEDED", message: None } }
        }
        Message::ConnectionStatus(Err(message)) => Line::ConnectionStatus {
            connection_status: StatusBody { status: "FAILED", message: Some(message) },
        },
        Message::Catalog(streams) => Line::Catalog {
            catalog: CatalogBody { streams: streams.iter().map(CatalogStream::new).collect() },
        },
        Message::State { stream, state, record_count } => Line::State {
            state: StateBody {
                r#type: "STREAM",
                stream: StreamState { stream_descriptor: Descriptor::new(stream), stream_state: state },
                #[expect(clippy::cast_precision_loss, reason = "the protocol counts in doubles")]
                source_stats: SourceStats { record_count: *record_count as f64 },
            },
        },
        Message::StreamStatus { stream, status, emitted_at } => Line::Trace {
            trace: Trace::StreamStatus {
                emitted_at: *emitted_at,
                stream_status: StatusOfStream {
                    stream_descriptor: Descriptor::new(stream),
                    status: wire::status_name(*status),
                    reasons: match status {
                        StreamStatus::RateLimited { quota_reset } => Some([Reason::RateLimited {
                            rate_limited: RateLimited { quota_reset: *quota_reset },
                        }]),
                        _ => None,
                    },
                },
            },
        },
        Message::Error { error, stream, emitted_at } => Line::Trace {
            trace: Trace::Error { emitted_at: *emitted_at, error: ErrorBody::new(error, stream.as_deref()) },
        },
        Message::Log { level, message } => {
            Line::Log { log: LogBody { level: wire::level_name(*level), message } }
        }
    };
    let line = serde_json::to_string(&line)?;
    out.write_all(message.check(&line).map_err(io::Error::other)?.as_bytes())?;
    out.write_all(b"\n")
}

/// The state of a stream as an entry of a list of states, which is the form in which a read takes
/// them.
pub(crate) fn stream_state(stream: &StreamDescriptor, state: &JsonObject) -> String {
    let descriptor = match &stream.namespace {
        Some(namespace) => serde_json::json!({ "name": stream.name, "namespace": namespace }),
        None => serde_json::json!({ "name": stream.name }),
    };
    format!(
        r#"{{"type":"STREAM","stream":{{"stream_descriptor":{descriptor},"stream_state":{}}}}}"#,
        state.as_str()
    )
}

/// Splices records into an envelope that is made once for all of them, so that they are neither
/// parsed nor copied. `descriptor` is all of it that is before their data.
fn write_records(descriptor: &str, records: &[Record], out: &mut impl Write) -> io::Result<()> {
    let head = format!(r#"{{"type":"RECORD","record":{},"data":"#, descriptor.trim_end_matches('}'));
    for record in records {
        out.write_all(head.as_bytes())?;
        out.write_all(record.as_str().as_bytes())?;
        out.write_all(b"}}\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
