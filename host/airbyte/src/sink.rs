//! The seam for output: where the messages of a sync go.
//!
//! A [`Sink`] stores or writes messages; [`AirbyteLines`](crate::AirbyteLines) is the first. A
//! [`Writer`] moves messages from a channel into a sink, and shows observers what was written.

use std::io;
use std::sync::Arc;

use crate::channel::Receiver;
use crate::message::{Message, StreamDescriptor};
use crate::redacted::Redacted;

/// Takes messages to where they belong.
pub trait Sink {
    /// Takes one message. It may be kept in memory until [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// Those of the output. [`io::ErrorKind::BrokenPipe`] means that its reader is gone.
    fn write(&mut self, message: &Redacted) -> io::Result<()>;

    /// Hands over everything that was taken.
    ///
    /// # Errors
    ///
    /// Those of the output.
    fn flush(&mut self) -> io::Result<()>;

    /// Streams of which everything that was taken has become durable since this was asked last. For
    /// a sink that gathers records over many states and flushes; asked after each message.
    fn take_settled(&mut self) -> Vec<Arc<StreamDescriptor>> {
        Vec::new()
    }
}

/// Sees what is written, without holding it up.
pub trait Observer: std::fmt::Debug + Send {
    /// `message` was written. It may not have left the process yet.
    fn written(&mut self, message: &Message);

    /// The output has taken everything that was written before.
    fn flushed(&mut self) {}

    /// Everything of this stream that was written before is durable.
    fn settled(&mut self, _stream: &StreamDescriptor) {}
}

/// Moves messages from a channel into a sink.
#[derive(Debug)]
pub struct Writer<S> {
    receiver: Receiver,
    sink: S,
    observers: Vec<Box<dyn Observer>>,
}

impl<S: Sink> Writer<S> {
    /// A writer of what `receiver` receives.
    pub fn new(receiver: Receiver, sink: S) -> Self {
        Self { receiver, sink, observers: Vec::new() }
    }

    /// Shows `observer` what is written.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// The sink.
    pub fn into_sink(self) -> S {
        self.sink
    }

    /// Writes everything that is received, until every sender is gone. Blocks, and so needs a
    /// thread of its own.
    ///
    /// # Errors
    ///
    /// Those of the sink. Also for a state or a name with a secret in it, which
    /// [`SyncRun`](crate::SyncRun) and [`Source`](crate::Source) do not send.
    ///
    /// # Panics
    ///
    /// Within asynchronous code.
    pub fn drain(&mut self) -> io::Result<()> {
        while let Some(message) = self.receiver.next_blocking() {
            self.put(&message.map_err(io::Error::other)?)?;
            if self.receiver.is_empty() {
                self.flush()?;
            }
        }
        self.flush()
    }

    /// Writes one more message, after those of the channel.
    ///
    /// # Errors
    ///
    /// As [`drain`](Self::drain).
    pub fn write(&mut self, message: Message) -> io::Result<()> {
        let message = self.receiver.redact(message).map_err(io::Error::other)?;
        self.put(&message)
    }

    /// Writes one message. States, statuses and whatever else its reader waits for are flushed.
    fn put(&mut self, message: &Redacted) -> io::Result<()> {
        self.sink.write(message)?;
        for observer in &mut self.observers {
            observer.written(message.message());
        }
        for stream in self.sink.take_settled() {
            for observer in &mut self.observers {
                observer.settled(&stream);
            }
        }
        if message.message().is_urgent() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()?;
        for observer in &mut self.observers {
            observer.flushed();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use elt_host::events::Level;

    use super::*;
    use crate::advice::Advice;
    use crate::channel::channel;
    use crate::lines::AirbyteLines;

    /// An output that is closed.
    struct ClosedPipe;

    impl io::Write for ClosedPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Counts what it takes and how often it is flushed.
    #[derive(Default)]
    struct Counter {
        written: usize,
        flushed: usize,
    }

    impl Sink for &mut Counter {
        fn write(&mut self, _: &Redacted) -> io::Result<()> {
            self.written += 1;
            Ok(())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.flushed += 1;
            Ok(())
        }
    }

    #[test]
    fn what_its_reader_waits_for_is_flushed_together_with_what_came_before() {
        let mut counter = Counter::default();
        let (_sender, receiver) = channel(Level::Info, Advice::default());
        let mut writer = Writer::new(receiver, &mut counter);
        writer.write(Message::Log { level: Level::Info, message: "first".to_owned() }).unwrap();
        writer.write(Message::ConnectionStatus(Ok(()))).unwrap();
        drop(writer);
        assert_eq!((counter.written, counter.flushed), (2, 1));
    }

    #[test]
    fn a_closed_output_closes_the_channel() {
        let (sender, receiver) = channel(Level::Info, Advice::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(sender.send(Message::ConnectionStatus(Ok(())))).unwrap();
        let mut writer = Writer::new(receiver, AirbyteLines::new(ClosedPipe));
        assert_eq!(writer.drain().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(writer);
        assert!(runtime.block_on(sender.send(Message::ConnectionStatus(Ok(())))).is_err());
    }
}
