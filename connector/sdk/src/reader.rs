//! A read under way: keeps requests in flight and hands over what came.
//!
//! In: the slices of a stream. Out: batches, each with the checkpoint that has become true with it. Whatever can be
//! asked for next is asked before a batch is handed over, so that the server works while the host writes.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    task::Poll,
};

use futures_util::{
    StreamExt,
    future::{LocalBoxFuture, poll_fn},
    stream::FuturesUnordered,
};

use crate::{
    error::{Error, Result},
    fetch::{Answer, Fetcher},
    page::Page,
    platform::Platform,
    room::Room,
    slice::{Ask, Slices},
    stream::Stream,
};

/// Records that are handed over together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Each one JSON object on one line.
    pub records: Vec<String>,
    /// The state that is true once these records, and all before them, are written.
    pub checkpoint: Option<String>,
}

type Fetched = (Ask, Result<Answer<Page>>);

/// Reads one stream.
pub struct Reader {
    stream: &'static Stream,
    slices: Box<dyn Slices>,
    fetcher: Rc<Fetcher>,
    platform: Platform,
    room: Room,
    /// How many slices were last told as read, and of how many.
    told: (u64, Option<u64>),
    in_flight: FuturesUnordered<LocalBoxFuture<'static, Fetched>>,
    fetched: VecDeque<Fetched>,
    /// To be asked for once more, in smaller pages.
    again: VecDeque<Ask>,
    /// How many records a page may have, by the name of the list's stream, where that is fewer than the stream says.
    page_limits: BTreeMap<&'static str, u32>,
    has_received: bool,
    finished: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("stream", &self.stream.name).finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads `slices` with up to `concurrency` requests in flight, fewer if pages are large.
    pub fn new(
        stream: &'static Stream,
        slices: Box<dyn Slices>,
        fetcher: Rc<Fetcher>,
        platform: Platform,
        concurrency: usize,
    ) -> Self {
        let (in_flight, fetched) = (FuturesUnordered::new(), VecDeque::new());
        Self {
            stream,
            slices,
            fetcher,
            platform,
            room: Room::new(concurrency),
            told: (0, None),
            in_flight,
            fetched,
            again: VecDeque::new(),
            page_limits: BTreeMap::new(),
            has_received: false,
            finished: false,
        }
    }

    /// The next batch, or none at the end of the stream.
    ///
    /// # Errors
    /// What made it impossible to go on; the reader is finished then.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        while !self.finished {
            self.fill().await;
            let (next, was_waited_for) = match self.fetched.pop_front() {
                Some(fetched) => (Some(fetched), false),
                None => (self.in_flight.next().await, true),
            };
            let batch = match next {
                Some((ask, result)) => match self.receive(ask, result, was_waited_for) {
                    Ok(batch) => batch,
                    Err(error) => {
                        self.cancel();
                        return Err(error);
                    }
                },
                None => match self.slices.checkpoint() {
                    Some(checkpoint) => Batch { records: Vec::new(), checkpoint: Some(checkpoint) },
                    None => return self.finish().map(|()| None),
                },
            };
            if !batch.records.is_empty() || batch.checkpoint.is_some() {
                self.fill().await;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Says what is to be said at the end of a stream.
    fn finish(&mut self) -> Result<()> {
        self.finished = true;
        for remark in self.fetcher.api().remarks() {
            self.platform.log.warn(&format!("{}: {remark}", self.stream.name));
        }
        self.slices.failure().map_or(Ok(()), |error| Err(error.in_stream(self.stream.name)))
    }

    /// Turns an answer into a batch, which is empty if the answer was not one of records.
    fn receive(&mut self, ask: Ask, result: Result<Answer<Page>>, was_waited_for: bool) -> Result<Batch> {
        let page = match result.map_err(|error| error.in_stream(self.stream.name))? {
            Answer::Complete(page) => page,
            Answer::Refused(error) => {
                let error = self.of_request(error, &ask);
                self.slices.refuse(&ask, error).map_err(|error| error.in_stream(self.stream.name))?;
                self.tell_progress();
                return Ok(Batch { records: Vec::new(), checkpoint: self.slices.checkpoint() });
            }
            Answer::TooLarge(error) => {
                self.ask_for_less(ask, error).map_err(|error| error.in_stream(self.stream.name))?;
                return Ok(Batch::default());
            }
            Answer::Absent(reason) => match &ask.slice.parent {
                Some(parent) => {
                    self.platform
                        .log
                        .warn(&format!("{}: skipped {parent}, which is gone: {reason}", self.stream.name));
                    Page::default()
                }
                None => {
                    let message = format!("{reason}; is the address of the API right?");
                    return Err(Error::config(message).in_stream(self.stream.name));
                }
            },
            Answer::Unavailable(reason) if self.has_received => {
                return Err(Error::system(format!("broke off: {reason}")).in_stream(self.stream.name));
            }
            Answer::Unavailable(reason) => {
                self.platform
                    .log
                    .warn(&format!("{}: skipped, this account does not have it: {reason}", self.stream.name));
                self.cancel();
                return Ok(Batch::default());
            }
        };
        self.has_received = true;
        self.room.observe(page.bytes, was_waited_for);
        let records = self.slices.observe(&ask, page).map_err(|reason| {
            let api = self.fetcher.api();
            let request = api.page_request(&ask).to_string();
            Error::system(api.redact(&reason)).internal(request).in_stream(self.stream.name)
        })?;
        let checkpoint = self.slices.checkpoint();
        self.tell_progress();
        Ok(Batch { records, checkpoint })
    }

    /// Asks for the same in smaller pages, or has its slice shortened where the list has no pages. A page token leads on
    /// in pages of another size too: should a server count pages by it, some records come twice and none is missed.
    fn ask_for_less(&mut self, ask: Ask, error: Error) -> Result<()> {
        let (list, stream) = (ask.stream.name, self.stream.name);
        let error = self.of_request(error, &ask);
        let Some(asked) = ask.page_limit() else {
            if self.slices.shorten(&ask) {
                let message = format!("{stream}: answers are too large; shorter times are asked for");
                self.platform.log.debug(&message);
                return Ok(());
            }
            return Err(too_large(error, "and there is no shorter time to ask for"));
        };
        if asked <= 1 {
            return Err(too_large(error, "even with one record on a page"));
        }
        // Of several requests in flight, each of which was refused, the first has set the limit.
        let known = self.page_limits.get(list).copied().unwrap_or(asked);
        let limit = known.min(asked / 2);
        if limit < known {
            self.page_limits.insert(list, limit);
            let message = format!("{stream}: pages of {asked} {list} are too large; {limit} are asked for");
            self.platform.log.warn(&message);
        }
        self.again.push_back(ask);
        Ok(())
    }

    /// The error with the request that led to it.
    fn of_request(&self, error: Error, ask: &Ask) -> Error {
        let request = self.fetcher.api().page_request(ask).to_string();
        if error.internal_message.is_some() { error } else { error.internal(request) }
    }

    /// Tells how many slices have been read, if that is news.
    fn tell_progress(&mut self) {
        let progress = self.slices.progress();
        if self.told != progress {
            self.told = progress;
            self.platform.progress.slices(progress.0, progress.1);
        }
    }

    /// Starts as many requests as may be in flight, and takes what has come meanwhile.
    async fn fill(&mut self) {
        if self.finished {
            return;
        }
        while self.in_flight.len() + self.fetched.len() < self.room.requests() {
            let Some(mut ask) = self.again.pop_front().or_else(|| self.slices.next_ask()) else { break };
            ask.slice.page_limit = self.page_limits.get(ask.stream.name).copied();
            self.in_flight.push(Box::pin(fetch(Rc::clone(&self.fetcher), ask)));
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

/// The error of a request that is too large and cannot be made smaller.
fn too_large(mut error: Error, however: &str) -> Error {
    error.message = format!("{}; this is so {however}", error.message);
    error
}

async fn fetch(fetcher: Rc<Fetcher>, ask: Ask) -> Fetched {
    let request = fetcher.api().page_request(&ask);
    let mut result = fetcher.fetch(request, |body| fetcher.api().decode_page(&ask, body)).await;
    if ask.stream.is_enriched
        && let Ok(Answer::Complete(page)) = result
    {
        result = fetcher.api().enrich(&fetcher, page).await.map(Answer::Complete);
    }
    (ask, result)
}
