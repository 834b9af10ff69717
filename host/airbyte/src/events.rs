//! Turns the events of the engine into messages.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use elt_host::Events;
use elt_host::events::{Denial, Handled, Level};

use crate::channel::Sender;
use crate::message::{Message, StreamDescriptor, StreamStatus, now};

/// Sends the events of a connector, or of the read of one stream, into a channel.
#[derive(Debug)]
pub(crate) struct ChannelEvents {
    sender: Sender,
    stream: Option<Arc<StreamDescriptor>>,
}

impl ChannelEvents {
    /// For everything but reads.
    pub(crate) fn new(sender: Sender) -> Self {
        Self { sender, stream: None }
    }

    /// For the read of one stream.
    pub(crate) fn of_stream(sender: Sender, stream: Arc<StreamDescriptor>) -> Self {
        Self { sender, stream: Some(stream) }
    }
}

impl Events for ChannelEvents {
    fn wants(&self, level: Level) -> bool {
        self.sender.wants(level)
    }

    fn log(&self, level: Level, message: String) -> Handled<'_> {
        Box::pin(self.sender.log(level, message))
    }

    fn denied(&self, denial: &Denial) -> Handled<'_> {
        self.log(Level::Warn, (self.sender.advice().denial)(denial))
    }

    fn rate_limited(&self, until: SystemTime) -> Handled<'_> {
        Box::pin(async move {
            let Some(stream) = self.stream.clone() else { return };
            let until = until.duration_since(UNIX_EPOCH).unwrap_or_default();
            let quota_reset = i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
            let status = StreamStatus::RateLimited { quota_reset };
            // Whoever sends records or states finds out that the output is closed.
            let _ = self.sender.send(Message::StreamStatus { stream, status, emitted_at: now() }).await;
        })
    }

    /// Dropped if there is no room: the next report replaces it.
    fn slices(&self, done: u64, total: Option<u64>) {
        if let Some(stream) = self.stream.clone() {
            self.sender.offer(Message::Slices { stream, done, total });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Advice;
    use crate::channel::{Receiver, channel};

    fn events() -> (ChannelEvents, Receiver) {
        let (sender, receiver) = channel(Level::Info, Advice::default());
        let stream = Arc::new(StreamDescriptor::new("things", None));
        (ChannelEvents::of_stream(sender, stream), receiver)
    }

    #[tokio::test]
    async fn a_rate_limit_is_a_status_of_the_stream() {
        let (events, mut receiver) = events();
        events.rate_limited(UNIX_EPOCH).await;
        let received = receiver.next().await.unwrap().unwrap();
        let Message::StreamStatus { status, .. } = received.message() else { panic!("not a status") };
        assert_eq!(*status, StreamStatus::RateLimited { quota_reset: 0 });
    }

    #[tokio::test]
    async fn slices_that_nobody_receives_hold_nothing_up() {
        let (events, mut receiver) = events();
        for done in 0..100 {
            events.slices(done, Some(100));
        }
        let received = receiver.next().await.unwrap().unwrap();
        assert!(matches!(received.message(), Message::Slices { done: 0, total: Some(100), .. }));
    }
}
