mod connections;
mod hosts;
mod limits;
mod messages;

use std::task::Poll;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, RANGE};
use http_body_util::BodyExt;
use scripted_server::{Answer, Server};

use super::*;
use crate::http::Network;
use crate::http::testing::{Reached as _, Setup, body, get, send, start, warning};
use crate::limits::Timeouts;
use crate::secrets::Secret;

/// A server that answers `ok`, or as its path says.
fn server() -> Server {
    Server::start(|request| match request.target() {
        "/silent" => Answer::silence(),
        "/stuck" => Answer::keep(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"),
        "/elsewhere" => Answer::with("200 OK", &[("location", "http://127.0.0.1:1/")], ""),
        "/dies" => Answer::close(""),
        "/cut" => Answer::close(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"),
        "/last" => Answer::close(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        "/many" => Answer::with("200 OK", &[("a", "b"); 300], "ok"),
        "/large" => Answer::with("200 OK", &[("a", &*"b".repeat(5_000))], "ok"),
        "/packed" => Answer::with("200 OK", &[("content-encoding", "gzip")], GZIP),
        _ => Answer::ok("ok"),
    })
}

/// `ok`, by gzip.
const GZIP: [u8; 22] =
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0xcf, 6, 0, 0x47, 0xdd, 0xdc, 0x79, 2, 0, 0, 0];

/// Limits with these timeouts.
fn patient(timeouts: Timeouts) -> Limits {
    Limits { timeouts, ..Limits::default() }
}

fn exceeded(http: &OutboundHttp) -> Option<Limit> {
    http.exceeded.first()
}

/// An answer whose body nobody reads.
async fn unread(http: &OutboundHttp, url: &str) -> Result<Response<WasiBody>> {
    start(http, get(url), RequestOptions::default()).await
}
