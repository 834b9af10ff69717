//! What to ask next.
//!
//! A stream is cut into slices, and each slice is a chain of pages. [`Slices`] knows which pages are to be asked for,
//! notes what came, and says which state has become true. It asks for nothing itself: the reader does.

use time::{SignedDuration, Timestamp};

use crate::{
    error::{Error, Result},
    page::Page,
    stream::Stream,
};

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
    /// How many records a page may have at most; as many as the stream says if none.
    pub page_limit: Option<u32>,
}

impl Slice {
    /// How long the time is that is asked for; none if an end is open.
    pub fn span(&self) -> Option<SignedDuration> {
        let (Until::Including(until) | Until::Before(until)) = self.until?;
        Some(until - self.from?)
    }
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

impl Ask {
    /// How many records the page may have at most; none if the server does not page the list.
    pub fn page_limit(&self) -> Option<u32> {
        self.slice.page_limit.or(self.stream.page_limit)
    }
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

    /// Notes that the server refuses the list that was asked for, with `error`.
    ///
    /// # Errors
    /// If the stream cannot be read without this list. Otherwise the others are read on, and [`Slices::failure`] tells of
    /// it at the end.
    fn refuse(&mut self, ask: &Ask, error: Error) -> Result<()> {
        let _ = ask;
        Err(error)
    }

    /// Cuts the slice that was asked for into shorter ones, because the server's answer would be too large. Later slices
    /// are then no longer than these. False if it cannot be cut.
    fn shorten(&mut self, ask: &Ask) -> bool {
        let _ = ask;
        false
    }

    /// Why the stream has failed although all that could be read was; nothing if it has not. Asked once at the end, after
    /// the last checkpoint.
    fn failure(&mut self) -> Option<Error> {
        None
    }

    /// How many slices have been read to their end, and how many there are, if that is known. Both may grow.
    fn progress(&self) -> (u64, Option<u64>);

    /// The state that is true once all records handed on so far are written, if it is time to tell one.
    fn checkpoint(&mut self) -> Option<String>;
}
