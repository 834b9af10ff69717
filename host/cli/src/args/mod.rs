//! Parses the command line.

mod action;
mod bundle;
mod files;
mod limits;
mod manual;
mod network;
mod sandbox;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use elt_host::events::Level;

pub(crate) use self::action::{Action, Choice, ConfigFile, Listing, ReadFiles, SourceArgs};
pub(crate) use self::bundle::{Bundling, ComponentSource};
pub(crate) use self::files::{Findings, Verifying};
pub(crate) use self::limits::flag;
pub(crate) use self::manual::{Manual, completions};
pub(crate) use self::sandbox::Sandbox;

/// The variable that Airbyte sets for every connector. `debug` shows more.
const LOG_LEVEL: &str = "LOG_LEVEL";

const EXAMPLES: &str = "\
Examples:
  host run orb.wasm spec
  host run orb.wasm check --config config.json
  host run orb.wasm discover --config config.json --format table
  host run orb.wasm read --config config.json --streams customers,invoices
  host run orb.wasm read --config config.json --catalog catalog.json --state state.json
  host run orb.wasm read --config config.json --state state.json --save-state --output \"$(date +%s).jsonl.zst\"
  host run orb.wasm read --config config.json --state state.json --save-state --output-dir orb --format parquet
  host run orb.wasm verify --config config.json --against orb
  host inspect orb.wasm

Output:
  Messages of the Airbyte protocol on stdout, one JSON object a line, and nothing else there.

Exit codes:
  0  done; a check that fails is done too, its message says FAILED
  1  failed; a TRACE message on stdout and a line on stderr say why
  2  the command line is wrong
  A read that is stopped by SIGINT or SIGTERM writes its last states and ends by that signal.";

const INSPECT_EXAMPLES: &str = "\
Examples:
  host inspect orb.wasm
  host inspect orb.wasm --config config.json --format json";

const BUNDLE_EXAMPLES: &str = "\
Examples:
  host bundle orb.wasm
  host bundle orb.wasm -o /usr/local/bin/source-orb";

/// Runs a source connector that is a WebAssembly component.
///
/// The connector can send HTTP requests to the hosts that it asks for, and nothing else: no files,
/// no environment, no sockets.
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
    /// Show what a connector is, what it wants and what it is given, without letting it reach
    /// anything
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Write a program that is this host and a connector in one file
    ///
    /// It has the commands and flags of `host run COMPONENT`, needs no cache, and starts as fast as
    /// with one.
    #[command(after_help = BUNDLE_EXAMPLES)]
    Bundle(Bundling),
    /// Print completions of this command line for a shell
    #[command(
        after_help = "Examples:\n  host completions bash > ~/.local/share/bash-completion/completions/host\n  \
        host completions zsh > \"${fpath[1]}/_host\""
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of this command line
    #[command(after_help = "Examples:\n  host man | man -l -\n  host man --dir ~/.local/share/man/man1")]
    Man(Manual),
}

impl Command {
    /// Whether the command writes to stdout.
    pub(crate) fn writes_to_stdout(&self) -> bool {
        match self {
            Self::Run(Run { source: SourceArgs { action: Action::Read(files), .. }, .. }) => {
                files.destination.output().is_none() && files.folder.output_dir.is_none()
            }
            Self::Bundle(_) => false,
            Self::Man(manual) => manual.folder.is_none(),
            Self::Run(_) | Self::Inspect(_) | Self::Completions { .. } => true,
        }
    }

    /// Whether the command gathers records of all streams in memory.
    pub(crate) fn gathers_rows(&self) -> bool {
        let Self::Run(Run { source: SourceArgs { action, .. }, .. }) = self else { return false };
        match action {
            Action::Read(files) => files.folder.output_dir.is_some(),
            Action::Verify(_) => true,
            _ => false,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// The connector: a component, such as orb.wasm
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) component: ComponentSource,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The connector: a component, such as orb.wasm
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) component: ComponentSource,

    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(flatten)]
    pub(crate) view: View,
}

/// What to show, and how.
#[derive(Args, Debug)]
pub(crate) struct View {
    /// Use this config, and show the hosts and streams that it leads to
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
    /// The lowest level of log lines to show.
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
    use elt_host::limits::{Limit, Limits};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help_with_examples_and_every_flag_a_text() {
        let mut command = Cli::command();
        command.build();
        for subcommand in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let help = subcommand.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{}", subcommand.get_name());
            let arguments = subcommand.get_subcommands().flat_map(clap::Command::get_arguments);
            for argument in arguments.chain(subcommand.get_arguments()) {
                assert!(argument.get_help().is_some(), "{}: {}", subcommand.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn every_limit_has_its_flag_and_its_default() {
        let cli = Cli::try_parse_from(["host", "inspect", "orb.wasm"]).unwrap();
        let Command::Inspect(inspect) = cli.command else { panic!("not inspect") };
        assert_eq!(inspect.sandbox.limits.limits(), Limits::default());
        let command = Cli::command();
        let known: Vec<_> = command.get_subcommands().flat_map(clap::Command::get_arguments).collect();
        for limit in Limit::ALL {
            assert!(known.iter().any(|known| known.get_long() == Some(flag(*limit))), "{limit:?}");
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

    #[test]
    fn the_flags_of_a_folder_need_one_and_take_no_other_output() {
        let wrong = |flags: &[&str]| {
            let read = ["host", "run", "orb.wasm", "read", "--config", "c.json"];
            Cli::try_parse_from(read.iter().chain(flags)).err().map(|error| error.exit_code())
        };
        assert_eq!(wrong(&["--output-dir", "d"]), None);
        let all =
            ["--output-dir", "d", "--format", "jsonl.zst", "--part-size", "1MiB", "--partition", "month"];
        assert_eq!(wrong(&all), None);
        assert_eq!(wrong(&["--output-dir", "d", "--output", "f"]), Some(2));
        assert_eq!(wrong(&["--output-dir", "d", "--format", "csv"]), Some(2));
        assert_eq!(wrong(&["--output-dir", "d", "--partition", "day"]), Some(2));
        for flags in [["--format", "parquet"], ["--part-size", "1MiB"], ["--partition", "month"]] {
            assert_eq!(wrong(&flags), Some(2), "{flags:?}");
        }
    }
}
