//! Writes messages to stdout or a file, or records to files in a folder, and states to a state
//! file.
//!
//! What is saved where, and when, is decided here, so that no record is lost however the process
//! ends. Messages are handed to stdout, and then the states among them are saved; or the file of
//! messages is put in its place whole, and then the states are saved.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use elt_airbyte::{
    AirbyteLines, Message, Observer, OutputFile, Receiver, Sink, StateFile, StateWriter, States, Writer,
};
use elt_files::{FileSink, Program, Verification};
use elt_host::events::Level;
use elt_host::{Error, Result};

use super::display::Display;
use super::findings::findings;
use crate::args::{Action, Findings, ReadFiles, Verifying};
use crate::stdout::Stdout;
use crate::terminal::visible;

/// What the command line wants to be written, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// Messages or files, and states.
    Read(&'a ReadFiles),
    /// What a comparison finds.
    Verify(&'a Verifying),
}

impl<'a> Wanted<'a> {
    /// What this command wants. `None` if its messages go to stdout and that is all.
    pub(crate) fn of(action: &'a Action) -> Option<Self> {
        match action {
            Action::Read(files) => Some(Self::Read(files)),
            Action::Verify(verifying) => Some(Self::Verify(verifying)),
            _ => None,
        }
    }

    /// Opens the files of the command line. Also returns the states of the state file, if new ones
    /// are saved there.
    ///
    /// # Errors
    ///
    /// Those of files that cannot be written, and of a state file that cannot be read or is in use.
    pub(crate) fn open(self) -> Result<(Output, Option<States>)> {
        match self {
            Self::Read(files) => Output::open(files),
            Self::Verify(wanted) => {
                let target = Target::Comparison(Box::new(Verification::of(&wanted.against)?), wanted.format);
                let display = Display::of_terminal(true);
                Ok((Output { target, state_writer: None, display }, None))
            }
        }
    }
}

/// Where messages are written, and states saved.
#[derive(Debug)]
pub(crate) struct Output {
    target: Target,
    state_writer: Option<StateWriter>,
    display: Option<Display>,
}

/// What messages are written to.
#[derive(Debug)]
enum Target {
    Stdout,
    File(Box<OutputFile>),
    /// Records are written to files in a folder.
    Folder(Box<FileSink>),
    /// Records are compared, and what is found is written to stdout.
    Comparison(Box<Verification>, Findings),
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
    /// They are not what the folder has.
    Different,
}

impl Output {
    /// Stdout alone.
    pub(crate) fn stdout() -> Self {
        Self { target: Target::Stdout, state_writer: None, display: None }
    }

    fn open(files: &ReadFiles) -> Result<(Self, Option<States>)> {
        let wanted = &files.destination;
        let (state, states) = wanted.saved_to().map(StateFile::open).transpose()?.unzip();
        let target = match (&files.folder.output_dir, wanted.output()) {
            (Some(folder), _) => {
                let host = Program { name: "host".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
                Target::Folder(Box::new(FileSink::open(folder, files.folder.options(), host)?))
            }
            (None, Some(file)) => Target::File(Box::new(OutputFile::create(file)?)),
            (None, None) => Target::Stdout,
        };
        let state_writer = state.map(|state| match &target {
            Target::File(_) => StateWriter::at_end(state),
            // Files in a folder are durable before their states are settled.
            Target::Folder(_) => StateWriter::on_the_way(state, None),
            Target::Stdout | Target::Comparison(..) => StateWriter::on_the_way(state, disk()),
        });
        let display = match wanted.no_progress {
            true => None,
            false => Display::of_terminal(!matches!(target, Target::Stdout)),
        };
        Ok((Self { target, state_writer, display }, states))
    }

    /// Whether there are files to be put in their places.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.target, Target::File(_) | Target::Folder(_))
    }

    /// Writes all messages until every sender is gone. Blocks.
    pub(crate) fn drain(self, receiver: Receiver) -> Written {
        let Self { target, state_writer, display } = self;
        let seen = Arc::new(Seen::default());
        let by_flush = || state_writer.as_ref().map(StateWriter::observer);
        let failed = match target {
            Target::Stdout => {
                let lines = AirbyteLines::new(Stdout::new());
                let mut writer = observed(receiver, lines, by_flush(), display, &seen);
                let drained = writer.drain();
                let saved = save(state_writer, &mut writer);
                match drained {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        Some(Error::system(format!("stdout cannot be written: {error}")))
                    }
                    drained => match (saved, drained) {
                        (Err(error), _) => Some(error),
                        (Ok(()), Err(_)) => return Written::OutputClosed,
                        (Ok(()), Ok(())) => None,
                    },
                }
            }
            Target::File(file) => {
                let lines = AirbyteLines::new(*file);
                let mut writer = observed(receiver, lines, by_flush(), display, &seen);
                let drained = writer.drain();
                put(drained, state_writer, writer, &seen).err()
            }
            Target::Folder(sink) => {
                let states = state_writer.as_ref().map(StateWriter::observer_by_stream);
                let writer = observed(receiver, *sink, states, display, &seen).observe(Complaints);
                fill(writer, state_writer).err()
            }
            Target::Comparison(verification, format) => {
                let states = None::<Complaints>;
                let writer = observed(receiver, *verification, states, display, &seen).observe(Complaints);
                return compare(writer, &seen, format);
            }
        };
        failed.map_or(Written::All, Written::Failed)
    }
}

fn observed<S: Sink>(
    receiver: Receiver,
    sink: S,
    states: Option<impl Observer + 'static>,
    display: Option<Display>,
    seen: &Arc<Seen>,
) -> Writer<S> {
    let mut writer = Writer::new(receiver, sink).observe(Note(seen.clone()));
    if let Some(states) = states {
        writer = writer.observe(states);
    }
    if let Some(display) = display {
        writer = writer.observe(display);
    }
    writer
}

/// Saves the last states. If that fails, the messages say so.
fn save<W: Write>(state_writer: Option<StateWriter>, writer: &mut Writer<AirbyteLines<W>>) -> Result<()> {
    let saved = save_states(state_writer);
    if let Err(error) = &saved {
        emit(error, writer);
    }
    saved
}

fn save_states(state_writer: Option<StateWriter>) -> Result<()> {
    match state_writer.map_or(Ok(None), StateWriter::finish)? {
        Some(unsaved) => unsaved.save(),
        None => Ok(()),
    }
}

fn emit<W: Write>(error: &Error, writer: &mut Writer<AirbyteLines<W>>) {
    // Errors are flushed. If nobody reads them, stderr has them too.
    let _ = writer.write(Message::error(error.clone()));
}

/// Writes files to a folder. States are saved whether that succeeds or not: each is settled.
fn fill(mut writer: Writer<FileSink>, state_writer: Option<StateWriter>) -> Result<()> {
    let drained = writer.drain();
    let mut sink = writer.into_sink();
    let filled = match drained {
        Ok(()) => sink.finish(),
        Err(error) => {
            let error = sink.error(&error);
            sink.abandon();
            Err(error)
        }
    };
    let saved = save_states(state_writer);
    filled.and(saved)
}

/// Compares what is read with a folder, and shows what was found unless the read failed.
fn compare(mut writer: Writer<Verification>, seen: &Seen, format: Findings) -> Written {
    let drained = writer.drain();
    let verification = writer.into_sink();
    if let Err(error) = drained {
        return Written::Failed(verification.error(&error));
    }
    let has_failed = seen.failed.load(Ordering::Relaxed);
    let report = verification.into_report();
    if has_failed && report.streams.is_empty() {
        return Written::All;
    }
    match Stdout::new().write_all(findings(&report, format).as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Written::Failed(Error::system(format!("stdout cannot be written: {error}")))
        }
        _ if report.is_equal() => Written::All,
        _ => Written::Different,
    }
}

/// Shows warnings and errors on stderr, where no messages are written.
#[derive(Debug)]
struct Complaints;

impl Observer for Complaints {
    fn written(&mut self, message: &Message) {
        if let Message::Log { level, message } = message
            && *level >= Level::Warn
        {
            // If there is no stderr, nobody can read this.
            let _ = writeln!(io::stderr(), "warning: {}", visible(message.trim_end()));
        }
    }
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
