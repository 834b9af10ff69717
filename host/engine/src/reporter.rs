//! Passes events of one instance to the embedder, with secrets masked and floods thinned out.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::events::{Denial, Events, Level};
use crate::redaction::Redaction;

/// A rate limit is reported again after this time at the earliest. Where an API refuses a share of
/// all requests, each refusal would be a report otherwise.
const BETWEEN_RATE_LIMITS: Duration = Duration::from_secs(1);
/// The longest that a connector can say it waits.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Reports to one [`Events`].
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    events: Arc<dyn Events>,
    redaction: Redaction,
    rate_limit: Option<Instant>,
}

impl Reporter {
    pub(crate) fn new(events: Arc<dyn Events>, redaction: Redaction) -> Self {
        Self { events, redaction, rate_limit: None }
    }

    /// What is masked in every text.
    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// Whether log lines of this level are wanted.
    pub(crate) fn wants(&self, level: Level) -> bool {
        self.events.wants(level)
    }

    /// Logs a message if its level is wanted.
    pub(crate) async fn log(&self, level: Level, message: impl FnOnce() -> String) {
        if self.wants(level) {
            let message = self.redaction.message(&message());
            self.events.log(level, message).await;
        }
    }

    /// Reports a denial.
    pub(crate) async fn denied(&self, denial: &Denial) {
        self.events.denied(denial).await;
    }

    /// Reports until when the API refuses requests, in milliseconds since 1970.
    pub(crate) async fn rate_limited(&mut self, until: u64) {
        if self.rate_limit.is_some_and(|reported| reported.elapsed() < BETWEEN_RATE_LIMITS) {
            return;
        }
        self.rate_limit = Some(Instant::now());
        let latest = SystemTime::now() + LONGEST_WAIT;
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(until)).unwrap_or(latest);
        self.events.rate_limited(until.min(latest)).await;
    }

    /// Reports how many slices have been read.
    pub(crate) fn slices(&self, done: u64, total: Option<u64>) {
        self.events.slices(done, total);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::events::{Handled, handled};

    #[derive(Debug, Default)]
    struct Noted(Mutex<Vec<SystemTime>>);

    impl Events for Noted {
        fn rate_limited(&self, until: SystemTime) -> Handled<'_> {
            self.0.lock().unwrap().push(until);
            handled()
        }
    }

    async fn reported(until: &[u64]) -> Vec<SystemTime> {
        let noted = Arc::new(Noted::default());
        let mut reporter = Reporter::new(noted.clone(), Redaction::default());
        for until in until {
            reporter.rate_limited(*until).await;
        }
        drop(reporter);
        Arc::into_inner(noted).unwrap().0.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_rate_limit_is_reported_once_however_often_the_connector_says_it() {
        assert_eq!(reported(&[0; 100]).await, [SystemTime::UNIX_EPOCH]);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_a_day() {
        for until in [u64::MAX, u64::MAX / 2] {
            let before = SystemTime::now();
            let [until] = reported(&[until]).await[..] else { panic!("reported once") };
            assert!(until >= before + LONGEST_WAIT && until <= SystemTime::now() + LONGEST_WAIT);
        }
    }
}
