//! `host run`: runs one command of a connector, writes its messages, and returns an exit code.

use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use elt_airbyte::{States, channel};
use elt_host::Error;
use elt_host::events::Level;
use tokio::sync::oneshot;

use super::check::check;
use super::collision;
use super::discover::discover;
use super::halt::{Ended, Halts, Supervisor};
use super::invocation::Invocation;
use super::outcome::{Stop, fail};
use super::output::{Output, Wanted, Written};
use super::read::{Reading, read};
use super::spec::spec;
use crate::advice::ADVICE;
use crate::args::{Action, Run, SourceArgs};
use crate::signal;

/// How long the output may take to be completed after a signal. Airbyte's clients send SIGKILL
/// after some seconds.
const GRACE: Duration = Duration::from_millis(900);
/// The same where a file is written: nobody can stall that, and the file is lost if it is not
/// synced. Docker sends SIGKILL after ten seconds.
const GRACE_OF_FILE: Duration = Duration::from_secs(9);

/// Runs one command of a connector. All of its messages are written by one thread, and this one
/// watches over it.
pub(crate) fn run(run: &'static Run, level: Level) -> ExitCode {
    let source = &run.source;
    let (sender, receiver) = channel(level, ADVICE);
    let wanted = Wanted::of(&source.action);
    // A file that cannot be written is reported before anything is read; on stdout, for want of
    // another place.
    let (output, opened) = match wanted.map(|wanted| collision::check(run).and_then(|()| wanted.open())) {
        None => (Output::stdout(), Ok(None)),
        Some(Ok((output, states))) => (output, Ok(states)),
        Some(Err(error)) => (Output::stdout(), Err(error)),
    };
    let grace = if output.is_file() { GRACE_OF_FILE } else { GRACE };
    let limit = wanted.and(source.sandbox.limits.max_sync);
    let supervisor = Supervisor::new(limit, grace, output.is_file());
    let (halts, of_command) = (supervisor.halts(), sender.clone());
    let command = move || {
        let invocation =
            Invocation { component: &run.component, sandbox: &source.sandbox, sender: &of_command };
        let states = opened.map_err(Stop::Failed)?;
        let runtime = super::runtime().map_err(|error| Stop::Failed(no_threads(&error)))?;
        runtime.block_on(execute(invocation, source, states, halts))
    };
    let redaction = sender.clone();
    let watching = || {
        let written = on_thread("writer", || output.drain(receiver))?;
        let command = on_thread("command", command)?;
        let watcher = super::runtime()?;
        Ok(watcher.block_on(supervisor.watch(command, sender, written)))
    };
    let Ended { outcome, written, signal } = match watching() {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => return fail(&error, &redaction.redaction()),
        Err(error) => return fail(&no_threads(&error), &redaction.redaction()),
    };
    if let Some(signal) = signal {
        signal::end_by(signal);
    }
    let redaction = redaction.redaction();
    match (written, outcome) {
        // The reader of the output has had enough of it.
        (Ok(Written::OutputClosed), _) => ExitCode::SUCCESS,
        (Ok(Written::Different), Ok(())) => ExitCode::FAILURE,
        (Ok(Written::Failed(error)), Ok(()) | Err(Stop::OutputClosed)) => fail(&error, &redaction),
        (Ok(Written::Failed(also)), Err(Stop::Failed(error) | Stop::Reported(error))) => {
            fail(&error, &redaction);
            fail(&also, &redaction)
        }
        (Err(error), _) => {
            fail(&Error::system(format!("the writer of the output failed: {error}")), &redaction)
        }
        (Ok(Written::All | Written::Different), Err(Stop::Failed(error) | Stop::Reported(error))) => {
            fail(&error, &redaction)
        }
        (Ok(Written::All), Ok(()) | Err(Stop::OutputClosed)) => ExitCode::SUCCESS,
        (Ok(Written::Different), Err(Stop::OutputClosed)) => ExitCode::FAILURE,
    }
}

/// Does `work` on a thread of its own, which says at its end what came of it.
fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (done, result) = oneshot::channel();
    thread::Builder::new().name(name.to_owned()).spawn(move || done.send(work()))?;
    Ok(result)
}

fn no_threads(error: &io::Error) -> Error {
    Error::system(format!("no threads can be started: {error}"))
}

async fn execute(
    invocation: Invocation<'_>,
    source: &SourceArgs,
    states: Option<States>,
    halts: Halts,
) -> Result<(), Stop> {
    let halt = halts.reason();
    let unless_halted = async |command: &mut (dyn Future<Output = Result<(), Stop>> + Unpin), halt| {
        tokio::select! {
            done = command => done,
            reason = halt => Err(Stop::Failed(reason)),
        }
    };
    match &source.action {
        Action::Spec => unless_halted(&mut Box::pin(spec(invocation)), halt).await,
        Action::Check { config } => unless_halted(&mut Box::pin(check(invocation, &config.path)), halt).await,
        Action::Discover { config, .. } => {
            unless_halted(&mut Box::pin(discover(invocation, &config.path)), halt).await
        }
        Action::Read(files) => read(invocation, Reading::of(files), states, halt).await,
        Action::Verify(wanted) => read(invocation, Reading::verifying(wanted), states, halt).await,
    }
}
