//! Writes the records of a sync to a folder, as Parquet or JSON lines, and compares such a folder
//! with its source.
//!
//! A [`FileSink`] is a [`Sink`](elt_airbyte::Sink) of [`elt_airbyte`]. Each file is written beside
//! its place, made durable, and then appears there whole; only then are the states saved that say
//! that its records were read. Every value is in a column of its exact type, or untouched in the
//! column `_rest`.

mod column;
mod decimal;
mod folder;
mod instant;
mod manifest;
mod options;
mod part;
mod problem;
mod row_group;
mod rows;
mod run;
mod sink;
mod stored;
mod stream;
mod verify;

pub use self::column::{Column, ColumnType, EXTRACTED_AT, MONTH, REST};
pub use self::manifest::Program;
pub use self::options::{Format, Options};
pub use self::problem::Problem;
pub use self::sink::FileSink;
pub use self::stored::{StoredRecord, files, read};
pub use self::verify::{Comparison, Report, Verification};
