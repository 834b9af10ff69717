//! Records of one stream in a file without a name, with their keys.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write as _};

/// Bytes of a length.
const LENGTH: usize = 4;

/// Records, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Spill {
    out: Option<BufWriter<File>>,
    bytes: u64,
}

/// A record, with its key and its place in time.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) order: i64,
    /// One JSON object.
    pub(super) record: String,
}

impl Spill {
    /// Adds a record.
    pub(super) fn push(&mut self, key: &str, order: i64, record: &str) -> io::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            none => none.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        for text in [key, record] {
            let length = u32::try_from(text.len()).map_err(io::Error::other)?;
            out.write_all(&length.to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        out.write_all(&order.to_le_bytes())?;
        self.bytes += (2 * LENGTH + 8 + key.len() + record.len()) as u64;
        Ok(())
    }

    /// Bytes of all records.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads them in the order in which they came.
    pub(super) fn read(self, mut take: impl FnMut(Entry) -> io::Result<()>) -> io::Result<()> {
        let Some(out) = self.out else { return Ok(()) };
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let (mut file, mut left) = (BufReader::new(file), self.bytes);
        while left > 0 {
            let (key, record) = (read_text(&mut file)?, read_text(&mut file)?);
            let mut order = [0; 8];
            file.read_exact(&mut order)?;
            left -= (2 * LENGTH + order.len() + key.len() + record.len()) as u64;
            take(Entry { key, order: i64::from_le_bytes(order), record })?;
        }
        Ok(())
    }
}

fn read_text(file: &mut impl Read) -> io::Result<String> {
    let mut length = [0; LENGTH];
    file.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}
