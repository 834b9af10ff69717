//! Sends requests with `wasi:http/outgoing-handler`.
//!
//! The order of calls matters and was found by measurement: take the outgoing body, hand over the
//! request, and only then write and finish the body. A client that polls the body of a `GET`
//! instead loses up to a quarter of the responses on wasmtime.
//!
//! Timeouts are up to the host, which knows the network. Setting them here would also leak memory:
//! wasmtime (48.0.8) keeps the options of every request in its table for as long as the instance
//! lives.

use futures_util::future::LocalBoxFuture;
use wasi::http::{
    outgoing_handler::handle,
    types::{
        ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody,
        OutgoingRequest, Scheme,
    },
};
use wasi::io::streams::StreamError;

use super::reactor::Readiness;
use crate::http::{Request, Response, Transport, TransportError};

/// The size of one read of a body. Each read costs a call of the host and a copy.
const READ_CHUNK: u64 = 256 * 1024;
/// The most bytes to reserve on the server's word.
const MOST_RESERVED: usize = 4 * 1024 * 1024;
/// The most bytes that `blocking_write_and_flush` accepts, by its documentation.
const WRITE_CHUNK: usize = 4096;

/// Sends requests through the host.
#[derive(Debug, Clone, Copy)]
pub struct WasiTransport;

impl Transport for WasiTransport {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let started = start(&request);
        Box::pin(async move { receive(started?).await })
    }
}

fn start(request: &Request) -> Result<FutureIncomingResponse, TransportError> {
    let refused = |what: &str| TransportError::Refused(format!("invalid {what} in {request}"));
    let (scheme, authority, path) = split_url(&request.url).ok_or_else(|| refused("URL"))?;
    let headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()))
        .collect();
    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).map_err(|_| refused("header"))?);
    let method = if request.method == "POST" { Method::Post } else { Method::Get };
    outgoing.set_method(&method).map_err(|()| refused("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| refused("scheme"))?;
    outgoing.set_authority(Some(authority)).map_err(|()| refused("host"))?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| refused("path"))?;
    let body = outgoing.body().map_err(|()| refused("body"))?;
    let response = handle(outgoing, None).map_err(|code| failure(&code))?;
    if let Some(bytes) = &request.body {
        write(&body, bytes).map_err(TransportError::Broken)?;
    }
    OutgoingBody::finish(body, None).map_err(|code| failure(&code))?;
    Ok(response)
}

fn split_url(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((scheme, authority, if path.is_empty() { "/" } else { path }))
}

fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), String> {
    let stream = body.write().map_err(|()| "the body cannot be written")?;
    for chunk in bytes.chunks(WRITE_CHUNK) {
        stream
            .blocking_write_and_flush(chunk)
            .map_err(|error| format!("the body could not be sent: {error:?}"))?;
    }
    Ok(())
}

async fn receive(response: FutureIncomingResponse) -> Result<Response, TransportError> {
    let incoming = loop {
        match response.get() {
            Some(Ok(Ok(incoming))) => break incoming,
            Some(Ok(Err(code))) => return Err(failure(&code)),
            Some(Err(())) => return Err(TransportError::Broken("the response was taken twice".into())),
            None => Readiness::of(response.subscribe()).await,
        }
    };
    let status = incoming.status();
    let headers = incoming.headers().entries();
    let text =
        |(name, value): (String, Vec<u8>)| Some((name.to_ascii_lowercase(), String::from_utf8(value).ok()?));
    let headers = headers.into_iter().filter_map(text).collect();
    let mut response = Response { status, headers, body: Vec::new() };
    let length = response.header("content-length").and_then(|length| length.parse().ok());
    response.body = read_body(&incoming, length.unwrap_or_default()).await?;
    Ok(response)
}

/// Reads a body of about `length` bytes.
async fn read_body(incoming: &IncomingResponse, length: usize) -> Result<Vec<u8>, TransportError> {
    let broken = |reason: String| TransportError::Broken(format!("the response was interrupted: {reason}"));
    let body = incoming.consume().map_err(|()| broken("no body".into()))?;
    let stream = body.stream().map_err(|()| broken("no stream".into()))?;
    let mut bytes = Vec::new();
    loop {
        match stream.read(READ_CHUNK) {
            Ok(chunk) if chunk.is_empty() => Readiness::of(stream.subscribe()).await,
            Ok(chunk) if bytes.is_empty() => {
                bytes = chunk;
                bytes.reserve_exact(length.min(MOST_RESERVED).saturating_sub(bytes.len()));
            }
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => return Err(broken(error.to_debug_string())),
        }
    }
    drop(stream);
    // The host reuses the connection only if the body is finished.
    drop(IncomingBody::finish(body));
    Ok(bytes)
}

/// Classifies the host's error. Only a mistake on this side or an untrusted identity rules out a
/// retry.
fn failure(code: &ErrorCode) -> TransportError {
    let reason = match code {
        ErrorCode::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorCode::ConnectionTerminated => "the connection was closed".to_owned(),
        ErrorCode::ConnectionTimeout => "the connection timed out".to_owned(),
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout => {
            "the response timed out".to_owned()
        }
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout => "the host name cannot be resolved".to_owned(),
        ErrorCode::HttpRequestDenied => "access to the API is denied".to_owned(),
        ErrorCode::DestinationIpProhibited => "access to the API's address is denied".to_owned(),
        ErrorCode::DestinationIpUnroutable => "there is no route to the API".to_owned(),
        ErrorCode::TlsCertificateError => "the certificate of the API is not trusted".to_owned(),
        ErrorCode::InternalError(Some(reason)) => reason.clone(),
        other => format!("{other:?}"),
    };
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => TransportError::Denied(reason),
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout => TransportError::TimedOut(reason),
        ErrorCode::TlsCertificateError
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_)
        | ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpResponseHeaderSectionSize(_)
        | ErrorCode::ConfigurationError => TransportError::Refused(reason),
        _ => TransportError::Broken(reason),
    }
}
