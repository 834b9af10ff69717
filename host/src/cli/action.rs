//! The commands of a connector, as Airbyte names them, and their flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::sandbox::Sandbox;

/// A command of a connector, and what the connector is given.
#[derive(Args, Debug)]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,

    #[command(subcommand)]
    pub(crate) action: Action,
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
    Read(ReadFiles),
}

#[derive(Args, Debug)]
pub(crate) struct ConfigFile {
    /// The configuration of the connector: a JSON object as `spec` describes it
    #[arg(long = "config", value_name = "FILE")]
    pub(crate) path: PathBuf,
}

/// What a read is told by.
#[derive(Args, Debug)]
pub(crate) struct ReadFiles {
    #[command(flatten)]
    pub(crate) config: ConfigFile,

    /// Which streams to read, and how: a `ConfiguredAirbyteCatalog`
    #[arg(long, value_name = "FILE")]
    pub(crate) catalog: PathBuf,

    /// States of an earlier read to continue from; everything is read without it
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
}
