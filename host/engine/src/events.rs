//! What the engine reports to the program that embeds it: log lines, denied requests, rate limits
//! and progress.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::time::SystemTime;

pub use crate::http::{Denial, Obstacle, SecretProblem};

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For tracing a single record or request.
    Trace,
    /// For finding out why something happened.
    Debug,
    /// Progress that a person wants to see.
    Info,
    /// Something was skipped or is not as it should be. The read goes on.
    Warn,
    /// Something failed.
    Error,
}

/// What an event handler may take its time for. The connector waits for it.
pub type Handled<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Receives what a connector logs and what the engine has to say about it.
///
/// Every method does nothing by default. Those that return [`Handled`] hold the connector up until
/// it is done, so a slow reader of the log slows the connector down instead of filling memory.
/// Secrets of the config are masked in all texts. An event does not name its stream; the caller
/// that opened the reader knows it: see [`Session::with_events`](crate::Session::with_events).
pub trait Events: fmt::Debug + Send + Sync + 'static {
    /// Whether log lines of this level are wanted. Others are dropped, and not counted as
    /// [log lines](crate::limits::Limits::logs).
    fn wants(&self, level: Level) -> bool {
        level >= Level::Info
    }

    /// The connector, or the engine on its behalf, logs a message of one or more lines.
    fn log(&self, level: Level, message: String) -> Handled<'_> {
        let _ = (level, message);
        handled()
    }

    /// A request was not sent, or did not get through. Reported once for each kind of denial and
    /// origin.
    fn denied(&self, denial: &Denial) -> Handled<'_> {
        let _ = denial;
        handled()
    }

    /// The API refuses requests as too many, and the connector waits until `until`, a day at most.
    /// Reported once a second at most.
    fn rate_limited(&self, until: SystemTime) -> Handled<'_> {
        let _ = until;
        handled()
    }

    /// So many slices of the stream have been read, of `total` if that is known. The total may
    /// grow.
    fn slices(&self, done: u64, total: Option<u64>) {
        let _ = (done, total);
    }
}

/// What a method of [`Events`] returns when there is nothing to wait for.
pub fn handled() -> Handled<'static> {
    Box::pin(ready(()))
}

/// Ignores everything.
impl Events for () {
    fn wants(&self, _: Level) -> bool {
        false
    }
}
