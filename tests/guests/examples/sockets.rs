//! Imports sockets.

use std::net::TcpStream;

use guests::{Hostile, Next, Value, once, text};

struct Sockets;

guests::hostile!(Sockets);

impl Hostile for Sockets {
    fn misbehave(config: &Value, turn: u64) -> Next {
        once(turn, || TcpStream::connect(text(config, "address")).is_ok().into())
    }
}
