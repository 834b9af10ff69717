//! Calls into a connector: each is bounded in time, and ends at once when a limit is broken.
//!
//! A connector that computes is interrupted by ticks, which also lets others run; one that waits in the host is left
//! by a time-out. What was left half-way is never entered again: its store goes away.

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::timeout;
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::breach::{Breaches, Limit};
use crate::ctx::Ctx;
use crate::limits::{Limits, TEXT};
use crate::obstacle::Obstacles;
use crate::redaction::Redaction;

/// How often a connector that computes is interrupted.
const TICK: Duration = Duration::from_millis(10);

/// What bounds the calls into one instance.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    pub(crate) breaches: Breaches,
    pub(crate) obstacles: Obstacles,
    pub(crate) redaction: Redaction,
}

impl Bounds {
    /// The error of a connector that broke `limit`.
    pub(crate) fn error(&self, limit: Limit) -> crate::Error {
        limit.error(&self.limits)
    }

    /// A text of the connector, cut off where it is too long. Its secrets are taken out first: half of one would not be
    /// recognised later.
    pub(crate) fn text(&self, text: &str) -> String {
        let text = self.redaction.text(text);
        let end = text.floor_char_boundary(TEXT);
        if end < text.len() { format!("{}…", &text[..end]) } else { text.into_owned() }
    }

    /// Waits for the answer to a call.
    ///
    /// # Errors
    ///
    /// The limit that was broken. The call is given up then.
    pub(crate) async fn call<T>(&self, call: impl Future<Output = T>) -> Result<T, Limit> {
        let mut call = pin!(call);
        let mut computed = Duration::ZERO;
        // A connector that waits is not polled, so what is measured here is only computing.
        let metered = std::future::poll_fn(|context| {
            let started = Instant::now();
            let poll = call.as_mut().poll(context);
            computed += started.elapsed();
            if poll.is_pending() && computed > self.limits.compute {
                self.breaches.report(Limit::Compute);
            }
            poll
        });
        let answer = tokio::select! {
            biased;
            limit = self.breaches.wait() => Err(limit),
            answer = timeout(self.limits.call, metered) => answer.map_err(|_| Limit::Call),
        };
        // A crash is what many a breach looks like from within.
        self.breaches.first().map_or(answer, Err)
    }
}

/// Has the connectors of `engine` interrupted regularly, as long as it lives.
///
/// # Errors
///
/// If no thread can be started.
pub(crate) fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let ticking = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("ticker".to_owned()).spawn(ticking).map(drop)
}

/// Has `store` give way at every tick.
pub(crate) fn interrupt(store: &mut Store<Ctx>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn bounds(compute: Duration, call: Duration) -> Bounds {
        Bounds {
            limits: Limits { compute, call, ..Limits::default() },
            breaches: Breaches::default(),
            obstacles: Obstacles::default(),
            redaction: Redaction::default(),
        }
    }

    /// Computes for a moment, again and again.
    async fn compute() {
        loop {
            thread::sleep(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn an_answer_in_time_is_the_answer() {
        assert_eq!(bounds(Duration::ZERO, Duration::from_secs(60)).call(ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn computing_has_an_end() {
        let bounds = bounds(Duration::from_millis(5), Duration::from_secs(60));
        assert_eq!(bounds.call(compute()).await, Err(Limit::Compute));
    }

    #[tokio::test]
    async fn waiting_has_an_end_and_is_not_computing() {
        let bounds = bounds(Duration::from_secs(60), Duration::from_millis(5));
        assert_eq!(bounds.call(pending::<()>()).await, Err(Limit::Call));
    }

    #[test]
    fn a_text_is_cut_off_where_it_is_too_long() {
        let bounds = bounds(Duration::ZERO, Duration::ZERO);
        assert_eq!(bounds.text("short"), "short");
        assert_eq!(bounds.text(&"é".repeat(TEXT)).len(), TEXT + '…'.len_utf8());
    }

    #[tokio::test]
    async fn a_breach_ends_the_call_even_if_it_answers() {
        let bounds = bounds(Duration::from_secs(60), Duration::from_secs(60));
        bounds.breaches.report(Limit::Response);
        assert_eq!(bounds.call(pending::<()>()).await, Err(Limit::Response));
        assert_eq!(bounds.call(ready(())).await, Err(Limit::Response));
    }
}
