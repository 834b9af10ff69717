//! The commands of a connector, named as Airbyte names them, and their flags.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::files::{FolderFlags, Verifying};
use super::sandbox::Sandbox;
use crate::stdout;

/// A command of a connector, and the flags of its sandbox.
#[derive(Args, Debug)]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Print the config schema: which properties a config may have
    Spec,
    /// Check whether the source can be reached
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print the streams that can be read
    Discover {
        #[command(flatten)]
        config: ConfigFile,

        /// How to print them
        #[arg(long, value_enum, default_value_t = Listing::Json)]
        format: Listing,
    },
    /// Read streams: those that are configured, or the default ones
    Read(ReadFiles),
    /// Compare a folder of files with the source, record by record
    ///
    /// Reads the streams in full and looks for each record among the newest rows of the folder, by
    /// primary key. Exit code 1 if any record is missing, surplus or different.
    Verify(Verifying),
}

/// How the streams are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    /// For a person
    Table,
    /// A message of the Airbyte protocol
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigFile {
    /// The config of the connector: a JSON object as `spec` describes it
    #[arg(long = "config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) path: PathBuf,
}

/// The files and flags of a read.
#[derive(Args, Debug)]
pub(crate) struct ReadFiles {
    #[command(flatten)]
    pub(crate) config: ConfigFile,

    #[command(flatten)]
    pub(crate) choice: Choice,

    #[command(flatten)]
    pub(crate) destination: Destination,

    #[command(flatten)]
    pub(crate) folder: FolderFlags,
}

/// Which streams to read, and how
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Streams")]
pub(crate) struct Choice {
    /// Which streams to read, and how: a `ConfiguredAirbyteCatalog` [default: the connector's
    /// default streams, incrementally where they can]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) catalog: Option<PathBuf>,

    /// Read these streams only, in this order: names of streams or of groups, or `all`
    ///
    /// `discover --format table` lists streams and groups. Without --streams and --catalog, the
    /// streams are those that the connector selects by default.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', conflicts_with = "catalog")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) streams: Vec<String>,

    /// Read the streams from their beginning, whatever the state says
    #[arg(long, conflicts_with = "catalog")]
    pub(crate) full_refresh: bool,
}

/// The states that a read begins with, and the files that it writes
#[derive(Args, Debug)]
#[command(next_help_heading = "State and output")]
pub(crate) struct Destination {
    /// States of an earlier read to continue from; everything is read without it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,

    /// Save the new states to the file of --state, which need not exist yet
    ///
    /// States are saved once a second and at the end, also if the read fails or is stopped, and
    /// always after their records. States of streams that are not read stay. The file is replaced
    /// atomically. If it cannot be replaced, because it is mounted by itself or its folder cannot
    /// be written, it is overwritten. While the read runs, FILE.lock beside it keeps a second read
    /// from using it.
    #[arg(long, requires = "state")]
    pub(crate) save_state: bool,

    /// Write the messages to this file, compressed if its name ends in .gz or .zst [default: -,
    /// which is stdout]
    ///
    /// A name of stdout, such as /dev/stdout, is stdout too.
    ///
    /// The file appears when the read has ended, and replaces an older one. Give each read that
    /// continues from a state a file of its own. A read that fails or is stopped also leaves a file
    /// if it has emitted a state, because those records are not read again; otherwise the older
    /// file stays. With --save-state, states are saved once the file is in its place.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Show no progress, even if stderr is a terminal
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl Destination {
    /// The file that messages go to, if not to stdout.
    pub(crate) fn output(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-") && !stdout::is_named_by(path))
    }

    /// The file that states are saved to.
    pub(crate) fn saved_to(&self) -> Option<&Path> {
        self.state.as_deref().filter(|_| self.save_state)
    }
}
