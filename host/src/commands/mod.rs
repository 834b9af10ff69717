//! The commands: what the command line asks for is done, and ends in an exit code.

mod bundle;
mod check;
mod connector;
mod discover;
mod inspect;
mod outcome;
mod read;
mod selection;
mod sinks;
mod source;
mod spec;

use std::process::ExitCode;

use host::Error;
use tokio::runtime::Runtime;

use self::bundle::bundle;
use self::inspect::inspect;
use self::outcome::{fail, show};
use self::source::speak;
use crate::cli::{Cli, Command};

/// Does what was asked for.
pub(crate) fn run(cli: &Cli) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::system(format!("no threads can be started: {error}")), None),
    };
    let code = match &cli.command {
        Command::Run(run) => speak(&runtime, &run.component, &run.source, cli.level()),
        Command::Inspect(wanted) => match runtime.block_on(inspect(wanted)) {
            Ok(text) => show(&text),
            Err(error) => fail(&error, None),
        },
        Command::Bundle(wanted) => match runtime.block_on(bundle(wanted)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, None),
        },
    };
    // A name that is still being resolved must not hold the end up.
    runtime.shutdown_background();
    code
}
