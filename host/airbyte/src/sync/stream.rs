//! Reads one stream of a sync: its statuses, its records, and its states when they are due.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use elt_host::events::Level;
use elt_host::types::{Batch, JsonObject};
use elt_host::{Error, Result};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::catalog::ConfiguredStream;
use crate::channel::{OutputClosed, Sender};
use crate::checkpoints::{Checkpoint, Checkpoints};
use crate::message::{Message, StreamDescriptor, StreamStatus, now};
use crate::source::{BatchSource, StreamSource};
use crate::state_sizes::{LastState, StateSizes};
use crate::states::States;

/// The read of one stream.
pub(super) struct StreamRun<'a, S> {
    pub(super) source: &'a S,
    pub(super) configured: &'a ConfiguredStream,
    pub(super) states: &'a States,
    /// How long a state waits for the next one.
    pub(super) patience: Duration,
    pub(super) state_sizes: &'a StateSizes,
    pub(super) sender: &'a Sender,
    /// Whether the sync as a whole stops.
    pub(super) halted: watch::Receiver<bool>,
}

/// How the reading of a stream ended.
pub(super) enum End {
    Complete,
    Failed(Error),
    Halted,
}

/// Why a read did not get to the end of its stream.
enum Interruption {
    Failed(Error),
    /// The sync as a whole stops.
    Halted,
    /// The output is closed.
    OutputClosed,
}

impl From<Error> for Interruption {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OutputClosed> for Interruption {
    fn from(_: OutputClosed) -> Self {
        Self::OutputClosed
    }
}

impl<S: StreamSource> StreamRun<'_, S> {
    /// Reads one stream, and emits its statuses, from the first to the last.
    pub(super) async fn run(mut self) -> Result<End, OutputClosed> {
        let (stream, sender) = (&self.configured.descriptor, self.sender);
        let emit =
            |status| sender.send(Message::StreamStatus { stream: stream.clone(), status, emitted_at: now() });
        emit(StreamStatus::Started).await?;
        match self.read_batches().await {
            Ok(()) => {
                emit(StreamStatus::Complete).await?;
                Ok(End::Complete)
            }
            Err(Interruption::Failed(error)) => {
                emit_failure(stream, &error, sender).await?;
                Ok(End::Failed(error))
            }
            Err(Interruption::Halted) => {
                emit(StreamStatus::Incomplete).await?;
                Ok(End::Halted)
            }
            Err(Interruption::OutputClosed) => Err(OutputClosed),
        }
    }

    async fn read_batches(&mut self) -> Result<(), Interruption> {
        let (stream, sender) = (&self.configured.descriptor, self.sender);
        let input = self.states.of(stream);
        if self.states.are_elsewhere(stream) {
            let text =
                format!("{}: its state is not used, because it is that of another namespace", stream.name);
            sender.log(Level::Warn, text).await;
        }
        let mut checkpoints = Checkpoints::default();
        let mut last = self.state_sizes.of_stream();
        let read = self.read_with(input, &mut checkpoints, &mut last).await;
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
        &mut self,
        input: Option<&JsonObject>,
        checkpoints: &mut Checkpoints,
        last: &mut LastState,
    ) -> Result<(), Interruption> {
        let (stream, sender) = (&self.configured.descriptor, self.sender);
        let halted = &mut self.halted;
        let opened = self.source.open(self.configured, input);
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

/// Emits that a stream failed.
pub(super) async fn emit_failure(
    stream: &Arc<StreamDescriptor>,
    error: &Error,
    sender: &Sender,
) -> Result<(), OutputClosed> {
    let (error, status) = (error.clone(), StreamStatus::Incomplete);
    sender.send(Message::Error { error, stream: Some(stream.clone()), emitted_at: now() }).await?;
    sender.send(Message::StreamStatus { stream: stream.clone(), status, emitted_at: now() }).await
}

async fn emit_state(
    stream: &Arc<StreamDescriptor>,
    Checkpoint { state, record_count }: Checkpoint,
    last: &mut LastState,
    sender: &Sender,
) -> Result<(), Interruption> {
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
async fn unless<T>(
    halted: &mut watch::Receiver<bool>,
    step: impl Future<Output = T>,
) -> Result<T, Interruption> {
    tokio::select! {
        biased;
        // Fails only if the sync is gone, and this task with it.
        _ = halted.wait_for(|halted| *halted) => Err(Interruption::Halted),
        done = step => Ok(done),
    }
}
