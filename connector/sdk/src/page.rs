//! One answer's worth of records, and the guard against chains of pages that never end.

use std::collections::BTreeSet;

use crate::record::Record;

/// The most pages that one slice may have. At 100 records a page this is ten million records, far beyond what any
/// list held when this was written; a chain that is longer is taken for a server that turns in circles.
pub const MAX_PAGES: usize = 100_000;

/// What one request for a page gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// In the server's order.
    pub records: Vec<Record>,
    /// The token of the next page; none on the last one.
    pub next_token: Option<String>,
    /// Bytes of the answer that it came in.
    pub bytes: usize,
}

/// The pages of one slice, one after the other.
#[derive(Debug, Default)]
pub struct PageChain {
    progress: Progress,
    followed: BTreeSet<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Progress {
    /// The first page is to be asked for.
    #[default]
    Fresh,
    /// The page of this token is to be asked for.
    Waiting(String),
    /// An answer is awaited.
    Asked,
    Finished,
}

impl PageChain {
    /// Whether a page is to be asked for now.
    pub fn is_waiting(&self) -> bool {
        matches!(self.progress, Progress::Fresh | Progress::Waiting(_))
    }

    /// Whether nothing has been asked for yet.
    pub fn is_fresh(&self) -> bool {
        self.progress == Progress::Fresh
    }

    /// Whether the last page has come.
    pub fn is_finished(&self) -> bool {
        self.progress == Progress::Finished
    }

    /// Takes the token of the page to ask for, which is none for the first one; nothing if none is to be asked for.
    pub fn ask(&mut self) -> Option<Option<String>> {
        if !self.is_waiting() {
            return None;
        }
        match std::mem::replace(&mut self.progress, Progress::Asked) {
            Progress::Waiting(token) => Some(Some(token)),
            _ => Some(None),
        }
    }

    /// Notes the token of the next page that an answer gave, which is none on the last page.
    ///
    /// # Errors
    /// Says why not to follow the token: it was followed before, or the chain is too long.
    pub fn advance(&mut self, next_token: Option<String>) -> Result<(), String> {
        let Some(token) = next_token else {
            self.progress = Progress::Finished;
            return Ok(());
        };
        if !self.followed.insert(token.clone()) {
            return Err(format!("the server gave the page token {token:?} twice"));
        }
        if self.followed.len() >= MAX_PAGES {
            return Err(format!("the server gave more than {MAX_PAGES} pages"));
        }
        self.progress = Progress::Waiting(token);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_asked_for_one_after_the_other() {
        let mut chain = PageChain::default();
        assert_eq!(chain.ask(), Some(None));
        assert_eq!(chain.ask(), None);
        chain.advance(Some("a".into())).unwrap();
        assert_eq!(chain.ask(), Some(Some("a".into())));
        chain.advance(None).unwrap();
        assert!(chain.is_finished());
        assert_eq!(chain.ask(), None);
    }

    #[test]
    fn a_token_that_comes_back_ends_the_chain() {
        let mut chain = PageChain::default();
        assert!(chain.advance(Some("a".into())).is_ok());
        assert!(chain.advance(Some("b".into())).is_ok());
        assert!(chain.advance(Some("a".into())).unwrap_err().contains("\"a\" twice"));
    }

    #[test]
    fn an_endless_chain_of_new_tokens_ends() {
        let mut chain = PageChain::default();
        let advance = |number: &u32| chain.advance(Some(number.to_string())).is_ok();
        assert_eq!((0..).take_while(advance).count(), MAX_PAGES - 1);
    }
}
