//! One command of a connector: arguments come in, messages on stdout and an exit code go out.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::time::Duration;

use host::{Emitter, Error, Level, Message, Outbox};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use super::check::check;
use super::discover::discover;
use super::outcome::{Stop, fail};
use super::read::read;
use super::spec::spec;
use crate::cli::{Action, Origin, SourceArgs};
use crate::signal::{self, Signal};

/// How long the output may take to come in order after a signal. Airbyte's clients send SIGKILL after some seconds.
const GRACE: Duration = Duration::from_millis(900);

/// Runs one command of a connector. All of stdout is written by one emitter on a thread of its own.
pub(crate) fn speak(runtime: &Runtime, component: &Origin, source: &SourceArgs, level: Level) -> ExitCode {
    let (outbox, inbox) = Outbox::new(level);
    let redaction = outbox.redaction().clone();
    let writer = runtime.spawn_blocking(|| Emitter::new(io::stdout()).drain(inbox));
    let (received, signals) = watch::channel(None);
    runtime.spawn(watch_signals(received));
    let (outcome, written) = runtime.block_on(async {
        let outcome = execute(component, source, &outbox, &signals).await;
        if let Err(Stop::Failed(error)) = &outcome {
            // If this is not heard, the writer says why.
            let _ = outbox.send(Message::error(error.clone())).await;
        }
        drop(outbox);
        (outcome, writer.await)
    });
    if let Some(signal) = *signals.borrow() {
        signal::end_by(signal);
    }
    match (written, outcome) {
        // Whoever read the output has enough of it.
        (Ok(Err(error)), _) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (Ok(Err(error)), _) => fail(&Error::system(format!("stdout cannot be written: {error}")), None),
        (Err(error), _) => fail(&Error::system(format!("the writer of stdout failed: {error}")), None),
        (Ok(Ok(())), Err(Stop::Failed(error) | Stop::Told(error))) => fail(&error, Some(&redaction)),
        (Ok(Ok(())), Ok(()) | Err(Stop::Unheard)) => ExitCode::SUCCESS,
    }
}

/// Passes the first signal on, and ends the process if the output does not come in order, or at a second signal.
async fn watch_signals(received: watch::Sender<Option<Signal>>) {
    let signal = signal::received().await;
    received.send_replace(Some(signal));
    let last = tokio::select! {
        () = sleep(GRACE) => signal,
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
    component: &Origin,
    source: &SourceArgs,
    outbox: &Outbox,
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
        Action::Spec => unless_stopped(&mut Box::pin(spec(component, sandbox, outbox))).await,
        Action::Check { config } => {
            unless_stopped(&mut Box::pin(check(component, sandbox, &config.path, outbox))).await
        }
        Action::Discover { config } => {
            unless_stopped(&mut Box::pin(discover(component, sandbox, &config.path, outbox))).await
        }
        Action::Read(files) => read(component, sandbox, files, outbox, stopped(signals)).await,
    }
}
