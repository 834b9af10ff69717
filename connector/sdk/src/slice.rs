//! What to ask next.
//!
//! A stream is cut into slices, and each slice is a chain of pages. [`Slices`] knows which pages are to be asked for,
//! notes what came, and says which state has become true. It asks for nothing itself: the reader does.

use time::Timestamp;

use crate::{page::Page, stream::Stream};

/// One bounded part of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slice {
    /// Id of the parent whose list it is.
    pub parent: Option<String>,
    /// Which part of the parent's list, where it has several; only the API knows what it means.
    pub part: Option<String>,
    /// Records before this instant are not wanted.
    pub from: Option<Timestamp>,
    /// Where it ends; open if there is no end.
    pub until: Option<Until>,
    /// Records before this instant are dropped, because another slice has them, or an earlier read had them.
    pub keep_from: Option<Timestamp>,
    /// Records at this instant or later are dropped, because another slice has them.
    pub keep_before: Option<Timestamp>,
}

/// The upper end of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Records at this instant belong to it.
    Including(Timestamp),
    /// Records at this instant belong to the next one.
    Before(Timestamp),
}

/// A page to be asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which slice it is for; only [`Slices`] knows what the number means.
    pub key: usize,
    /// The stream whose list is asked for: the one that is read, or that of its parents.
    pub stream: &'static Stream,
    /// The slice.
    pub slice: Slice,
    /// Which page of it; the first if none.
    pub page_token: Option<String>,
}

/// The slices of a stream, and how much of them has been read.
pub trait Slices {
    /// The next page to ask for; none if there is nothing to ask now, perhaps because an answer is awaited.
    fn next_ask(&mut self) -> Option<Ask>;

    /// Notes the page that was asked for and returns the records to hand on.
    ///
    /// # Errors
    /// Says what is wrong with the page.
    fn observe(&mut self, ask: &Ask, page: Page) -> Result<Vec<String>, String>;

    /// How many slices have been read to their end, and how many there are, if that is known. Both may grow.
    fn progress(&self) -> (u64, Option<u64>);

    /// The state that is true once all records handed on so far are written, if it is time to tell one.
    fn checkpoint(&mut self) -> Option<String>;
}
