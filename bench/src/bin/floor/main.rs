//! What a read costs without a sandbox: the floor that the host is measured against.
//!
//! In: a config and the name of a stream, or a list of URLs. Out: the same lines that the host writes, or the bytes of the
//! answers as they came.
//!
//! `native` runs the same connector, compiled for this machine, behind the same seams: no WebAssembly, no copies into and
//! out of a guest, no interruption, no check of records, no redaction. `bare` knows nothing of Orb at all.

mod bare;
mod client;
mod native;
mod output;
mod transport;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Reads as the host does, without a sandbox.
#[derive(Debug, Parser)]
enum Command {
    /// Runs the connector as native code.
    Native {
        /// The config, as the host takes it.
        #[arg(long)]
        config: PathBuf,
        /// The stream to read.
        #[arg(long)]
        stream: String,
        /// A file to write what was asked for to, a URL on each line.
        #[arg(long)]
        urls: Option<PathBuf>,
    },
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

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Native { config, stream, urls } => native::read(&config, &stream, urls.as_deref()),
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
