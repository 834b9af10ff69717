//! The commands: what the command line asks for is done, and ends in an exit code.

mod bundle;
mod check;
mod connector;
mod discover;
mod display;
mod inspect;
mod outcome;
mod read;
mod selection;
mod sinks;
mod source;
mod spec;

use std::process::ExitCode;

use host::{Error, Outbox, Redaction, Result};
use tokio::runtime::Builder;

use self::bundle::bundle;
use self::discover::table;
use self::inspect::inspect;
use self::outcome::{fail, show};
use self::source::speak;
use crate::cli::{Action, Cli, Command, Listing, Manual, Run, SourceArgs, completions};
use crate::stdout;

/// Does what was asked for.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    // Before anything is asked of anybody.
    if cli.command.writes_to_stdout()
        && let Err(error) = stdout::check()
    {
        return fail(&error, None);
    }
    // One thread for all connections: connectors and the writer have threads of their own, and with more, each answer would
    // wake one that finds nothing to do (8 % of a read, docs/BENCHMARKS.md).
    let runtime = match Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::system(format!("no threads can be started: {error}")), None),
    };
    let code = match &cli.command {
        Command::Run(Run {
            component,
            source: SourceArgs { sandbox, action: Action::Discover { config, format: Listing::Table } },
        }) => {
            let outbox = Outbox::closed();
            let table = runtime.block_on(table(component, sandbox, &config.path, &outbox));
            tell(table, Some(outbox.redaction()))
        }
        Command::Run(run) => speak(&runtime, &run.component, &run.source, cli.level()),
        Command::Inspect(wanted) => tell(runtime.block_on(inspect(wanted)), None),
        Command::Bundle(wanted) => match runtime.block_on(bundle(wanted)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, None),
        },
        Command::Completions { shell } => {
            let mut text = Vec::new();
            completions(*shell, &mut text);
            show(&text)
        }
        Command::Man(wanted) => man(wanted),
    };
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_background();
    code
}

/// Shows a text, or why there is none.
fn tell(text: Result<String>, redaction: Option<&Redaction>) -> ExitCode {
    match text {
        Ok(text) => show(text.as_bytes()),
        Err(error) => fail(&error, redaction),
    }
}

fn man(wanted: &Manual) -> ExitCode {
    let Some(folder) = &wanted.folder else {
        let mut page = Vec::new();
        // A vector takes everything.
        let _ = Manual::page(&mut page);
        return show(&page);
    };
    match Manual::pages(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            fail(&Error::system(format!("{} cannot be written to: {error}", folder.display())), None)
        }
    }
}
