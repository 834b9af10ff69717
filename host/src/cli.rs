//! The command line: arguments come in, paths and wishes go out.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use host::Level;

/// Airbyte sets this for every connector; `debug` asks for more.
const LOG_LEVEL: &str = "LOG_LEVEL";

const EXAMPLES: &str = "\
Examples:
  host run orb.wasm spec
  host run orb.wasm check --config config.json
  host run orb.wasm discover --config config.json
  host run orb.wasm read --config config.json --catalog catalog.json --state state.json

Output:
  Messages of the Airbyte protocol on stdout, one JSON object a line, and nothing else there.

Exit codes:
  0  done; a check that fails is done too, its message says FAILED
  1  failed; a TRACE message on stdout and a line on stderr say why
  2  the command line is wrong";

/// Runs a source connector that is a WebAssembly component.
///
/// The connector is given HTTP to the hosts that it asks for, and nothing else: no files, no environment, no sockets.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Show debug messages too, as `LOG_LEVEL=debug` does
    #[arg(long, global = true)]
    debug: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one command of a connector
    #[command(after_help = EXAMPLES, after_long_help = EXAMPLES)]
    Run(Run),
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The connector: a component, such as orb.wasm
    pub(crate) component: PathBuf,

    #[command(subcommand)]
    pub(crate) action: Action,

    /// Where to keep compiled code between runs [default: elt-host in the user's cache directory]
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile anew, and keep nothing
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Print what the configuration looks like
    Spec,
    /// Try whether the source can be reached
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print the streams that can be read
    Discover {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Read the configured streams
    Read {
        #[command(flatten)]
        config: ConfigFile,

        /// Which streams to read, and how: a `ConfiguredAirbyteCatalog`
        #[arg(long, value_name = "FILE")]
        catalog: PathBuf,

        /// States of an earlier read to continue from; everything is read without it
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ConfigFile {
    /// The configuration of the connector: a JSON object as `spec` describes it
    #[arg(long = "config", value_name = "FILE")]
    pub(crate) path: PathBuf,
}

impl Cli {
    /// The least level of the log lines to show.
    pub(crate) fn level(&self) -> Level {
        let asked = std::env::var(LOG_LEVEL).unwrap_or_default().to_ascii_lowercase();
        match asked.as_str() {
            "trace" => Level::Trace,
            "debug" => Level::Debug,
            _ if self.debug => Level::Debug,
            _ => Level::Info,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn debug_may_stand_after_the_command() {
        let cli = Cli::try_parse_from(["host", "run", "orb.wasm", "check", "--config", "c.json", "--debug"])
            .unwrap();
        assert_eq!(cli.level(), Level::Debug);
    }

    #[test]
    fn read_needs_a_catalog() {
        let wrong = Cli::try_parse_from(["host", "run", "orb.wasm", "read", "--config", "c.json"]);
        assert_eq!(wrong.unwrap_err().exit_code(), 2);
    }
}
