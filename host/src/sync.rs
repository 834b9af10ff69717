//! A sync: configured streams and their states come in, messages go out, in the order in which Airbyte wants them.
//!
//! ```text
//! STARTED  [RUNNING  RECORD...  STATE]...  STATE  COMPLETE
//!                                     or:  ERROR  INCOMPLETE
//! ```
//!
//! Several streams are read at a time, each on a thread of its own, and all tell what they have to tell through one
//! [`Outbox`], where the order within a stream is kept. They fail one by one: the others are still read, and the last
//! state of a failed one stays in force.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::catalog::ConfiguredStream;
use crate::contract::{Batch, Level};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::message::{Message, StreamDescriptor, StreamStatus, now};
use crate::outbox::{Closed, Outbox};
use crate::progress::{Checkpoint, Progress};
use crate::report::{Failure, Report};
use crate::state::States;
use crate::streams::{Batches, Streams};

/// How long a state waits for the next one at most. Long enough for the next page of an API that is not slow, and no loss
/// if the process dies meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// One run over all configured streams.
#[derive(Clone, Debug)]
pub struct Sync<S> {
    source: S,
    streams: Vec<ConfiguredStream>,
    states: States,
    max_streams: usize,
    patience: Duration,
}

/// Why the reading of a stream stopped.
enum Stop {
    Failed(Error),
    /// The sync as a whole is to end.
    Halted,
    /// Nobody listens any more, so there is nothing to tell.
    Unheard,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Unheard
    }
}

/// How the reading of a stream ended.
enum End {
    Complete,
    Failed(Error),
    Halted,
}

impl<S: Streams> Sync<S> {
    /// Will read `streams` from `source`, each from its state among `states`, and as many at a time as the machine has
    /// cores, but at least two.
    pub fn new(source: S, streams: Vec<ConfiguredStream>, states: States) -> Self {
        Self { source, streams, states, max_streams: default_max_streams(), patience: PATIENCE }
    }

    /// Reads so many streams at a time, but at least one.
    #[must_use]
    pub fn max_streams(mut self, max_streams: usize) -> Self {
        self.max_streams = max_streams.max(1);
        self
    }

    /// Reads the streams and tells what there is to tell, failures included. Ends early, with the state that each
    /// stream has told last, if `halt` gives a reason to.
    ///
    /// # Errors
    ///
    /// [`Closed`] if nobody takes the messages out any more.
    pub async fn run(self, outbox: &Outbox, halt: impl Future<Output = Error>) -> Result<Report, Closed> {
        let sync = Arc::new(self);
        let mut report = Report::new(sync.streams.len());
        let (halting, halted) = watch::channel(false);
        let mut halt = std::pin::pin!(halt);
        let mut waiting = 0..sync.streams.len();
        let mut tasks = JoinSet::new();
        let mut indices = HashMap::new();
        loop {
            while tasks.len() < sync.max_streams
                && !*halting.borrow()
                && let Some(index) = waiting.next()
            {
                let (sync, outbox, halted) = (sync.clone(), outbox.clone(), halted.clone());
                // A thread of its own: a connector that computes would hold up the connections that share a worker of
                // the runtime with it.
                let runtime = Handle::current();
                let task =
                    tasks.spawn_blocking(move || runtime.block_on(sync.read_stream(index, &outbox, halted)));
                indices.insert(task.id(), index);
            }
            tokio::select! {
                ended = tasks.join_next_with_id() => match ended {
                    Some(Ok((_, Ok(End::Complete)))) => {}
                    Some(Ok((task, Ok(End::Failed(error))))) => report.add(indices[&task], sync.failure(indices[&task], error)),
                    Some(Ok((_, Ok(End::Halted)))) => report.leave(1),
                    Some(Ok((_, Err(Closed)))) => {
                        halting.send_replace(true);
                        return Err(Closed);
                    }
                    Some(Err(panic)) => {
                        let index = indices[&panic.id()];
                        let error = Error::system("the host failed in the middle of this stream");
                        sync.tell_failure(index, &error, outbox).await?;
                        report.add(index, sync.failure(index, error));
                    }
                    None => break,
                },
                reason = &mut halt, if !*halting.borrow() => {
                    report.halt(reason);
                    halting.send_replace(true);
                }
            }
        }
        report.leave(waiting.len());
        if let Some(summary) = report.summary() {
            outbox.send(Message::error(summary)).await?;
        }
        Ok(report)
    }

    fn failure(&self, index: usize, error: Error) -> Failure {
        Failure { stream: self.streams[index].descriptor.clone(), error }
    }

    /// Reads one stream and tells how it goes, from its first status to its last.
    async fn read_stream(
        &self,
        index: usize,
        outbox: &Outbox,
        halted: watch::Receiver<bool>,
    ) -> Result<End, Closed> {
        let stream = &self.streams[index];
        let tell = |status| {
            outbox.send(Message::StreamStatus {
                stream: stream.descriptor.clone(),
                status,
                emitted_at: now(),
            })
        };
        tell(StreamStatus::Started).await?;
        match self.read_batches(stream, outbox, halted).await {
            Ok(()) => {
                tell(StreamStatus::Complete).await?;
                Ok(End::Complete)
            }
            Err(Stop::Failed(error)) => {
                self.tell_failure(index, &error, outbox).await?;
                Ok(End::Failed(error))
            }
            Err(Stop::Halted) => {
                tell(StreamStatus::Incomplete).await?;
                Ok(End::Halted)
            }
            Err(Stop::Unheard) => Err(Closed),
        }
    }

    async fn tell_failure(&self, index: usize, error: &Error, outbox: &Outbox) -> Result<(), Closed> {
        let stream = self.streams[index].descriptor.clone();
        let (error, status) = (error.clone(), StreamStatus::Incomplete);
        outbox.send(Message::Error { error, stream: Some(stream.clone()), emitted_at: now() }).await?;
        outbox.send(Message::StreamStatus { stream, status, emitted_at: now() }).await
    }

    async fn read_batches(
        &self,
        configured: &ConfiguredStream,
        outbox: &Outbox,
        mut halted: watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let stream = &configured.descriptor;
        let input = self.states.of(stream);
        if self.states.are_elsewhere(stream) {
            let text =
                format!("{}: its state is not used, because it is that of another namespace", stream.name);
            outbox.log(Level::Warn, text).await;
        }
        let mut progress = Progress::default();
        let read = self.read_with(configured, input, &mut progress, outbox, &mut halted).await;
        let due = match &read {
            Ok(()) => progress.finish(input, States::none),
            Err(_) => progress.tell_pending(),
        };
        let told = match due {
            Some(checkpoint) => tell_state(stream, checkpoint, outbox).await,
            None => Ok(()),
        };
        // Of two failures, the first is the reason.
        read?;
        told?;
        let total = progress.total();
        let noun = if total == 1 { "record" } else { "records" };
        outbox.log(Level::Info, format!("read {total} {noun} of {}", stream.name)).await;
        Ok(())
    }

    /// Emits what a stream has, and its states as they fall due.
    async fn read_with(
        &self,
        configured: &ConfiguredStream,
        input: Option<&Document>,
        progress: &mut Progress,
        outbox: &Outbox,
        halted: &mut watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let stream = &configured.descriptor;
        let opened = self.source.read(configured, input);
        let mut reader = unless(halted, opened).await??;
        loop {
            let mut next = pin!(unless(halted, reader.next_batch()));
            let next = tokio::select! {
                biased;
                next = &mut next => next,
                () = sleep(self.patience), if progress.is_pending() => {
                    if let Some(checkpoint) = progress.tell_pending() {
                        tell_state(stream, checkpoint, outbox).await?;
                    }
                    next.await
                }
            };
            let Some(Batch { records, checkpoint }) = next?? else { return Ok(()) };
            if let Some(checkpoint) = progress.advance(checkpoint) {
                tell_state(stream, checkpoint, outbox).await?;
            }
            if progress.is_empty() && !records.is_empty() {
                let status = StreamStatus::Running;
                outbox
                    .send(Message::StreamStatus { stream: stream.clone(), status, emitted_at: now() })
                    .await?;
            }
            if !records.is_empty() {
                progress.emitted(records.len());
                outbox.send(Message::Records { stream: stream.clone(), emitted_at: now(), records }).await?;
            }
        }
    }
}

async fn tell_state(
    stream: &Arc<StreamDescriptor>,
    Checkpoint { state, record_count }: Checkpoint,
    outbox: &Outbox,
) -> Result<(), Stop> {
    outbox.redaction().check(&state).map_err(|reason| {
        Error::system(format!("{}: {reason}", stream.name)).with_hint(
            "the state before it is still in force; that a connector keeps a secret in its state is a defect of it",
        )
    })?;
    Ok(outbox.send(Message::State { stream: stream.clone(), state, record_count }).await?)
}

/// Waits for `step`, but not any longer once the sync is to end.
async fn unless<T>(halted: &mut watch::Receiver<bool>, step: impl Future<Output = T>) -> Result<T, Stop> {
    tokio::select! {
        biased;
        // Fails only if the sync is gone, and this task with it.
        _ = halted.wait_for(|halted| *halted) => Err(Stop::Halted),
        done = step => Ok(done),
    }
}

/// Streams are bound by the network more than by the processor, so two are read even where there is one core.
fn default_max_streams() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

#[cfg(test)]
mod tests;
