//! Reads the configured streams of a source, and emits messages in the order in which Airbyte
//! expects them.
//!
//! ```text
//! STARTED  [RUNNING  RECORD...  STATE]...  STATE  COMPLETE
//!                                     or:  ERROR  INCOMPLETE
//! ```
//!
//! Several streams are read at a time, each on a thread of its own. All send through one channel,
//! which keeps the order within a stream. Streams fail one by one: the others are still read, and
//! the last state of a failed one stays in force.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use elt_host::events::Level;
use elt_host::types::{Batch, JsonObject};
use elt_host::{Error, Result};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::catalog::ConfiguredStream;
use crate::channel::{OutputClosed, Sender};
use crate::checkpoints::{Checkpoint, Checkpoints};
use crate::message::{Message, StreamDescriptor, StreamStatus, now};
use crate::report::{Failure, Report};
use crate::source::{BatchSource, StreamSource};
use crate::state_sizes::{LastState, StateSizes};
use crate::states::States;

/// How long a state waits for the next one. Long enough for the next page of a fast API, and short
/// enough that little is lost if the process dies.
const PATIENCE: Duration = Duration::from_secs(1);

/// One run over all configured streams.
#[derive(Clone, Debug)]
pub struct SyncRun<S> {
    source: S,
    streams: Vec<ConfiguredStream>,
    states: States,
    max_streams: usize,
    patience: Duration,
    state_sizes: StateSizes,
}

/// Why the reading of a stream stopped.
enum Stop {
    Failed(Error),
    /// The sync as a whole stops.
    Halted,
    /// The output is closed.
    OutputClosed,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OutputClosed> for Stop {
    fn from(_: OutputClosed) -> Self {
        Self::OutputClosed
    }
}

/// How the reading of a stream ended. `None` if the host failed in the middle of it.
type Ended = Option<Result<End, OutputClosed>>;

/// How the reading of a stream ended.
enum End {
    Complete,
    Failed(Error),
    Halted,
}

impl<S: StreamSource> SyncRun<S> {
    /// A sync of `streams` of `source`, each from its state among `states`. As many are read at a
    /// time as the machine has cores, but at least two.
    pub fn new(source: S, streams: Vec<ConfiguredStream>, states: States) -> Self {
        Self {
            source,
            streams,
            states,
            max_streams: default_max_streams(),
            patience: PATIENCE,
            state_sizes: StateSizes::default(),
        }
    }

    /// Reads so many streams at a time, but at least one.
    #[must_use]
    pub fn max_streams(mut self, max_streams: usize) -> Self {
        self.max_streams = max_streams.max(1);
        self
    }

    /// Reads the streams, and emits their messages, failures included. If `halt` returns a reason,
    /// the sync stops early, with the last state of each stream.
    ///
    /// # Errors
    ///
    /// [`OutputClosed`] if nobody receives the messages any more.
    pub async fn run(
        self,
        sender: &Sender,
        halt: impl Future<Output = Error>,
    ) -> Result<Report, OutputClosed> {
        let sync = Arc::new(self);
        let mut report = Report::new(sync.streams.len());
        let (halting, halted) = watch::channel(false);
        let mut halt = std::pin::pin!(halt);
        let mut waiting = 0..sync.streams.len();
        let (ending, mut endings) = mpsc::unbounded_channel();
        let mut running = 0;
        loop {
            while running < sync.max_streams
                && !*halting.borrow()
                && let Some(index) = waiting.next()
            {
                let (ending, halted) = (ending.clone(), halted.clone());
                match sync.clone().start_stream(index, sender.clone(), halted, ending) {
                    Ok(()) => running += 1,
                    Err(error) => {
                        sync.emit_failure(index, &error, sender).await?;
                        report.add(index, sync.failure(index, error));
                    }
                }
            }
            if running == 0 {
                break;
            }
            tokio::select! {
                Some((index, ended)) = endings.recv() => {
                    running -= 1;
                    match ended {
                        Some(Ok(End::Complete)) => {}
                        Some(Ok(End::Failed(error))) => report.add(index, sync.failure(index, error)),
                        Some(Ok(End::Halted)) => report.leave(1),
                        Some(Err(OutputClosed)) => {
                            halting.send_replace(true);
                            return Err(OutputClosed);
                        }
                        None => {
                            let error = Error::system("the host failed in the middle of this stream");
                            sync.emit_failure(index, &error, sender).await?;
                            report.add(index, sync.failure(index, error));
                        }
                    }
                }
                reason = &mut halt, if !*halting.borrow() => {
                    report.halt(reason);
                    halting.send_replace(true);
                }
            }
        }
        report.leave(waiting.len());
        if let Some(summary) = report.summary() {
            sender.send(Message::error(summary)).await?;
        }
        Ok(report)
    }

    /// Reads one stream on a thread of its own, which says at its end how it went.
    ///
    /// Its runtime is its own as well: a connector that computes, and what the host does for it,
    /// hold up no other stream, and an answer wakes no thread but this one.
    fn start_stream(
        self: Arc<Self>,
        index: usize,
        sender: Sender,
        halted: watch::Receiver<bool>,
        ending: mpsc::UnboundedSender<(usize, Ended)>,
    ) -> Result<()> {
        let start = || {
            let runtime = Builder::new_current_thread().enable_time().build()?;
            let reading = move || {
                let read = || runtime.block_on(self.read_stream(index, &sender, halted));
                let ended = catch_unwind(AssertUnwindSafe(read)).ok();
                // Fails only if the sync is gone.
                let _ = ending.send((index, ended));
            };
            thread::Builder::new().name("stream".to_owned()).spawn(reading)
        };
        start().map(drop).map_err(|error| {
            Error::system("no thread can be started for this stream")
                .with_internal(error)
                .with_hint("read fewer streams at the same time")
        })
    }

    fn failure(&self, index: usize, error: Error) -> Failure {
        Failure { stream: self.streams[index].descriptor.clone(), error }
    }

    /// Reads one stream, and emits its statuses, from the first to the last.
    async fn read_stream(
        &self,
        index: usize,
        sender: &Sender,
        halted: watch::Receiver<bool>,
    ) -> Result<End, OutputClosed> {
        let stream = &self.streams[index];
        let emit = |status| {
            sender.send(Message::StreamStatus {
                stream: stream.descriptor.clone(),
                status,
                emitted_at: now(),
            })
        };
        emit(StreamStatus::Started).await?;
        match self.read_batches(stream, sender, halted).await {
            Ok(()) => {
                emit(StreamStatus::Complete).await?;
                Ok(End::Complete)
            }
            Err(Stop::Failed(error)) => {
                self.emit_failure(index, &error, sender).await?;
                Ok(End::Failed(error))
            }
            Err(Stop::Halted) => {
                emit(StreamStatus::Incomplete).await?;
                Ok(End::Halted)
            }
            Err(Stop::OutputClosed) => Err(OutputClosed),
        }
    }

    async fn emit_failure(&self, index: usize, error: &Error, sender: &Sender) -> Result<(), OutputClosed> {
        let stream = self.streams[index].descriptor.clone();
        let (error, status) = (error.clone(), StreamStatus::Incomplete);
        sender.send(Message::Error { error, stream: Some(stream.clone()), emitted_at: now() }).await?;
        sender.send(Message::StreamStatus { stream, status, emitted_at: now() }).await
    }

    async fn read_batches(
        &self,
        configured: &ConfiguredStream,
        sender: &Sender,
        mut halted: watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let stream = &configured.descriptor;
        let input = self.states.of(stream);
        if self.states.are_elsewhere(stream) {
            let text =
                format!("{}: its state is not used, because it is that of another namespace", stream.name);
            sender.log(Level::Warn, text).await;
        }
        let mut checkpoints = Checkpoints::default();
        let mut last = self.state_sizes.of_stream();
        let read = self.read_with(configured, input, &mut checkpoints, &mut last, sender, &mut halted).await;
        let due = match &read {
            Ok(()) => checkpoints.finish(input, States::none),
            Err(_) => checkpoints.emit_pending(),
        };
        let emitted = match due {
            Some(checkpoint) => emit_state(stream, checkpoint, &mut last, sender).await,
            None => Ok(()),
        };
        // If both failed, the first failure is the reason.
        read?;
        emitted?;
        let total = checkpoints.total();
        let noun = if total == 1 { "record" } else { "records" };
        sender.log(Level::Info, format!("read {total} {noun} of {}", stream.name)).await;
        Ok(())
    }

    /// Emits the records of a stream, and its states when they are due.
    async fn read_with(
        &self,
        configured: &ConfiguredStream,
        input: Option<&JsonObject>,
        checkpoints: &mut Checkpoints,
        last: &mut LastState,
        sender: &Sender,
        halted: &mut watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let stream = &configured.descriptor;
        let opened = self.source.open(configured, input);
        let mut reader = unless(halted, opened).await??;
        loop {
            let mut next = pin!(unless(halted, reader.pull()));
            let next = tokio::select! {
                biased;
                next = &mut next => next,
                () = sleep(self.patience), if checkpoints.is_pending() => {
                    if let Some(checkpoint) = checkpoints.emit_pending() {
                        emit_state(stream, checkpoint, last, sender).await?;
                    }
                    next.await
                }
            };
            let Some(Batch { records, checkpoint }) = next?? else { return Ok(()) };
            if let Some(checkpoint) = checkpoints.advance(checkpoint) {
                emit_state(stream, checkpoint, last, sender).await?;
            }
            if checkpoints.is_empty() && !records.is_empty() {
                let status = StreamStatus::Running;
                sender
                    .send(Message::StreamStatus { stream: stream.clone(), status, emitted_at: now() })
                    .await?;
            }
            if !records.is_empty() {
                checkpoints.count(records.len());
                sender.send(Message::Records { stream: stream.clone(), emitted_at: now(), records }).await?;
            }
        }
    }
}

async fn emit_state(
    stream: &Arc<StreamDescriptor>,
    Checkpoint { state, record_count }: Checkpoint,
    last: &mut LastState,
    sender: &Sender,
) -> Result<(), Stop> {
    last.replace(&state).map_err(|reason| {
        Error::system(format!("{}: {reason}", stream.name)).with_hint(
            "the state before it is still in force; a connector that needs a larger one is read in several reads of \
             fewer streams",
        )
    })?;
    sender.check_state(&state).map_err(|reason| {
        Error::system(format!("{}: {reason}", stream.name)).with_hint(
            "the state before it is still in force; that a connector keeps a secret in its state is a defect of it",
        )
    })?;
    Ok(sender.send(Message::State { stream: stream.clone(), state, record_count }).await?)
}

/// Waits for `step`, unless the sync stops.
async fn unless<T>(halted: &mut watch::Receiver<bool>, step: impl Future<Output = T>) -> Result<T, Stop> {
    tokio::select! {
        biased;
        // Fails only if the sync is gone, and this task with it.
        _ = halted.wait_for(|halted| *halted) => Err(Stop::Halted),
        done = step => Ok(done),
    }
}

/// Streams are bound by the network more than by the processor, so two are read even where there is
/// one core.
fn default_max_streams() -> usize {
    thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

#[cfg(test)]
mod tests;
