//! The commands: each does what the command line asks for.

mod bundle;
mod check;
mod collision;
mod discover;
mod display;
mod findings;
mod halt;
mod inspect;
mod invocation;
mod outcome;
mod output;
mod read;
mod run;
mod selection;
mod spec;

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use elt_airbyte::Sender;
use tokio::runtime::{Builder, Runtime};

use self::bundle::bundle;
use self::discover::table;
use self::inspect::inspect;
use self::invocation::Invocation;
use self::outcome::{fail, report, show};
use crate::advice::ADVICE;
use crate::args::{Action, Cli, Command, ConfigFile, Listing, Manual, Run, SourceArgs, completions};
use crate::{allocator, isolation, stdout};

/// Runs the command of a command line.
pub(crate) fn run(cli: &'static Cli) -> ExitCode {
    start(cli).and_then(|runtime| execute(cli, &runtime)).unwrap_or_else(|error| report(&error))
}

/// Checks stdout before anything is read, isolates the process if that is wanted, and starts what
/// commands run on.
fn start(cli: &Cli) -> anyhow::Result<Runtime> {
    if cli.command.writes_to_stdout() {
        stdout::check()?;
        if let Command::Run(wanted) = &cli.command {
            collision::check_stdout(wanted)?;
        }
    }
    isolation::begin(&cli.command)?;
    if cli.command.gathers_rows() {
        allocator::give_back();
    }
    runtime().map_err(|error| anyhow::anyhow!("no threads can be started: {error}"))
}

/// What runs on one thread, and needs no other: connections and streams have threads of their own.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn execute(cli: &'static Cli, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Run(wanted) => match table_config(&wanted.source) {
            Some(config) => return show_table(wanted, config, runtime),
            None => return Ok(run::run(wanted, cli.level())),
        },
        Command::Inspect(wanted) => show(runtime.block_on(inspect(wanted))?.as_bytes())?,
        Command::Bundle(wanted) => runtime.block_on(bundle(wanted))?,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            completions(*shell, &mut text);
            show(&text)?;
        }
        Command::Man(wanted) => manual(wanted)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show_table(wanted: &Run, config: &ConfigFile, runtime: &Runtime) -> anyhow::Result<ExitCode> {
    let Run { component, source } = wanted;
    let sender = Sender::closed(ADVICE);
    let invocation = Invocation { component, sandbox: &source.sandbox, sender: &sender };
    match runtime.block_on(table(invocation, &config.path)) {
        Ok(table) => show(table.as_bytes()).map(|()| ExitCode::SUCCESS),
        Err(error) => Ok(fail(&error, &sender.redaction())),
    }
}

/// The config of a `discover` that shows a table.
fn table_config(source: &SourceArgs) -> Option<&ConfigFile> {
    match &source.action {
        Action::Discover { config, format: Listing::Table } => Some(config),
        _ => None,
    }
}

fn manual(wanted: &Manual) -> anyhow::Result<()> {
    match &wanted.folder {
        Some(folder) => Manual::pages(folder)
            .map_err(|error| anyhow::anyhow!("{} cannot be written to: {error}", folder.display())),
        None => {
            let mut page = Vec::new();
            Manual::page(&mut page).context("the page cannot be made")?;
            show(&page)
        }
    }
}
