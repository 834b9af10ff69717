//! How a command ended: reports errors to the terminal and returns an exit code.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use elt_airbyte::OutputClosed;
use elt_host::Error;
use elt_host::redaction::Redaction;

use crate::stdout::Stdout;
use crate::terminal::visible;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It failed, and no message says so yet.
    Failed(Error),
    /// It failed, and the messages say so already.
    Reported(Error),
    /// The output is closed.
    OutputClosed,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OutputClosed> for Stop {
    fn from(_: OutputClosed) -> Self {
        Self::OutputClosed
    }
}

/// Writes text that is not a message to stdout.
///
/// # Errors
///
/// If stdout cannot be written. That its reader is gone is no error.
pub(crate) fn show(text: &[u8]) -> anyhow::Result<()> {
    match Stdout::new().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("stdout cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Reports an error to the person at the terminal, in one line or two.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Error>() {
        Some(error) => fail(error, &Redaction::default()),
        None => write_error(&error.to_string(), None, &Redaction::default()),
    }
}

/// Reports an error of the engine, with secrets masked.
pub(crate) fn fail(error: &Error, redaction: &Redaction) -> ExitCode {
    write_error(error.message(), error.hint(), redaction)
}

/// Secrets are masked before anything is cut off or taken out, and once more in the whole.
fn write_error(message: &str, hint: Option<&str>, redaction: &Redaction) -> ExitCode {
    let line = |text: &str| one_line(&redaction.message(text));
    let mut text = format!("error: {}\n", line(message));
    if let Some(hint) = hint {
        text += &format!("hint: {}\n", line(hint));
    }
    // If there is no stderr either, nobody can read this.
    let _ = io::stderr().write_all(redaction.text(&text).as_bytes());
    ExitCode::FAILURE
}

/// Replaces line breaks and tabs by spaces, and makes the rest visible.
fn one_line(text: &str) -> String {
    let parts = text.split(['\n', '\r', '\t']).filter(|part| !part.is_empty());
    visible(&parts.collect::<Vec<_>>().join(" "))
}
