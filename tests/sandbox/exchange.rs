//! Servers and components that misbehave towards each other: sizes, times and numbers of messages.

use std::{io::Write, time::Duration};

use serde_json::{Value, json};

use super::{assert_limited, told};
use crate::support::{Answer, Guest, Output, Server, Setup, guests};

/// A guest that calls this server.
fn read(guest: Guest, server: &Server, count: usize, flags: &[&str]) -> Output {
    let url = server.url();
    let config = json!({ "api_url": url, "count": count, "requests": [{ "url": url }] });
    Setup::guest(guest, config).flags(flags).read(&["things"])
}

/// The result of one call to this server by a guest.
fn call(server: &Server, flags: &[&str]) -> Value {
    let output = read(guests::CALLER, server, 1, flags);
    told(&output).remove(0)
}

/// A gzip header (RFC 1952, 2.3) without optional fields: only the compression method is set.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A gzip bomb that inflates to endless zeros, 158 times its size: its beginning, and a part to
/// repeat.
fn bomb() -> (Vec<u8>, Vec<u8>) {
    // A final block with fixed codes (RFC 1951, 3.2.6): one zero, then "copy 258 bytes from one
    // byte back" forever.
    const BLOCK: &str = "110";
    const ZERO: &str = "00110000";
    const MORE: &str = "1100010100000";
    let pack = |bits: &str| -> Vec<u8> {
        let byte = |bits: &[u8]| {
            bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit == b'1') << at)
        };
        bits.as_bytes().chunks(8).map(byte).collect()
    };
    // The stream starts with 11 bits; five bits of the next code fill the second byte, and then the
    // codes repeat every 13 bytes.
    let first = [BLOCK, ZERO, &MORE[..5]].concat();
    let again = [&MORE[5..], &MORE.repeat(8 * 512 - 1), &MORE[..5]].concat();
    ([GZIP.to_vec(), pack(&first)].concat(), pack(&again))
}

/// A gzip that does not compress: endless stored blocks (RFC 1951, 3.2.4).
fn stored() -> (Vec<u8>, Vec<u8>) {
    let content = [b'x'; 0x1000];
    (GZIP.to_vec(), [&[0, 0x00, 0x10, 0xff, 0xef][..], &content].concat())
}

fn endless(encoding: &'static str, (first, again): (Vec<u8>, Vec<u8>)) -> Server {
    Server::start(move |_| Answer::endless(encoding, first.clone(), again.clone()))
}

#[test]
fn a_compressed_answer_is_bounded_by_what_it_inflates_to() {
    let server = endless("gzip", bomb());
    let output =
        read(guests::CALLER, &server, 1, &["--max-response", "8MiB", "--max-response-encoded", "1GiB"]);
    assert_limited(&output, "--max-response");
}

#[test]
fn a_compressed_answer_is_bounded_without_a_flag() {
    assert_limited(&read(guests::CALLER, &endless("gzip", bomb()), 1, &[]), "--max-response");
}

#[test]
fn a_compressed_answer_is_bounded_by_what_is_received() {
    let server = endless("gzip", stored());
    let output = read(guests::CALLER, &server, 1, &["--max-response-encoded", "64KiB"]);
    assert_limited(&output, "--max-response-encoded");
}

#[test]
fn a_compressed_answer_out_of_which_nothing_comes_is_bounded() {
    // An empty block with fixed codes, and the checksum and length of nothing.
    let empty = [&GZIP[..], &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat();
    let server = endless("gzip", (Vec::new(), empty.repeat(1_000)));
    assert_limited(&read(guests::CALLER, &server, 1, &[]), "--max-response");
}

#[test]
fn an_answer_is_bounded() {
    let server = endless("identity", (Vec::new(), vec![b'x'; 1 << 16]));
    assert_limited(&read(guests::CALLER, &server, 1, &["--max-response", "1MiB"]), "--max-response");
}

#[test]
fn an_answer_within_bounds_is_whole() {
    let body = "x".repeat(1 << 20);
    let server = Server::start(move |_| Answer::ok(&body));
    let answer = call(&server, &["--max-response", "1MiB", "--max-response-encoded", "1MiB"]);
    assert_eq!(answer["bytes"], 1 << 20);
    assert_eq!(answer["failed"], Value::Null);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(|_| Answer::silence());
    let answer = call(&server, &["--response-timeout", "200ms"]);
    assert!(answer["answer"].as_str().unwrap().contains("Timeout"), "{answer}");
}

#[test]
fn a_body_that_stops_is_given_up() {
    let server = Server::start(|_| {
        Answer::raw(|peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")?;
            peer.wait()
        })
    });
    let answer = call(&server, &["--idle-timeout", "200ms"]);
    assert_eq!((&answer["answer"], &answer["bytes"]), (&json!(200), &json!(1)));
    assert!(answer["failed"].is_string(), "{answer}");
}

#[test]
fn a_body_that_drips_for_ever_has_an_end() {
    let server = Server::start(|_| {
        Answer::raw(|peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")?;
            loop {
                peer.write_all(b"x")?;
                peer.pause(Duration::from_millis(20))?;
            }
        })
    });
    let output = read(guests::CALLER, &server, 1, &["--max-call", "1s", "--idle-timeout", "60s"]);
    assert_limited(&output, "--max-call");
}

#[test]
fn a_head_that_drips_for_ever_is_given_up() {
    let server = Server::start(|_| {
        Answer::raw(|peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\nx-drip: ")?;
            loop {
                peer.write_all(b"x")?;
                peer.pause(Duration::from_millis(20))?;
            }
        })
    });
    let answer = call(&server, &["--response-timeout", "300ms"]);
    assert!(answer["answer"].is_string(), "{answer}");
}

#[test]
fn the_headers_of_an_answer_are_bounded() {
    let server = Server::start(|_| {
        let value = "y".repeat(500);
        let names: Vec<_> = (0..50).map(|n| format!("x-{n}")).collect();
        let headers: Vec<_> = names.iter().map(|name| (name.as_str(), value.as_str())).collect();
        Answer::with("200 OK", &headers, "ok")
    });
    assert_eq!(call(&server, &[])["answer"], 200);
    assert_limited(&read(guests::CALLER, &server, 1, &["--max-headers", "8KiB"]), "--max-headers");
}

#[test]
fn a_flood_of_headers_is_no_answer() {
    let server = Server::start(|_| {
        Answer::raw(|peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                peer.write_all(&b"x-again: and again\r\n".repeat(1000))?;
            }
        })
    });
    let output = read(guests::CALLER, &server, 1, &["--max-call", "60s"]);
    // The client has its own limit, beyond which it rejects the answer as invalid HTTP.
    if output.code == Some(0) {
        assert!(told(&output)[0]["answer"].is_string());
    } else {
        assert_limited(&output, "--max-headers");
    }
}

#[test]
fn the_headers_of_a_request_are_bounded() {
    let server = Server::ok();
    assert_eq!(told(&read(guests::HEADER_HOG, &server, 50, &[]))[0]["answer"], 200);
    assert_limited(&read(guests::HEADER_HOG, &server, 1000, &["--max-headers", "8KiB"]), "--max-headers");
    assert_limited(&read(guests::HEADER_HOG, &server, 10_000, &[]), "--max-headers");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_body_of_a_request_is_bounded() {
    let server = Server::ok();
    assert_limited(
        &read(guests::BODY_HOG, &server, 1, &["--max-request-body", "64KiB"]),
        "--max-request-body",
    );
    assert_limited(&read(guests::BODY_HOG, &server, 1, &[]), "--max-request-body");
    assert_eq!(server.connections(), 0);
}

#[test]
fn ten_thousand_requests_are_answered_on_few_connections() {
    let server = Server::ok();
    let output = read(guests::MANY_REQUESTS, &server, 10_000, &[]);
    assert_eq!(told(&output), [json!({ "answered": 10_000 })]);
    assert_eq!(server.requests().len(), 10_000);
    assert!(server.connections() < 10, "{} connections", server.connections());
}

#[test]
fn requests_at_once_are_answered_as_long_as_they_are_not_too_many() {
    let server = Server::ok();
    assert_eq!(told(&read(guests::REQUEST_FLOOD, &server, 200, &[])), [json!({ "answered": 200 })]);
    let output = read(guests::REQUEST_FLOOD, &server, 8, &["--max-requests", "8"]);
    assert_eq!(told(&output), [json!({ "answered": 8 })]);
}

#[test]
fn too_many_requests_at_once_have_an_end() {
    let server = Server::start(|_| Answer::silence());
    assert_limited(&read(guests::REQUEST_FLOOD, &server, 9, &["--max-requests", "8"]), "--max-requests");
    assert!(server.connections() <= 9);
}

#[test]
fn thousands_of_requests_at_once_have_an_end_without_a_flag() {
    let server = Server::start(|_| Answer::silence());
    assert_limited(&read(guests::REQUEST_FLOOD, &server, 5000, &[]), "--max-requests");
    assert!(server.connections() <= 300, "{} connections", server.connections());
}

#[test]
fn what_is_no_http_is_no_answer() {
    for text in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "HTTP/1.1 99999 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx y: z\r\n\r\n",
        "\0\0\0\0",
        "",
    ] {
        let server = Server::start(move |_| Answer::raw(move |peer| peer.write_all(text.as_bytes())));
        let answer = call(&server, &[]);
        assert!(answer["answer"].is_string(), "{text:?}: {answer}");
    }
}

#[test]
fn a_body_that_is_not_what_it_says_is_told_as_damaged() {
    for (encoding, body, words) in [
        ("gzip", "plain", "is damaged, or is not compressed by gzip"),
        ("gzip, gzip", "plain", "is damaged, or is not compressed by gzip"),
        ("deflate", "plain", "is damaged, or is not compressed by deflate"),
        ("zstd", "plain", "is damaged, or is not compressed by zstd"),
        ("gzip", "\u{1f}", "is cut off"),
        ("br", "\u{1}", "is cut off"),
    ] {
        let server = Server::start(move |_| Answer::with("200 OK", &[("content-encoding", encoding)], body));
        let answer = call(&server, &[]);
        let failed = answer["failed"].as_str().unwrap_or_else(|| panic!("{encoding}: {answer}"));
        assert!(failed.contains(words), "{encoding}: {failed}");
    }
}

#[test]
fn a_folded_header_is_read() {
    let server = Server::start(|_| {
        Answer::raw(|peer| {
            peer.write_all(b"HTTP/1.1 200 OK\r\nx-old: one\r\n  two\r\ncontent-length: 2\r\n\r\nok")
        })
    });
    let answer = call(&server, &[]);
    assert_eq!((&answer["answer"], &answer["body"]), (&json!(200), &json!("ok")));
    let value = answer["headers"]["x-old"].as_str().unwrap();
    assert_eq!(value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_space_before_the_colon_of_a_header_is_told() {
    let server = Server::start(|_| {
        Answer::raw(|peer| peer.write_all(b"HTTP/1.1 200 OK\r\nserver : old\r\ncontent-length: 0\r\n\r\n"))
    });
    let answer = call(&server, &[]);
    assert!(answer["answer"].as_str().unwrap().contains("without a space before the colon"), "{answer}");
}
