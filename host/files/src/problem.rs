//! What can go wrong with a folder of files.

use std::fmt;
use std::io;
use std::path::PathBuf;

use elt_host::Error;
use parquet::errors::ParquetError;

/// What is wrong with a folder, or with a file in it.
#[derive(Debug)]
pub enum Problem {
    /// The file system refused.
    Io(io::Error),
    /// Parquet could not be written or read.
    Parquet(ParquetError),
    /// A column of a file is not what its metadata says.
    Column,
    /// Another process writes to the folder.
    InUse(PathBuf),
    /// A file is not what it should be. Why, as a predicate.
    Odd(PathBuf, String),
    /// Something went wrong at a path.
    At(PathBuf, Box<Problem>),
}

impl Problem {
    /// Says where it happened.
    pub(crate) fn at(self, path: impl Into<PathBuf>) -> Self {
        Self::At(path.into(), Box::new(self))
    }

    /// The failure for a user of this folder.
    pub fn into_error(self) -> Error {
        match &self {
            Self::InUse(_) => Error::transient(self.to_string())
                .with_hint("wait for its end, or give this one a folder of its own"),
            Self::Odd(..) | Self::Column => Error::config(self.to_string()),
            Self::Io(_) | Self::Parquet(_) | Self::At(..) => Error::system(self.to_string()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Parquet(error) => error.fmt(f),
            Self::Column => f.write_str("it has a column of another type than its metadata says"),
            Self::InUse(folder) => write!(f, "another read writes to the folder {}", folder.display()),
            Self::Odd(path, why) => write!(f, "{} {why}", path.display()),
            Self::At(path, problem) => write!(f, "{}: {problem}", path.display()),
        }
    }
}

impl std::error::Error for Problem {}

impl From<json_text::Problem> for Problem {
    fn from(problem: json_text::Problem) -> Self {
        Self::Io(io::Error::other(problem))
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ParquetError> for Problem {
    fn from(error: ParquetError) -> Self {
        match error {
            // An error of the file below.
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(error) => Self::Parquet(ParquetError::External(error)),
            },
            error => Self::Parquet(error),
        }
    }
}

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Io(error) => error,
            problem => Self::other(problem),
        }
    }
}
