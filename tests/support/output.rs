//! Parses a command's output as an Airbyte client does.
//!
//! The types here are written from the protocol's schema and reject unknown fields: tests that used
//! the host's own types could not detect a wrong name.

use std::{collections::BTreeMap, process};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// A finished command.
pub(crate) struct Output {
    /// The exit code; `None` if it was killed.
    pub(crate) code: Option<i32>,
    /// Every line of stdout, parsed.
    pub(crate) messages: Vec<Message>,
    /// The raw stderr.
    pub(crate) stderr: String,
    /// The raw stdout.
    pub(crate) stdout: String,
}

/// One line of stdout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    #[serde(rename = "type")]
    #[expect(dead_code, reason = "the field that is there says it too")]
    kind: String,
    pub(crate) record: Option<Record>,
    pub(crate) state: Option<State>,
    pub(crate) trace: Option<Trace>,
    pub(crate) log: Option<Log>,
    pub(crate) spec: Option<Value>,
    pub(crate) catalog: Option<Value>,
    #[serde(rename = "connectionStatus")]
    pub(crate) connection_status: Option<ConnectionStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) stream: String,
    #[expect(dead_code, reason = "repeated from the catalog, of no interest here")]
    namespace: Option<String>,
    pub(crate) data: Box<RawValue>,
    pub(crate) emitted_at: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) stream: StreamState,
    #[serde(rename = "sourceStats")]
    pub(crate) source_stats: SourceStats,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamState {
    pub(crate) stream_descriptor: StreamDescriptor,
    pub(crate) stream_state: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamDescriptor {
    pub(crate) name: String,
    #[expect(dead_code, reason = "repeated from the catalog, of no interest here")]
    namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceStats {
    #[serde(rename = "recordCount")]
    pub(crate) record_count: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[expect(dead_code, reason = "required by the protocol, of no interest here")]
    pub(crate) emitted_at: f64,
    pub(crate) error: Option<TraceError>,
    pub(crate) stream_status: Option<StreamStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TraceError {
    pub(crate) message: String,
    pub(crate) failure_type: String,
    #[serde(default)]
    pub(crate) internal_message: String,
    pub(crate) stream_descriptor: Option<StreamDescriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamStatus {
    pub(crate) stream_descriptor: StreamDescriptor,
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) reasons: Vec<Reason>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) rate_limited: RateLimited,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimited {
    pub(crate) quota_reset: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) level: String,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionStatus {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) message: String,
}

impl Output {
    /// Parses a command's output. Every line must be a message; the last one may be incomplete if
    /// the command was killed.
    pub(crate) fn of(output: process::Output) -> Self {
        let stdout = String::from_utf8(output.stdout).expect("stdout is UTF-8");
        let whole = if output.status.code().is_some() {
            &stdout
        } else {
            stdout.rsplit_once('\n').map_or("", |(whole, _)| whole)
        };
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        let messages = whole.lines().map(parse).collect();
        let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
        Self { code: output.status.code(), messages, stderr, stdout }
    }

    /// The texts of a stream's records, in order.
    pub(crate) fn records(&self, stream: &str) -> Vec<String> {
        let records = self.messages.iter().filter_map(|message| message.record.as_ref());
        records.filter(|record| record.stream == stream).map(|record| record.data.get().to_owned()).collect()
    }

    /// The states of a stream, in order.
    pub(crate) fn states(&self, stream: &str) -> Vec<&State> {
        let states = self.messages.iter().filter_map(|message| message.state.as_ref());
        states.filter(|state| state.stream.stream_descriptor.name == stream).collect()
    }

    /// The last state of each stream, as the content of a state file.
    pub(crate) fn state_file(&self) -> String {
        let mut last = BTreeMap::new();
        for state in self.messages.iter().filter_map(|message| message.state.as_ref()) {
            last.insert(&state.stream.stream_descriptor.name, &state.stream.stream_state);
        }
        let element = |(name, state): (&&String, &&Value)| json!({ "type": "STREAM", "stream": { "stream_descriptor": { "name": name }, "stream_state": state } });
        Value::Array(last.iter().map(element).collect()).to_string()
    }

    /// The statuses of a stream, in order, without those that carry reasons.
    pub(crate) fn statuses(&self, stream: &str) -> Vec<&str> {
        let plain = self.all_statuses(stream).filter(|status| status.reasons.is_empty());
        plain.map(|status| status.status.as_str()).collect()
    }

    /// The times until which a stream was reported as rate-limited, in milliseconds since 1970.
    pub(crate) fn rate_limits(&self, stream: &str) -> Vec<u64> {
        let reasons = self.all_statuses(stream).flat_map(|status| {
            assert!(status.reasons.is_empty() || status.status == "RUNNING", "{status:?}");
            &status.reasons
        });
        reasons
            .map(|reason| {
                assert_eq!(reason.kind, "RATE_LIMITED");
                reason.rate_limited.quota_reset
            })
            .collect()
    }

    fn all_statuses(&self, stream: &str) -> impl Iterator<Item = &StreamStatus> {
        let statuses =
            self.messages.iter().filter_map(|message| message.trace.as_ref()?.stream_status.as_ref());
        statuses.filter(move |status| status.stream_descriptor.name == stream)
    }

    /// The errors, in order.
    pub(crate) fn errors(&self) -> Vec<&TraceError> {
        self.messages.iter().filter_map(|message| message.trace.as_ref()?.error.as_ref()).collect()
    }

    /// The only error. Also checks what holds for every failure: exit code 1, the error on stderr
    /// too, and no panics, backtraces or secrets in the output.
    #[track_caller]
    pub(crate) fn error(&self) -> &TraceError {
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "{errors:?}\n{}", self.stderr);
        assert_eq!(self.code, Some(1), "{}", self.stderr);
        self.assert_clean();
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        errors[0]
    }

    /// Checks that no panic, backtrace or secret is shown.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        for unwanted in ["panicked", "backtrace", "RUST_BACKTRACE"] {
            assert!(!self.stderr.contains(unwanted), "{unwanted}:\n{}", self.stderr);
            assert!(self.errors().iter().all(|error| !error.message.contains(unwanted)), "{unwanted}");
        }
        let key = mock_orb::DEFAULT_API_KEY;
        assert!(
            !self.stdout.contains(key) && !self.stderr.contains(key),
            "the key is shown:\n{}",
            self.stderr
        );
    }

    /// The log messages.
    pub(crate) fn logs(&self) -> Vec<&Log> {
        self.messages.iter().filter_map(|message| message.log.as_ref()).collect()
    }
}
