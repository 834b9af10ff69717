//! The way from everything that has something to tell to the one place that writes.
//!
//! A bounded channel: streams, several at once, put messages in, [`Emitter`](crate::Emitter) takes them
//! out. While the output stalls, the senders wait, so nothing piles up in memory.

use tokio::sync::mpsc;

use elt_host::Level;
use crate::message::Message;
use elt_host::Redaction;

/// Messages that wait at most. Each may be a whole batch, so this is small.
const CAPACITY: usize = 4;

/// Where messages are put in. Clones lead to the same [`Receiver`].
#[derive(Clone, Debug)]
pub struct Sender {
    sender: mpsc::Sender<Message>,
    threshold: Level,
    redaction: Redaction,
}

/// Where messages are taken out.
#[derive(Debug)]
pub struct Receiver {
    receiver: mpsc::Receiver<Message>,
    redaction: Redaction,
}

/// The [`Receiver`] is gone, so nobody will read what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputClosed;

impl Sender {
    /// A pair of ends. Log lines below `threshold` are not sent.
    pub fn new(threshold: Level) -> (Self, Receiver) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let redaction = Redaction::default();
        (Self { sender, threshold, redaction: redaction.clone() }, Receiver { receiver, redaction })
    }

    /// One that nobody listens to.
    pub fn closed() -> Self {
        Self::new(Level::Error).0
    }

    /// What must not be shown of all that is sent here. The [`Emitter`](crate::Emitter) sees to it; whoever writes
    /// elsewhere does so too.
    pub fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// Whether log lines of this level are sent.
    pub(crate) fn shows(&self, level: Level) -> bool {
        level >= self.threshold
    }

    /// Waits until there is room, and puts `message` in.
    ///
    /// # Errors
    ///
    /// [`OutputClosed`] if nobody listens any more.
    pub async fn send(&self, message: Message) -> Result<(), OutputClosed> {
        self.sender.send(message).await.map_err(|_| OutputClosed)
    }

    /// Puts `message` in if there is room, and drops it otherwise.
    pub(crate) fn offer(&self, message: Message) {
        // What may be dropped may be unheard.
        let _ = self.sender.try_send(message);
    }

    /// Sends a log line, unless it is below the threshold or nobody listens.
    pub async fn log(&self, level: Level, message: impl Into<String>) {
        if self.shows(level) {
            // A lost log line is no reason to stop: whoever sends what matters finds out by itself.
            let _ = self.send(Message::Log { level, message: message.into() }).await;
        }
    }

    /// As [`log`](Self::log), for whoever cannot wait: what finds no room is dropped.
    pub(crate) fn note(&self, level: Level, message: String) {
        if self.shows(level) {
            let _ = self.sender.try_send(Message::Log { level, message });
        }
    }
}

impl Receiver {
    /// Waits for the next message; none once all senders are gone.
    pub async fn next(&mut self) -> Option<Message> {
        self.receiver.recv().await
    }

    /// As [`next`](Self::next), for a thread of its own.
    ///
    /// # Panics
    ///
    /// Within asynchronous code.
    pub fn next_blocking(&mut self) -> Option<Message> {
        self.receiver.blocking_recv()
    }

    /// What must not be shown of the messages.
    pub fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_below_the_threshold_are_dropped() {
        let (sender, mut receiver) = channel(Level::Info);
        sender.log(Level::Debug, "quiet").await;
        sender.log(Level::Warn, "loud").await;
        drop(sender);
        assert!(matches!(receiver.next().await, Some(Message::Log { level: Level::Warn, .. })));
        assert!(receiver.next().await.is_none());
    }

    #[tokio::test]
    async fn a_sender_learns_that_nobody_listens() {
        let sender = Sender::closed();
        sender.log(Level::Error, "unheard").await;
        assert_eq!(sender.send(Message::Catalog(vec![])).await, Err(OutputClosed));
    }
}
