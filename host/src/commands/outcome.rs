//! How a command ended: an error comes in, lines for a person and an exit code go out.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use host::{Closed, Error, Redaction};

use crate::stdout::Stdout;

/// Why a command did not succeed.
pub(crate) enum Stop {
    /// Nobody was told yet.
    Failed(Error),
    /// The messages say so already.
    Told(Error),
    /// Nobody listens any more.
    Unheard,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Unheard
    }
}

/// Writes what is not a message.
pub(crate) fn show(text: &[u8]) -> ExitCode {
    match Stdout.write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            fail(&Error::system(format!("stdout cannot be written: {error}")), None)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Tells the person at the terminal, in one line or two.
pub(crate) fn fail(error: &Error, redaction: Option<&Redaction>) -> ExitCode {
    let mut text = format!("error: {}\n", one_line(error.message()));
    if let Some(hint) = error.hint() {
        text += &format!("hint: {}\n", one_line(hint));
    }
    let text = redaction.map_or(text.as_str().into(), |redaction| redaction.text(&text));
    // If there is no stderr either, there is nobody to tell.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::FAILURE
}

/// Without line breaks and other characters that would move the terminal's cursor.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
