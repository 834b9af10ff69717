//! Content codings: a compressed body comes in, what was compressed goes out.
//!
//! A guest need not know how to decompress, which would be slower and in every component anew. What a decoder holds in
//! memory is bounded whatever a server sends: 32 KiB for gzip, 8 MiB for zstd, 16 MiB for brotli.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncBufRead, AsyncRead};

/// What is offered to servers. Not `deflate`, of which two forms are in use.
pub(super) const OFFER: HeaderValue = HeaderValue::from_static("gzip, br, zstd");
/// The window that every decoder of zstd has on the web, as a power of two (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Deflate,
    Gzip,
    Zstd,
}

/// What is made of a body.
pub(super) type Decoded = Pin<Box<dyn AsyncRead + Send>>;

impl Coding {
    /// How the body of this response is compressed; none if it is not, or has none, or in a way that is not known
    /// here, with which the guest may do what it likes.
    pub(super) fn of(method: &Method, status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let bodiless = *method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
        // A part of a compressed body is not a compressed body.
        if bodiless || status == StatusCode::PARTIAL_CONTENT {
            return None;
        }
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        let (Some(coding), None) = (codings.next(), codings.next()) else { return None };
        match coding.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "br" => Some(Self::Brotli),
            "deflate" => Some(Self::Deflate),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Decompresses a body, to its very end: what follows the first member is another one. Nothing at all is taken for
    /// an empty body.
    ///
    /// # Errors
    ///
    /// Those of the body.
    pub(super) async fn decode(
        self,
        mut body: impl AsyncBufRead + Unpin + Send + 'static,
    ) -> io::Result<Decoded> {
        if poll_fn(|context| Pin::new(&mut body).poll_fill_buf(context).map_ok(<[u8]>::is_empty)).await? {
            return Ok(Box::pin(body));
        }
        macro_rules! whole {
            ($decoder:expr) => {{
                let mut decoder = $decoder;
                decoder.multiple_members(true);
                Ok(Box::pin(decoder))
            }};
        }
        match self {
            Self::Brotli => whole!(BrotliDecoder::new(body)),
            Self::Deflate => whole!(ZlibDecoder::new(body)),
            Self::Gzip => whole!(GzipDecoder::new(body)),
            Self::Zstd => whole!(ZstdDecoder::with_params(body, &[DParameter::window_log_max(ZSTD_WINDOW)])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(method: &Method, status: u16, fields: &[(&'static str, &'static str)]) -> Option<Coding> {
        let header = |&(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
        Coding::of(method, StatusCode::from_u16(status).unwrap(), &fields.iter().map(header).collect())
    }

    #[test]
    fn the_header_says_how_a_body_is_compressed() {
        for (written, known) in [
            ("gzip", Some(Coding::Gzip)),
            ("X-GZIP", Some(Coding::Gzip)),
            ("br", Some(Coding::Brotli)),
            ("zstd", Some(Coding::Zstd)),
            ("deflate", Some(Coding::Deflate)),
            ("identity", None),
            ("compress", None),
            ("gzip, br", None),
        ] {
            assert_eq!(coding(&Method::GET, 200, &[("content-encoding", written)]), known, "{written}");
        }
        assert_eq!(coding(&Method::GET, 200, &[]), None);
        assert_eq!(
            coding(&Method::GET, 200, &[("content-encoding", "gzip"), ("content-encoding", "br")]),
            None
        );
    }

    #[test]
    fn what_is_no_body_or_a_part_is_not_decompressed() {
        let gzip = ("content-encoding", "gzip");
        assert_eq!(coding(&Method::HEAD, 200, &[gzip]), None);
        assert_eq!(coding(&Method::GET, 204, &[gzip]), None);
        assert_eq!(coding(&Method::GET, 304, &[gzip]), None);
        assert_eq!(coding(&Method::GET, 206, &[gzip]), None);
        assert_eq!(coding(&Method::GET, 200, &[gzip, ("content-length", "0")]), None);
    }
}
