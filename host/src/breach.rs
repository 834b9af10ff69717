//! What happens when a connector breaks a limit: the place that notices reports it, and the call under way ends with
//! an error that names the limit and the flag that raises it.
//!
//! A limit is often broken where nothing can fail: in a host function, in the middle of a body. So a breach is noted
//! beside the instance, and the caller of the connector waits for it as well as for the answer.

use std::sync::{Arc, OnceLock};

use humantime::format_duration;
use tokio::sync::Notify;

use crate::error::Error;
use crate::limits::{Limits, Size};

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
    /// All there are, as `inspect` lists them.
    pub(crate) const ALL: [Self; 15] = [
        Self::Call,
        Self::Compute,
        Self::Memory,
        Self::TableElements,
        Self::Handles,
        Self::Batch,
        Self::Record,
        Self::Logs,
        Self::Requests,
        Self::RequestBody,
        Self::Response,
        Self::ResponseEncoded,
        Self::Headers,
        Self::Component,
        Self::Compile,
    ];

    /// What of a connector it bounds, by how much, and the flag that raises it.
    pub(crate) fn describe(self, limits: &Limits) -> (&'static str, String, &'static str) {
        let time = |duration| format_duration(duration).to_string();
        match self {
            Self::Memory => ("of memory", Size(limits.memory).to_string(), "--max-memory"),
            Self::TableElements => {
                ("elements in its tables", limits.table_elements.to_string(), "--max-table-elements")
            }
            Self::Handles => ("handles", limits.handles.to_string(), "--max-handles"),
            Self::Compute => ("of computing in one call", time(limits.compute), "--max-compute"),
            Self::Call => ("for one call", time(limits.call), "--max-call"),
            Self::Batch => ("for one batch", Size(limits.batch).to_string(), "--max-batch"),
            Self::Record => ("for one record", Size(limits.record).to_string(), "--max-record"),
            Self::Logs => ("log lines", limits.logs.to_string(), "--max-logs"),
            Self::Requests => ("requests at the same time", limits.requests.to_string(), "--max-requests"),
            Self::RequestBody => {
                ("for the body of a request", Size(limits.request_body).to_string(), "--max-request-body")
            }
            Self::Response => {
                ("for the body of a response", Size(limits.response).to_string(), "--max-response")
            }
            Self::ResponseEncoded => (
                "for the body of a response as received",
                Size(limits.response_encoded).to_string(),
                "--max-response-encoded",
            ),
            Self::Headers => (
                "for the headers of a request or response",
                Size(limits.headers).to_string(),
                "--max-headers",
            ),
            Self::Component => ("for the component", Size(limits.component).to_string(), "--max-component"),
            Self::Compile => ("to be compiled", time(limits.compile), "--max-compile"),
        }
    }

    /// The error of a connector that broke this limit.
    pub(crate) fn error(self, limits: &Limits) -> Error {
        let (what, bound, flag) = self.describe(limits);
        Error::system(format!(
            "the connector was stopped because it took more than {bound} {what} ({flag} allows more)"
        ))
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
            "the connector was stopped because it took more than 512MiB of memory (--max-memory allows more)"
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
