//! The body of a request: one JSON object.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use wasi::http::types::IncomingRequest;
use wasi::io::streams::StreamError;

use crate::answer::Answer;
use crate::bindings::elt::connector::types::SyncMode;
use crate::budget::Budget;

/// The most bytes of a body: a config and a state. A state has some kilobytes; one that another
/// connector wrote may have a megabyte.
const MAX_BYTES: usize = 4 << 20;

const KNOWN: [&str; 5] = ["config", "stream", "sync_mode", "state", "budget"];

/// What is asked. Config and state stay text, as the connector wants them.
pub(crate) struct Question {
    pub(crate) config: String,
    pub(crate) stream: Option<String>,
    pub(crate) sync_mode: SyncMode,
    pub(crate) state: Option<String>,
    pub(crate) budget: Budget,
}

type Fields = BTreeMap<String, Box<RawValue>>;

impl Question {
    /// Reads the body of a request. Otherwise returns the answer that says what is wrong with it.
    pub(crate) fn read(request: &IncomingRequest) -> Result<Self, Answer> {
        let body = body(request)?;
        Self::parse(&body).map_err(|problem| Answer::problem(400, &problem))
    }

    fn parse(body: &[u8]) -> Result<Self, String> {
        let mut fields = object(body, "the body", &KNOWN)?;
        let budget = match fields.remove("budget") {
            Some(value) => object(value.get().as_bytes(), "`budget`", &["records", "bytes", "seconds"])?,
            None => Fields::new(),
        };
        let sync_mode = match text(&fields, "sync_mode")?.as_deref() {
            None | Some("incremental") => SyncMode::Incremental,
            Some("full_refresh") => SyncMode::FullRefresh,
            Some(_) => return Err("`sync_mode` must be `incremental` or `full_refresh`".into()),
        };
        Ok(Self {
            stream: text(&fields, "stream")?,
            sync_mode,
            config: json_object(&mut fields, "config")?.ok_or("`config` is missing")?,
            state: json_object(&mut fields, "state")?,
            budget: Budget {
                records: number(&budget, "records")?,
                bytes: number(&budget, "bytes")?,
                seconds: number(&budget, "seconds")?,
            },
        })
    }
}

/// Parses an object that has no other fields than those known. A value is never quoted: it may be a
/// secret.
fn object(text: &[u8], what: &str, known: &[&str]) -> Result<Fields, String> {
    let fields: Fields = serde_json::from_slice(text).map_err(|error| {
        format!("{what} is not a JSON object, at line {} column {}", error.line(), error.column())
    })?;
    match fields.keys().all(|name| known.contains(&name.as_str())) {
        true => Ok(fields),
        false => Err(format!("{what} has an unknown field; it may have {}", known.join(", "))),
    }
}

fn text(fields: &Fields, name: &str) -> Result<Option<String>, String> {
    let text = fields.get(name).map(|value| serde_json::from_str(value.get()));
    text.transpose().map_err(|_| format!("`{name}` must be a string"))
}

fn number(fields: &Fields, name: &str) -> Result<Option<u64>, String> {
    let number = fields.get(name).map(|value| serde_json::from_str(value.get()));
    number.transpose().map_err(|_| format!("`budget.{name}` must be a whole number"))
}

/// Takes a field that is an object, as text. `null` counts as absent.
fn json_object(fields: &mut Fields, name: &str) -> Result<Option<String>, String> {
    let value = fields.remove(name).map(|value| String::from(Box::<str>::from(value)));
    match value {
        Some(text) if text == "null" => Ok(None),
        Some(text) if !text.starts_with('{') => Err(format!("`{name}` must be an object")),
        value => Ok(value),
    }
}

fn body(request: &IncomingRequest) -> Result<Vec<u8>, Answer> {
    let too_large = || Answer::problem(413, &format!("the body has more than {MAX_BYTES} bytes"));
    let lost = |_| Answer::problem(400, "the body was lost");
    let length = request.headers().get("content-length");
    let length = length.first().and_then(|length| str::from_utf8(length).ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BYTES) {
        return Err(too_large());
    }
    let incoming = request.consume().map_err(lost)?;
    let stream = incoming.stream().map_err(lost)?;
    let mut bytes = Vec::with_capacity(length.unwrap_or_default());
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(lost(())),
        }
        if bytes.len() > MAX_BYTES {
            return Err(too_large());
        }
    }
}
