//! Sends HTTP requests described in JSON, without validating them.

use serde_json::{Map, Value, json};
use wasi::http::{
    outgoing_handler::handle,
    types::{
        ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
        OutgoingRequest, Scheme,
    },
};
use wasi::io::streams::{InputStream, StreamError};

use crate::text;

/// How many bytes of a body are returned; all of it is read.
const SHOWN: usize = 2000;
/// The most bytes that `blocking_write_and_flush` accepts.
const CHUNK: usize = 4096;

/// Sends a request and waits for the whole answer:
/// `{"answer": 200, "headers": {}, "body": "ok", "bytes": 2}`, with `failed` if the body broke
/// off; or `{"answer": "denied"}` or another of the host's errors.
pub fn call(request: &Value) -> Value {
    send(request).and_then(receive).unwrap_or_else(|answer| json!({ "answer": answer }))
}

/// Sends a request: `{"url": "http://host/path"}`, with an optional `method`, a `path` that
/// overrides that of the URL, `headers` as pairs, and a `body`.
pub fn send(request: &Value) -> Result<FutureIncomingResponse, String> {
    let (outgoing, body) = prepare(request)?;
    let response = handle(outgoing, None).map_err(|code| name(&code))?;
    if let Some(text) = request["body"].as_str() {
        let stream = body.write().map_err(|()| "invalid body")?;
        for chunk in text.as_bytes().chunks(CHUNK) {
            stream.blocking_write_and_flush(chunk).map_err(|error| format!("{error:?}"))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|code| name(&code))?;
    Ok(response)
}

/// Builds a request to send, and its body to write afterwards.
pub fn prepare(request: &Value) -> Result<(OutgoingRequest, OutgoingBody), String> {
    let url = text(request, "url");
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = request["path"].as_str().unwrap_or(if path.is_empty() { "/" } else { path });
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let method = match text(request, "method") {
        "" | "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let headers: Vec<(String, Vec<u8>)> = pairs(&request["headers"]);
    let outgoing = OutgoingRequest::new(
        Fields::from_list(&headers).map_err(|error| format!("invalid header: {error:?}"))?,
    );
    outgoing.set_method(&method).map_err(|()| "invalid method")?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| "invalid scheme")?;
    outgoing.set_authority(Some(authority)).map_err(|()| "invalid authority")?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| "invalid path")?;
    let body = outgoing.body().map_err(|()| "invalid body")?;
    Ok((outgoing, body))
}

/// Waits for a whole answer.
pub fn receive(response: FutureIncomingResponse) -> Result<Value, String> {
    let incoming = loop {
        match response.get() {
            Some(Ok(Ok(incoming))) => break incoming,
            Some(Ok(Err(code))) => return Err(name(&code)),
            Some(Err(())) => return Err("taken twice".into()),
            None => response.subscribe().block(),
        }
    };
    let entries = incoming.headers().entries();
    let headers: Map<_, _> = entries
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned().into()))
        .collect();
    let mut answer = json!({ "answer": incoming.status(), "headers": headers });
    read(&incoming, &mut answer);
    // It counts against the limit like a response that is still pending.
    drop(response);
    Ok(answer)
}

fn read(incoming: &IncomingResponse, answer: &mut Value) {
    let body = incoming.consume().expect("the body is there once");
    let stream = body.stream().expect("the stream is there once");
    let mut shown = Vec::new();
    let mut bytes = 0;
    let failed = drain(&stream, |chunk| {
        bytes += chunk.len();
        shown.extend_from_slice(&chunk[..chunk.len().min(SHOWN - shown.len())]);
    });
    drop(stream);
    // The host can only reuse the connection once the body is finished.
    drop(IncomingBody::finish(body));
    answer["body"] = String::from_utf8_lossy(&shown).into();
    answer["bytes"] = bytes.into();
    if let Some(reason) = failed {
        answer["failed"] = reason.into();
    }
}

fn drain(stream: &InputStream, mut take: impl FnMut(&[u8])) -> Option<String> {
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => take(&chunk),
            Err(StreamError::Closed) => return None,
            Err(StreamError::LastOperationFailed(error)) => return Some(error.to_debug_string()),
        }
    }
}

fn pairs(headers: &Value) -> Vec<(String, Vec<u8>)> {
    let headers = headers.as_array().map(Vec::as_slice).unwrap_or_default();
    let pair = |header: &Value| {
        (header[0].as_str().unwrap_or_default().into(), header[1].as_str().unwrap_or_default().into())
    };
    headers.iter().map(pair).collect()
}

/// The host's error, as a single word where tests check for it.
fn name(code: &ErrorCode) -> String {
    match code {
        ErrorCode::HttpRequestDenied => "denied".into(),
        ErrorCode::DestinationIpProhibited => "prohibited".into(),
        ErrorCode::HttpRequestUriInvalid => "invalid URL".into(),
        other => format!("{other:?}"),
    }
}
