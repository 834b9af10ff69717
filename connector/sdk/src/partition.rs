//! Chooses the next pages to request, and computes the state.
//!
//! A stream is cut into slices, and each slice is a chain of pages. Nothing here does I/O: the
//! reader sends the requests that [`Slices`] returns, passes the pages back, and emits the records.

pub mod changing;
mod corrections;
pub mod lists;
pub mod open;
pub mod parents;
pub mod spans;

use time::{SignedDuration, Timestamp};

use crate::{
    error::{Error, Result},
    log::Level,
    page::Page,
    problem::Problem,
    record::Record,
    request::PageRequest,
    slice::{Slice, Until},
    stream::Stream,
};

/// The slices of a stream, and how much of them has been read.
pub trait Slices<C: 'static> {
    /// Returns the next page request. `None` if there is none now, perhaps until a response
    /// arrives.
    fn next_request(&mut self) -> Option<PageRequest<C>>;

    /// Takes the page of a request, and returns the records to emit.
    ///
    /// # Errors
    /// If the page contradicts what the row or earlier pages say.
    fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem>;

    /// Records that a part of a list was not found. Its parent has no further parts but those that
    /// it surely has.
    fn end_parts(&mut self, _request: &PageRequest<C>) {}

    /// Records that the server refuses the list with `error`.
    ///
    /// # Errors
    /// If the stream cannot be read without this list. Otherwise the others are read, and
    /// [`Slices::failure`] returns the error at the end.
    fn refuse(&mut self, _request: &PageRequest<C>, error: Error) -> Result<()> {
        Err(error)
    }

    /// Records that what was requested is not there: an object if `is_absent`, or otherwise the
    /// list. Returns the records that say so. Returns `None` if nothing is known of it here, and
    /// the row says what it means.
    fn without(&mut self, _request: &PageRequest<C>, _reason: &str, _is_absent: bool) -> Option<Vec<String>> {
        None
    }

    /// Replaces the slice by shorter ones, because the response would be too large. Later slices
    /// are then no longer than these. Returns false if it cannot be shorter.
    fn shorten(&mut self, request: &PageRequest<C>) -> bool;

    /// Returns the error of a stream that was read as far as possible, but not completely. Called
    /// once at the end, after the last checkpoint.
    fn failure(&mut self) -> Option<Error> {
        None
    }

    /// Takes the pending log messages.
    fn take_log(&mut self) -> Vec<(Level, String)> {
        Vec::new()
    }

    /// Ends the read soon: from now on, only what is needed for a state that covers all records
    /// returned so far is requested. Has no effect on slices that cannot be continued.
    fn stop(&mut self) {}

    /// Returns whether everything has been read.
    fn is_finished(&self) -> bool;

    /// Returns the state from which a later read continues where this one was stopped. `None` if
    /// the last checkpoint is that state. Called once, when no request is in flight.
    fn left_off(&mut self) -> Option<String>;

    /// Returns how many slices have been read to their end, and the total if it is known. Both may
    /// grow.
    fn progress(&self) -> (u64, Option<u64>);

    /// Returns the state that is true once all records returned so far are written, if one is due.
    fn checkpoint(&mut self) -> Option<String>;
}

/// Returns the slice of the given times. If the server cannot filter by time, everything is
/// requested, and other records are dropped. If records have no time, the slice is unbounded.
#[inline(never)]
fn bounded<C>(stream: &Stream<C>, from: Timestamp, until: Option<Until>) -> Slice {
    let (slack, is_exact) = match (stream.time, stream.cursor) {
        (Some(time), _) => (Some(time.slack), time.slack.is_zero()),
        (None, Some(_)) => (None, false),
        (None, None) => return Slice::default(),
    };
    let mut slice = Slice::default();
    if let Some(slack) = slack {
        slice.from = Some(from.saturating_sub(slack));
        slice.until = until.map(|until| until.later(slack));
    }
    if !is_exact {
        slice.keep_from = Some(from);
        slice.keep_before = match until {
            Some(Until::Including(until)) => until.checked_add(SignedDuration::nanoseconds(1)),
            Some(Until::Before(until)) => Some(until),
            None => None,
        };
    }
    slice
}

/// Returns the texts of the records to emit.
fn emit(slice: &Slice, records: Vec<Record>) -> Vec<String> {
    let emitted = records.into_iter().filter(|record| !record.withheld && slice.keeps(record.position));
    emitted.map(|record| record.json).collect()
}
