//! What is not understood of a state file.

use std::fmt;

use elt_host::types::NotAnObject;

/// What is not understood, as a clause: "it must be a list of states".
#[derive(Debug)]
pub(super) enum Problem {
    /// It is neither a list nor an object.
    NoList,
    /// An entry of a list is something else than an object.
    NoEntry { index: usize, kind: &'static str },
    /// An object, or an entry of a list, has nothing that holds a state.
    NoMessage { entry: Option<usize> },
    /// A state does not say of which stream it is.
    NoDescriptor,
    /// The state of a stream is no JSON object.
    NoState { stream: String, problem: NotAnObject },
    /// The same in a legacy object, where another program's entries may be something else.
    Odd { stream: String, kind: &'static str },
    /// A part of it has another form.
    Json(serde_json::Error),
    /// Something about one entry of a list.
    Within { index: usize, problem: Box<Problem> },
}

impl Problem {
    /// A stream has something else than a state.
    pub(super) fn odd(stream: &str, kind: &'static str) -> Self {
        Self::Odd { stream: stream.to_owned(), kind }
    }

    /// The problem as that of an entry of a list.
    pub(super) fn within(self, index: usize) -> Self {
        Self::Within { index, problem: Box::new(self) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList => f.write_str("it must be a list of states"),
            Self::NoEntry { index, kind } => {
                write!(f, "entry {index} must be a JSON object, but is {kind}")
            }
            Self::NoMessage { entry } => {
                match entry {
                    Some(index) => write!(f, "entry {index}")?,
                    None => f.write_str("it")?,
                }
                f.write_str(" has neither `stream` nor `global` nor `data`")
            }
            Self::NoDescriptor => f.write_str("a state has no `stream_descriptor`"),
            Self::NoState { stream, problem } => write!(f, "the state of the stream `{stream}` {problem}"),
            Self::Odd { stream, kind } => {
                write!(f, "the state of the stream `{stream}` must be a JSON object, but is {kind}")
            }
            Self::Json(error) => error.fmt(f),
            Self::Within { index, problem } => write!(f, "entry {index}: {problem}"),
        }
    }
}

impl std::error::Error for Problem {}
