//! Ends a command before it is done: at a signal, or when it has taken too long.
//!
//! The command has a thread of its own, and so has this, which does nothing else. So a signal is
//! heeded and a deadline holds whatever the command is busy with. It is asked to end, and soon not
//! waited for any more.

use std::future::{Future, pending};
use std::pin::pin;
use std::time::Duration;

use elt_airbyte::{Message, Sender};
use elt_host::Error;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use super::outcome::Stop;
use crate::signal::{self, Signal};

/// How long a command that was asked to end may be busy with anything but its output before it is
/// given up on. Any that can notice does so within milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often is looked whether it waits for its output.
const STEP: Duration = Duration::from_millis(50);
/// How long stdout may take to be completed after a command has taken too long: as long again as
/// the command, within these bounds. A file gets the time it takes, because nobody can stall it. What waits then is a few megabytes, so whoever needs a
/// minute for them does not read, or reads what nobody will wait for.
const LEAST_FOR_OUTPUT: Duration = Duration::from_secs(1);
const MOST_FOR_OUTPUT: Duration = Duration::from_secs(60);

/// Why a command is to end before it is done.
#[derive(Clone, Copy, Debug)]
enum Halt {
    Signal(Signal),
    /// It has taken longer than this.
    Late(humantime::Duration),
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        Self::transient(match halt {
            Halt::Signal(signal) => format!("stopped by {}", signal.name),
            Halt::Late(limit) => format!("the read took more than {limit} (--max-sync allows more)"),
        })
    }
}

/// Tells a command that it is to end.
#[derive(Debug)]
pub(super) struct Halts(watch::Receiver<Option<Halt>>);

impl Halts {
    /// Waits until the command is to end, and returns the reason.
    pub(super) async fn reason(mut self) -> Error {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(halt)) => (*halt).into(),
            _ => pending().await,
        }
    }
}

/// How a command and its output ended.
#[derive(Debug)]
pub(super) struct Ended<W> {
    pub(super) outcome: Result<(), Stop>,
    pub(super) written: W,
    /// The signal by which the process is to end.
    pub(super) signal: Option<Signal>,
}

/// Watches over one command.
#[derive(Debug)]
pub(super) struct Supervisor {
    halting: watch::Sender<Option<Halt>>,
    /// How long the command may take.
    limit: Option<humantime::Duration>,
    /// How long the output may take to be completed after a signal.
    grace: Duration,
    /// Whether the output is a file, and not something that somebody has to read.
    is_file: bool,
}

impl Supervisor {
    pub(super) fn new(limit: Option<humantime::Duration>, grace: Duration, is_file: bool) -> Self {
        Self { halting: watch::Sender::new(None), limit, grace, is_file }
    }

    /// What tells the command that it is to end.
    pub(super) fn halts(&self) -> Halts {
        Halts(self.halting.subscribe())
    }

    /// Waits until the command has ended, which `command` says, and everything is `written`. Ends
    /// the process at a second signal, or if that takes too long after the first.
    ///
    /// # Errors
    ///
    /// If the command took too long, and its output was not taken for a while after that. The
    /// process is to end, although a thread still waits to write.
    pub(super) async fn watch<W>(
        self,
        command: oneshot::Receiver<Result<(), Stop>>,
        sender: Sender,
        written: impl Future<Output = W>,
    ) -> Result<Ended<W>, Error> {
        let mut work = pin!(async {
            let outcome = self.outcome(command, &sender).await;
            if let Err(Stop::Failed(error)) = &outcome {
                // If it cannot be sent, the writer says why.
                let _ = sender.send(Message::error(error.clone())).await;
            }
            // A command that was given up on still holds senders.
            sender.close().await;
            (outcome, written.await)
        });
        let (mut late, mut received) = (pin!(self.late()), pin!(signal::received()));
        let mut stalled = pin!(self.stalled());
        let signal = loop {
            tokio::select! {
                (outcome, written) = &mut work => return Ok(Ended { outcome, written, signal: None }),
                error = &mut stalled => return Err(error),
                late = &mut late, if self.halting.borrow().is_none() => self.halt(late),
                signal = &mut received => break signal,
            }
        };
        self.halt(Halt::Signal(signal));
        tokio::select! {
            (outcome, written) = work => Ok(Ended { outcome, written, signal: Some(signal) }),
            () = sleep(self.grace) => signal::end_by(signal),
            again = signal::received() => signal::end_by(again),
        }
    }

    /// Asks the command to end. The first reason counts.
    fn halt(&self, halt: Halt) {
        self.halting.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(halt);
            is_first
        });
    }

    /// Waits until the command has taken too long.
    async fn late(&self) -> Halt {
        let Some(limit) = self.limit else { return pending().await };
        sleep(limit.into()).await;
        Halt::Late(limit)
    }

    /// Waits until the output has had its time after the command took too long. Returns the error
    /// of a command whose output nobody takes.
    async fn stalled(&self) -> Error {
        let Some(limit) = self.limit.filter(|_| !self.is_file) else { return pending().await };
        let more = (*limit).clamp(LEAST_FOR_OUTPUT, MOST_FOR_OUTPUT);
        sleep(limit.saturating_add(more)).await;
        let more = humantime::Duration::from(more);
        Error::transient(format!(
            "the read took more than {limit} (--max-sync allows more), and what it had sent was not \
             taken from stdout within {more}"
        ))
        .with_hint("whatever reads the messages has to go on reading; what it has got is valid")
    }

    /// How the command ended, or why it was given up on.
    async fn outcome(
        &self,
        mut command: oneshot::Receiver<Result<(), Stop>>,
        sender: &Sender,
    ) -> Result<(), Stop> {
        let failed = |_| Err(Stop::Failed(Error::system("the host failed in the middle of this command")));
        let reason = tokio::select! {
            ended = &mut command => return ended.unwrap_or_else(failed),
            reason = self.halts().reason() => reason,
        };
        let mut busy = Duration::ZERO;
        while busy < PATIENCE {
            tokio::select! {
                ended = &mut command => return ended.unwrap_or_else(failed),
                () = sleep(STEP) => {}
            }
            // As long as messages wait to be written, the command may wait for that.
            busy = if sender.is_idle() { busy + STEP } else { Duration::ZERO };
        }
        Err(Stop::Failed(reason))
    }
}

#[cfg(test)]
mod tests {
    use elt_airbyte::{Receiver, channel};
    use elt_host::events::Level;
    use tokio::task::spawn_blocking;

    use super::*;
    use crate::advice::ADVICE;

    /// The errors among the messages, in one line.
    fn errors(mut receiver: Receiver) -> String {
        let mut errors = Vec::new();
        while let Some(message) = receiver.next_blocking() {
            if let Message::Error { error, .. } = message.unwrap().message() {
                errors.push(error.to_string());
            }
        }
        errors.join(", ")
    }

    async fn ended(
        limit: Option<Duration>,
        command: oneshot::Receiver<Result<(), Stop>>,
        sender: Sender,
        receiver: Receiver,
    ) -> (String, String) {
        let supervisor = Supervisor::new(limit.map(Into::into), Duration::ZERO, false);
        let written = async { spawn_blocking(|| errors(receiver)).await.unwrap() };
        let ended = supervisor.watch(command, sender, written).await.unwrap();
        let outcome = match ended.outcome {
            Ok(()) => "success".to_owned(),
            Err(Stop::Failed(error) | Stop::Reported(error)) => error.to_string(),
            Err(Stop::OutputClosed) => "closed".to_owned(),
        };
        (outcome, ended.written)
    }

    #[tokio::test]
    async fn a_command_that_notices_nothing_is_given_up_on() {
        let (sender, receiver) = channel(Level::Info, ADVICE);
        // It holds on to what it has for ever.
        let (_busy, command) = oneshot::channel();
        let _held = sender.clone();
        let text = "the read took more than 1ms (--max-sync allows more)".to_owned();
        let limit = Some(Duration::from_millis(1));
        assert_eq!(ended(limit, command, sender, receiver).await, (text.clone(), text));
    }

    #[tokio::test]
    async fn a_command_that_ends_by_itself_says_how() {
        for (said, told) in [(Ok(()), ("success", "")), (Err(Error::config("no")), ("no", "no"))] {
            let (sender, receiver) = channel(Level::Info, ADVICE);
            let (done, command) = oneshot::channel();
            assert!(done.send(said.map_err(Stop::Failed)).is_ok());
            let (outcome, errors) = ended(None, command, sender, receiver).await;
            assert_eq!((outcome.as_str(), errors.as_str()), told);
        }
    }

    #[tokio::test]
    async fn a_command_that_panics_is_a_failure_of_the_host() {
        let (sender, receiver) = channel(Level::Info, ADVICE);
        let (done, command) = oneshot::channel();
        drop(done);
        let (outcome, errors) = ended(None, command, sender, receiver).await;
        assert_eq!(
            (outcome.as_str(), errors.as_str()),
            ("the host failed in the middle of this command", outcome.as_str())
        );
    }
}
