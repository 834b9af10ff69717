//! Keeps the end of what a connector writes to its stderr, for the error of a crash.
//!
//! A Rust connector that panics writes the reason there, and then traps without one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::SinkOutputStream;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The last bytes that were written. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    capacity: usize,
}

impl Stderr {
    /// Keeps `capacity` bytes at most.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { tail: Arc::default(), capacity }
    }

    /// The end, without white space around it.
    pub(crate) fn tail(&self) -> String {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(tail.make_contiguous()).trim().to_owned()
    }
}

impl OutputStream for Stderr {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend(&bytes[bytes.len().saturating_sub(self.capacity)..]);
        let excess = tail.len().saturating_sub(self.capacity);
        tail.drain(..excess);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.capacity)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Stderr {
    async fn ready(&mut self) {}
}

impl IsTerminal for Stderr {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stderr {
    /// Only WASI 0.3 needs this.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        SinkOutputStream.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let mut stderr = Stderr::new(8);
        for text in ["a first line\n", "abc", "defgh\n"] {
            stderr.write(Bytes::from_static(text.as_bytes())).unwrap();
        }
        assert_eq!(stderr.tail(), "bcdefgh");
    }
}
