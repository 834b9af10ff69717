//! Records which limit an instance exceeded first, and makes the error for it.
//!
//! A limit is often exceeded where nothing can fail: in a host function, or in the middle of a
//! body. So it is noted beside the instance, and the caller of the connector waits for that as well
//! as for the answer.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::error::{Error, Remedy};
use crate::limits::{Limit, Limits};

/// The limit that an instance exceeded, if any. Only the first counts. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExceededLimit(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    first: OnceLock<Limit>,
    changed: Notify,
}

impl ExceededLimit {
    /// Notes that `limit` was exceeded.
    pub(crate) fn report(&self, limit: Limit) {
        // A later one is a consequence of the first.
        let _ = self.0.first.set(limit);
        self.0.changed.notify_one();
    }

    /// The limit that was exceeded first.
    pub(crate) fn first(&self) -> Option<Limit> {
        self.0.first.get().copied()
    }

    /// Waits until a limit is exceeded.
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

/// The error for a connector that exceeded `limit`.
pub(crate) fn exceeded(limit: Limit, limits: &Limits) -> Error {
    let (value, words) = (limit.value(limits), limit.words());
    Error::system(format!("the connector was stopped because it took more than {value} {words}"))
        .with_remedy(Remedy::RaiseLimit(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_limit() {
        let limits = Limits::default();
        let error = exceeded(Limit::Memory, &limits);
        assert_eq!(error.limit(), Some(Limit::Memory));
        assert_eq!(error.message(), "the connector was stopped because it took more than 512MiB of memory");
        assert_eq!(
            exceeded(Limit::Call, &limits).message(),
            "the connector was stopped because it took more than 15m for one call"
        );
    }

    #[tokio::test]
    async fn the_first_limit_counts() {
        let exceeded = ExceededLimit::default();
        assert_eq!(exceeded.first(), None);
        let waiting = tokio::spawn({
            let exceeded = exceeded.clone();
            async move { exceeded.wait().await }
        });
        exceeded.report(Limit::Logs);
        exceeded.report(Limit::Memory);
        assert_eq!(waiting.await.unwrap(), Limit::Logs);
        assert_eq!(exceeded.wait().await, Limit::Logs);
    }
}
