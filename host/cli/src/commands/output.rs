//! Writes messages to stdout or a file, and states to a state file.
//!
//! What is saved where, and when, is decided here, so that no record is lost however the process
//! ends. Messages are handed to stdout, and then the states among them are saved; or the file of
//! messages is put in its place whole, and then the states are saved.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use elt_airbyte::{
    AirbyteLines, Message, Observer, OutputFile, Receiver, StateFile, StateWriter, States, Writer,
};
use elt_host::{Error, Result};

use super::display::Display;
use crate::args::Destination;
use crate::stdout::Stdout;

/// Where messages are written, and states saved.
#[derive(Debug)]
pub(crate) struct Output {
    file: Option<OutputFile>,
    state_writer: Option<StateWriter>,
    display: Option<Display>,
}

/// What became of the messages.
#[derive(Debug)]
pub(crate) enum Written {
    /// All are written.
    All,
    /// The reader of stdout is gone.
    OutputClosed,
    /// Some are not.
    Failed(Error),
}

impl Output {
    /// Stdout alone.
    pub(crate) fn stdout() -> Self {
        Self { file: None, state_writer: None, display: None }
    }

    /// Opens the files of the command line. Also returns the states of the state file, if new ones
    /// are saved there.
    ///
    /// # Errors
    ///
    /// Those of files that cannot be written, and of a state file that cannot be read or is in use.
    pub(crate) fn open(wanted: &Destination) -> Result<(Self, Option<States>)> {
        let (state, states) = wanted.saved_to().map(StateFile::open).transpose()?.unzip();
        let file = wanted.output().map(OutputFile::create).transpose()?;
        let state_writer = state.map(|state| match &file {
            Some(_) => StateWriter::at_end(state),
            None => StateWriter::on_the_way(state, disk()),
        });
        let display = match wanted.no_progress {
            true => None,
            false => Display::of_terminal(file.is_some()),
        };
        Ok((Self { file, state_writer, display }, states))
    }

    /// Whether there is a file to be put in its place.
    pub(crate) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Writes all messages until every sender is gone. Blocks.
    pub(crate) fn drain(self, receiver: Receiver) -> Written {
        let Self { file, state_writer, display } = self;
        let outcome = Arc::new(Seen::default());
        match file {
            None => {
                let mut writer = observed(receiver, Stdout::new(), state_writer.as_ref(), display, &outcome);
                let drained = writer.drain();
                let saved = save(state_writer, &mut writer);
                match drained {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        Written::Failed(Error::system(format!("stdout cannot be written: {error}")))
                    }
                    drained => match (saved, drained) {
                        (Err(error), _) => Written::Failed(error),
                        (Ok(()), Err(_)) => Written::OutputClosed,
                        (Ok(()), Ok(())) => Written::All,
                    },
                }
            }
            Some(file) => {
                let mut writer = observed(receiver, file, state_writer.as_ref(), display, &outcome);
                let drained = writer.drain();
                match put(drained, state_writer, writer, &outcome) {
                    Ok(()) => Written::All,
                    Err(error) => Written::Failed(error),
                }
            }
        }
    }
}

fn observed<W: Write>(
    receiver: Receiver,
    out: W,
    state_writer: Option<&StateWriter>,
    display: Option<Display>,
    outcome: &Arc<Seen>,
) -> Writer<AirbyteLines<W>> {
    let mut writer = Writer::new(receiver, AirbyteLines::new(out)).observe(Note(outcome.clone()));
    if let Some(state_writer) = state_writer {
        writer = writer.observe(state_writer.observer());
    }
    if let Some(display) = display {
        writer = writer.observe(display);
    }
    writer
}

/// Saves the last states. If that fails, the messages say so.
fn save<W: Write>(state_writer: Option<StateWriter>, writer: &mut Writer<AirbyteLines<W>>) -> Result<()> {
    let saved = state_writer.map_or(Ok(None), StateWriter::finish).and_then(|unsaved| match unsaved {
        Some(unsaved) => unsaved.save(),
        None => Ok(()),
    });
    if let Err(error) = &saved {
        emit(error, writer);
    }
    saved
}

fn emit<W: Write>(error: &Error, writer: &mut Writer<AirbyteLines<W>>) {
    // Errors are flushed. If nobody reads them, stderr has them too.
    let _ = writer.write(Message::error(error.clone()));
}

/// Puts the file in its place if there is anything in it that will not be read again, and then the
/// states.
fn put(
    drained: io::Result<()>,
    state_writer: Option<StateWriter>,
    mut writer: Writer<AirbyteLines<OutputFile>>,
    seen: &Seen,
) -> Result<()> {
    if let Err(error) = drained {
        return Err(writer.into_sink().into_output().error(&error));
    }
    if seen.failed.load(Ordering::Relaxed) && !seen.state.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Written now, so that the file of messages can say that the disk is full.
    let unsaved = state_writer.map_or(Ok(None), StateWriter::finish);
    if let Err(error) = &unsaved {
        emit(error, &mut writer);
    }
    writer.into_sink().into_output().put()?;
    match unsaved? {
        Some(unsaved) => unsaved.save(),
        None => Ok(()),
    }
}

/// Stdout, if it is a file on a disk: it must be durable before states are.
#[cfg(unix)]
fn disk() -> Option<File> {
    use std::os::fd::AsFd as _;
    let file = File::from(io::stdout().as_fd().try_clone_to_owned().ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

#[cfg(not(unix))]
fn disk() -> Option<File> {
    None
}

/// What was among the messages.
#[derive(Debug, Default)]
struct Seen {
    failed: AtomicBool,
    state: AtomicBool,
}

/// Notes what is written.
#[derive(Debug)]
struct Note(Arc<Seen>);

impl Observer for Note {
    fn written(&mut self, message: &Message) {
        match message {
            Message::Error { .. } => self.0.failed.store(true, Ordering::Relaxed),
            Message::State { .. } => self.0.state.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
}
