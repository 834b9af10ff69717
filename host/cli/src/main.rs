//! The command `host`: parses its arguments, runs a command, and returns an exit code. A bundle is
//! the same program with a connector appended.

mod advice;
mod allocator;
mod args;
mod bundle;
mod commands;
mod executable;
mod isolation;
mod signal;
mod stdout;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use self::args::Cli;
use self::bundle::Bundle;
use self::executable::Executable;

fn main() -> ExitCode {
    let cli = match Executable::own().and_then(Bundle::find) {
        Ok(bundle) => Cli::of_bundle(bundle),
        // The host alone, or a bundle that cannot be read or lost its end: then it is asked for
        // what only bundles do.
        Err(error) => {
            Cli::try_parse().or_else(|wrong| Cli::of_bundle(Bundle::broken(error)).map_err(|_| wrong))
        }
    };
    match cli {
        // A command that is not waited for at the end may still look at it.
        Ok(cli) => commands::run(Box::leak(Box::new(cli))),
        Err(instead) => instead.exit(),
    }
}
