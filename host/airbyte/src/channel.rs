//! The channel of messages from everything that emits them to the one place that writes.
//!
//! The channel is bounded: while the output stalls, senders wait, so nothing piles up in memory. It
//! knows the secrets of every session that sends through it, and gives out messages only
//! [redacted](Redacted).

use std::sync::{Arc, PoisonError, RwLock};

use elt_host::events::Level;
use elt_host::redaction::{Redaction, SecretFound};
use elt_host::types::JsonObject;
use tokio::sync::mpsc;

use crate::advice::Advice;
use crate::message::Message;
use crate::redacted::Redacted;

/// Messages that wait at most. Each may be a whole batch, so this is small.
const CAPACITY: usize = 4;

/// Makes a channel. Log lines below `threshold` are not sent. `advice` words what a user can do
/// about failures.
pub fn channel(threshold: Level, advice: Advice) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let secrets = Secrets::default();
    (
        Sender { messages: sender, threshold, advice, secrets: secrets.clone() },
        Receiver { messages: receiver, secrets },
    )
}

/// Sends messages. Clones lead to the same [`Receiver`].
#[derive(Clone, Debug)]
pub struct Sender {
    /// `None` closes the channel.
    messages: mpsc::Sender<Option<Message>>,
    threshold: Level,
    advice: Advice,
    secrets: Secrets,
}

/// Receives messages, redacted.
#[derive(Debug)]
pub struct Receiver {
    messages: mpsc::Receiver<Option<Message>>,
    secrets: Secrets,
}

/// The output is closed: the [`Receiver`] is gone, so nobody will read what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputClosed;

/// What is masked in all messages: the secrets of every session that sends.
#[derive(Clone, Debug, Default)]
struct Secrets(Arc<RwLock<Redaction>>);

impl Secrets {
    fn add(&self, redaction: &Redaction) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *all = all.and(redaction);
    }

    fn redaction(&self) -> Redaction {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sender {
    /// A sender whose output is closed. It still knows secrets and advice.
    pub fn closed(advice: Advice) -> Self {
        channel(Level::Error, advice).0
    }

    /// What is masked in messages that are sent now. Whoever writes anything elsewhere masks it
    /// too.
    pub fn redaction(&self) -> Redaction {
        self.secrets.redaction()
    }

    /// Masks what `redaction` masks in all messages of the channel from now on.
    pub(crate) fn mask(&self, redaction: &Redaction) {
        self.secrets.add(redaction);
    }

    /// Checks that a state has no secret in it.
    ///
    /// # Errors
    ///
    /// [`SecretFound`] if it has one.
    pub(crate) fn check_state(&self, state: &JsonObject) -> Result<(), SecretFound> {
        self.redaction().check_state(state)
    }

    /// How failures are worded.
    pub(crate) fn advice(&self) -> Advice {
        self.advice
    }

    /// Whether log lines of this level are sent.
    pub(crate) fn wants(&self, level: Level) -> bool {
        level >= self.threshold
    }

    /// Sends a message, and waits for room if there is none.
    ///
    /// # Errors
    ///
    /// [`OutputClosed`] if nobody receives any more.
    pub async fn send(&self, message: Message) -> Result<(), OutputClosed> {
        self.messages.send(Some(message)).await.map_err(|_| OutputClosed)
    }

    /// Sends a message if there is room, and drops it otherwise.
    pub(crate) fn offer(&self, message: Message) {
        let _ = self.messages.try_send(Some(message));
    }

    /// Closes the channel behind what was sent, although other senders may be left. To them, the
    /// output is closed from now on.
    pub async fn close(self) {
        // If it cannot be sent, the channel is closed.
        let _ = self.messages.send(None).await;
    }

    /// Whether everything that was sent was received.
    pub fn is_idle(&self) -> bool {
        self.messages.capacity() == self.messages.max_capacity()
    }

    /// Sends a log line, unless its level is below the threshold or nobody receives it.
    pub async fn log(&self, level: Level, message: impl Into<String>) {
        if self.wants(level) {
            // A lost log line is no reason to stop. Whoever sends records or states finds out.
            let _ = self.send(Message::Log { level, message: message.into() }).await;
        }
    }
}

impl Receiver {
    /// Waits for the next message. `None` once all senders are gone, or one has closed the channel.
    pub async fn next(&mut self) -> Option<Result<Redacted, SecretFound>> {
        let received = self.messages.recv().await?;
        self.open(received)
    }

    /// As [`next`](Self::next), for a thread of its own.
    ///
    /// # Panics
    ///
    /// Within asynchronous code.
    pub fn next_blocking(&mut self) -> Option<Result<Redacted, SecretFound>> {
        let received = self.messages.blocking_recv()?;
        self.open(received)
    }

    fn open(&mut self, received: Option<Message>) -> Option<Result<Redacted, SecretFound>> {
        if received.is_none() {
            self.messages.close();
            // What came later is not part of the output.
            while self.messages.try_recv().is_ok() {}
        }
        Some(self.redact(received?))
    }

    /// Redacts a message as those that are received.
    ///
    /// # Errors
    ///
    /// [`SecretFound`] for what has a secret in it and can be neither shown nor altered.
    pub fn redact(&self, message: Message) -> Result<Redacted, SecretFound> {
        Redacted::new(message, &self.secrets.redaction())
    }

    /// Whether no message waits.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_below_the_threshold_are_dropped() {
        let (sender, mut receiver) = channel(Level::Info, Advice::default());
        sender.log(Level::Debug, "quiet").await;
        sender.log(Level::Warn, "loud").await;
        drop(sender);
        let received = receiver.next().await.unwrap().unwrap();
        assert!(matches!(received.message(), Message::Log { level: Level::Warn, .. }));
        assert!(receiver.next().await.is_none());
    }

    #[tokio::test]
    async fn a_channel_that_was_closed_ends_although_senders_are_left() {
        let (sender, mut receiver) = channel(Level::Info, Advice::default());
        let left = sender.clone();
        sender.log(Level::Info, "last").await;
        assert!(!sender.is_idle());
        sender.close().await;
        left.log(Level::Info, "too late").await;
        assert!(receiver.next().await.is_some());
        assert!(receiver.next().await.is_none() && receiver.next().await.is_none());
        assert_eq!(left.send(Message::Catalog(vec![])).await, Err(OutputClosed));
    }

    #[tokio::test]
    async fn a_sender_finds_out_that_the_output_is_closed() {
        let sender = Sender::closed(Advice::default());
        sender.log(Level::Error, "unread").await;
        assert_eq!(sender.send(Message::Catalog(vec![])).await, Err(OutputClosed));
    }
}
