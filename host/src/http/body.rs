//! Bodies: a request's is read whole before anything is sent, a response's is decompressed on its way to the guest.
//! Neither is larger than its limit.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::timeout;
use tokio_util::io::{ReaderStream, StreamReader};
use wasmtime_wasi_http::{Error, Result, WasiBody};

use super::coding::Coding;
use super::failure;
use crate::breach::{Breaches, Limit};
use crate::contract::Level;
use crate::limits::Limits;
use crate::outbox::Outbox;

/// Bytes that are decompressed at once.
const PART: usize = 32 * 1024;

/// Reads the body of a request, so that it is sent with a known length.
///
/// Streaming it would let hyper send the headers of a GET and drop the body while the guest is still about to close
/// it, which some guests take for a lost connection.
///
/// # Errors
///
/// Too large, too slow, or what the guest's side of the body says (such as a length that is not what it declared).
pub(super) async fn read_request(mut body: WasiBody, limits: &Limits, breaches: &Breaches) -> Result<Bytes> {
    let mut read = BytesMut::new();
    loop {
        let frame = timeout(limits.between_bytes, body.frame())
            .await
            .map_err(|_| Error::ConnectionWriteTimeout)?
            .transpose()?;
        let Some(frame) = frame else { return Ok(read.freeze()) };
        // Trailers of a request are of no use to any API read here.
        let Ok(data) = frame.into_data() else { continue };
        let size = read.len() + data.len();
        if size > limits.request_body {
            breaches.report(Limit::RequestBody);
            return Err(Error::HttpRequestBodySize(Some(size as u64)));
        }
        read.extend_from_slice(&data);
    }
}

/// The body of a response on its way to the guest.
pub(super) struct Passage {
    pub(super) body: reqwest::Body,
    /// How it is compressed, in the order in which it was done.
    pub(super) codings: Vec<Coding>,
    /// How long to wait for the next part.
    pub(super) patience: Duration,
    /// Bytes that may be received of a compressed body, and that may come out of each of its
    /// codings but the last.
    pub(super) encoded: usize,
    /// Bytes that may pass.
    pub(super) size: usize,
    /// What was asked, for the log.
    pub(super) target: String,
    pub(super) breaches: Breaches,
    pub(super) outbox: Outbox,
}

impl Passage {
    /// The body for the guest. It fails, and the log says why, when it is too large, broken or cut short, or when
    /// nothing comes for too long: wasmtime 48 tells a guest that a body failed, but not with which code.
    pub(super) fn open(self) -> WasiBody {
        let Self { body, codings, patience, encoded, size, target, breaches, outbox } = self;
        let mut parts = receive(body, patience).boxed();
        // What was done last is undone first.
        for coding in codings.into_iter().rev() {
            let received = bound(parts, encoded, Limit::ResponseEncoded, breaches.clone());
            parts = decode(received, coding).boxed();
        }
        let parts = bound(parts, size, Limit::Response, breaches);
        let told = parts.then(move |part| {
            let line = part.as_ref().err().map(|error| format!("{target}: {error}"));
            let outbox = outbox.clone();
            async move {
                if let Some(line) = line {
                    outbox.log(Level::Debug, line).await;
                }
                part.map(Frame::data)
            }
        });
        BodyExt::boxed_unsync(StreamBody::new(told))
    }
}

/// The parts of a body as they come. Trailers are left out: no API read here has any, and they would pass uncounted.
fn receive(body: reqwest::Body, patience: Duration) -> impl Stream<Item = Result<Bytes>> + Send {
    stream::try_unfold(body, move |mut body| async move {
        loop {
            let frame = timeout(patience, body.frame()).await.map_err(|_| Error::ConnectionReadTimeout)?;
            let Some(frame) = frame.transpose().map_err(|error| failure::classify(&error))? else {
                return Ok(None);
            };
            if let Ok(data) = frame.into_data() {
                return Ok(Some((data, body)));
            }
        }
    })
}

/// Ends a body with an error when more than `size` bytes come.
fn bound(
    parts: impl Stream<Item = Result<Bytes>> + Send,
    size: usize,
    limit: Limit,
    breaches: Breaches,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let mut left = size;
    parts.map(move |part| {
        let part = part?;
        left = left.checked_sub(part.len()).ok_or_else(|| {
            breaches.report(limit);
            Error::HttpResponseBodySize(None)
        })?;
        Ok(part)
    })
}

/// Decompresses a body.
fn decode(
    parts: impl Stream<Item = Result<Bytes>> + Send + 'static,
    coding: Coding,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let reader = StreamReader::new(Box::pin(parts.map_err(io::Error::other)));
    ReaderStream::with_capacity(coding.decode(reader), PART).map_err(move |error| {
        // What is not an error of the body itself is what the decoder says about it.
        error.downcast().unwrap_or_else(|error| damaged(coding, &error))
    })
}

/// The error for a body that is not what its header says. `wasi:http` has a code for codings that
/// are not supported, but none for what is damaged.
fn damaged(coding: Coding, error: &io::Error) -> Error {
    let name = coding.name();
    // That of zlib has no kind of its own.
    let is_cut = error.kind() == ErrorKind::UnexpectedEof || error.to_string() == "unexpected BufError";
    Error::InternalError(Some(if is_cut {
        format!("the body of the answer is cut off: its {name} data has no end")
    } else {
        format!("the body of the answer is damaged, or is not compressed by {name}, as its header says")
    }))
}

#[cfg(test)]
mod tests;
