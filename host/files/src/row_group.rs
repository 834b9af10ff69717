//! Writes rows as Parquet: one file, row group by row group.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{
    Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde::{Deserialize, Serialize};

use crate::column::{Column, ColumnType, EXTRACTED_AT, REST};
use crate::decimal::PRECISION;
use crate::problem::Problem;
use crate::rows::{Data, Rows, Spelling, Texts};

/// The entry of a file's metadata that says which column is which field, and how its values were
/// spelled.
pub(crate) const COLUMNS: &str = "elt.columns";
/// Values that are handed over together.
const CHUNK: usize = 1024;
/// Bytes of a decimal.
const DECIMAL_BYTES: i32 = 16;
/// Bytes of a dictionary at most. Ids are no use in one, and this is soon found out.
const DICTIONARY: usize = 128 * 1024;

/// Columns of row groups in a file at most: what the file says of each stays in memory until its
/// end, about a kilobyte.
const CHUNKS: usize = 4096;

/// A column, and how its values were spelled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Spelled {
    #[serde(flatten)]
    pub(crate) column: Column,
    #[serde(default)]
    pub(crate) spelling: Spelling,
}

/// A Parquet file that is being written.
pub(crate) struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    rows: Rows,
}

impl<W: Write + Send> std::fmt::Debug for ParquetFile<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file with these columns.
    pub(crate) fn new(out: W, columns: &[Column]) -> Result<Self, Problem> {
        let writer = SerializedFileWriter::new(out, schema(columns)?, properties(columns)?)?;
        Ok(Self { writer, rows: Rows::new(columns) })
    }

    /// Adds a record to the rows in memory.
    pub(crate) fn push(&mut self, record: &str, extracted_at: i64) -> Result<(), Problem> {
        self.rows.push(record, extracted_at)
    }

    /// Bytes of the file so far.
    pub(crate) fn written(&self) -> usize {
        self.writer.bytes_written()
    }

    /// Whether it has so many row groups that it should end.
    pub(crate) fn has_many_groups(&self) -> bool {
        self.writer.flushed_row_groups().len() * (self.rows.columns().len() + 2) >= CHUNKS
    }

    /// Bytes of rows that are in memory.
    pub(crate) fn held(&self) -> usize {
        self.rows.bytes()
    }

    /// Writes the rows in memory as a row group.
    pub(crate) fn flush(&mut self) -> Result<(), Problem> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for values in self.rows.columns_mut() {
            // Given back as soon as it is written, so that little is in memory twice.
            let (data, levels) = values.take();
            write_column(&mut group, |writer| write_data(writer, data, &levels))?;
        }
        let (rest, levels) = (mem::take(&mut self.rows.rest), &self.rows.rest_levels);
        write_column(&mut group, |writer| write_texts(writer, rest, levels))?;
        let extracted_at = &self.rows.extracted_at;
        write_column(&mut group, |writer| match writer {
            ColumnWriter::Int64ColumnWriter(writer) => {
                writer.write_batch(extracted_at, None, None)?;
                Ok(())
            }
            _ => Err(Problem::Column),
        })?;
        group.close()?;
        self.rows.clear();
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<W, Problem> {
        self.flush()?;
        let columns: Vec<_> = self
            .rows
            .columns()
            .iter()
            .map(|values| Spelled { column: values.column.clone(), spelling: values.spelling })
            .collect();
        let text = serde_json::to_string(&columns).map_err(io::Error::other)?;
        self.writer.append_key_value_metadata(KeyValue::new(COLUMNS.to_owned(), text));
        Ok(self.writer.into_inner()?)
    }
}

/// The Parquet schema: all columns, `_rest` and `_extracted_at`.
fn schema(columns: &[Column]) -> Result<TypePtr, Problem> {
    let field = Type::primitive_type_builder;
    let text = || Some(LogicalType::String);
    let instant = || LogicalType::timestamp(true, TimeUnit::MICROS);
    let mut fields = Vec::with_capacity(columns.len() + 2);
    for column in columns {
        let name = column.name.as_str();
        let builder = match column.column_type {
            ColumnType::Text | ColumnType::Json => {
                field(name, Physical::BYTE_ARRAY).with_logical_type(text())
            }
            ColumnType::Timestamp => field(name, Physical::INT64).with_logical_type(Some(instant())),
            ColumnType::Integer => field(name, Physical::INT64),
            ColumnType::Boolean => field(name, Physical::BOOLEAN),
            ColumnType::Decimal(scale) => field(name, Physical::FIXED_LEN_BYTE_ARRAY)
                .with_length(DECIMAL_BYTES)
                .with_logical_type(Some(LogicalType::decimal(scale.into(), PRECISION.into())))
                .with_converted_type(ConvertedType::DECIMAL)
                .with_precision(PRECISION.into())
                .with_scale(scale.into()),
        };
        fields.push(Arc::new(builder.with_repetition(Repetition::OPTIONAL).build()?));
    }
    let rest = field(REST, Physical::BYTE_ARRAY).with_logical_type(text());
    fields.push(Arc::new(rest.with_repetition(Repetition::OPTIONAL).build()?));
    let extracted_at = field(EXTRACTED_AT, Physical::INT64).with_logical_type(Some(instant()));
    fields.push(Arc::new(extracted_at.with_repetition(Repetition::REQUIRED).build()?));
    Ok(Arc::new(Type::group_type_builder("record").with_fields(fields).build()?))
}

fn properties(columns: &[Column]) -> Result<WriterPropertiesPtr, Problem> {
    let extracted_at = ColumnPath::from(EXTRACTED_AT);
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("elt-files ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        // A column of a row group has few pages, and each entry stays in memory until the end.
        .set_offset_index_disabled(true)
        .set_dictionary_page_size_limit(DICTIONARY)
        // It grows by one from row to row.
        .set_column_dictionary_enabled(extracted_at.clone(), false)
        .set_column_encoding(extracted_at, Encoding::DELTA_BINARY_PACKED);
    // Nobody looks for the least of all objects.
    let json = columns.iter().filter(|column| column.column_type == ColumnType::Json);
    for name in json.map(|column| column.name.as_str()).chain([REST]) {
        properties = properties
            .set_column_statistics_enabled(ColumnPath::new(vec![name.to_owned()]), EnabledStatistics::None);
    }
    Ok(Arc::new(properties.build()))
}

/// Writes the next column of a row group.
fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    write: impl FnOnce(&mut ColumnWriter<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut column = group.next_column()?.ok_or(Problem::Column)?;
    write(column.untyped())?;
    Ok(column.close()?)
}

fn write_data(writer: &mut ColumnWriter<'_>, data: Data, levels: &[i16]) -> Result<(), Problem> {
    match (writer, data) {
        (writer @ ColumnWriter::ByteArrayColumnWriter(_), Data::Texts(texts)) => {
            write_texts(writer, texts, levels)
        }
        (ColumnWriter::Int64ColumnWriter(writer), Data::Integers(integers)) => {
            writer.write_batch(&integers, Some(levels), None)?;
            Ok(())
        }
        (ColumnWriter::BoolColumnWriter(writer), Data::Booleans(booleans)) => {
            writer.write_batch(&booleans, Some(levels), None)?;
            Ok(())
        }
        (ColumnWriter::FixedLenByteArrayColumnWriter(writer), Data::Decimals(decimals)) => {
            let bytes = |decimal: &i128| FixedLenByteArray::from(decimal.to_be_bytes().to_vec());
            let mut decimals = decimals.iter();
            for levels in levels.chunks(CHUNK) {
                let values: Vec<_> = decimals.by_ref().take(present(levels)).map(bytes).collect();
                writer.write_batch(&values, Some(levels), None)?;
            }
            Ok(())
        }
        _ => Err(Problem::Column),
    }
}

/// Writes texts without copying them.
fn write_texts(writer: &mut ColumnWriter<'_>, texts: Texts, levels: &[i16]) -> Result<(), Problem> {
    let ColumnWriter::ByteArrayColumnWriter(writer) = writer else { return Err(Problem::Column) };
    let bytes = Bytes::from(texts.bytes);
    let mut begin = 0;
    let mut ends = texts.ends.iter();
    let mut values: Vec<ByteArray> = Vec::with_capacity(CHUNK);
    for levels in levels.chunks(CHUNK) {
        values.clear();
        for end in ends.by_ref().take(present(levels)) {
            values.push(bytes.slice(begin..*end).into());
            begin = *end;
        }
        write_byte_arrays(writer, &values, levels)?;
    }
    Ok(())
}

fn write_byte_arrays(
    writer: &mut parquet::column::writer::ColumnWriterImpl<'_, ByteArrayType>,
    values: &[ByteArray],
    levels: &[i16],
) -> Result<(), Problem> {
    writer.write_batch(values, Some(levels), None)?;
    Ok(())
}

/// Values that there are among rows.
fn present(levels: &[i16]) -> usize {
    levels.iter().filter(|level| **level > 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_many_row_groups_should_end() {
        let column = |number: usize| Column {
            name: format!("c{number}"),
            field: format!("c{number}"),
            column_type: ColumnType::Integer,
        };
        let columns: Vec<_> = (0..1022).map(column).collect();
        let mut file = ParquetFile::new(Vec::new(), &columns).unwrap();
        let mut groups = 0;
        while !file.has_many_groups() {
            file.push(r#"{"c1":1}"#, groups).unwrap();
            file.flush().unwrap();
            groups += 1;
        }
        assert_eq!(groups, 4, "1022 columns, `_rest` and `_extracted_at`");
    }
}
