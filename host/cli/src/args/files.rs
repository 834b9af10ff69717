//! The flags of reads that write folders of files, and of their verification.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum, ValueHint};
use elt_files::{Format, Options};
use elt_host::limits::Size;

use super::{Choice, ConfigFile};

/// The folder that records are written to, for a warehouse or a query
#[derive(Args, Debug)]
#[command(next_help_heading = "Files")]
pub(crate) struct FolderFlags {
    /// Write the records to files in this folder, and no messages: DIR/STREAM/RUN-PART.parquet
    ///
    /// Each file appears whole, and states are saved after the files of their records. So a read
    /// that is killed leaves whole files only, and the next one goes on from the state and repeats
    /// one file of each stream at most. Every read adds files: the newest row of a key counts, by
    /// `_extracted_at`. One read at a time can write to a folder. Warnings go to stderr.
    /// docs/files.md has the types, and views for databases.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "output")]
    pub(crate) output_dir: Option<PathBuf>,

    /// The form of the files
    #[arg(long, value_enum, requires = "output_dir", default_value_t = FileFormat::Parquet)]
    format: FileFormat,

    /// Size of a file at most, but for its last batch of records
    #[arg(long, value_name = "SIZE", requires = "output_dir", default_value_t = Size(128 << 20))]
    part_size: Size,

    /// Put the files of streams with a cursor into folders by its month: `_month=2026-01`
    #[arg(long, value_enum, requires = "output_dir")]
    partition: Option<Partition>,
}

/// The form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// Columns of exact types, compressed by zstd
    Parquet,
    /// One record a line
    Jsonl,
    /// The same, compressed by gzip
    #[value(name = "jsonl.gz")]
    JsonlGz,
    /// The same, compressed by zstd
    #[value(name = "jsonl.zst")]
    JsonlZst,
}

/// What decides about the folder of a file within that of its stream.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Partition {
    /// The month of the cursor, UTC
    Month,
}

impl FolderFlags {
    /// How the folder is written.
    pub(crate) fn options(&self) -> Options {
        let format = match self.format {
            FileFormat::Parquet => Format::Parquet,
            FileFormat::Jsonl => Format::Jsonl,
            FileFormat::JsonlGz => Format::JsonlGz,
            FileFormat::JsonlZst => Format::JsonlZst,
        };
        let by_month = self.partition.is_some();
        Options { part_size: self.part_size.0 as u64, by_month, ..Options::new(format) }
    }
}

/// What is compared with which folder.
#[derive(Args, Debug)]
pub(crate) struct Verifying {
    #[command(flatten)]
    pub(crate) config: ConfigFile,

    /// The folder that reads have written with --output-dir
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) against: PathBuf,

    /// The streams to compare: a `ConfiguredAirbyteCatalog` [default: the connector's default
    /// streams]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) catalog: Option<PathBuf>,

    /// Compare these streams: names of streams or of groups, or `all`
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', conflicts_with = "catalog")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    streams: Vec<String>,

    /// How to show what was found
    #[arg(long, value_enum, default_value_t = Findings::Table)]
    pub(crate) format: Findings,
}

/// How the findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Findings {
    /// For a person
    Table,
    /// For a program: one JSON object
    Json,
}

impl Verifying {
    /// The streams, in full.
    pub(crate) fn choice(&self) -> Choice {
        Choice { catalog: self.catalog.clone(), streams: self.streams.clone(), full_refresh: true }
    }
}
