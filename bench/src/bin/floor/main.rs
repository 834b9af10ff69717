//! Measures what a read costs without a sandbox: the floor for the host.
//!
//! Reads a stream and writes the same lines as the host, or fetches a list of URLs and writes their
//! bodies.
//!
//! `native` runs the same connector as native code behind the same seams, and uses the host's own
//! checks and writer. It lacks the sandbox: WebAssembly, copies across its boundary, interruption,
//! the outbound HTTP policy, sealed secrets and redaction. `alone` also lacks the host, so nothing
//! is checked. `bare` only transfers bytes.

mod alone;
mod bare;
mod client;
mod native;
mod output;
mod transport;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};

/// Reads like the host, without a sandbox.
#[derive(Debug, Parser)]
enum Command {
    /// Run the connector as native code within the host.
    Native(Read),
    /// Run the connector as native code, and write its records unchecked.
    Alone(Read),
    /// Fetch URLs and write their bodies.
    Bare {
        /// A file with one URL per line.
        #[arg(long)]
        urls: PathBuf,
        /// The API key to send.
        #[arg(long)]
        api_key: String,
        /// The most requests in flight.
        #[arg(long, default_value_t = 16)]
        concurrency: usize,
    },
}

/// What to read.
#[derive(Debug, Args)]
struct Read {
    /// The config, as for the host.
    #[arg(long)]
    config: PathBuf,
    /// The stream.
    #[arg(long)]
    stream: String,
    /// A file to write the requested URLs to, one per line.
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

#[expect(clippy::print_stderr, reason = "reports why the program failed")]
fn fail(error: &str) -> ExitCode {
    eprintln!("floor: {error}");
    ExitCode::FAILURE
}
