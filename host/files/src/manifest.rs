//! `{run}.json`: what a run has written, and which columns the streams of the folder have.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::column::Column;
use crate::folder::Staged;
use crate::problem::Problem;
use crate::run::RunId;

/// What a run has written. It is replaced whenever parts have appeared, so it may lack the last
/// parts of a run that was killed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) run: String,
    pub(crate) status: Status,
    pub(crate) format: String,
    pub(crate) host: Program,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connector: Option<Program>,
    pub(crate) started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// No record of the folder was read later than this.
    pub(crate) extracted_until: String,
    /// The streams of this run, by folder.
    pub(crate) streams: BTreeMap<String, StreamEntry>,
    /// All columns that the streams of the folder have ever had, by folder.
    pub(crate) columns: BTreeMap<String, Vec<Column>>,
}

/// How a run or a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Running,
    Complete,
    Failed,
}

/// A program and its version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// What it is called.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a run has written of one stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StreamEntry {
    pub(crate) stream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    pub(crate) status: Status,
    pub(crate) records: u64,
    pub(crate) primary_key: Vec<Vec<String>>,
    pub(crate) cursor_field: Vec<String>,
    /// A digest of the JSON schema.
    pub(crate) schema: String,
    /// The last state whose records are all in files.
    pub(crate) state: Option<Box<RawValue>>,
    pub(crate) parts: Vec<PartEntry>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartEntry {
    /// Within the folder.
    pub(crate) file: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Manifest {
    /// The newest one of a folder.
    pub(crate) fn newest(folder: &Path) -> Result<Option<(RunId, Self)>, Problem> {
        let mut newest = None;
        for entry in fs::read_dir(folder).map_err(|error| Problem::from(error).at(folder))? {
            let name = entry.map_err(|error| Problem::from(error).at(folder))?.file_name();
            newest = newest.max(name.to_str().and_then(|name| RunId::parse(name.strip_suffix(".json")?)));
        }
        let Some(run) = newest else { return Ok(None) };
        let path = place(folder, &run.to_string());
        let text =
            elt_host::input_file::read_to_string(&path).map_err(|error| Problem::from(error).at(&path))?;
        match serde_json::from_str(&text) {
            Ok(manifest) => Ok(Some((run, manifest))),
            Err(error) => Err(Problem::Odd(path, format!("is not the manifest of a run: {error}"))),
        }
    }

    /// Writes it to its folder.
    pub(crate) fn put(&self, folder: &Path) -> Result<(), Problem> {
        let mut text = serde_json::to_vec_pretty(self).map_err(std::io::Error::other)?;
        text.push(b'\n');
        let target = place(folder, &self.run);
        let mut staged = Staged::begin(&target)?;
        staged.write_all(&text).map_err(|error| Problem::from(error).at(&target))?;
        staged.put().map(drop)
    }
}

fn place(folder: &Path, run: &str) -> std::path::PathBuf {
    folder.join(format!("{run}.json"))
}
