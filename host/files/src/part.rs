//! One file of records that is being written.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use json_text::Fields;

use crate::column::{Column, EXTRACTED_AT};
use crate::folder::Staged;
use crate::instant::Spelling;
use crate::options::Format;
use crate::problem::Problem;
use crate::row_group::ParquetFile;

/// Bytes of lines that are gathered before they are written.
const BUFFER: usize = 128 * 1024;

/// A file that appears when it is [`put`](Self::put) in its place.
#[derive(Debug)]
pub(crate) struct Part {
    body: Body,
    pub(crate) records: u64,
}

enum Body {
    Parquet(Box<ParquetFile<Staged>>),
    Plain(BufWriter<Staged>),
    Gzip(GzEncoder<BufWriter<Staged>>),
    Zstd(zstd::Encoder<'static, BufWriter<Staged>>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Parquet(_) => "Parquet",
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl Part {
    /// Begins a file for `target`.
    pub(crate) fn begin(target: &Path, format: Format, columns: &[Column]) -> Result<Self, Problem> {
        let staged = Staged::begin(target)?;
        let body = match format {
            Format::Parquet => Body::Parquet(Box::new(ParquetFile::new(staged, columns)?)),
            Format::Jsonl => Body::Plain(buffered(staged)),
            Format::JsonlGz => Body::Gzip(GzEncoder::new(buffered(staged), Compression::default())),
            Format::JsonlZst => {
                let mut encoder = zstd::Encoder::new(buffered(staged), zstd::DEFAULT_COMPRESSION_LEVEL)?;
                // gzip has a checksum anyway.
                encoder.include_checksum(true)?;
                Body::Zstd(encoder)
            }
        };
        Ok(Self { body, records: 0 })
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &str, extracted_at: i64) -> Result<(), Problem> {
        self.records += 1;
        match &mut self.body {
            Body::Parquet(file) => file.push(record, extracted_at)?,
            Body::Plain(out) => write_line(out, record, extracted_at)?,
            Body::Gzip(out) => write_line(out, record, extracted_at)?,
            Body::Zstd(out) => write_line(out, record, extracted_at)?,
        }
        Ok(())
    }

    /// Bytes that the file has at least, with what is in memory.
    pub(crate) fn size(&self) -> u64 {
        match &self.body {
            Body::Parquet(file) => (file.written() + file.held()) as u64,
            Body::Plain(out) => out.get_ref().bytes() + out.buffer().len() as u64,
            Body::Gzip(out) => out.get_ref().get_ref().bytes(),
            Body::Zstd(out) => out.get_ref().get_ref().bytes(),
        }
    }

    /// Whether it should end although it is not large.
    pub(crate) fn has_many_groups(&self) -> bool {
        matches!(&self.body, Body::Parquet(file) if file.has_many_groups())
    }

    /// Bytes of rows in memory.
    pub(crate) fn held(&self) -> usize {
        match &self.body {
            Body::Parquet(file) => file.held(),
            _ => 0,
        }
    }

    /// Writes the rows in memory.
    pub(crate) fn flush(&mut self) -> Result<(), Problem> {
        match &mut self.body {
            Body::Parquet(file) => file.flush(),
            _ => Ok(()),
        }
    }

    /// Ends the file, makes it durable, and puts it in its place. Returns its size.
    pub(crate) fn put(self) -> Result<u64, Problem> {
        let staged = match self.body {
            Body::Parquet(file) => file.finish()?,
            Body::Plain(out) => unbuffered(out)?,
            Body::Gzip(out) => unbuffered(out.finish()?)?,
            Body::Zstd(out) => unbuffered(out.finish()?)?,
        };
        staged.put()
    }
}

fn buffered(staged: Staged) -> BufWriter<Staged> {
    BufWriter::with_capacity(BUFFER, staged)
}

fn unbuffered(out: BufWriter<Staged>) -> io::Result<Staged> {
    out.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Writes a record as it is, with the time at which it was read before its fields. A record that
/// has a field of this name stays without: what it says counts.
fn write_line(out: &mut impl Write, text: &str, extracted_at: i64) -> io::Result<()> {
    let fields = text.strip_prefix('{').unwrap_or_default();
    let has_one = text.contains(EXTRACTED_AT)
        && Fields::decode(text).is_ok_and(|fields| fields.raw(EXTRACTED_AT).is_some());
    if has_one {
        out.write_all(text.as_bytes())?;
        return out.write_all(b"\n");
    }
    let comma = if fields.trim_start().starts_with('}') { "" } else { "," };
    write!(out, r#"{{"{EXTRACTED_AT}":"{}"{comma}"#, Spelling::micros().text(extracted_at))?;
    out.write_all(fields.as_bytes())?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_record_as_it_is_with_its_time() {
        let line = |text: &str| {
            let mut out = Vec::new();
            write_line(&mut out, text, 1_000_001).unwrap();
            String::from_utf8(out).unwrap()
        };
        let at = r#""_extracted_at":"1970-01-01T00:00:01.000001Z""#;
        assert_eq!(line(r#"{"a":1.10}"#), format!("{{{at},\"a\":1.10}}\n"));
        assert_eq!(line("{ }"), format!("{{{at} }}\n"));
        assert_eq!(line("{}"), format!("{{{at}}}\n"));
        let own = r#"{"a":1,"_extracted_at":2}"#;
        assert_eq!(line(own), format!("{own}\n"));
        assert_eq!(line(r#"{"a":"_extracted_at"}"#), format!("{{{at},\"a\":\"_extracted_at\"}}\n"));
    }
}
