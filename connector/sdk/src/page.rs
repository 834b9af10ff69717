//! Pages of records, and the chain of pages of a slice.

use std::collections::BTreeSet;

use crate::{problem::Problem, record::Record};

/// The most pages of one slice: ten million records at 100 per page, more than any known list has.
/// A longer chain is treated as endless.
pub const MAX_PAGES: usize = 100_000;

/// The response to one page request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The records, in the server's order.
    pub records: Vec<Record>,
    /// The token of the next page. `None` on the last one.
    pub next_token: Option<String>,
    /// The size of the response body in bytes.
    pub bytes: usize,
    /// Whether the response omits records and has no token for them, so that a smaller request is
    /// needed.
    pub is_cut_off: bool,
}

/// The pages of one slice, one after the other.
#[derive(Debug, Default)]
pub struct PageChain {
    step: Step,
    followed: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Step {
    /// The first page can be requested.
    #[default]
    Fresh,
    /// The page of this token can be requested.
    Waiting(String),
    /// A request is in flight.
    Asked,
    Finished,
}

impl PageChain {
    /// Creates a chain of which nothing is requested.
    pub fn finished() -> Self {
        Self { step: Step::Finished, ..Self::default() }
    }

    /// Returns whether a page can be requested now.
    pub fn is_waiting(&self) -> bool {
        matches!(self.step, Step::Fresh | Step::Waiting(_))
    }

    /// Returns whether nothing has been requested yet.
    pub fn is_fresh(&self) -> bool {
        self.step == Step::Fresh
    }

    /// Returns whether the last page has been received.
    pub fn is_finished(&self) -> bool {
        self.step == Step::Finished
    }

    /// Takes the token of the next page to request, `Some(None)` for the first page. Returns `None`
    /// if there is nothing to request now.
    pub fn next_page(&mut self) -> Option<Option<String>> {
        if !self.is_waiting() {
            return None;
        }
        match std::mem::replace(&mut self.step, Step::Asked) {
            Step::Waiting(token) => Some(Some(token)),
            _ => Some(None),
        }
    }

    /// Records the response's next-page token. `None` ends the chain.
    ///
    /// # Errors
    /// If the token repeats, or the chain is too long.
    pub fn advance(&mut self, next_token: Option<String>) -> Result<(), Problem> {
        let Some(token) = next_token else {
            self.step = Step::Finished;
            return Ok(());
        };
        if !self.followed.insert(token.clone()) {
            return Err(Problem::new(format!("the server gave the page token {token:?} twice")));
        }
        if self.followed.len() >= MAX_PAGES {
            return Err(Problem::new(format!("the server gave more than {MAX_PAGES} pages")));
        }
        self.step = Step::Waiting(token);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_asked_for_one_after_the_other() {
        let mut chain = PageChain::default();
        assert_eq!(chain.next_page(), Some(None));
        assert_eq!(chain.next_page(), None);
        chain.advance(Some("a".into())).unwrap();
        assert_eq!(chain.next_page(), Some(Some("a".into())));
        chain.advance(None).unwrap();
        assert!(chain.is_finished());
        assert_eq!(chain.next_page(), None);
    }

    #[test]
    fn a_chain_is_fresh_until_its_first_page_is_asked_for() {
        let mut chain = PageChain::default();
        assert!(chain.is_fresh());
        chain.next_page();
        assert!(!chain.is_fresh());
        chain.advance(Some("a".into())).unwrap();
        assert!(!chain.is_fresh() && chain.is_waiting());
        assert!(!PageChain::finished().is_fresh());
    }

    #[test]
    fn a_token_that_comes_back_ends_the_chain() {
        let mut chain = PageChain::default();
        assert!(chain.advance(Some("a".into())).is_ok());
        assert!(chain.advance(Some("b".into())).is_ok());
        assert!(chain.advance(Some("a".into())).unwrap_err().to_string().contains("\"a\" twice"));
    }

    #[test]
    fn an_endless_chain_of_new_tokens_ends() {
        let mut chain = PageChain::default();
        let advance = |number: &u32| chain.advance(Some(number.to_string())).is_ok();
        assert_eq!((0..).take_while(advance).count(), MAX_PAGES - 1);
    }
}
