//! `host run`: runs one command of a connector, writes its messages, and returns an exit code.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use elt_airbyte::{Message, States, channel};
use elt_host::Error;
use elt_host::events::Level;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use super::check::check;
use super::collision;
use super::discover::discover;
use super::invocation::Invocation;
use super::outcome::{Stop, fail};
use super::output::{Output, Written};
use super::read::read;
use super::spec::spec;
use crate::advice::ADVICE;
use crate::args::{Action, Run, SourceArgs};
use crate::signal::{self, Signal};

/// How long the output may take to be completed after a signal. Airbyte's clients send SIGKILL
/// after some seconds.
const GRACE: Duration = Duration::from_millis(900);
/// The same where a file is written: nobody can stall that, and the file is lost if it is not
/// synced. Docker sends SIGKILL after ten seconds.
const GRACE_OF_FILE: Duration = Duration::from_secs(9);

/// Runs one command of a connector. All of its messages are written by one thread.
pub(crate) fn run(runtime: &Runtime, run: &Run, level: Level) -> ExitCode {
    let Run { component, source } = run;
    let (sender, receiver) = channel(level, ADVICE);
    let wanted = match &source.action {
        Action::Read(files) => Some(&files.destination),
        _ => None,
    };
    // A file that cannot be written is reported before anything is read; on stdout, for want of
    // another place.
    let (output, opened) =
        match wanted.map(|wanted| collision::check(run).and_then(|()| Output::open(wanted))) {
            None => (Output::stdout(), Ok(None)),
            Some(Ok((output, states))) => (output, Ok(states)),
            Some(Err(error)) => (Output::stdout(), Err(error)),
        };
    let grace = if output.is_file() { GRACE_OF_FILE } else { GRACE };
    let writer = runtime.spawn_blocking(|| output.drain(receiver));
    let (received, signals) = watch::channel(None);
    runtime.spawn(watch_signals(received, grace));
    let (outcome, written, redaction) = runtime.block_on(async {
        let outcome = match opened {
            Ok(states) => {
                let invocation = Invocation { component, sandbox: &source.sandbox, sender: &sender };
                execute(invocation, source, states, &signals).await
            }
            Err(error) => Err(Stop::Failed(error)),
        };
        if let Err(Stop::Failed(error)) = &outcome {
            // If it cannot be sent, the writer says why.
            let _ = sender.send(Message::error(error.clone())).await;
        }
        let redaction = sender.redaction();
        drop(sender);
        (outcome, writer.await, redaction)
    });
    if let Some(signal) = *signals.borrow() {
        signal::end_by(signal);
    }
    match (written, outcome) {
        // The reader of the output has had enough of it.
        (Ok(Written::OutputClosed), _) => ExitCode::SUCCESS,
        (Ok(Written::Failed(error)), Ok(()) | Err(Stop::OutputClosed)) => fail(&error, &redaction),
        (Ok(Written::Failed(also)), Err(Stop::Failed(error) | Stop::Reported(error))) => {
            fail(&error, &redaction);
            fail(&also, &redaction)
        }
        (Err(error), _) => {
            fail(&Error::system(format!("the writer of the output failed: {error}")), &redaction)
        }
        (Ok(Written::All), Err(Stop::Failed(error) | Stop::Reported(error))) => fail(&error, &redaction),
        (Ok(Written::All), Ok(()) | Err(Stop::OutputClosed)) => ExitCode::SUCCESS,
    }
}

/// Passes the first signal on. Ends the process at a second one, or if the output is not complete
/// in time.
async fn watch_signals(received: watch::Sender<Option<Signal>>, grace: Duration) {
    let signal = signal::received().await;
    received.send_replace(Some(signal));
    let last = tokio::select! {
        () = sleep(grace) => signal,
        again = signal::received() => again,
    };
    signal::end_by(last);
}

/// Waits for a signal, and returns it as the reason to stop.
async fn stopped(signals: &watch::Receiver<Option<Signal>>) -> Error {
    let mut signals = signals.clone();
    match signals.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(signal)) => Error::transient(format!("stopped by {}", signal.name)),
        _ => std::future::pending().await,
    }
}

async fn execute(
    invocation: Invocation<'_>,
    source: &SourceArgs,
    states: Option<States>,
    signals: &watch::Receiver<Option<Signal>>,
) -> Result<(), Stop> {
    let unless_stopped = async |command: &mut (dyn Future<Output = Result<(), Stop>> + Unpin)| {
        tokio::select! {
            done = command => done,
            reason = stopped(signals) => Err(Stop::Failed(reason)),
        }
    };
    match &source.action {
        Action::Spec => unless_stopped(&mut Box::pin(spec(invocation))).await,
        Action::Check { config } => unless_stopped(&mut Box::pin(check(invocation, &config.path))).await,
        Action::Discover { config, .. } => {
            unless_stopped(&mut Box::pin(discover(invocation, &config.path))).await
        }
        Action::Read(files) => read(invocation, files, states, stopped(signals)).await,
    }
}
