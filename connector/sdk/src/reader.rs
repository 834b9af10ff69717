//! Reads a stream: keeps requests in flight and returns batches.
//!
//! The next requests are sent before a batch is returned, so that the server works while the host
//! writes.
//!
//! The file is long because each way in which a request can fail changes the state of the read in
//! another way.

mod tools;

use std::{collections::VecDeque, rc::Rc, task::Poll};

use futures_util::{
    StreamExt,
    future::{LocalBoxFuture, poll_fn},
    stream::FuturesUnordered,
};

pub use self::tools::Tools;
use self::tools::{Fetched, fetch};
use crate::{
    error::{Error, Result},
    fetch::Outcome,
    in_flight::InFlightLimit,
    log::Level,
    page::Page,
    page_sizes::PageSizes,
    partition::Slices,
    request::PageRequest,
    stream::{Absent, Stream},
};

/// Records that are emitted together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The records, each a JSON object on one line.
    pub records: Vec<String>,
    /// The state that is true once these records, and all before them, are written.
    pub checkpoint: Option<String>,
}

/// How many lists without records make an empty batch.
const EMPTY_LISTS: usize = 8;

/// How many windows without records do. Most of them are how a dense time is found, up to 32 at
/// once. A host does not wait for a batch for ever, and a response can take twenty seconds.
const EMPTY_WINDOWS: usize = 32;

/// Reads one stream.
pub struct Reader<C: 'static> {
    stream: &'static Stream<C>,
    slices: Box<dyn Slices<C>>,
    tools: Rc<Tools<C>>,
    limit: InFlightLimit,
    /// The progress reported last.
    reported: (u64, Option<u64>),
    in_flight: FuturesUnordered<LocalBoxFuture<'static, Fetched<C>>>,
    fetched: VecDeque<Fetched<C>>,
    /// Requests to repeat with smaller pages.
    again: Vec<PageRequest<C>>,
    page_sizes: PageSizes,
    has_received: bool,
    /// Whether the state at which the read was stopped has to be emitted.
    stops: bool,
    finished: bool,
    is_complete: bool,
}

impl<C> std::fmt::Debug for Reader<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("stream", &self.stream.name).finish_non_exhaustive()
    }
}

impl<C> Reader<C> {
    /// Reads `slices` with up to `concurrency` requests in flight, fewer if pages are large.
    pub fn new(
        stream: &'static Stream<C>,
        slices: Box<dyn Slices<C>>,
        tools: Tools<C>,
        concurrency: usize,
    ) -> Self {
        Self {
            stream,
            slices,
            tools: Rc::new(tools),
            limit: InFlightLimit::new(concurrency),
            reported: (0, None),
            in_flight: FuturesUnordered::new(),
            fetched: VecDeque::new(),
            again: Vec::new(),
            page_sizes: PageSizes::default(),
            has_received: false,
            stops: false,
            finished: false,
            is_complete: false,
        }
    }

    /// Ends the read soon: starts nothing new, but what is needed for a checkpoint that covers all
    /// records. [`Reader::next_batch`] returns the rest, that checkpoint, and then `None`.
    ///
    /// A stream that cannot be continued is read to its end.
    pub fn stop(&mut self) {
        self.stops = true;
        self.slices.stop();
    }

    /// Returns whether the stream has been read to its end.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the next batch, or `None` at the end of the stream. The batch is empty if several
    /// lists or windows in a row have no records, so that a caller with a budget can
    /// [`stop`](Self::stop).
    ///
    /// # Errors
    /// If the stream cannot be read any further. The reader is then finished.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        let mut responses = 0;
        while !self.finished {
            self.fill().await;
            let (next, was_waited_for) = match self.fetched.pop_front() {
                Some(fetched) => (Some(fetched), false),
                None => (self.in_flight.next().await, true),
            };
            let batch = match next {
                Some((request, result)) => match self.receive(request, result, was_waited_for) {
                    Ok(batch) => batch,
                    Err(error) => {
                        self.cancel();
                        return Err(error.in_stream(self.stream.name));
                    }
                },
                None => match self.batch(Vec::new()) {
                    Batch { checkpoint: None, .. } => match self.left_off() {
                        None => return self.finish().map(|()| None),
                        checkpoint => Batch { records: Vec::new(), checkpoint },
                    },
                    batch => batch,
                },
            };
            responses += 1;
            let most = if self.stream.parents().is_some() { EMPTY_LISTS } else { EMPTY_WINDOWS };
            if !batch.records.is_empty() || batch.checkpoint.is_some() || responses == most {
                self.fill().await;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Returns the state of a read that was stopped, once.
    fn left_off(&mut self) -> Option<String> {
        std::mem::take(&mut self.stops).then(|| self.slices.left_off())?
    }

    /// Logs the problems with single records, and fails if some lists could not be read.
    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        self.is_complete = self.slices.is_finished();
        for note in self.tools.fetcher.notes().sentences() {
            self.log(Level::Warn, &note);
        }
        let Some(error) = self.slices.failure() else { return Ok(()) };
        self.is_complete = false;
        Err(error.in_stream(self.stream.name))
    }

    /// Turns a response into a batch, which is empty if there are no records.
    fn receive(
        &mut self,
        request: PageRequest<C>,
        result: Result<Outcome<Page>>,
        was_waited_for: bool,
    ) -> Result<Batch> {
        let may_be_skipped = request.stream.ends.may_be_unknown && !self.has_received;
        let outcome = result?;
        if let Some((reason, is_absent)) = lack(&outcome)
            && let Some(records) = self.slices.without(&request, reason, is_absent)
        {
            return Ok(self.batch(records));
        }
        let page = match outcome {
            Outcome::Complete(page) if page.is_cut_off => {
                let message = "the response is incomplete, and nothing says how to get the rest";
                let error = self.of_request(Error::system(message), &request);
                self.shorten(&request, error)?;
                return Ok(Batch::default());
            }
            Outcome::Complete(page) => page,
            Outcome::Refused(error) => return self.refuse(&request, error),
            Outcome::TooLarge(error) => {
                self.ask_for_less(request, error)?;
                return Ok(Batch::default());
            }
            Outcome::Absent(reason) => match &request.slice.parent {
                Some(parent) => {
                    self.note_absent(&request, parent, &reason);
                    Page::default()
                }
                None if may_be_skipped => return Ok(self.skip("the server does not have it", &reason)),
                None => return Err(Error::config(format!("{reason}; check the address of the API"))),
            },
            Outcome::UnknownPath(error) if may_be_skipped => {
                return Ok(self.skip("the server does not have it", &error.message));
            }
            Outcome::UnknownPath(error) => return self.refuse(&request, error),
            Outcome::Unavailable(reason) if self.has_received => {
                return Err(Error::system(format!(
                    "the stream became unavailable while it was read: {reason}"
                )));
            }
            Outcome::Unavailable(reason) => {
                return Ok(self.skip("this account does not have it", &reason));
            }
        };
        // A list of parents says nothing about the parents' own lists.
        self.has_received |= request.level == 0;
        self.limit.observe(page.bytes, was_waited_for);
        let observed = self.slices.observe(&request, page);
        if observed.is_err() {
            self.log_slices();
        }
        let records = observed.map_err(|problem| {
            let message = self.tools.api.redact(&problem.to_string());
            self.of_request(Error::system(message), &request)
        })?;
        Ok(self.batch(records))
    }

    fn batch(&mut self, records: Vec<String>) -> Batch {
        self.log_slices();
        let checkpoint = self.slices.checkpoint();
        self.log_slices();
        self.report_progress();
        Batch { records, checkpoint }
    }

    /// Ends the stream without records, with a warning.
    fn skip(&mut self, why: &str, reason: &str) -> Batch {
        self.log(Level::Warn, &format!("skipped because {why}: {reason}"));
        self.cancel();
        self.is_complete = true;
        Batch::default()
    }

    /// Records that the server refuses a list.
    fn refuse(&mut self, request: &PageRequest<C>, error: Error) -> Result<Batch> {
        let error = self.of_request(error, request);
        let refused = self.slices.refuse(request, error);
        self.log_slices();
        refused?;
        self.report_progress();
        Ok(Batch { records: Vec::new(), checkpoint: self.slices.checkpoint() })
    }

    /// Records that a parent's list was not found.
    fn note_absent(&mut self, request: &PageRequest<C>, parent: &str, reason: &str) {
        match request.stream.ends.absent {
            Absent::Gone => self.log(Level::Warn, &format!("skipped {parent}, which is gone: {reason}")),
            Absent::Nothing => self.log(Level::Debug, &format!("{parent} has none: {reason}")),
            Absent::EndOfParts(_) => self.slices.end_parts(request),
        }
    }

    /// Shortens the slice of a request.
    fn shorten(&mut self, request: &PageRequest<C>, error: Error) -> Result<()> {
        if self.slices.shorten(request) {
            self.log(Level::Debug, "responses are too large; asking for shorter time ranges");
            return Ok(());
        }
        Err(too_large(error, "no shorter time range can be requested"))
    }

    /// Repeats a request with smaller pages, or shortens the slice if the list has no pages. A page
    /// token stays valid for other page sizes. Should a server's tokens count pages, some records
    /// are read twice and none is missed.
    fn ask_for_less(&mut self, request: PageRequest<C>, error: Error) -> Result<()> {
        let list = request.stream.name;
        let error = self.of_request(error, &request);
        let Some(asked) = request.page_limit else { return self.shorten(&request, error) };
        if asked <= 1 {
            return Err(too_large(error, "this happens even with one record per page"));
        }
        if let Some(limit) = self.page_sizes.halve(list, asked) {
            self.log(Level::Warn, &format!("pages of {asked} {list} are too large; asking for {limit}"));
        }
        self.again.push(request);
        Ok(())
    }

    /// Adds the request to the internal message of an error.
    fn of_request(&self, error: Error, request: &PageRequest<C>) -> Error {
        let request = self.tools.api.page_request(request).to_string();
        if error.internal_message.is_some() { error } else { error.internal(request) }
    }

    fn log(&self, level: Level, message: &str) {
        self.tools.platform.log.log(level, &format!("{}: {message}", self.stream.name));
    }

    fn log_slices(&mut self) {
        for (level, message) in self.slices.take_log() {
            self.log(level, &message);
        }
    }

    /// Reports how many slices have been read, if that has changed.
    fn report_progress(&mut self) {
        let progress = self.slices.progress();
        if self.reported != progress {
            self.reported = progress;
            self.tools.platform.progress.slices(progress.0, progress.1);
        }
    }

    /// Starts requests up to the in-flight limit, and takes the responses that have arrived.
    async fn fill(&mut self) {
        if self.finished {
            return;
        }
        while self.in_flight.len() + self.fetched.len() < self.limit.requests() {
            let Some(mut request) = self.again.pop().or_else(|| self.slices.next_request()) else {
                break;
            };
            request.page_limit = self.page_sizes.of(request.stream.name).or(request.page_limit);
            self.in_flight.push(Box::pin(fetch(Rc::clone(&self.tools), request)));
        }
        let (in_flight, fetched) = (&mut self.in_flight, &mut self.fetched);
        poll_fn(|context| {
            while let Poll::Ready(Some(next)) = in_flight.poll_next_unpin(context) {
                fetched.push_back(next);
            }
            Poll::Ready(())
        })
        .await;
    }

    fn cancel(&mut self) {
        self.finished = true;
        self.in_flight.clear();
        self.fetched.clear();
        self.again.clear();
    }
}

/// Returns why a response lacks what was requested, and whether that is an object which does not
/// exist.
fn lack(outcome: &Outcome<Page>) -> Option<(&str, bool)> {
    match outcome {
        Outcome::Absent(reason) => Some((reason, true)),
        Outcome::Unavailable(reason) => Some((reason, false)),
        Outcome::UnknownPath(error) | Outcome::Refused(error) => Some((&error.message, false)),
        Outcome::Complete(_) | Outcome::TooLarge(_) => None,
    }
}

/// Returns the error of a request that is too large and cannot be made smaller.
fn too_large(mut error: Error, however: &str) -> Error {
    error.message = format!("{}; {however}", error.message);
    error
}

#[cfg(test)]
mod tests;
