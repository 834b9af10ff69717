//! The command `host`: parses its arguments, runs, and returns an exit code.

mod cli;
mod commands;
mod signal;

use std::process::ExitCode;

use clap::Parser;

use self::cli::Cli;

fn main() -> ExitCode {
    commands::run(&Cli::parse())
}
