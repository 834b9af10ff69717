//! The files of one stream in one run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use elt_host::types::Record;
use json_text::Json;

use crate::column::{Column, MONTH};
use crate::instant::{self, Instant};
use crate::manifest::PartEntry;
use crate::options::Options;
use crate::part::Part;
use crate::problem::Problem;
use crate::run::RunId;

/// The month of a record whose cursor is no instant. The name that Hive and its readers have for
/// null.
const NO_MONTH: &str = "__HIVE_DEFAULT_PARTITION__";
/// Files that are open at the same time, for one stream.
const OPEN: usize = 64;

/// Writes the records of one stream.
#[derive(Debug)]
pub(crate) struct StreamFiles {
    pub(crate) folder: String,
    root: PathBuf,
    columns: Vec<Column>,
    /// The field whose month is that of the folder.
    cursor: Option<String>,
    options: Options,
    run: RunId,
    /// By month.
    parts: BTreeMap<Option<String>, (String, Part)>,
    count: u32,
}

impl StreamFiles {
    /// No files yet, for the folder of this name in `root`.
    pub(crate) fn new(
        root: PathBuf,
        folder: String,
        columns: Vec<Column>,
        cursor: &[String],
        options: Options,
        run: RunId,
    ) -> Self {
        let cursor = cursor.first().filter(|_| options.by_month && cursor.len() == 1).cloned();
        Self { folder, root, columns, cursor, options, run, parts: BTreeMap::new(), count: 0 }
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &Record, extracted_at: i64) -> Result<(), Problem> {
        let text = record.as_str();
        let month = self.cursor.as_ref().map(|cursor| month(text, cursor));
        if !self.parts.contains_key(&month) {
            self.begin(month.clone())?;
        }
        match self.parts.get_mut(&month) {
            Some((_, part)) => part.push(text, extracted_at),
            None => Ok(()),
        }
    }

    fn begin(&mut self, month: Option<String>) -> Result<(), Problem> {
        self.count += 1;
        let name = format!("{}-{:05}.{}", self.run, self.count, self.options.format.suffix());
        let file = match &month {
            Some(month) => format!("{}/{MONTH}={month}/{name}", self.folder),
            None => format!("{}/{name}", self.folder),
        };
        let part = Part::begin(&self.root.join(&file), self.options.format, &self.columns)?;
        self.parts.insert(month, (file, part));
        Ok(())
    }

    /// Whether every record is in a file that is in its place.
    pub(crate) fn is_settled(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a file is so large that it should be ended: at once, or where a state is.
    pub(crate) fn is_full(&self, at_state: bool) -> bool {
        let limit = self.options.part_size - if at_state { self.options.part_size / 8 } else { 0 };
        let is_full = |part: &Part| part.size() >= limit || part.has_many_groups();
        self.parts.len() > OPEN || self.parts.values().any(|(_, part)| is_full(part))
    }

    /// Bytes of rows in memory.
    pub(crate) fn held(&self) -> usize {
        self.parts.values().map(|(_, part)| part.held()).sum()
    }

    /// Writes the rows in memory.
    pub(crate) fn flush(&mut self) -> Result<(), Problem> {
        self.parts.values_mut().try_for_each(|(_, part)| part.flush())
    }

    /// Puts all files in their places.
    pub(crate) fn put(&mut self) -> Result<Vec<PartEntry>, Problem> {
        let mut entries = Vec::new();
        for (file, part) in std::mem::take(&mut self.parts).into_values() {
            let records = part.records;
            entries.push(PartEntry { bytes: part.put()?, file, records });
        }
        Ok(entries)
    }

    /// Begins a file without records if the stream has no folder, so that readers find its columns.
    pub(crate) fn begin_empty(&mut self) -> Result<(), Problem> {
        if self.count > 0 || self.root.join(&self.folder).exists() {
            return Ok(());
        }
        self.begin(self.cursor.as_ref().map(|_| NO_MONTH.to_owned()))
    }
}

fn month(record: &str, cursor: &str) -> String {
    let value = Json::checked(record).field(cursor);
    let instant = value.and_then(|value| Instant::parse(&value.text()?));
    instant.map_or_else(|| NO_MONTH.to_owned(), |instant| instant::month(instant.micros))
}
