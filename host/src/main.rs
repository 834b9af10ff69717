//! The command `host`, or a connector with this command in one file: parses its arguments, runs, and returns an exit code.

mod cli;
mod commands;
mod signal;
mod stdout;

use std::process::ExitCode;

use clap::Parser;
use host::{Bundle, Executable};

use self::cli::Cli;

fn main() -> ExitCode {
    let cli = match Executable::own().and_then(Bundle::find) {
        Ok(None) => Cli::try_parse(),
        Ok(Some(bundle)) => Cli::of_bundle(bundle),
        // Whether there is a connector in it cannot be told, but by what it is asked for.
        Err(error) => {
            Cli::try_parse().or_else(|wrong| Cli::of_bundle(Bundle::broken(error)).map_err(|_| wrong))
        }
    };
    match cli {
        Ok(cli) => commands::run(&cli),
        Err(instead) => instead.exit(),
    }
}
