//! HTTP servers for tests: each answers as a script says, down to the byte, and remembers what it
//! was asked.
//!
//! A [`Server`] runs on threads of its own and needs no async runtime. A [`Canary`] is a server
//! that must not be reached.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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
