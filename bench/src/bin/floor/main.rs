//! What a read costs without a sandbox: the floor that the host is measured against.
//!
//! In: a config and the name of a stream, or a list of URLs. Out: the same lines that the host
//! writes, or the bytes of the answers as they came.
//!
//! `native` runs the same connector, compiled for this machine, behind the same seams, and passes
//! what it reads to the host's own checks and writer. What is missing is the sandbox: WebAssembly,
//! the copies into and out of it, interruption, the outbound door, sealed secrets and their
//! redaction. `alone` does without the host too, so that nothing is checked. `bare` knows nothing
//! of Orb at all.

mod alone;
mod bare;
mod client;
mod native;
mod output;
mod transport;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};

/// Reads as the host does, without a sandbox.
#[derive(Debug, Parser)]
enum Command {
    /// Runs the connector as native code, within the host.
    Native(Read),
    /// Runs the connector as native code, and writes what it gives.
    Alone(Read),
    /// Gets URLs and writes the bodies of their answers.
    Bare {
        /// A file with a URL on each line.
        #[arg(long)]
        urls: PathBuf,
        /// The key to send.
        #[arg(long)]
        api_key: String,
        /// How many requests are in flight at most.
        #[arg(long, default_value_t = 16)]
        concurrency: usize,
    },
}

/// What to read.
#[derive(Debug, Args)]
struct Read {
    /// The config, as the host takes it.
    #[arg(long)]
    config: PathBuf,
    /// The stream.
    #[arg(long)]
    stream: String,
    /// A file to write what was asked for to, a URL on each line.
    #[arg(long)]
    urls: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Native(wanted) => native::read(&wanted),
        Command::Alone(wanted) => alone::read(&wanted),
        Command::Bare { urls, api_key, concurrency } => bare::read(&urls, &api_key, concurrency),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a program")]
fn fail(error: &str) -> ExitCode {
    eprintln!("floor: {error}");
    ExitCode::FAILURE
}
