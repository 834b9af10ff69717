//! What happens when a connector breaks a limit: the place that notices reports it, and the call under way ends with
//! an error that names the limit and the flag that raises it.
//!
//! A limit is often broken where nothing can fail: in a host function, in the middle of a body. So a breach is noted
//! beside the instance, and the caller of the connector waits for it as well as for the answer.

use std::sync::{Arc, OnceLock};

use bytesize::ByteSize;
use humantime::format_duration;
use tokio::sync::Notify;

use crate::error::Error;
use crate::limits::Limits;

/// A limit that a connector can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Memory,
    TableElements,
    Handles,
    Compute,
    Call,
    Batch,
    Record,
    Logs,
    Requests,
    RequestBody,
    Response,
    ResponseEncoded,
    Headers,
    Component,
    Compile,
}

impl Limit {
    /// The error of a connector that broke this limit.
    pub(crate) fn error(self, limits: &Limits) -> Error {
        let size = |bytes: usize| ByteSize::b(bytes as u64).display().iec().to_string();
        let time = |duration| format_duration(duration).to_string();
        let (what, flag) = match self {
            Self::Memory => (format!("more than {} of memory", size(limits.memory)), "memory"),
            Self::TableElements => {
                (format!("more than {} elements in its tables", limits.table_elements), "table-elements")
            }
            Self::Handles => (format!("more than {} handles", limits.handles), "handles"),
            Self::Compute => {
                (format!("more than {} of computing in one call", time(limits.compute)), "compute")
            }
            Self::Call => (format!("more than {} for one call", time(limits.call)), "call"),
            Self::Batch => (format!("more than {} for one batch", size(limits.batch)), "batch"),
            Self::Record => (format!("more than {} for one record", size(limits.record)), "record"),
            Self::Logs => (format!("more than {} log lines", limits.logs), "logs"),
            Self::Requests => {
                (format!("more than {} requests at the same time", limits.requests), "requests")
            }
            Self::RequestBody => {
                (format!("more than {} for the body of a request", size(limits.request_body)), "request-body")
            }
            Self::Response => {
                (format!("more than {} for the body of a response", size(limits.response)), "response")
            }
            Self::ResponseEncoded => (
                format!("more than {} for the compressed body of a response", size(limits.response_encoded)),
                "response-encoded",
            ),
            Self::Headers => (
                format!("more than {} for the headers of a request or response", size(limits.headers)),
                "headers",
            ),
            Self::Component => {
                (format!("more than {} for the component", size(limits.component)), "component")
            }
            Self::Compile => (format!("more than {} to be compiled", time(limits.compile)), "compile"),
        };
        Error::system(format!("the connector was stopped because it took {what} (--max-{flag} allows more)"))
    }
}

/// The breaches of one instance, of which only the first counts. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaches(Arc<Noted>);

#[derive(Debug, Default)]
struct Noted {
    first: OnceLock<Limit>,
    changed: Notify,
}

impl Breaches {
    /// Notes that `limit` was broken, which ends the call under way.
    pub(crate) fn report(&self, limit: Limit) {
        // Whatever follows the first breach is a consequence.
        let _ = self.0.first.set(limit);
        self.0.changed.notify_one();
    }

    /// The first breach, if there was one.
    pub(crate) fn first(&self) -> Option<Limit> {
        self.0.first.get().copied()
    }

    /// Waits for a breach.
    pub(crate) async fn wait(&self) -> Limit {
        loop {
            let changed = self.0.changed.notified();
            if let Some(limit) = self.first() {
                return limit;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_limit_and_its_flag() {
        let limits = Limits::default();
        assert_eq!(
            Limit::Memory.error(&limits).message(),
            "the connector was stopped because it took more than 512.0 MiB of memory (--max-memory allows more)"
        );
        assert_eq!(
            Limit::Call.error(&limits).message(),
            "the connector was stopped because it took more than 15m for one call (--max-call allows more)"
        );
    }

    #[tokio::test]
    async fn the_first_breach_counts() {
        let breaches = Breaches::default();
        assert_eq!(breaches.first(), None);
        let waiting = tokio::spawn({
            let breaches = breaches.clone();
            async move { breaches.wait().await }
        });
        breaches.report(Limit::Logs);
        breaches.report(Limit::Memory);
        assert_eq!(waiting.await.unwrap(), Limit::Logs);
        assert_eq!(breaches.wait().await, Limit::Logs);
    }
}
