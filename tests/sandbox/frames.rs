//! Servers that misuse HTTP/2: what they send without end takes no memory of the host, and ends as
//! soon as an answer would.

use std::io::{self, Read as _, Write as _};

use serde_json::json;

use super::memory::{ALONE, MIB, measure};
use super::time::in_time;
use super::told;
use crate::support::{Answer, Peer, Server, Setup, guests};

/// Requests that each read makes.
const REQUESTS: usize = 4;

// Types and flags of frames (RFC 9113, 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A frame of the connection (0) or of a stream.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The head of an answer with this status, which is remembered as the newest field.
fn status(status: &str) -> Vec<u8> {
    // A new value for the field 8, `:status` (RFC 7541, 6.2.1).
    [&[0x48, 3], status.as_bytes()].concat()
}

/// A field, which is remembered as the newest.
fn field(name: &str, value: usize) -> Vec<u8> {
    assert!(name.len() < 127 && (127..16_000).contains(&value));
    let rest = value - 127;
    let length = [0x7f, u8::try_from(rest & 0x7f).unwrap() | 0x80, u8::try_from(rest >> 7).unwrap()];
    [&[0x40, u8::try_from(name.len()).unwrap()], name.as_bytes(), &length, &vec![b'x'; value]].concat()
}

/// The newest field that is remembered, and the one before it (RFC 7541, 2.3.3).
const NEWEST: u8 = 0x80 | 62;
const BEFORE: u8 = 0x80 | 63;

/// How each request of a read ends, for the guest.
type Ends = [&'static str; REQUESTS];

/// It is waited for as long as an answer.
const WAITED: Ends = [TIMEOUT; REQUESTS];
/// The connection is closed at once.
const CLOSED: Ends = [PROTOCOL_ERROR; REQUESTS];
/// One request ends at once. The others are of a stream that nobody resets.
const RESET: Ends = [PROTOCOL_ERROR, TIMEOUT, TIMEOUT, TIMEOUT];
/// There is a head, and a body that does not end in time.
const CUT_OFF: Ends = ["incomplete HTTP response"; REQUESTS];

const TIMEOUT: &str = "ErrorCode::HttpResponseTimeout";
const PROTOCOL_ERROR: &str = "ErrorCode::HttpProtocolError";

/// How it ends, and what a server sends: once, and then again and again.
type Flood = (&'static str, Ends, fn() -> (Vec<u8>, Vec<u8>));

const FLOODS: [Flood; 15] = [
    ("settings", WAITED, || (Vec::new(), frame(SETTINGS, 0, 0, &[]))),
    ("windows up and down", WAITED, || {
        let window = |size: u32| frame(SETTINGS, 0, 0, &[&[0, 4], &size.to_be_bytes()[..]].concat());
        (Vec::new(), [window(0), window(0x7fff_ffff)].concat())
    }),
    ("pings", WAITED, || (Vec::new(), frame(PING, 0, 0, &[0; 8]))),
    ("updates of a window", WAITED, || (Vec::new(), frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]))),
    ("updates of no window", CLOSED, || (Vec::new(), frame(WINDOW_UPDATE, 0, 1, &[0; 4]))),
    ("resets", RESET, || (Vec::new(), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]))),
    ("refusals", RESET, || (Vec::new(), frame(RST_STREAM, 0, 1, &[0, 0, 0, 7]))),
    ("farewells", WAITED, || (Vec::new(), frame(GOAWAY, 0, 0, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]))),
    ("promises", CLOSED, || {
        let promise = [&[0, 0, 0, 2][..], &[0x82, 0x87, 0x84]].concat();
        (Vec::new(), frame(PUSH_PROMISE, END_HEADERS, 1, &promise))
    }),
    ("continuations", CLOSED, || {
        let more = frame(CONTINUATION, 0, 1, &field("x", 8_000));
        (frame(HEADERS, 0, 1, &status("200")), more)
    }),
    ("empty continuations", CLOSED, || {
        (frame(HEADERS, 0, 1, &status("200")), frame(CONTINUATION, 0, 1, &[]))
    }),
    ("heads that are not the last", WAITED, || {
        (frame(HEADERS, END_HEADERS, 1, &status("103")), frame(HEADERS, END_HEADERS, 1, &[NEWEST]))
    }),
    ("heads that refer to one field many times", WAITED, || {
        let first = [status("103"), field("x", 127)].concat();
        let again = [&[BEFORE][..], &vec![NEWEST; 1_500]].concat();
        (frame(HEADERS, END_HEADERS, 1, &first), frame(HEADERS, END_HEADERS, 1, &again))
    }),
    ("a head that refers to a large field too many times", CLOSED, || {
        let first = [status("103"), field("x", 3_900)].concat();
        let again = [&[BEFORE][..], &vec![NEWEST; 16_000]].concat();
        (frame(HEADERS, END_HEADERS, 1, &first), frame(HEADERS, END_HEADERS, 1, &again))
    }),
    ("empty parts of a body", CUT_OFF, || {
        (frame(HEADERS, END_HEADERS, 1, &status("200")), frame(DATA, 0, 1, &[]))
    }),
];

/// Reads until the client has sent its first request.
fn wait(peer: &mut Peer) -> io::Result<()> {
    // The second half of its preface.
    peer.read_exact(&mut [0; 6])?;
    let mut head = [0; 9];
    while head[3] != HEADERS {
        peer.read_exact(&mut head)?;
        let length = u64::from(u32::from_be_bytes([0, head[0], head[1], head[2]]));
        io::copy(&mut peer.take(length), &mut io::sink())?;
    }
    Ok(())
}

/// A server that floods each connection, once it has a request.
fn server(first: Vec<u8>, again: &[u8]) -> Server {
    let again = again.repeat((64 * 1024 / again.len()).max(1));
    // The preface of a client of HTTP/2 looks like a request of HTTP/1.1.
    Server::tls("127.0.0.1", &["h2"], move |_| {
        let (first, again) = (first.clone(), again.clone());
        Answer::raw(move |peer| {
            peer.write_all(&frame(SETTINGS, 0, 0, &[]))?;
            wait(peer)?;
            peer.write_all(&first)?;
            loop {
                peer.write_all(&again)?;
            }
        })
    })
}

/// A guest that asks this server, and trusts its certificate.
fn asking(server: &Server, flags: &[&str]) -> Setup {
    let requests = vec![json!({ "url": server.url() }); REQUESTS];
    let setup = Setup::guest(guests::CALLER, json!({ "api_url": server.url(), "requests": requests }));
    let certificate = setup.file("ca.pem", server.certificate());
    setup.flags(&["--ca-cert", certificate.to_str().unwrap()]).flags(flags)
}

#[test]
fn nothing_that_is_sent_without_end_takes_memory_or_time() {
    for (name, expected, flood) in FLOODS {
        let (first, again) = flood();
        let server = server(first, &again);
        let flags = ["--connect-timeout", "500ms", "--response-timeout", "500ms"];
        let (output, peak) = in_time(|| measure(&asking(&server, &flags), &["things"]));
        assert!(peak < ALONE, "{name}: {} MiB", peak / MIB);
        let told = told(&output);
        let ends: Vec<_> =
            told.iter().map(|answer| answer.get("failed").unwrap_or(&answer["answer"])).collect();
        assert_eq!(ends, expected, "{name}");
    }
}

#[test]
fn a_body_in_endless_small_parts_that_nobody_reads_takes_no_memory() {
    let again = frame(DATA, 0, 1, b"x");
    let server = server(frame(HEADERS, END_HEADERS, 1, &status("200")), &again);
    let config = json!({ "kind": "unread answers", "api_url": server.url(), "count": 1_000_000 });
    let setup = Setup::guest(guests::HOARDER, config);
    let certificate = setup.file("ca.pem", server.certificate());
    let setup = setup.flags(&["--ca-cert", certificate.to_str().unwrap(), "--max-call", "3s"]);
    let (output, peak) = in_time(|| measure(&setup, &["things"]));
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(peak < ALONE, "{} MiB", peak / MIB);
}
