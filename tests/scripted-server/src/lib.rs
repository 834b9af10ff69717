//! HTTP servers for tests. Each answers from a script, byte for byte, and records its requests.
//!
//! A [`Server`] runs on its own threads and needs no async runtime. A [`Canary`] is a server that
//! must not be reached.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod answer;
mod canary;
mod peer;
mod request;
mod server;

pub use self::answer::Answer;
pub use self::canary::Canary;
pub use self::peer::Peer;
pub use self::request::Request;
pub use self::server::Server;
pub use rustls::HandshakeKind;
