//! The error of this crate.

use std::{borrow::Cow, fmt};

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    message: Cow<'static, str>,
    /// Offset in bytes. `None` at the end of the text, or if the position is unknown.
    at: Option<usize>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>, at: Option<usize>) -> Self {
        Self { message: message.into(), at }
    }

    /// Returns the offset of the problem in bytes. `None` if the text ends too early.
    pub fn at(&self) -> Option<usize> {
        self.at
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.at.map_or(Ok(()), |at| write!(f, " at byte {at}"))
    }
}

impl std::error::Error for Problem {}
