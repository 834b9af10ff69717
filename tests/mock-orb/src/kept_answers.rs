//! Caches rendered answers, for measurements.
//!
//! A server in a benchmark should cost little more than sending bytes. With the cache on, it
//! renders each page once and sends the same bytes to every later request for it.

use std::collections::HashMap;

use hyper::body::Bytes;

/// The bodies of successful answers to `GET`, by path and query as sent; empty unless caching is
/// on.
#[derive(Debug, Default)]
pub(crate) struct KeptAnswers(Option<HashMap<String, Bytes>>);

impl KeptAnswers {
    /// Turns caching on.
    pub(crate) fn enable(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Clears the cache, because the account may have changed.
    pub(crate) fn forget(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.clear();
        }
    }

    /// The cached body for a target.
    pub(crate) fn find(&self, target: &str) -> Option<Bytes> {
        self.0.as_ref()?.get(target).cloned()
    }

    /// Caches a body, if caching is on.
    pub(crate) fn keep(&mut self, target: &str, body: &Bytes) {
        if let Some(kept) = &mut self.0 {
            kept.insert(target.to_owned(), body.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_unless_that_is_asked_for() {
        let (mut kept, body) = (KeptAnswers::default(), Bytes::from_static(b"{}"));
        kept.keep("/v1/plans", &body);
        assert_eq!(kept.find("/v1/plans"), None);
        kept.enable();
        kept.keep("/v1/plans", &body);
        assert_eq!(kept.find("/v1/plans"), Some(body));
        assert_eq!(kept.find("/v1/plans?limit=1"), None);
        kept.forget();
        assert_eq!(kept.find("/v1/plans"), None);
    }
}
