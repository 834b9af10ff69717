//! Where messages go: an inbox comes in; stdout or a file, and a state file, go out.
//!
//! What is saved where, and when, so that no record is lost however the process ends: messages are handed to stdout, and
//! then the states among them are saved; or the file of messages is put in its place whole, and then the states are saved.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use host::{Emitter, Error, Inbox, Message, Observer, OutputFile, Result, Saver, StateFile, States};

use super::display::Display;
use crate::cli::Destination;
use crate::stdout::Stdout;

/// What messages are written to.
#[derive(Debug)]
pub(crate) struct Sinks {
    file: Option<OutputFile>,
    saver: Option<Saver>,
    display: Option<Display>,
}

/// What became of the messages.
#[derive(Debug)]
pub(crate) enum Written {
    /// All are where they should be.
    All,
    /// Whoever read stdout has gone.
    Unheard,
    /// They are not.
    Failed(Error),
}

impl Sinks {
    /// Stdout alone.
    pub(crate) fn stdout() -> Self {
        Self { file: None, saver: None, display: None }
    }

    /// Opens the files that are wanted. Also returns the states of the state file, if new ones are saved there.
    ///
    /// # Errors
    ///
    /// Those of files that cannot be written, and of a state file that cannot be read or is in use.
    pub(crate) fn open(wanted: &Destination) -> Result<(Self, Option<States>)> {
        let (state, states) = wanted.saved_to().map(StateFile::open).transpose()?.unzip();
        let file = wanted.output().map(OutputFile::create).transpose()?;
        let saver = state.map(|state| match &file {
            Some(_) => Saver::at_end(state),
            None => Saver::on_the_way(state, disk()),
        });
        let display = match wanted.no_progress {
            true => None,
            false => Display::of_terminal(file.is_some()),
        };
        Ok((Self { file, saver, display }, states))
    }

    /// Whether there is a file to be put in its place.
    pub(crate) fn is_file(&self) -> bool {
        self.file.is_some()
    }

    /// Writes all that comes, until every sender is gone. Blocks.
    pub(crate) fn drain(self, inbox: Inbox) -> Written {
        let Self { file, saver, display } = self;
        let outcome = Arc::new(Seen::default());
        match file {
            None => {
                let mut emitter = observed(Stdout, saver.as_ref(), display, &outcome);
                let drained = emitter.drain(inbox);
                let saved = save(saver, &mut emitter);
                match drained {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        Written::Failed(Error::system(format!("stdout cannot be written: {error}")))
                    }
                    drained => match (saved, drained) {
                        (Err(error), _) => Written::Failed(error),
                        (Ok(()), Err(_)) => Written::Unheard,
                        (Ok(()), Ok(())) => Written::All,
                    },
                }
            }
            Some(file) => {
                let mut emitter = observed(file, saver.as_ref(), display, &outcome);
                let drained = emitter.drain(inbox);
                match put(drained, saver, emitter, &outcome) {
                    Ok(()) => Written::All,
                    Err(error) => Written::Failed(error),
                }
            }
        }
    }
}

fn observed<W: Write>(
    out: W,
    saver: Option<&Saver>,
    display: Option<Display>,
    outcome: &Arc<Seen>,
) -> Emitter<W> {
    let mut emitter = Emitter::new(out).observe(Watching(outcome.clone()));
    if let Some(saver) = saver {
        emitter = emitter.observe(saver.observer());
    }
    if let Some(display) = display {
        emitter = emitter.observe(display);
    }
    emitter
}

/// Saves the last states; if that fails, whoever reads the messages is told.
fn save<W: Write>(saver: Option<Saver>, emitter: &mut Emitter<W>) -> Result<()> {
    let saved = saver.map_or(Ok(None), Saver::finish).and_then(|unsaved| match unsaved {
        Some(unsaved) => unsaved.save(),
        None => Ok(()),
    });
    if let Err(error) = &saved {
        tell(error, emitter);
    }
    saved
}

fn tell<W: Write>(error: &Error, emitter: &mut Emitter<W>) {
    // Errors are flushed; if nobody hears them, stderr has them still.
    let _ = emitter.emit(&Message::error(error.clone()));
}

/// Puts the file in its place if there is anything in it that will not be read again, and then the states.
fn put(
    drained: io::Result<()>,
    saver: Option<Saver>,
    mut emitter: Emitter<OutputFile>,
    seen: &Seen,
) -> Result<()> {
    if let Err(error) = drained {
        return Err(emitter.into_output().error(&error));
    }
    if seen.failed.load(Ordering::Relaxed) && !seen.state.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Written now, so that a disk that is full is told of in the file.
    let unsaved = saver.map_or(Ok(None), Saver::finish);
    if let Err(error) = &unsaved {
        tell(error, &mut emitter);
    }
    emitter.into_output().put()?;
    match unsaved? {
        Some(unsaved) => unsaved.save(),
        None => Ok(()),
    }
}

/// Stdout, if it is a file on a disk, which is to be durable before states are.
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

/// What there was among the messages.
#[derive(Debug, Default)]
struct Seen {
    failed: AtomicBool,
    state: AtomicBool,
}

#[derive(Debug)]
struct Watching(Arc<Seen>);

impl Observer for Watching {
    fn written(&mut self, message: &Message) {
        match message {
            Message::Error { .. } => self.0.failed.store(true, Ordering::Relaxed),
            Message::State { .. } => self.0.state.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
}
