//! Decompresses response bodies.
//!
//! Connectors need not know how, which would be slower and in every component anew. What a decoder
//! holds in memory is limited whatever a server sends: 32 KiB for gzip and deflate, 8 MiB for zstd,
//! 16 MiB for brotli; and it counts in the account of the instance. A body has one decoder for each
//! of its codings, of which there are few.

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

use crate::account::{Account, Full, Held};

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

const KIB: usize = 1024;
/// Members that may begin without a pause.
const TURNS: usize = 64;

/// More codings than are decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) usize);

impl Coding {
    /// How the body of this response is compressed, in the order in which that was done. Empty if
    /// it is not compressed, or if a coding is unknown: then the guest gets the body as it is.
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

    /// Bytes that the decoder of a member holds which begins with `start`: its window, as the
    /// member says it, and what every decoder has.
    fn weight(self, start: &[u8]) -> usize {
        match self {
            Self::Brotli => brotli_window(start) + 256 * KIB,
            Self::Deflate | Self::Gzip => 64 * KIB,
            Self::Zstd => zstd_window(start).unwrap_or(1 << ZSTD_WINDOW).min(1 << ZSTD_WINDOW) + 512 * KIB,
        }
    }
}

/// The window of brotli data, from its first bits (RFC 7932, 9.1).
fn brotli_window(start: &[u8]) -> usize {
    let bits = start.first().copied().unwrap_or_default();
    let window = match (bits & 1, bits >> 1 & 7, bits >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        (_, 0, small) => 8 + small,
        (_, large, _) => 17 + large,
    };
    1 << window
}

/// The window of a frame of zstd, from its header (RFC 8878, 3.1.1.1). `None` if it is cut off.
fn zstd_window(start: &[u8]) -> Option<usize> {
    let (magic, header) = start.split_first_chunk()?;
    if u32::from_le_bytes(*magic) != 0xFD2F_B528 {
        // A frame that is skipped, or no frame.
        return Some(0);
    }
    let (&descriptor, rest) = header.split_first()?;
    let is_single = descriptor & 0x20 != 0;
    if !is_single {
        let &window = rest.first()?;
        let base = 1_usize.checked_shl(10 + u32::from(window >> 3))?;
        return Some(base.saturating_add(base / 8 * usize::from(window & 7)));
    }
    // Without a window, the content is as large as it says.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut number = [0; 8];
    number[..length].copy_from_slice(rest.get(dictionary..dictionary + length)?);
    let more = if length == 2 { 256 } else { 0 };
    Some(usize::try_from(u64::from_le_bytes(number)).unwrap_or(usize::MAX).saturating_add(more))
}

/// Why a body is not decompressed further, although there is nothing wrong with it.
#[derive(Debug)]
pub(super) enum Halt {
    /// It has more members than it may have.
    Members,
    /// There is no room for a decoder.
    Full(Full),
}

impl std::fmt::Display for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Members => f.write_str("too many members"),
            Self::Full(full) => full.fmt(f),
        }
    }
}

impl std::error::Error for Halt {}

/// The members of a compressed body, one after another.
pub(super) struct Members<R> {
    coding: Coding,
    state: State<R>,
    /// How many members there have been.
    begun: usize,
    /// How many there may be.
    most: usize,
    /// What the decoder holds.
    held: Held,
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

/// Does the same with each kind of decoder.
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
    /// Decompresses a body to its end. The first member may be followed by others, up to `most` in
    /// all but one at least, or by zeros as padding. An empty body is valid. What a decoder holds
    /// counts in `account`.
    pub(super) fn new(coding: Coding, body: R, most: usize, account: &Account) -> Self {
        Self { coding, state: State::Between(body), begun: 0, most: most.max(1), held: account.open() }
    }

    /// The first byte of the next member, and how much its decoder will hold. `None` at the end of
    /// the body.
    fn poll_next(
        coding: Coding,
        begun: bool,
        body: &mut R,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<(u8, usize)>>> {
        loop {
            let bytes = ready!(Pin::new(&mut *body).poll_fill_buf(context))?;
            let Some(&first) = bytes.first() else { return Poll::Ready(Ok(None)) };
            let padding = bytes.iter().take_while(|byte| **byte == 0).count();
            if padding == 0 || !begun || !coding.may_be_padded() {
                return Poll::Ready(Ok(Some((first, coding.weight(bytes)))));
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
        let coding = self.coding;
        let mut turns = 0;
        loop {
            let begun = self.begun > 0;
            match &mut self.state {
                State::Ended => return Poll::Ready(Ok(())),
                // Members out of which nothing comes must not keep everybody else waiting.
                State::Between(_) if turns == TURNS => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Between(body) => {
                    turns += 1;
                    let next = ready!(Self::poll_next(coding, begun, body, context));
                    let State::Between(body) = std::mem::replace(&mut self.state, State::Ended) else {
                        continue;
                    };
                    if let Some((first, weight)) = next? {
                        if self.begun == self.most {
                            return Poll::Ready(Err(io::Error::other(Halt::Members)));
                        }
                        self.held.set(weight).map_err(|full| io::Error::other(Halt::Full(full)))?;
                        self.begun += 1;
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
mod tests;
