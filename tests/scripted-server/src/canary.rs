//! A server that fails a test if anybody connects to it.

use std::io::ErrorKind;
use std::net::TcpListener;

/// A server that must not be reached. Detects connections, even without requests.
#[derive(Debug)]
pub struct Canary(TcpListener);

#[expect(clippy::new_without_default, reason = "it listens, which no default does")]
impl Canary {
    /// Listens on a free port.
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Its URL, with an address in it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Fails if anybody connected. The system queues connections, so none is missed.
    #[track_caller]
    pub fn assert_unreached(&self) {
        let error = self.0.accept().expect_err("the server was reached");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}
