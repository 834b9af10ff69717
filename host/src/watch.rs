//! What whoever watches a read is told of it: what a connector says comes in, messages about its stream go out.
//!
//! A connector may say as much as it likes, so not all of it is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::message::{Message, StreamDescriptor, StreamStatus, now};
use crate::outbox::Outbox;

/// A rate limit is told anew after this time at the earliest. Where an API refuses a share of what comes, each refusal
/// would be a line.
const BETWEEN_RATE_LIMITS: Duration = Duration::from_secs(1);

/// The longest that a connector can say it waits: a day, in milliseconds.
const LONGEST_WAIT: i64 = 24 * 60 * 60 * 1000;

/// Tells of one stream.
#[derive(Debug)]
pub(crate) struct Watch {
    stream: Arc<StreamDescriptor>,
    outbox: Outbox,
    rate_limit: Option<Instant>,
}

impl Watch {
    /// That of a read of `stream`.
    pub(crate) fn new(stream: Arc<StreamDescriptor>, outbox: Outbox) -> Self {
        Self { stream, outbox, rate_limit: None }
    }

    /// Tells that the API refuses requests until a time in milliseconds since 1970, unless that was just told.
    pub(crate) async fn rate_limited(&mut self, until: u64) {
        if self.rate_limit.is_some_and(|told| told.elapsed() < BETWEEN_RATE_LIMITS) {
            return;
        }
        self.rate_limit = Some(Instant::now());
        let emitted_at = now();
        let latest = emitted_at.saturating_add(LONGEST_WAIT);
        let quota_reset = i64::try_from(until).unwrap_or(latest).min(latest);
        let status = StreamStatus::RateLimited { quota_reset };
        // Whoever sends what matters finds out by itself that nobody listens.
        let _ =
            self.outbox.send(Message::StreamStatus { stream: self.stream.clone(), status, emitted_at }).await;
    }

    /// Tells how many slices have been read, if there is room for it: what comes next says it again.
    pub(crate) fn slices(&self, done: u64, total: Option<u64>) {
        self.outbox.offer(Message::Slices { stream: self.stream.clone(), done, total });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Level;

    fn watch() -> (Watch, crate::outbox::Inbox) {
        let (outbox, inbox) = Outbox::new(Level::Info);
        let stream = Arc::new(StreamDescriptor { name: "things".to_owned(), namespace: None });
        (Watch::new(stream, outbox), inbox)
    }

    #[tokio::test]
    async fn a_rate_limit_is_told_once_however_often_it_is_said() {
        let (mut watch, mut inbox) = watch();
        for _ in 0..100 {
            watch.rate_limited(0).await;
        }
        drop(watch);
        let Some(Message::StreamStatus { status, .. }) = inbox.next().await else { panic!("not told") };
        assert_eq!(status, StreamStatus::RateLimited { quota_reset: 0 });
        assert!(inbox.next().await.is_none());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_a_day() {
        let (mut watch, mut inbox) = watch();
        watch.rate_limited(u64::MAX).await;
        let Some(Message::StreamStatus { status, emitted_at, .. }) = inbox.next().await else {
            panic!("not told")
        };
        assert_eq!(status, StreamStatus::RateLimited { quota_reset: emitted_at + LONGEST_WAIT });
    }

    #[tokio::test]
    async fn slices_that_nobody_takes_out_hold_nothing_up() {
        let (watch, mut inbox) = watch();
        for done in 0..100 {
            watch.slices(done, Some(100));
        }
        drop(watch);
        assert!(matches!(inbox.next().await, Some(Message::Slices { done: 0, total: Some(100), .. })));
    }
}
