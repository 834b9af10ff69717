//! Reads request bodies whole before they are sent, and decompresses response bodies on their way
//! to the guest. Neither may exceed its limit.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio_util::io::{ReaderStream, StreamReader};
use wasmtime_wasi_http::{Error, Result, WasiBody};

use super::coding::{Coding, Halt, Members};
use super::exchange::Exchange;
use super::failure::{self, too_much};
use super::pace::paced;
use crate::account::{Account, Held};
use crate::deadline::timeout;
use crate::events::Level;
use crate::exceeded::ExceededLimit;
use crate::limits::{Limit, Limits};
use crate::reporter::Reporter;

/// Bytes that are decompressed at once.
const PART: usize = 32 * 1024;
/// Bytes that each member of a compressed body counts as at least. A decoder of its own for each
/// costs about as much as decompressing that, even if nothing comes out of it. Tools that compress
/// in parallel make members of 64 KiB and more.
const MEMBER: usize = 4 * 1024;

/// Reads the body of a request, so that it is sent with a known length.
///
/// Streaming it would let hyper send the headers of a GET and drop the body while the guest is
/// still about to close it, which some guests take for a lost connection.
///
/// # Errors
///
/// If the body is too large or too slow, or if the guest fails it, for instance by a wrong length.
/// What is read counts in `held`.
pub(super) async fn read_request(
    mut body: WasiBody,
    limits: &Limits,
    exceeded: &ExceededLimit,
    held: &mut Held,
) -> Result<Bytes> {
    let mut read = BytesMut::new();
    loop {
        let frame = timeout(limits.timeouts.between_bytes, body.frame())
            .await
            .map_err(|_| Error::ConnectionWriteTimeout)?
            .transpose()?;
        let Some(frame) = frame else { return Ok(read.freeze()) };
        // No API needs trailers of a request.
        let Ok(data) = frame.into_data() else { continue };
        let size = read.len() + data.len();
        if size > limits.request_body {
            exceeded.report(Limit::RequestBody);
            return Err(Error::HttpRequestBodySize(Some(size as u64)));
        }
        let capacity = read.capacity();
        read.extend_from_slice(&data);
        held.grow(read.capacity().saturating_sub(capacity)).map_err(too_much)?;
    }
}

/// The body of a response on its way to the guest.
pub(super) struct ResponseBody {
    pub(super) body: reqwest::Body,
    /// How the body is compressed, in the order in which that was done.
    pub(super) codings: Vec<Coding>,
    /// How long to wait for the next part.
    pub(super) patience: Duration,
    /// Bytes that may be received of a compressed body, and that may come out of each of its
    /// codings but the last.
    pub(super) encoded: usize,
    /// Bytes that the guest may receive.
    pub(super) size: usize,
    /// The request, for the log.
    pub(super) target: String,
    pub(super) exceeded: ExceededLimit,
    pub(super) reporter: Reporter,
    /// Counts what decompresses the body.
    pub(super) account: Account,
    /// Ends with the body.
    pub(super) exchange: Option<Exchange>,
}

impl ResponseBody {
    /// The body for the guest. It fails if it is too large, damaged or cut short, or if nothing
    /// arrives for too long. The log says why, because wasmtime 48 does not tell a guest with which
    /// code a body failed.
    pub(super) fn open(self) -> WasiBody {
        let Self { body, codings, patience, encoded, size, target, exceeded, reporter, account, exchange } =
            self;
        let mut parts = receive(body, patience).boxed();
        // The last coding is undone first.
        for coding in codings.into_iter().rev() {
            let received = bound(parts, encoded, Limit::ResponseEncoded, exceeded.clone());
            parts = decode(received, coding, size, &account, &exceeded);
        }
        let parts = bound(parts, size, Limit::Response, exceeded);
        let logged = parts.then(move |part| {
            let _ = &exchange;
            let line = part.as_ref().err().map(|error| format!("{target}: {error}"));
            let reporter = line.is_some().then(|| reporter.clone());
            async move {
                if let (Some(line), Some(reporter)) = (line, reporter) {
                    reporter.log(Level::Debug, || line).await;
                }
                part.map(Frame::data)
            }
        });
        BodyExt::boxed_unsync(StreamBody::new(logged))
    }
}

/// The parts of a body as they arrive. Trailers are dropped: no API needs them, and their size
/// would not count.
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

/// Ends a body with an error after `size` bytes.
fn bound(
    parts: impl Stream<Item = Result<Bytes>> + Send,
    size: usize,
    limit: Limit,
    exceeded: ExceededLimit,
) -> impl Stream<Item = Result<Bytes>> + Send {
    let mut left = size;
    parts.map(move |part| {
        let part = part?;
        left = left.checked_sub(part.len()).ok_or_else(|| {
            exceeded.report(limit);
            Error::HttpResponseBodySize(None)
        })?;
        Ok(part)
    })
}

/// Decompresses a body, of which the guest may receive `size` bytes.
fn decode(
    parts: impl Stream<Item = Result<Bytes>> + Send + 'static,
    coding: Coding,
    size: usize,
    account: &Account,
    exceeded: &ExceededLimit,
) -> BoxStream<'static, Result<Bytes>> {
    let reader = StreamReader::new(paced(Box::pin(parts.map_err(io::Error::other))));
    let members = Members::new(coding, reader, size / MEMBER, account);
    let exceeded = exceeded.clone();
    let decoded = ReaderStream::with_capacity(members, PART).map_err(move |error| {
        // An error that is not of the body itself is the decoder's.
        let error = match error.downcast::<Error>() {
            Ok(error) => return error,
            Err(error) => error,
        };
        match error.downcast() {
            Ok(Halt::Full(full)) => too_much(full),
            Ok(Halt::Members) => {
                exceeded.report(Limit::Response);
                Error::HttpResponseBodySize(None)
            }
            Err(error) => damaged(coding, &error),
        }
    });
    decoded.boxed()
}

/// The error for a body that is not what its header says. `wasi:http` has a code for codings that
/// are not supported, but none for damaged data.
fn damaged(coding: Coding, error: &io::Error) -> Error {
    let name = coding.name();
    // The error of zlib has no kind of its own.
    let is_cut = error.kind() == ErrorKind::UnexpectedEof || error.to_string() == "unexpected BufError";
    Error::InternalError(Some(if is_cut {
        format!("the body of the answer is cut off: its {name} data has no end")
    } else {
        format!("the body of the answer is damaged, or is not compressed by {name}, as its header says")
    }))
}

#[cfg(test)]
mod tests;
