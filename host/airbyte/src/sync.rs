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

mod stream;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use elt_host::{Error, Result};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};

use self::stream::{End, StreamRun, emit_failure};
use crate::catalog::ConfiguredStream;
use crate::channel::{OutputClosed, Sender};
use crate::message::Message;
use crate::report::{Failure, Report};
use crate::source::StreamSource;
use crate::state_sizes::StateSizes;
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

/// How the reading of a stream ended. `None` if the host failed in the middle of it.
type Ended = Option<Result<End, OutputClosed>>;

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

    /// Reads this many streams at a time, but at least one.
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
                        emit_failure(&sync.streams[index].descriptor, &error, sender).await?;
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
                            emit_failure(&sync.streams[index].descriptor, &error, sender).await?;
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

    /// Reads one stream on a thread of its own, which reports at its end how the read ended.
    ///
    /// It also has a runtime of its own. So neither a connector that computes nor the work of the
    /// host for it delays another stream, and a response wakes this thread only.
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
                let read = || runtime.block_on(self.stream(index, &sender, halted).run());
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

    fn stream<'a>(
        &'a self,
        index: usize,
        sender: &'a Sender,
        halted: watch::Receiver<bool>,
    ) -> StreamRun<'a, S> {
        let Self { source, streams, states, patience, state_sizes, .. } = self;
        let configured = &streams[index];
        StreamRun { source, configured, states, patience: *patience, state_sizes, sender, halted }
    }

    fn failure(&self, index: usize, error: Error) -> Failure {
        Failure { stream: self.streams[index].descriptor.clone(), error }
    }
}

/// Streams are bound by the network more than by the processor, so two are read even where there is
/// one core.
fn default_max_streams() -> usize {
    thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
}

#[cfg(test)]
mod tests;
