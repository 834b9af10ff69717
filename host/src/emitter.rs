//! The only thing that writes the output: messages come in, whole lines without secrets go out.

use std::io::{self, BufWriter, Write};

use crate::message::Message;
use crate::outbox::Inbox;
use crate::protocol;
use crate::redaction::Redaction;

/// Bytes that are gathered before they are written. A batch is commonly about this large, so that most batches are
/// one write.
const BUFFER: usize = 256 * 1024;

/// Watches what is written, without holding it up.
pub trait Observer: std::fmt::Debug + Send {
    /// `message` was written, as it is here: without secrets. It may not have left the process yet.
    fn written(&mut self, message: &Message);

    /// The output has taken all that was written before.
    fn flushed(&mut self) {}
}

/// Writes messages as lines of JSON.
#[derive(Debug)]
pub struct Emitter<W: Write> {
    out: BufWriter<W>,
    /// The lines of the message at hand.
    lines: Vec<u8>,
    redaction: Redaction,
    observers: Vec<Box<dyn Observer>>,
}

impl<W: Write> Emitter<W> {
    /// Writes to `out`, which needs no buffer of its own.
    pub fn new(out: W) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER, out),
            lines: Vec::new(),
            redaction: Redaction::default(),
            observers: Vec::new(),
        }
    }

    /// Lets `observer` watch what is written.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// The output, without what was gathered and not flushed.
    pub fn into_output(self) -> W {
        self.out.into_parts().0
    }

    /// Writes one message. States, statuses and whatever else its reader waits for are flushed.
    ///
    /// # Errors
    ///
    /// Those of the output; [`io::ErrorKind::BrokenPipe`] when its reader is gone. Also for a state
    /// with a secret in it, which [`Sync`](crate::Sync) does not let come here.
    pub fn emit(&mut self, message: &Message) -> io::Result<()> {
        self.lines.clear();
        protocol::write(message, &mut self.lines)?;
        let redacted = self.redaction.message(message, &self.lines).map_err(io::Error::other)?;
        if let Some(redacted) = &redacted {
            self.lines.clear();
            protocol::write(redacted, &mut self.lines)?;
        }
        self.out.write_all(&self.lines)?;
        for observer in &mut self.observers {
            observer.written(redacted.as_ref().unwrap_or(message));
        }
        if message.is_urgent() { self.flush() } else { Ok(()) }
    }

    /// Hands over what was gathered.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        for observer in &mut self.observers {
            observer.flushed();
        }
        Ok(())
    }

    /// Writes all that comes until every sender is gone. Blocks, and so wants a thread of its own.
    ///
    /// # Errors
    ///
    /// Those of the output. The inbox is closed then, which its senders notice.
    ///
    /// # Panics
    ///
    /// Within asynchronous code.
    pub fn drain(&mut self, mut inbox: Inbox) -> io::Result<()> {
        self.redaction = inbox.redaction().clone();
        while let Some(message) = inbox.next_blocking() {
            self.emit(&message)?;
            if inbox.is_empty() {
                self.flush()?;
            }
        }
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Level;
    use crate::outbox::Outbox;

    /// An output that counts its writes and may be closed.
    #[derive(Default)]
    struct Pipe {
        writes: Vec<Vec<u8>>,
        closed: bool,
    }

    impl Write for &mut Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.closed {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.writes.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(message: &str) -> Message {
        Message::Log { level: Level::Info, message: message.to_owned() }
    }

    #[test]
    fn what_its_reader_waits_for_is_flushed_together_with_what_came_before() {
        let mut pipe = Pipe::default();
        let mut emitter = Emitter::new(&mut pipe);
        emitter.emit(&log("first")).unwrap();
        emitter.emit(&Message::ConnectionStatus(Ok(()))).unwrap();
        drop(emitter);
        assert_eq!(pipe.writes.len(), 1);
        assert_eq!(pipe.writes[0].iter().filter(|byte| **byte == b'\n').count(), 2);
    }

    #[test]
    fn a_closed_output_closes_the_inbox() {
        let mut pipe = Pipe { closed: true, ..Pipe::default() };
        let (outbox, inbox) = Outbox::new(Level::Info);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(outbox.send(Message::ConnectionStatus(Ok(())))).unwrap();
        let mut emitter = Emitter::new(&mut pipe);
        assert_eq!(emitter.drain(inbox).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(runtime.block_on(outbox.send(log("unheard"))).is_err());
    }
}
