//! Answers that are known at once, and the response that carries them.

use serde_json::value::RawValue;
use serde_json::{Value, json};
use wasi::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::OutputStream;

use crate::bindings::elt::connector::types::{Error, FailureType, Specification, Stream, SyncMode};

/// A status and a body.
pub(crate) struct Answer {
    status: u16,
    allow: Option<&'static str>,
    body: String,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, allow: None, body: body.to_string() }
    }

    /// The request is at fault.
    pub(crate) fn problem(status: u16, problem: &str) -> Self {
        let error = json!({ "failure_type": "config", "message": problem, "internal_message": null });
        Self::json(status, &json!({ "error": error }))
    }

    pub(crate) fn not_allowed(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::problem(405, &format!("the method must be {allow}")) }
    }

    pub(crate) fn send(self, out: ResponseOutparam) {
        let kind = ("content-type", "application/json");
        let headers: Vec<_> = self.allow.map(|allow| ("allow", allow)).into_iter().chain([kind]).collect();
        let Some(mut response) = Response::begin(self.status, &headers, out) else { return };
        response.write(self.body.as_bytes());
        response.finish();
    }
}

/// A response whose head has been sent.
pub(crate) struct Response {
    // Dropped before the body that it belongs to.
    stream: OutputStream,
    body: OutgoingBody,
}

impl Response {
    /// Sends the head. Returns `None` if nobody waits for it.
    pub(crate) fn begin(status: u16, headers: &[(&str, &str)], out: ResponseOutparam) -> Option<Self> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let response = OutgoingResponse::new(Fields::from_list(&headers).ok()?);
        response.set_status_code(status).ok()?;
        let body = response.body().ok()?;
        let stream = body.write().ok()?;
        ResponseOutparam::set(out, Ok(response));
        Some(Self { stream, body })
    }

    /// Writes bytes. Returns whether somebody still reads them.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            self.stream.subscribe().block();
            let Ok(room) = self.stream.check_write() else { return false };
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            if self.stream.write(now).is_err() {
                return false;
            }
            bytes = later;
        }
        self.stream.flush().is_ok()
    }

    /// Ends the body. A response that is dropped instead shows that it was cut off.
    pub(crate) fn finish(self) {
        self.stream.subscribe().block();
        drop(self.stream);
        drop(OutgoingBody::finish(self.body, None));
    }
}

/// The error of a connector. What is transient may pass; what is the system's is a fault behind
/// this server.
pub(crate) fn failed(error: &Error) -> Answer {
    let status = match error.failure_type {
        FailureType::Config => 400,
        FailureType::Transient => 503,
        FailureType::System => 502,
    };
    Answer::json(status, &json!({ "error": described(error) }))
}

pub(crate) fn described(error: &Error) -> Value {
    let failure_type = match error.failure_type {
        FailureType::Config => "config",
        FailureType::Transient => "transient",
        FailureType::System => "system",
    };
    json!({ "failure_type": failure_type, "message": error.message, "internal_message": error.internal_message })
}

/// A check that fails is an answer, too.
pub(crate) fn checked(result: Result<(), Error>) -> Answer {
    match result {
        Ok(()) => Answer::json(200, &json!({ "status": "succeeded" })),
        Err(error) => Answer::json(200, &json!({ "status": "failed", "error": described(&error) })),
    }
}

pub(crate) fn specification(specification: &Specification) -> Answer {
    Answer::json(
        200,
        &json!({
            "name": specification.name,
            "version": specification.version,
            "documentation_url": specification.documentation_url,
            "allowed_hosts": specification.allowed_hosts,
            "config_schema": schema(&specification.config_schema),
        }),
    )
}

pub(crate) fn discovered(result: Result<Vec<Stream>, Error>) -> Answer {
    let described = |stream: &Stream| {
        let modes: Vec<_> = stream.supported_sync_modes.iter().map(|mode| name(*mode)).collect();
        json!({
            "name": stream.name,
            "json_schema": schema(&stream.json_schema),
            "supported_sync_modes": modes,
            "primary_key": stream.primary_key,
            "cursor_field": stream.cursor_field,
            "resumable": stream.resumable,
            "group": stream.group,
            "selected_by_default": stream.selected_by_default,
            "requests": stream.requests,
        })
    };
    match result {
        Ok(streams) => {
            Answer::json(200, &json!({ "streams": streams.iter().map(described).collect::<Vec<_>>() }))
        }
        Err(error) => failed(&error),
    }
}

fn name(mode: SyncMode) -> &'static str {
    match mode {
        SyncMode::FullRefresh => "full_refresh",
        SyncMode::Incremental => "incremental",
    }
}

/// A schema is JSON; one that is not becomes `null`.
fn schema(text: &str) -> Option<Value> {
    serde_json::from_str::<&RawValue>(text).ok().and_then(|raw| serde_json::from_str(raw.get()).ok())
}
