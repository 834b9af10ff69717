//! One command of a connector: arguments come in, messages on stdout and an exit code go out.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use host::{Error, Level, Message, Sender, States};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use super::check::check;
use super::discover::discover;
use super::outcome::{Stop, fail};
use super::read::read;
use super::sinks::{Sinks, Written};
use super::spec::spec;
use crate::args::{Action, ComponentSource, SourceArgs};
use crate::signal::{self, Signal};

/// How long the output may take to come in order after a signal. Airbyte's clients send SIGKILL after some seconds.
const GRACE: Duration = Duration::from_millis(900);
/// The same where a file is written, which nobody can stall, and which is lost if it is not made durable. Docker sends
/// SIGKILL after ten seconds.
const GRACE_OF_FILE: Duration = Duration::from_secs(9);

/// Runs one command of a connector. All of its messages are written by one emitter on a thread of its own.
pub(crate) fn speak(runtime: &Runtime, component: &ComponentSource, source: &SourceArgs, level: Level) -> ExitCode {
    let (sender, receiver) = Sender::new(level);
    let redaction = sender.redaction().clone();
    let wanted = match &source.action {
        Action::Read(files) => Some(&files.destination),
        _ => None,
    };
    // What cannot be written is told before anything is read; on stdout, for want of anything else.
    let (sinks, opened) = match wanted.map(Sinks::open) {
        None => (Sinks::stdout(), Ok(None)),
        Some(Ok((sinks, states))) => (sinks, Ok(states)),
        Some(Err(error)) => (Sinks::stdout(), Err(error)),
    };
    let grace = if sinks.is_file() { GRACE_OF_FILE } else { GRACE };
    let writer = runtime.spawn_blocking(|| sinks.drain(receiver));
    let (received, signals) = watch::channel(None);
    runtime.spawn(watch_signals(received, grace));
    let (outcome, written) = runtime.block_on(async {
        let outcome = match opened {
            Ok(states) => execute(component, source, states, &sender, &signals).await,
            Err(error) => Err(Stop::Failed(error)),
        };
        if let Err(Stop::Failed(error)) = &outcome {
            // If this is not heard, the writer says why.
            let _ = sender.send(Message::error(error.clone())).await;
        }
        drop(sender);
        (outcome, writer.await)
    });
    if let Some(signal) = *signals.borrow() {
        signal::end_by(signal);
    }
    match (written, outcome) {
        // Whoever read the output has enough of it.
        (Ok(Written::OutputClosed), _) => ExitCode::SUCCESS,
        (Ok(Written::Failed(error)), Ok(()) | Err(Stop::OutputClosed)) => fail(&error, Some(&redaction)),
        (Ok(Written::Failed(also)), Err(Stop::Failed(error) | Stop::Reported(error))) => {
            fail(&error, Some(&redaction));
            fail(&also, Some(&redaction))
        }
        (Err(error), _) => fail(&Error::system(format!("the writer of the output failed: {error}")), None),
        (Ok(Written::All), Err(Stop::Failed(error) | Stop::Reported(error))) => fail(&error, Some(&redaction)),
        (Ok(Written::All), Ok(()) | Err(Stop::OutputClosed)) => ExitCode::SUCCESS,
    }
}

/// Passes the first signal on, and ends the process if the output does not come in order, or at a second signal.
async fn watch_signals(received: watch::Sender<Option<Signal>>, grace: Duration) {
    let signal = signal::received().await;
    received.send_replace(Some(signal));
    let last = tokio::select! {
        () = sleep(grace) => signal,
        again = signal::received() => again,
    };
    signal::end_by(last);
}

/// Why a command is to end, once a signal says so.
async fn stopped(signals: &watch::Receiver<Option<Signal>>) -> Error {
    let mut signals = signals.clone();
    match signals.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(signal)) => Error::transient(format!("stopped by {}", signal.name)),
        _ => std::future::pending().await,
    }
}

async fn execute(
    component: &ComponentSource,
    source: &SourceArgs,
    states: Option<States>,
    sender: &Sender,
    signals: &watch::Receiver<Option<Signal>>,
) -> Result<(), Stop> {
    let SourceArgs { sandbox, action } = source;
    let unless_stopped = async |command: &mut (dyn Future<Output = Result<(), Stop>> + Unpin)| {
        tokio::select! {
            done = command => done,
            reason = stopped(signals) => Err(Stop::Failed(reason)),
        }
    };
    match action {
        Action::Spec => unless_stopped(&mut Box::pin(spec(component, sandbox, sender))).await,
        Action::Check { config } => {
            unless_stopped(&mut Box::pin(check(component, sandbox, &config.path, sender))).await
        }
        Action::Discover { config, .. } => {
            unless_stopped(&mut Box::pin(discover(component, sandbox, &config.path, sender))).await
        }
        Action::Read(files) => read(component, sandbox, files, states, sender, stopped(signals)).await,
    }
}
