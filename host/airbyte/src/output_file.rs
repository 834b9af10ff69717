//! Writes messages to a file instead of stdout. The file appears at the end, and may be compressed.

use std::io::{self, Write};
use std::path::Path;

use elt_host::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::atomic_file::{AtomicFile, Purpose, clear};
use crate::links::follow;

/// A file that is being written. It appears only when it is [`put`](Self::put) in its place.
#[derive(Debug)]
pub struct OutputFile {
    encoder: Encoder,
    name: String,
}

enum Encoder {
    Plain(AtomicFile),
    Gzip(GzEncoder<AtomicFile>),
    Zstd(zstd::Encoder<'static, AtomicFile>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl OutputFile {
    /// Begins a file for `path`, compressed if its name ends in `.gz` or `.zst`.
    ///
    /// # Errors
    ///
    /// A config error if no file can be written there.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let create = || -> io::Result<Encoder> {
            let target = follow(path)?;
            let file = AtomicFile::of(&target, Purpose::Output)?;
            clear(&target);
            Ok(match path.extension().and_then(|suffix| suffix.to_str()) {
                Some("gz") => Encoder::Gzip(GzEncoder::new(file, Compression::default())),
                Some("zst") => {
                    let mut encoder = zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                    // gzip has a checksum anyway.
                    encoder.include_checksum(true)?;
                    Encoder::Zstd(encoder)
                }
                _ => Encoder::Plain(file),
            })
        };
        match create() {
            Ok(encoder) => Ok(Self { encoder, name }),
            Err(error) => Err(Error::config(format!("the output file {name} cannot be written: {error}"))
                .with_hint(if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
                    "a device or a pipe takes the messages from stdout: name no file, and redirect stdout"
                } else {
                    "it is written beside its place first, which needs a folder in which files can be made"
                })),
        }
    }

    /// The error for a failure of writing it.
    pub fn error(&self, error: &io::Error) -> Error {
        failed(&self.name, error)
    }

    /// Ends the file, syncs it, and puts it in its place.
    ///
    /// # Errors
    ///
    /// A system error if that fails. The old file is then unchanged, unless it was overwritten
    /// because it cannot be replaced.
    pub fn put(self) -> Result<()> {
        let put = || {
            match self.encoder {
                Encoder::Plain(file) => file,
                Encoder::Gzip(encoder) => encoder.finish()?,
                Encoder::Zstd(encoder) => encoder.finish()?,
            }
            .put()
        };
        put().map_err(|error| failed(&self.name, &error))
    }
}

fn failed(name: &str, error: &io::Error) -> Error {
    Error::system(format!("the output file {name} cannot be written: {error}"))
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.encoder {
            Encoder::Plain(file) => file.write(bytes),
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    /// Does nothing. Nobody reads the file yet, and ending a compressed block at every state would
    /// make it larger.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
