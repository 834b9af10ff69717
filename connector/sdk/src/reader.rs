//! A read under way: keeps requests in flight and hands over what came.
//!
//! In: the slices of a stream. Out: batches, each with the checkpoint that has become true with it. Whatever can be
//! asked for next is asked before a batch is handed over, so that the server works while the host writes.

use std::{collections::VecDeque, rc::Rc, task::Poll};

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
                Some((ask, result)) => match self.receive(&ask, result, was_waited_for) {
                    Ok(batch) => batch,
                    Err(error) => {
                        self.cancel();
                        return Err(error);
                    }
                },
                None => {
                    self.finished = true;
                    for remark in self.fetcher.api().remarks() {
                        self.platform.log.warn(&format!("{}: {remark}", self.stream.name));
                    }
                    Batch { records: Vec::new(), checkpoint: self.slices.checkpoint() }
                }
            };
            if !batch.records.is_empty() || batch.checkpoint.is_some() {
                self.fill().await;
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Turns an answer into a batch, which is empty if the answer was not one of records.
    fn receive(&mut self, ask: &Ask, result: Result<Answer<Page>>, was_waited_for: bool) -> Result<Batch> {
        let page = match result.map_err(|error| error.in_stream(self.stream.name))? {
            Answer::Complete(page) => page,
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
        let records = self.slices.observe(ask, page).map_err(|reason| {
            let api = self.fetcher.api();
            let request = api.page_request(ask).to_string();
            Error::system(api.redact(&reason)).internal(request).in_stream(self.stream.name)
        })?;
        let checkpoint = self.slices.checkpoint();
        self.tell_progress();
        Ok(Batch { records, checkpoint })
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
            let Some(ask) = self.slices.next_ask() else { break };
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
    }
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
