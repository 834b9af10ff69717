//! Compressed bodies.

use async_compression::tokio::bufread::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use async_compression::{Level as Effort, zstd::CParameter};

use super::*;

const CODINGS: [Coding; 4] = [Coding::Brotli, Coding::Deflate, Coding::Gzip, Coding::Zstd];

async fn compress(coding: Coding, bytes: &[u8]) -> Vec<u8> {
    async fn all(reader: impl tokio::io::AsyncRead) -> Vec<u8> {
        let mut parts = Box::pin(ReaderStream::new(reader));
        let mut whole = Vec::new();
        while let Some(part) = parts.next().await {
            whole.extend(part.unwrap());
        }
        whole
    }
    match coding {
        Coding::Brotli => all(BrotliEncoder::with_quality(bytes, Effort::Fastest)).await,
        Coding::Deflate => all(ZlibEncoder::new(bytes)).await,
        Coding::Gzip => all(GzipEncoder::new(bytes)).await,
        Coding::Zstd => all(ZstdEncoder::new(bytes)).await,
    }
}

#[tokio::test]
async fn every_coding_is_decompressed_however_it_is_cut_into_parts() {
    let text = (0..10_000).map(|number| number.to_string()).collect::<String>().into_bytes();
    for coding in CODINGS {
        let packed = compress(coding, &text).await;
        assert!(packed.len() < text.len() / 2, "{coding:?}");
        for part in [1, 7, 1_000_000] {
            let (answer, exceeded_limit) = read(response_body(&packed, part, Some(coding))).await;
            assert!(answer.unwrap() == text && exceeded_limit.is_none(), "{coding:?} {part}");
        }
    }
}

#[tokio::test]
async fn a_body_of_several_members_is_decompressed_to_its_end() {
    for coding in CODINGS {
        let packed = [compress(coding, b"one ").await, compress(coding, b"two").await].concat();
        for part in [1, 1_000] {
            assert_eq!(
                read(response_body(&packed, part, Some(coding))).await.0.unwrap(),
                "one two",
                "{coding:?}"
            );
        }
    }
}

#[tokio::test]
async fn zeros_behind_a_body_are_padding() {
    for coding in [Coding::Deflate, Coding::Gzip, Coding::Zstd] {
        let packed = compress(coding, b"text").await;
        for zeros in [1, 512, 100_000] {
            let padded = [&packed[..], &vec![0; zeros]].concat();
            for part in [1, packed.len(), 4_096] {
                assert_eq!(
                    read(response_body(&padded, part, [coding])).await.0.unwrap(),
                    "text",
                    "{coding:?} {zeros}"
                );
            }
        }
        // Nor before the next member, as in a tape archive.
        let two = [&packed[..], &[0; 7], &packed[..]].concat();
        assert_eq!(read(response_body(&two, 3, [coding])).await.0.unwrap(), "texttext", "{coding:?}");
        let other = [&packed[..], &[0; 7], b"garbage"].concat();
        assert!(
            problem(read(response_body(&other, 3, [coding])).await.0).contains("is damaged"),
            "{coding:?}"
        );
    }
    assert!(read(response_body(&[0; 100], 7, [Coding::Gzip])).await.0.is_err(), "zeros alone are no gzip");
    let padded = [compress(Coding::Gzip, b"text").await, vec![0; 10_000]].concat();
    let (answer, exceeded_limit) =
        read(ResponseBody { encoded: 5_000, ..response_body(&padded, 100, [Coding::Gzip]) }).await;
    assert!(answer.is_err());
    assert_eq!(exceeded_limit, Some(Limit::ResponseEncoded));
}

#[tokio::test]
async fn what_is_compressed_several_times_is_decompressed_as_often() {
    for outer in CODINGS {
        for inner in CODINGS {
            let packed = compress(outer, &compress(inner, b"some text").await).await;
            for part in [1, 1_000] {
                let answer = read(response_body(&packed, part, [inner, outer])).await.0;
                assert_eq!(answer.unwrap(), "some text", "{inner:?}, {outer:?}");
            }
            let cut = &packed[..packed.len() - 1];
            assert!(problem(read(response_body(cut, 5, [inner, outer])).await.0).contains("is cut off"));
        }
        let once = compress(outer, b"<html>").await;
        assert!(
            problem(read(response_body(&once, 5, [Coding::Gzip, outer])).await.0).contains("by gzip"),
            "{outer:?}"
        );
    }
}

#[tokio::test]
async fn a_bomb_within_a_bomb_is_stopped_between_them() {
    // Twenty megabytes of empty members in a quarter of one: nothing comes out at the end that
    // could be counted.
    let empty = compress(Coding::Gzip, b"").await.repeat(1 << 20);
    let bomb = compress(Coding::Gzip, &empty).await;
    assert!(bomb.len() < 1 << 18, "{}", bomb.len());
    let codings = [Coding::Gzip, Coding::Gzip];
    let (answer, exceeded_limit) =
        read(ResponseBody { encoded: 1 << 20, ..response_body(&bomb, 4_096, codings) }).await;
    assert!(matches!(answer, Err(Error::HttpResponseBodySize(None))), "{answer:?}");
    assert_eq!(exceeded_limit, Some(Limit::ResponseEncoded));
}

#[tokio::test]
async fn members_out_of_which_nothing_comes_have_an_end() {
    for coding in CODINGS {
        let empty = compress(coding, b"").await.repeat(100_000);
        let limited = ResponseBody { size: 1 << 20, ..response_body(&empty, 4_096, [coding]) };
        let (answer, exceeded_limit) = read(limited).await;
        assert!(matches!(answer, Err(Error::HttpResponseBodySize(None))), "{coding:?}: {answer:?}");
        assert_eq!(exceeded_limit, Some(Limit::Response));
    }
}

#[tokio::test]
async fn members_let_others_run() {
    let empty = compress(Coding::Gzip, b"").await.repeat(1_000);
    let mut body = response_body(&empty, empty.len(), [Coding::Gzip]).open();
    let mut waited = 0;
    let end = std::future::poll_fn(|context| {
        let poll = http_body::Body::poll_frame(std::pin::Pin::new(&mut body), context);
        waited += usize::from(poll.is_pending());
        poll
    });
    assert!(end.await.is_none());
    assert!(waited >= 10, "{waited}");
}

#[tokio::test]
async fn what_decompresses_a_body_counts_as_long_as_it_is_there() {
    let text = vec![b'x'; 100_000];
    for coding in CODINGS {
        let packed = compress(coding, &text).await;
        let room = account(32 << 20);
        for _ in 0..10 {
            let body = ResponseBody { account: room.clone(), ..response_body(&packed, 4_096, [coding]) };
            assert_eq!(read(body).await.0.unwrap(), text, "{coding:?}");
        }
        room.hold(32 << 20).unwrap();
        let body = ResponseBody { account: account(1_000), ..response_body(&packed, 4_096, [coding]) };
        let Err(error) = read(body).await.0 else { panic!("{coding:?} held nothing") };
        assert!(error.to_string().contains("HostMemory"), "{error}");
    }
}

#[tokio::test]
async fn deflate_is_taken_with_and_without_the_header_of_zlib() {
    let text = (0..10_000).map(|number| number.to_string()).collect::<String>();
    let mut parts = Box::pin(ReaderStream::new(DeflateEncoder::new(text.as_bytes())));
    let mut raw = Vec::new();
    while let Some(part) = parts.next().await {
        raw.extend(part.unwrap());
    }
    for part in [1, 1_000] {
        assert_eq!(read(response_body(&raw, part, [Coding::Deflate])).await.0.unwrap(), text);
    }
    let cut = &raw[..raw.len() - 1];
    assert!(problem(read(response_body(cut, 1_000, [Coding::Deflate])).await.0).contains("is cut off"));
}

#[tokio::test]
async fn nothing_compressed_is_nothing() {
    for coding in CODINGS {
        assert_eq!(read(response_body(b"", 1, Some(coding))).await.0.unwrap(), "", "{coding:?}");
        let packed = compress(coding, b"").await;
        assert_eq!(read(response_body(&packed, 1, Some(coding))).await.0.unwrap(), "", "{coding:?}");
    }
}

#[tokio::test]
async fn no_part_of_a_compressed_body_passes_for_the_whole() {
    for coding in CODINGS {
        let packed = compress(coding, b"some text that is compressed").await;
        for length in 1..packed.len() {
            let answer = read(response_body(&packed[..length], 5, Some(coding))).await.0;
            let words = problem(answer);
            // The beginning of a header is not always told from another format.
            assert!(
                words.contains("is cut off") || length < 4 && words.contains("is damaged"),
                "{coding:?} cut to {length} of {}: {words}",
                packed.len()
            );
        }
    }
}

#[tokio::test]
async fn a_corrupt_body_is_an_error() {
    for coding in CODINGS {
        let answer = read(response_body(b"<html>not compressed at all</html>", 5, Some(coding))).await.0;
        let words = problem(answer);
        assert!(words.contains("is damaged, or is not compressed by"), "{coding:?}: {words}");
    }
    let mut packed = compress(Coding::Gzip, b"some text that is compressed").await;
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    assert!(read(response_body(&packed, 5, Some(Coding::Gzip))).await.0.is_err());
    let garbage = [&compress(Coding::Gzip, b"text").await[..], b"garbage"].concat();
    assert!(read(response_body(&garbage, 5, Some(Coding::Gzip))).await.0.is_err());
}

#[tokio::test]
async fn a_bomb_is_stopped_by_what_comes_out_of_it() {
    let zeros = vec![0; 64 << 20];
    for coding in CODINGS {
        let bomb = compress(coding, &zeros).await;
        assert!(bomb.len() < 1 << 20, "{coding:?}");
        let (answer, exceeded_limit) =
            read(ResponseBody { size: 1 << 20, ..response_body(&bomb, 4_096, Some(coding)) }).await;
        assert!(matches!(answer, Err(Error::HttpResponseBodySize(None))), "{coding:?}");
        assert_eq!(exceeded_limit, Some(Limit::Response), "{coding:?}");
    }
}

#[tokio::test]
async fn what_is_received_has_a_limit_of_its_own() {
    // Empty members, of which nothing comes out.
    let empty = compress(Coding::Gzip, b"").await.repeat(1_000);
    let (answer, exceeded_limit) =
        read(ResponseBody { encoded: 1_000, ..response_body(&empty, 100, Some(Coding::Gzip)) }).await;
    assert!(matches!(answer, Err(Error::HttpResponseBodySize(None))), "{answer:?}");
    assert_eq!(exceeded_limit, Some(Limit::ResponseEncoded));
    // A body that is not compressed has but one size.
    let (answer, exceeded_limit) = read(ResponseBody { encoded: 1, ..response_body(b"abc", 1, None) }).await;
    assert_eq!((answer.unwrap(), exceeded_limit), (Bytes::from("abc"), None));
}

#[tokio::test]
async fn a_window_larger_than_that_of_the_web_is_not_opened() {
    let bytes: Vec<u8> =
        (0..4_u32 << 20).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let encoder = ZstdEncoder::with_quality_and_params(
        &bytes[..],
        Effort::Fastest,
        &[CParameter::window_log(27), CParameter::enable_long_distance_matching(true)],
    );
    let mut parts = Box::pin(ReaderStream::with_capacity(encoder, 1 << 20));
    let mut packed = Vec::new();
    while let Some(part) = parts.next().await {
        packed.extend(part.unwrap());
    }
    let answer = read(response_body(&packed, 4_096, Some(Coding::Zstd))).await.0;
    assert!(problem(answer).contains("is damaged"));
}
