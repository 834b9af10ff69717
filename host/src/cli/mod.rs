//! The command line: arguments come in, paths and wishes go out.

mod action;
mod bundle;
mod limits;
mod network;
mod sandbox;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use host::Level;

pub(crate) use self::action::{Action, Choice, Destination, ReadFiles, SourceArgs};
pub(crate) use self::bundle::{Bundling, Origin};
pub(crate) use self::sandbox::Sandbox;

/// Airbyte sets this for every connector; `debug` asks for more.
const LOG_LEVEL: &str = "LOG_LEVEL";

const EXAMPLES: &str = "\
Examples:
  host run orb.wasm spec
  host run orb.wasm check --config config.json
  host run orb.wasm discover --config config.json
  host run orb.wasm read --config config.json --catalog catalog.json --state state.json
  host inspect orb.wasm

Output:
  Messages of the Airbyte protocol on stdout, one JSON object a line, and nothing else there.

Exit codes:
  0  done; a check that fails is done too, its message says FAILED
  1  failed; a TRACE message on stdout and a line on stderr say why
  2  the command line is wrong
  A read that is stopped by SIGINT or SIGTERM writes its last states and ends by that signal.";

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
    /// Show what a connector is, what it wants and what it is given, without letting it reach anything
    Inspect(Inspect),
    /// Write a program that is this host and a connector in one file
    ///
    /// It has the commands and flags of `host run COMPONENT`, needs no cache, and starts as fast as with one.
    Bundle(Bundling),
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The connector: a component, such as orb.wasm
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) component: Origin,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The connector: a component, such as orb.wasm
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) component: Origin,

    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(flatten)]
    pub(crate) view: View,
}

/// What of a connector to show, and how.
#[derive(Args, Debug)]
pub(crate) struct View {
    /// A configuration: hosts and streams are then those of this configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Text,
    /// For a program: one JSON object
    Json,
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
    use host::Limits;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_limit_has_its_flag_and_its_default() {
        let cli = Cli::try_parse_from(["host", "inspect", "orb.wasm"]).unwrap();
        let Command::Inspect(inspect) = cli.command else { panic!("not inspect") };
        assert_eq!(inspect.sandbox.limits.limits(), Limits::default());
        let command = Cli::command();
        let known: Vec<_> = command.get_subcommands().flat_map(clap::Command::get_arguments).collect();
        for (flag, _) in Limits::default().in_force() {
            assert!(known.iter().any(|known| known.get_long() == flag.strip_prefix("--")), "{flag}");
        }
    }

    #[test]
    fn debug_may_stand_after_the_command() {
        let cli = Cli::try_parse_from(["host", "run", "orb.wasm", "check", "--config", "c.json", "--debug"])
            .unwrap();
        assert_eq!(cli.level(), Level::Debug);
    }

    #[test]
    fn a_catalog_says_all_about_the_streams() {
        let wrong = |flags: &[&str]| {
            let read = ["host", "run", "orb.wasm", "read", "--config", "c.json"];
            Cli::try_parse_from(read.iter().chain(flags)).err().map(|error| error.exit_code())
        };
        assert_eq!(wrong(&[]), None);
        assert_eq!(wrong(&["--streams", "a,b", "--full-refresh"]), None);
        assert_eq!(wrong(&["--catalog", "c.json", "--streams", "a"]), Some(2));
        assert_eq!(wrong(&["--catalog", "c.json", "--full-refresh"]), Some(2));
        assert_eq!(wrong(&["--streams", "a,,b"]), Some(2));
        assert_eq!(wrong(&["--save-state"]), Some(2));
    }
}
