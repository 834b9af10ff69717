//! Properties of compressed bodies.

use std::io::Read as _;

use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::account::{Account, Total};
use crate::exceeded::ExceededLimit;
use crate::http::body::ResponseBody;
use crate::http::coding::Coding;
use crate::limits::Limit;
use crate::redaction::Redaction;
use crate::reporter::Reporter;

/// Bytes that come out of a body at most.
const SIZE: usize = 1 << 20;

/// What is compressed is decompressed to the same, however it arrives, and what no encoder made
/// ends as another decoder says. The input is a coding, the size of the parts, and a body.
pub fn body(input: &[u8]) {
    let [coding, part, bytes @ ..] = input else { return };
    let coding = [Coding::Brotli, Coding::Deflate, Coding::Gzip, Coding::Zstd][usize::from(coding % 4)];
    let part = usize::from(*part).max(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be had").block_on(async {
        let compressed = compress(coding, bytes).await;
        assert_eq!(decompress(coding, &compressed, part).await.as_deref(), Some(bytes), "{coding:?}");

        let decompressed = decompress(coding, bytes, part).await;
        assert_eq!(
            decompressed,
            decompress(coding, bytes, usize::MAX).await,
            "{coding:?} in parts of {part}"
        );
        assert!(decompressed.as_ref().is_none_or(|bytes| bytes.len() <= SIZE));
        if coding == Coding::Gzip {
            let mut other = Vec::new();
            let read = flate2::read::MultiGzDecoder::new(bytes).take(SIZE as u64 + 1).read_to_end(&mut other);
            if read.is_ok() && other.len() <= SIZE {
                assert_eq!(decompressed, Some(other));
            }
        }
    });
}

async fn compress(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    async fn all(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut compressed = Vec::new();
        encoder.read_to_end(&mut compressed).await.expect("nothing fails in memory");
        compressed
    }
    match coding {
        Coding::Brotli => all(BrotliEncoder::with_quality(bytes, async_compression::Level::Fastest)).await,
        Coding::Deflate => all(ZlibEncoder::new(bytes)).await,
        Coding::Gzip => all(GzipEncoder::new(bytes)).await,
        Coding::Zstd => all(ZstdEncoder::new(bytes)).await,
    }
}

/// What a guest reads of a body. `None` if that fails.
async fn decompress(coding: Coding, bytes: &[u8], part: usize) -> Option<Vec<u8>> {
    let parts: Vec<_> = bytes.chunks(part).map(Bytes::copy_from_slice).collect();
    let parts = parts.into_iter().map(|part| Ok::<_, std::io::Error>(http_body::Frame::data(part)));
    let exceeded = ExceededLimit::default();
    let account = Account::new(Limit::HostMemory, usize::MAX, Total::new(usize::MAX), exceeded.clone());
    let response = ResponseBody {
        body: reqwest::Body::wrap(StreamBody::new(stream::iter(parts))),
        codings: vec![coding],
        patience: std::time::Duration::from_secs(60),
        encoded: usize::MAX,
        size: SIZE,
        target: String::new(),
        exceeded,
        reporter: Reporter::new(std::sync::Arc::new(()), Redaction::default()),
        account,
        exchange: None,
    };
    Some(response.open().collect().await.ok()?.to_bytes().to_vec())
}
