//! Content codings: a compressed body comes in, what was compressed goes out.
//!
//! A guest need not know how to decompress, which would be slower and in every component anew. What
//! a decoder holds in memory is bounded whatever a server sends: 32 KiB for gzip and deflate, 8 MiB
//! for zstd, 16 MiB for brotli; a body has one for each of its codings, of which there are few.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

/// What is offered to servers. Not `deflate`, of which two forms are in use.
pub(super) const OFFER: HeaderValue = HeaderValue::from_static("gzip, br, zstd");
/// The window that every decoder of zstd has on the web, as a power of two (RFC 9659).
const ZSTD_WINDOW: u32 = 23;
/// Codings of one body at most, as in curl and urllib3. Two are a gateway that compressed what was
/// compressed.
const MOST: usize = 5;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Deflate,
    Gzip,
    Zstd,
}

/// More codings than are decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) usize);

impl Coding {
    /// How the body of this response is compressed, in the order in which it was done. None if it
    /// is not, or has none, or in a way that is not known here, with which the guest may do what it
    /// likes.
    ///
    /// # Errors
    ///
    /// More codings than any server needs.
    pub(super) fn of(method: &Method, status: StatusCode, headers: &HeaderMap) -> Result<Vec<Self>, TooMany> {
        let bodiless = *method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
        // A part of a compressed body is not a compressed body.
        if bodiless || status == StatusCode::PARTIAL_CONTENT {
            return Ok(Vec::new());
        }
        // A list over several fields is one list (RFC 9110, 5.3).
        let fields = headers.get_all(CONTENT_ENCODING).iter();
        let Ok(fields) = fields.map(HeaderValue::to_str).collect::<Result<Vec<_>, _>>() else {
            return Ok(Vec::new());
        };
        let names = fields.iter().flat_map(|field| field.split(',')).map(str::trim);
        let names = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        let codings: Option<Vec<_>> = names.map(Self::named).collect();
        let codings = codings.unwrap_or_default();
        if codings.len() > MOST { Err(TooMany(codings.len())) } else { Ok(codings) }
    }

    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
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

    /// Whether a member never begins with a zero, so that zeros behind one can only be padding.
    fn may_be_padded(self) -> bool {
        !matches!(self, Self::Brotli)
    }

    /// Decompresses a body, to its very end: what follows the first member is another one, or zeros
    /// as padding. Nothing at all is taken for an empty body.
    pub(super) fn decode<R: AsyncBufRead + Unpin>(self, body: R) -> Members<R> {
        Members { coding: self, state: State::Between(body), begun: false }
    }
}

/// The members of a compressed body, one after another.
pub(super) struct Members<R> {
    coding: Coding,
    state: State<R>,
    /// Whether there has been a member.
    begun: bool,
}

enum State<R> {
    Between(R),
    Within(Decoder<R>),
    /// After an error, or the end.
    Ended,
}

/// The decoder of one member.
enum Decoder<R> {
    Brotli(Box<BrotliDecoder<R>>),
    Deflate(DeflateDecoder<R>),
    Gzip(GzipDecoder<R>),
    Zlib(ZlibDecoder<R>),
    Zstd(ZstdDecoder<R>),
}

/// Does the same with a decoder, whichever it is.
macro_rules! each {
    ($decoder:expr, |$one:ident| $what:expr) => {
        match $decoder {
            Decoder::Brotli($one) => $what,
            Decoder::Deflate($one) => $what,
            Decoder::Gzip($one) => $what,
            Decoder::Zlib($one) => $what,
            Decoder::Zstd($one) => $what,
        }
    };
}

impl<R: AsyncBufRead + Unpin> Decoder<R> {
    /// The decoder of a member that begins with `first`.
    fn new(coding: Coding, first: u8, body: R) -> Self {
        match coding {
            Coding::Brotli => Self::Brotli(Box::new(BrotliDecoder::new(body))),
            // What is called deflate should be in the zlib format, and often is not (RFC 9110,
            // 8.4.1.2). A zlib header has 8 in its low bits; deflate would begin there with a block
            // that is stored, and with a bit set that is unused.
            Coding::Deflate if first & 0x0f == 8 => Self::Zlib(ZlibDecoder::new(body)),
            Coding::Deflate => Self::Deflate(DeflateDecoder::new(body)),
            Coding::Gzip => Self::Gzip(GzipDecoder::new(body)),
            Coding::Zstd => {
                Self::Zstd(ZstdDecoder::with_params(body, &[DParameter::window_log_max(ZSTD_WINDOW)]))
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, |decoder| Pin::new(decoder).poll_read(context, into))
    }

    fn into_inner(self) -> R {
        match self {
            Self::Brotli(decoder) => decoder.into_inner(),
            Self::Deflate(decoder) => decoder.into_inner(),
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zlib(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.into_inner(),
        }
    }
}

impl<R: AsyncBufRead + Unpin> Members<R> {
    /// The first byte of the next member; none at the end of the body.
    fn poll_next(
        coding: Coding,
        begun: bool,
        body: &mut R,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<u8>>> {
        loop {
            let bytes = ready!(Pin::new(&mut *body).poll_fill_buf(context))?;
            let Some(&first) = bytes.first() else { return Poll::Ready(Ok(None)) };
            let padding = bytes.iter().take_while(|byte| **byte == 0).count();
            if padding == 0 || !begun || !coding.may_be_padded() {
                return Poll::Ready(Ok(Some(first)));
            }
            Pin::new(&mut *body).consume(padding);
        }
    }
}

impl<R: AsyncBufRead + Unpin> AsyncRead for Members<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (coding, begun) = (self.coding, self.begun);
        loop {
            match &mut self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Between(body) => {
                    let first = ready!(Self::poll_next(coding, begun, body, context));
                    let State::Between(body) = std::mem::replace(&mut self.state, State::Ended) else {
                        continue;
                    };
                    if let Some(first) = first? {
                        self.begun = true;
                        self.state = State::Within(Decoder::new(coding, first, body));
                    }
                }
                State::Within(decoder) => {
                    let before = into.filled().len();
                    let read = ready!(decoder.poll_read(context, into));
                    if read.is_ok() && (into.filled().len() > before || into.remaining() == 0) {
                        return Poll::Ready(Ok(()));
                    }
                    let State::Within(decoder) = std::mem::replace(&mut self.state, State::Ended) else {
                        continue;
                    };
                    read?;
                    self.state = State::Between(decoder.into_inner());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codings(
        method: &Method,
        status: u16,
        fields: &[(&'static str, &'static str)],
    ) -> Result<Vec<Coding>, TooMany> {
        let header = |&(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value));
        Coding::of(method, StatusCode::from_u16(status).unwrap(), &fields.iter().map(header).collect())
    }

    #[test]
    fn the_header_says_how_a_body_is_compressed() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (written, known) in [
            ("gzip", &[Gzip][..]),
            ("X-GZIP", &[Gzip]),
            ("br", &[Brotli]),
            ("zstd", &[Zstd]),
            ("deflate", &[Deflate]),
            ("identity", &[]),
            ("", &[]),
            (" , ", &[]),
            ("identity, gzip,", &[Gzip]),
            ("gzip, gzip", &[Gzip, Gzip]),
            ("gzip,br", &[Gzip, Brotli]),
            // With one that is not known, nothing can be done.
            ("compress", &[]),
            ("gzip, compress", &[]),
        ] {
            assert_eq!(
                codings(&Method::GET, 200, &[("content-encoding", written)]).unwrap(),
                known,
                "{written}"
            );
        }
        assert_eq!(codings(&Method::GET, 200, &[]), Ok(vec![]));
        let twice = [("content-encoding", "gzip"), ("content-encoding", "br")];
        assert_eq!(codings(&Method::GET, 200, &twice), Ok(vec![Gzip, Brotli]));
    }

    #[test]
    fn codings_beyond_what_anybody_needs_are_not_decoded() {
        let most = ("content-encoding", "gzip, gzip, gzip, gzip, gzip");
        assert_eq!(codings(&Method::GET, 200, &[most]).unwrap().len(), MOST);
        assert_eq!(codings(&Method::GET, 200, &[most, ("content-encoding", "gzip")]), Err(TooMany(6)));
    }

    #[test]
    fn what_is_no_body_or_a_part_is_not_decompressed() {
        let gzip = ("content-encoding", "gzip");
        for (method, status) in
            [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304), (Method::GET, 206)]
        {
            assert_eq!(codings(&method, status, &[gzip]), Ok(vec![]), "{method} {status}");
        }
        assert_eq!(codings(&Method::GET, 200, &[gzip, ("content-length", "0")]), Ok(vec![]));
    }
}
