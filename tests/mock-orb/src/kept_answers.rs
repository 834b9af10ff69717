//! Answers that are given again: what was asked in; what was rendered for it before, out.
//!
//! A server that is part of a measurement must cost little more than the sending. So each page can
//! be rendered once, for the first who asks, and sent as it is to all who ask the same.

use std::collections::HashMap;

use hyper::body::Bytes;

/// The bodies of successful answers to `GET`, by path and query as sent; none are kept unless that
/// is asked for.
#[derive(Debug, Default)]
pub(crate) struct KeptAnswers(Option<HashMap<String, Bytes>>);

impl KeptAnswers {
    /// Keeps answers from now on.
    pub(crate) fn enable(&mut self) {
        self.0.get_or_insert_default();
    }

    /// Forgets them, because the account may be another one now.
    pub(crate) fn forget(&mut self) {
        if let Some(kept) = &mut self.0 {
            kept.clear();
        }
    }

    /// The body that was kept for a target.
    pub(crate) fn find(&self, target: &str) -> Option<Bytes> {
        self.0.as_ref()?.get(target).cloned()
    }

    /// Keeps a body, if that is asked for.
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
