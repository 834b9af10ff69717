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
        assert_eq!(codings(&Method::GET, 200, &[("content-encoding", written)]).unwrap(), known, "{written}");
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
fn a_decoder_weighs_what_the_data_says() {
    // RFC 7932, 9.1: the bits of windows of 16, 17, 18, 24 and 10 bits.
    for (first, bits) in [(0, 16), (0b000_0001, 17), (0b0011, 18), (0b1111, 24), (0b010_0001, 10)] {
        assert_eq!(Coding::Brotli.weight(&[first]), (1 << bits) + 256 * KIB, "{first:b}");
    }
    let magic = 0xFD2F_B528_u32.to_le_bytes();
    let frame = |rest: &[u8]| [&magic[..], rest].concat();
    for (header, window) in [
        // A window of 2 MiB, of 1 KiB and an eighth, and of more than is allowed.
        (frame(&[0, 11 << 3]), Some(2 << 20)),
        (frame(&[0, 1]), Some(1024 + 128)),
        (frame(&[0, 0xff]), Some((1 << 41) / 8 * 15)),
        // The size of the content, in one to eight bytes, behind that of a dictionary.
        (frame(&[0x20, 7]), Some(7)),
        (frame(&[0x61, 9, 1, 0]), Some(257)),
        (frame(&[0xe0, 0, 0, 0x10, 0, 0, 0, 0, 0]), Some(1 << 20)),
        (frame(&[0xe0, 0]), None),
        (vec![0x28], None),
        (vec![0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0], Some(0)),
    ] {
        assert_eq!(zstd_window(&header), window, "{header:?}");
        assert!(Coding::Zstd.weight(&header) <= (8 << 20) + 512 * KIB);
    }
}

#[test]
fn what_is_no_body_or_a_part_is_not_decompressed() {
    let gzip = ("content-encoding", "gzip");
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204), (Method::GET, 304), (Method::GET, 206)]
    {
        assert_eq!(codings(&method, status, &[gzip]), Ok(vec![]), "{method} {status}");
    }
    assert_eq!(codings(&Method::GET, 200, &[gzip, ("content-length", "0")]), Ok(vec![]));
}
