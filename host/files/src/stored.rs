//! Reads the records of a stream back from its files, as the fields that they had.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use json_text::{Fields, quoted};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::reader::{FileReader as _, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;

use crate::column::{ColumnType, EXTRACTED_AT, MONTH};
use crate::instant::Instant;
use crate::options::Format;
use crate::problem::Problem;
use crate::row_group::{COLUMNS, Spelled};
use crate::run::RunId;

/// Rows that are read together.
const CHUNK: usize = 256;

/// A record that was read back.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StoredRecord {
    /// When it was read from its source, in microseconds since 1970.
    pub extracted_at: i64,
    /// Names and values as JSON text. Fields that were null or absent are not there.
    pub fields: Vec<(String, String)>,
}

/// The files of a stream in its folder, in the order in which they were written.
///
/// # Errors
///
/// Those of the file system. That there is no folder is none.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    collect(folder, true, &mut files).map_err(|error| Problem::from(error).at(folder))?;
    files.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    Ok(files)
}

fn collect(folder: &Path, with_months: bool, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_part =
            name.get(..19).is_some_and(|run| RunId::parse(run).is_some()) && format(&name).is_some();
        if entry.file_type()?.is_dir() {
            if with_months && name.starts_with(MONTH) {
                collect(&entry.path(), false, files)?;
            }
        } else if is_part && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn format(name: &str) -> Option<Format> {
    let (_, suffix) = name.split_once('.')?;
    Format::ALL.into_iter().find(|format| format.suffix() == suffix)
}

/// Reads a file, row by row.
///
/// # Errors
///
/// Those of the file system and of `row`, and if the file is not one that this crate wrote.
pub fn read(path: &Path, row: &mut impl FnMut(StoredRecord) -> Result<(), Problem>) -> Result<(), Problem> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut read = || {
        let file = File::open(path)?;
        match format(&name) {
            Some(Format::Parquet) => read_parquet(file, row),
            Some(Format::JsonlGz) => read_lines(BufReader::new(flate2::read::MultiGzDecoder::new(file)), row),
            Some(Format::JsonlZst) => read_lines(BufReader::new(zstd::Decoder::new(file)?), row),
            Some(Format::Jsonl) | None => read_lines(BufReader::new(file), row),
        }
    };
    let read = read();
    read.map_err(|problem| problem.at(path))
}

fn read_lines(
    mut lines: impl BufRead,
    row: &mut impl FnMut(StoredRecord) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let mut record = StoredRecord::default();
        for (name, value) in Fields::decode(line.trim_end_matches('\n')).map_err(io::Error::other)?.iter() {
            let time = name.is(EXTRACTED_AT).then(|| Instant::parse(&value.text()?)).flatten();
            match time {
                Some(instant) => record.extracted_at = instant.micros,
                None => record.push(name.text().unwrap_or(name.get().into()).into_owned(), value.get()),
            }
        }
        row(record)?;
        line.clear();
    }
    Ok(())
}

impl StoredRecord {
    fn push(&mut self, name: String, value: &str) {
        if value != "null" {
            self.fields.push((name, value.to_owned()));
        }
    }
}

fn read_parquet(
    file: File,
    row: &mut impl FnMut(StoredRecord) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let reader = SerializedFileReader::new(file)?;
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let entry = metadata.into_iter().flatten().find(|entry| entry.key == COLUMNS);
    let text = entry.and_then(|entry| entry.value.as_deref()).ok_or(Problem::Column)?;
    let columns: Vec<Spelled> = serde_json::from_str(text).map_err(io::Error::other)?;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group)?;
        read_group(&*group, &columns, row)?;
    }
    Ok(())
}

fn read_group(
    group: &dyn RowGroupReader,
    columns: &[Spelled],
    row: &mut impl FnMut(StoredRecord) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut readers = Vec::with_capacity(columns.len());
    for place in 0..columns.len() {
        readers.push(group.get_column_reader(place)?);
    }
    let mut rest = group.get_column_reader(columns.len())?;
    let mut extracted_at = group.get_column_reader(columns.len() + 1)?;
    let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
    while left > 0 {
        let count = left.min(CHUNK);
        left -= count;
        let mut values = Vec::with_capacity(columns.len());
        for (reader, column) in readers.iter_mut().zip(columns) {
            values.push(json_values(reader, column, count)?);
        }
        let mut rest = texts(&mut rest, count)?;
        let ColumnReader::Int64ColumnReader(reader) = &mut extracted_at else { return Err(Problem::Column) };
        let mut times = Vec::with_capacity(count);
        reader.read_records(count, None, None, &mut times)?;
        for extracted_at in times {
            let mut record = StoredRecord { extracted_at, fields: Vec::new() };
            let rest = rest.pop_front().flatten().unwrap_or_else(|| "{}".to_owned());
            let rest = Fields::decode(&rest).map_err(io::Error::other)?;
            for (values, Spelled { column, .. }) in values.iter_mut().zip(columns) {
                let value = values.pop_front().flatten();
                // What is kept aside is as it was written.
                if let Some(value) = value.filter(|_| rest.raw(&column.field).is_none()) {
                    record.fields.push((column.field.clone(), value));
                }
            }
            for (name, value) in rest.iter() {
                record.push(name.text().unwrap_or(name.get().into()).into_owned(), value.get());
            }
            row(record)?;
        }
    }
    Ok(())
}

/// The next values of a column as JSON text.
fn json_values(
    reader: &mut ColumnReader,
    Spelled { column, spelling }: &Spelled,
    count: usize,
) -> Result<VecDeque<Option<String>>, Problem> {
    let mut levels = Vec::with_capacity(count);
    let values: Vec<String> = match (reader, column.column_type) {
        (reader, ColumnType::Json) => return texts(reader, count),
        (reader, ColumnType::Text) => {
            let texts = texts(reader, count)?;
            return Ok(texts.into_iter().map(|text| text.map(|text| quoted(&text))).collect());
        }
        (ColumnReader::Int64ColumnReader(reader), column_type) => {
            let mut values = Vec::with_capacity(count);
            reader.read_records(count, Some(&mut levels), None, &mut values)?;
            let is_instant = column_type == ColumnType::Timestamp;
            let text = |value: i64| match is_instant {
                true => quoted(&spelling.instant.text(value)),
                false => value.to_string(),
            };
            values.into_iter().map(text).collect()
        }
        (ColumnReader::BoolColumnReader(reader), ColumnType::Boolean) => {
            let mut values = Vec::with_capacity(count);
            reader.read_records(count, Some(&mut levels), None, &mut values)?;
            values.iter().map(ToString::to_string).collect()
        }
        (ColumnReader::FixedLenByteArrayColumnReader(reader), ColumnType::Decimal(scale)) => {
            let mut values: Vec<FixedLenByteArray> = Vec::with_capacity(count);
            reader.read_records(count, Some(&mut levels), None, &mut values)?;
            let text = |value: &FixedLenByteArray| {
                let bytes = value.data().try_into().map_err(|_| Problem::Column)?;
                Ok(spelling.decimal.text(i128::from_be_bytes(bytes), scale))
            };
            values.iter().map(text).collect::<Result<_, Problem>>()?
        }
        _ => return Err(Problem::Column),
    };
    Ok(spread(values, &levels))
}

/// The next texts of a column.
fn texts(reader: &mut ColumnReader, count: usize) -> Result<VecDeque<Option<String>>, Problem> {
    let ColumnReader::ByteArrayColumnReader(reader) = reader else { return Err(Problem::Column) };
    let (mut values, mut levels): (Vec<ByteArray>, _) =
        (Vec::with_capacity(count), Vec::with_capacity(count));
    reader.read_records(count, Some(&mut levels), None, &mut values)?;
    let texts = values.iter().map(|value| Ok(value.as_utf8()?.to_owned())).collect::<Result<_, Problem>>()?;
    Ok(spread(texts, &levels))
}

/// One for each row, where there are values for those with a level.
fn spread(values: Vec<String>, levels: &[i16]) -> VecDeque<Option<String>> {
    let mut values = values.into_iter();
    levels.iter().map(|level| (*level > 0).then(|| values.next()).flatten()).collect()
}
