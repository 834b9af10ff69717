//! Bodies: a request's is read whole before anything is sent, a response's passes through under a cap.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, Result, WasiBody};

use super::failure;
use crate::contract::Level;
use crate::limits::Limits;
use crate::outbox::Outbox;

/// Reads the body of a request, so that it is sent with a known length.
///
/// Streaming it would let hyper send the headers of a GET and drop the body while the guest is still about to close
/// it, which some guests take for a lost connection.
///
/// # Errors
///
/// Too large, too slow, or what the guest's side of the body says (such as a length that is not what it declared).
pub(super) async fn read_request(mut body: WasiBody, limits: &Limits) -> Result<Bytes> {
    let mut read = BytesMut::new();
    let mut size = 0;
    loop {
        let frame = timeout(limits.between_bytes, body.frame())
            .await
            .map_err(|_| Error::ConnectionWriteTimeout)?
            .transpose()?;
        let Some(frame) = frame else { break };
        // Trailers of a request are of no use to any API read here.
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        // What is too much is read all the same, and dropped: a guest that cannot write to the end learns that its
        // stream is closed, but not why.
        if size <= limits.request_body {
            read.extend_from_slice(&data);
        }
    }
    if size <= limits.request_body {
        Ok(read.freeze())
    } else {
        Err(Error::HttpRequestBodySize(Some(size as u64)))
    }
}

/// The body of a response on its way to the guest.
pub(super) struct Passage {
    pub(super) body: reqwest::Body,
    /// Bytes that may still pass.
    pub(super) left: usize,
    /// How long to wait for the next part.
    pub(super) patience: Duration,
    /// What was asked, for the log.
    pub(super) target: String,
    pub(super) outbox: Outbox,
}

impl Passage {
    /// The body for the guest. It fails, and the log says why, when too much comes or nothing for too long: wasmtime
    /// 48 tells a guest that a body failed, but not with which code.
    pub(super) fn open(self) -> WasiBody {
        let frames = stream::try_unfold(self, |mut passage| async move {
            match passage.next_frame().await {
                Ok(frame) => Ok(frame.map(|frame| (frame, passage))),
                Err(error) => {
                    let level = if matches!(error, Error::HttpResponseBodySize(_)) {
                        Level::Warn
                    } else {
                        Level::Debug
                    };
                    passage.outbox.log(level, format!("{}: {error}", passage.target)).await;
                    Err(error)
                }
            }
        });
        BodyExt::boxed_unsync(StreamBody::new(frames))
    }

    async fn next_frame(&mut self) -> Result<Option<Frame<Bytes>>> {
        let frame =
            timeout(self.patience, self.body.frame()).await.map_err(|_| Error::ConnectionReadTimeout)?;
        let Some(frame) = frame.transpose().map_err(|error| failure::classify(&error))? else {
            return Ok(None);
        };
        let size = frame.data_ref().map_or(0, Bytes::len);
        self.left = self.left.checked_sub(size).ok_or(Error::HttpResponseBodySize(None))?;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn request(text: &'static str) -> WasiBody {
        Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed_unsync()
    }

    fn limits(request_body: usize) -> Limits {
        Limits { request_body, between_bytes: Duration::from_millis(1), ..Limits::default() }
    }

    async fn response(text: &'static str, cap: usize) -> Result<Bytes> {
        let passage = Passage {
            body: text.into(),
            left: cap,
            patience: Duration::from_secs(1),
            target: "GET /".to_owned(),
            outbox: Outbox::closed(),
        };
        passage.open().collect().await.map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn a_request_body_is_read_up_to_the_cap() {
        assert_eq!(read_request(request("abc"), &limits(3)).await.unwrap(), "abc");
        let error = read_request(request("abcd"), &limits(3)).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestBodySize(Some(4))));
    }

    #[tokio::test]
    async fn a_request_body_that_never_ends_is_given_up() {
        let endless = StreamBody::new(stream::pending()).boxed_unsync();
        let error = read_request(endless, &limits(3)).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionWriteTimeout));
    }

    #[tokio::test]
    async fn a_response_body_passes_up_to_the_cap() {
        assert_eq!(response("abc", 3).await.unwrap(), "abc");
        let error = response("abcd", 3).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseBodySize(None)));
    }
}
