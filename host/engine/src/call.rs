//! Bounds calls into a connector in time, and ends them as soon as a limit is exceeded.
//!
//! A connector that computes is interrupted by ticks, which also lets others run. One that waits in
//! the host is stopped by a timeout. An instance that was stopped in the middle of a call is never
//! entered again: its store is dropped.

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{Engine, Store, UpdateDeadline};

use crate::deadline::{self, timeout};
use crate::exceeded::{ExceededLimit, exceeded};
use crate::limits::{Limit, Limits, TEXT};
use crate::obstacle::Obstacles;
use crate::redaction::Redaction;

/// How often a connector that computes is interrupted.
const TICK: Duration = Duration::from_millis(10);

/// What bounds the calls into one instance, and what its errors need.
#[derive(Clone, Debug)]
pub(crate) struct CallLimits {
    pub(crate) limits: Limits,
    pub(crate) exceeded: ExceededLimit,
    pub(crate) obstacles: Obstacles,
    pub(crate) redaction: Redaction,
}

impl CallLimits {
    /// The error for a connector that exceeded `limit`.
    pub(crate) fn exceeded(&self, limit: Limit) -> crate::Error {
        exceeded(limit, &self.limits)
    }

    /// A text of the connector, with secrets masked and then cut off where it is too long.
    pub(crate) fn text(&self, text: &str) -> String {
        self.redaction.excerpt(text, TEXT)
    }

    /// Waits for the answer to a call.
    ///
    /// # Errors
    ///
    /// The limit that was exceeded. The call is abandoned then.
    pub(crate) async fn call<T>(&self, call: impl Future<Output = T>) -> Result<T, Limit> {
        let mut call = pin!(call);
        let mut computed = Duration::ZERO;
        // A connector that waits is not polled, so this measures computing alone.
        let metered = std::future::poll_fn(|context| {
            let started = Instant::now();
            let poll = call.as_mut().poll(context);
            computed += started.elapsed();
            if poll.is_pending() && computed > self.limits.compute {
                self.exceeded.report(Limit::Compute);
            }
            poll
        });
        let answer = tokio::select! {
            biased;
            limit = self.exceeded.wait() => Err(limit),
            answer = timeout(self.limits.call, metered) => answer.map_err(|_| Limit::Call),
        };
        // From within, an exceeded limit often looks like a crash.
        self.exceeded.first().map_or(answer, Err)
    }
}

/// Interrupts the connectors of `engine` regularly, as long as it lives, and starts the clock that
/// keeps their deadlines.
///
/// # Errors
///
/// If no thread can be started.
pub(crate) fn tick(engine: &Engine) -> std::io::Result<()> {
    deadline::start()?;
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

/// Makes the connector of `store` yield at every tick.
pub(crate) fn interrupt<T: 'static>(store: &mut Store<T>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))));
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn limits(compute: Duration, call: Duration) -> CallLimits {
        CallLimits {
            limits: Limits { compute, call, ..Limits::default() },
            exceeded: ExceededLimit::default(),
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
        assert_eq!(limits(Duration::ZERO, Duration::from_secs(60)).call(ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn computing_has_an_end() {
        let limits = limits(Duration::from_millis(5), Duration::from_secs(60));
        assert_eq!(limits.call(compute()).await, Err(Limit::Compute));
    }

    #[tokio::test]
    async fn waiting_has_an_end_and_is_not_computing() {
        let limits = limits(Duration::from_secs(60), Duration::from_millis(5));
        assert_eq!(limits.call(pending::<()>()).await, Err(Limit::Call));
    }

    #[tokio::test]
    async fn an_exceeded_limit_ends_the_call_even_if_it_answers() {
        let limits = limits(Duration::from_secs(60), Duration::from_secs(60));
        limits.exceeded.report(Limit::Response);
        assert_eq!(limits.call(pending::<()>()).await, Err(Limit::Response));
        assert_eq!(limits.call(ready(())).await, Err(Limit::Response));
    }
}
