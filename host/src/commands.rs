//! The commands: what the command line asks for is done, told as messages, and ends in an exit code.

use std::future::Future;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use host::{
    Cache, Closed, Config, ConfiguredCatalog, Connector, Emitter, Error, FailureType, Level, Message, Outbox,
    Redaction, Result, Source, Specification, States, Sync,
};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::{Action, Cli, Command, Run, Sandbox};
use crate::inspect::inspect;
use crate::signal::{self, Signal};

/// How long the output may take to come in order after a signal. Airbyte's clients send SIGKILL after some seconds.
const GRACE: Duration = Duration::from_millis(900);

/// Why a command did not succeed.
enum Stop {
    /// Nobody was told yet.
    Failed(Error),
    /// The messages say so already.
    Told(Error),
    /// Nobody listens any more.
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

/// Does what was asked for.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::system(format!("no threads can be started: {error}")), None),
    };
    let code = match &cli.command {
        Command::Run(run) => speak(&runtime, run, cli.level()),
        Command::Inspect(wanted) => match runtime.block_on(inspect(wanted)) {
            Ok(text) => show(&text),
            Err(error) => fail(&error, None),
        },
    };
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_background();
    code
}

/// Runs one command of a connector. All of stdout is written by one emitter on a thread of its own.
fn speak(runtime: &Runtime, run: &Run, level: Level) -> ExitCode {
    let (outbox, inbox) = Outbox::new(level);
    let redaction = outbox.redaction().clone();
    let writer = runtime.spawn_blocking(|| Emitter::new(io::stdout()).drain(inbox));
    let (received, signals) = watch::channel(None);
    runtime.spawn(watch_signals(received));
    let (outcome, written) = runtime.block_on(async {
        let outcome = execute(run, &outbox, &signals).await;
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

async fn execute(run: &Run, outbox: &Outbox, signals: &watch::Receiver<Option<Signal>>) -> Result<(), Stop> {
    let sandbox = &run.sandbox;
    let unless_stopped = async |command: &mut (dyn Future<Output = Result<(), Stop>> + Unpin)| {
        tokio::select! {
            done = command => done,
            reason = stopped(signals) => Err(Stop::Failed(reason)),
        }
    };
    match &run.action {
        Action::Spec => unless_stopped(&mut Box::pin(spec(sandbox, outbox))).await,
        Action::Check { config } => unless_stopped(&mut Box::pin(check(sandbox, &config.path, outbox))).await,
        Action::Discover { config } => {
            unless_stopped(&mut Box::pin(discover(sandbox, &config.path, outbox))).await
        }
        Action::Read { config, catalog, state } => {
            read(sandbox, &config.path, catalog, state.as_deref(), outbox, stopped(signals)).await
        }
    }
}

async fn spec(sandbox: &Sandbox, outbox: &Outbox) -> Result<(), Stop> {
    let specification = load(sandbox, outbox)?.spec().await?;
    Ok(outbox.send(Message::Spec(specification)).await?)
}

async fn check(sandbox: &Sandbox, config: &Path, outbox: &Outbox) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(sandbox, outbox)?;
    let specification = connector.spec().await?;
    let checked = match configure(sandbox, &connector, &specification, &config, outbox).await {
        Ok(source) => source.check().await,
        Err(error) => Err(error),
    };
    let status = match checked {
        Ok(()) => Ok(()),
        // A defect is no answer.
        Err(error) if error.failure_type() == FailureType::System => return Err(error.into()),
        Err(error) => {
            if let Some(internal) = error.internal_message() {
                outbox.log(Level::Debug, internal).await;
            }
            Err(error.message().to_owned())
        }
    };
    Ok(outbox.send(Message::ConnectionStatus(status)).await?)
}

async fn discover(sandbox: &Sandbox, config: &Path, outbox: &Outbox) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(sandbox, outbox)?;
    let source = configure(sandbox, &connector, &connector.spec().await?, &config, outbox).await?;
    Ok(outbox.send(Message::Catalog(source.discover().await?)).await?)
}

async fn read(
    sandbox: &Sandbox,
    config: &Path,
    catalog: &Path,
    state: Option<&Path>,
    outbox: &Outbox,
    stopped: impl Future<Output = Error>,
) -> Result<(), Stop> {
    let late = late(sandbox);
    let halt = async {
        tokio::select! {
            reason = stopped => reason,
            reason = late => reason,
        }
    };
    let mut halt = std::pin::pin!(halt);
    let prepared = async {
        // Files first: a mistake in one is told before anything is compiled or asked.
        let config = Config::load(config)?;
        let catalog = ConfiguredCatalog::load(catalog)?;
        let states = state.map(States::load).transpose()?.unwrap_or_default();
        let connector = load(sandbox, outbox)?;
        let source = configure(sandbox, &connector, &connector.spec().await?, &config, outbox).await?;
        let streams = catalog.resolve(&source.discover().await?)?;
        Ok::<_, Error>(Sync::new(source, streams, states))
    };
    let sync = tokio::select! {
        prepared = prepared => prepared?,
        reason = &mut halt => return Err(Stop::Failed(reason)),
    };
    let sync = match sandbox.limits.max_streams {
        Some(max_streams) => sync.max_streams(max_streams.get()),
        None => sync,
    };
    let report = sync.run(outbox, halt).await?;
    report.error().map_or(Ok(()), |error| Err(Stop::Told(error)))
}

/// Waits until a read has taken too long.
async fn late(sandbox: &Sandbox) -> Error {
    let Some(limit) = sandbox.limits.max_sync else { return std::future::pending().await };
    sleep(limit.into()).await;
    Error::transient(format!("the read took more than {limit} (--max-sync allows more)"))
}

fn load(sandbox: &Sandbox, outbox: &Outbox) -> Result<Connector> {
    let network = sandbox.network.network()?;
    let connector = Connector::load(&sandbox.component, sandbox.limits.limits(), cache(sandbox)?)?;
    Ok(connector.network(network).log_to(outbox.clone()))
}

/// Where compiled code is kept, by the flags.
pub(crate) fn cache(sandbox: &Sandbox) -> Result<Cache> {
    match &sandbox.cache_dir {
        _ if sandbox.no_cache => Ok(Cache::none()),
        Some(directory) => Cache::at(directory),
        None => Ok(Cache::of_user()),
    }
}

/// Gives the connector its configuration with its secrets sealed, and the hosts that the flags grant or else those that
/// it asks for.
async fn configure(
    sandbox: &Sandbox,
    connector: &Connector,
    specification: &Specification,
    config: &Config,
    outbox: &Outbox,
) -> Result<Source> {
    let config = if sandbox.network.expose_secrets {
        outbox
            .log(
                Level::Warn,
                "the connector is given the secrets of the configuration as they are (--expose-secrets), \
                 and may do with them what it likes",
            )
            .await;
        config.expose(specification)?
    } else {
        config.seal(specification)?
    };
    let allowed = sandbox.network.allowed(specification, &config)?;
    Ok(connector.source(config, allowed))
}

/// Writes what is not a message.
fn show(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(&Error::system(format!("stdout cannot be written: {error}")), None)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Tells the person at the terminal, in one line or two.
fn fail(error: &Error, redaction: Option<&Redaction>) -> ExitCode {
    let mut text = format!("error: {}\n", one_line(error.message()));
    if let Some(hint) = error.hint() {
        text += &format!("hint: {}\n", one_line(hint));
    }
    let text = redaction.map_or(text.as_str().into(), |redaction| redaction.text(&text));
    // If there is no stderr either, there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// Without line breaks and other characters that would move the terminal's cursor.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
