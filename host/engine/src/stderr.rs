//! Keeps the end of what a connector writes to its stderr, for the error of a crash.
//!
//! A Rust connector that panics writes the reason there, and then traps without one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::SinkOutputStream;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::redaction::Redaction;

/// The last bytes that were written. It keeps twice as many as it shows, so that a secret which was
/// cut in two is never shown. Clones share the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    capacity: usize,
}

impl Stderr {
    /// Shows `capacity` bytes at most.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { tail: Arc::default(), capacity }
    }

    /// The end, without white space around it, and with secrets masked before it is cut off.
    pub(crate) fn tail(&self, redaction: &Redaction) -> String {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let is_cut = tail.len() >= self.capacity.saturating_mul(2);
        let text = String::from_utf8_lossy(tail.make_contiguous());
        let text = redaction.text(&text);
        // Masked, the whole of it may be short enough to be shown, but for where it was cut.
        let near_the_cut = if is_cut { self.capacity / 2 } else { 0 };
        let start = text.len().saturating_sub(self.capacity).max(near_the_cut).min(text.len());
        text[text.ceil_char_boundary(start)..].trim().to_owned()
    }
}

impl OutputStream for Stderr {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.capacity.saturating_mul(2);
        tail.extend(&bytes[bytes.len().saturating_sub(kept)..]);
        let excess = tail.len().saturating_sub(kept);
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
        assert_eq!(stderr.tail(&Redaction::default()), "bcdefgh");
    }

    #[test]
    fn no_part_of_a_secret_is_left_at_the_cut() {
        let redaction = Redaction::of_values(["sesame"]);
        for before in 0..32 {
            let mut stderr = Stderr::new(8);
            stderr.write(Bytes::from(format!("{:before$}sesame, abcdef", ""))).unwrap();
            let tail = stderr.tail(&redaction);
            assert!(tail.ends_with("abcdef") && !tail.contains("me"), "{tail}");
        }
    }
}
