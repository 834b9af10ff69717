//! The commands: what the command line asks for is done, told as messages, and ends in an exit code.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use host::{
    AllowedHosts, Cache, Closed, Config, ConfiguredCatalog, Connector, Emitter, Error, FailureType, Level,
    Limits, Message, Outbox, Result, Source, Specification, States, Sync,
};
use tokio::runtime::Runtime;

use crate::cli::{Action, Cli, Command, Run};

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

/// Does what was asked for. All of stdout is written by one emitter on a thread of its own.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    let Command::Run(run) = &cli.command;
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::system(format!("no threads can be started: {error}"))),
    };
    let (outbox, inbox) = Outbox::new(cli.level());
    let writer = runtime.spawn_blocking(|| Emitter::new(io::stdout()).drain(inbox));
    let (outcome, written) = runtime.block_on(async {
        let outcome = execute(run, &outbox).await;
        if let Err(Stop::Failed(error)) = &outcome {
            // If this is not heard, the writer says why.
            let _ = outbox.send(Message::error(error.clone())).await;
        }
        drop(outbox);
        (outcome, writer.await)
    });
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_background();
    match (written, outcome) {
        // Whoever read the output has enough of it.
        (Ok(Err(error)), _) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (Ok(Err(error)), _) => fail(&Error::system(format!("stdout cannot be written: {error}"))),
        (Err(error), _) => fail(&Error::system(format!("the writer of stdout failed: {error}"))),
        (Ok(Ok(())), Err(Stop::Failed(error) | Stop::Told(error))) => fail(&error),
        (Ok(Ok(())), Ok(()) | Err(Stop::Unheard)) => ExitCode::SUCCESS,
    }
}

async fn execute(run: &Run, outbox: &Outbox) -> Result<(), Stop> {
    match &run.action {
        Action::Spec => spec(run, outbox).await,
        Action::Check { config } => check(run, &config.path, outbox).await,
        Action::Discover { config } => discover(run, &config.path, outbox).await,
        Action::Read { config, catalog, state } => {
            read(run, &config.path, catalog, state.as_deref(), outbox).await
        }
    }
}

async fn spec(run: &Run, outbox: &Outbox) -> Result<(), Stop> {
    let specification = load(run, outbox)?.spec().await?;
    Ok(outbox.send(Message::Spec(specification)).await?)
}

async fn check(run: &Run, config: &Path, outbox: &Outbox) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(run, outbox)?;
    let specification = connector.spec().await?;
    let checked = match configure(&connector, &specification, &config) {
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

async fn discover(run: &Run, config: &Path, outbox: &Outbox) -> Result<(), Stop> {
    let config = Config::load(config)?;
    let connector = load(run, outbox)?;
    let source = configure(&connector, &connector.spec().await?, &config)?;
    Ok(outbox.send(Message::Catalog(source.discover().await?)).await?)
}

async fn read(
    run: &Run,
    config: &Path,
    catalog: &Path,
    state: Option<&Path>,
    outbox: &Outbox,
) -> Result<(), Stop> {
    // Files first: a mistake in one is told before anything is compiled or asked.
    let config = Config::load(config)?;
    let catalog = ConfiguredCatalog::load(catalog)?;
    let states = state.map(States::load).transpose()?.unwrap_or_default();
    let connector = load(run, outbox)?;
    let source = configure(&connector, &connector.spec().await?, &config)?;
    let streams = catalog.resolve(&source.discover().await?)?;
    let report = Sync::new(source, streams, states).run(outbox).await?;
    report.error().map_or(Ok(()), |error| Err(Stop::Told(error)))
}

fn load(run: &Run, outbox: &Outbox) -> Result<Connector> {
    let cache = match &run.cache_dir {
        _ if run.no_cache => Cache::none(),
        Some(directory) => Cache::at(directory)?,
        None => Cache::of_user(),
    };
    Ok(Connector::load(&run.component, Limits::default(), cache)?.log_to(outbox.clone()))
}

/// Gives the connector its configuration and exactly the hosts that it asks for.
fn configure(connector: &Connector, specification: &Specification, config: &Config) -> Result<Source> {
    let config = config.seal(specification)?;
    let allowed = AllowedHosts::requested(specification, &config)?;
    Ok(connector.source(config, allowed))
}

/// Tells the person at the terminal, in one line or two.
fn fail(error: &Error) -> ExitCode {
    let mut text = format!("error: {}\n", one_line(error.message()));
    if let Some(hint) = error.hint() {
        text += &format!("hint: {}\n", one_line(hint));
    }
    // If there is no stderr either, there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" ")
}
