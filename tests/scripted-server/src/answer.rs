//! Defines how a server answers a request.

use std::fmt;
use std::io::{self, Write as _};

use crate::Peer;

/// What to do with a connection.
type Act = Box<dyn FnOnce(&mut Peer) -> io::Result<()>>;

/// How a server answers a request.
pub enum Answer {
    /// Writes these bytes, and reads the next request on the same connection.
    Keep(Vec<u8>),
    /// Runs this on the connection, and closes it.
    Act(Act),
    /// Accepts a `CONNECT`, and reads the next request over TLS within the tunnel.
    Tunnel,
}

impl Answer {
    /// `200 OK` with this body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::with("200 OK", &[], body)
    }

    /// A status, headers and a body with a `Content-Length`.
    pub fn with(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self::Keep([head.as_bytes(), body].concat())
    }

    /// Writes these bytes as they are, and keeps the connection open.
    pub fn keep(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Keep(bytes.into())
    }

    /// Writes these bytes as they are, and closes the connection.
    pub fn close(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::raw(move |peer| peer.write_all(&bytes))
    }

    /// Runs this on the connection, and closes it. An error ends the connection, not the test.
    pub fn raw(act: impl FnOnce(&mut Peer) -> io::Result<()> + 'static) -> Self {
        Self::Act(Box::new(act))
    }

    /// Sends nothing, and waits until the client disconnects.
    pub fn silence() -> Self {
        Self::raw(Peer::wait)
    }

    /// A body with this encoding: `first`, then `again` repeated until the client disconnects.
    pub fn endless(encoding: &'static str, first: Vec<u8>, again: Vec<u8>) -> Self {
        Self::raw(move |peer| {
            write!(peer, "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\nconnection: close\r\n\r\n")?;
            peer.write_all(&first)?;
            loop {
                peer.write_all(&again)?;
            }
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep(bytes) => write!(formatter, "Keep({:?})", String::from_utf8_lossy(bytes)),
            Self::Act(_) => formatter.write_str("Act"),
            Self::Tunnel => formatter.write_str("Tunnel"),
        }
    }
}
