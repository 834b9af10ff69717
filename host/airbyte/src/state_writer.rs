//! Saves states to a file while a sync emits them.
//!
//! A state is saved only once the output has everything before it. So a process that is killed has
//! saved too little at worst, which is then read again. It never saves too much, which would be
//! lost.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use elt_host::Result;
use elt_host::types::JsonObject;

use crate::message::{Message, StreamDescriptor};
use crate::sink::Observer;
use crate::state_file::{Place, StateFile, Written};

/// The time between two saves, except for the last.
const BETWEEN: Duration = Duration::from_secs(1);

/// Saves states to one file.
#[derive(Debug)]
pub struct StateWriter {
    shared: Arc<Shared>,
    place: Place,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    file: StateFile,
    /// Whether there is something that was not saved.
    due: bool,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateWriter {
    /// Saves to `file` at the end, by [`finish`](Self::finish), and not before.
    pub fn at_end(file: StateFile) -> Self {
        let place = file.place();
        let inner = Mutex::new(Inner { file, due: false, ended: false });
        Self { shared: Arc::new(Shared { inner, changed: Condvar::new() }), place, thread: None }
    }

    /// Saves to `file` once a second at most, and at the end. If `output` is a file on a disk, it
    /// is synced before each save.
    pub fn on_the_way(file: StateFile, output: Option<File>) -> Self {
        let mut writer = Self::at_end(file);
        let (shared, place) = (writer.shared.clone(), writer.place.clone());
        writer.thread = Some(thread::spawn(move || keep_saving(&shared, &place, output.as_ref())));
        writer
    }

    /// The observer by which it learns of states.
    pub fn observer(&self) -> impl Observer + use<> {
        Noted { shared: self.shared.clone(), written: Vec::new(), waits_for: WaitsFor::Flush }
    }

    /// As [`observer`](Self::observer), for a sink that says of which streams everything is
    /// durable. A flush says nothing about states then.
    pub fn observer_by_stream(&self) -> impl Observer + use<> {
        Noted { shared: self.shared.clone(), written: Vec::new(), waits_for: WaitsFor::Stream }
    }

    /// Writes what is not saved yet beside the file. `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// A system error if it cannot be written.
    pub fn finish(mut self) -> Result<Option<UnsavedStates>> {
        self.end();
        let inner = self.shared.lock();
        if !inner.due {
            return Ok(None);
        }
        let written = self.place.write(&inner.file.text())?;
        drop(inner);
        Ok(Some(UnsavedStates { written, _saver: self }))
    }

    fn end(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // If it panicked, what it did not save is still due.
            let _ = thread.join();
        }
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        self.end();
    }
}

/// States that were written beside their file.
#[derive(Debug)]
pub struct UnsavedStates {
    written: Written,
    /// Holds the lock of the file.
    _saver: StateWriter,
}

impl UnsavedStates {
    /// Puts them in the file's place.
    ///
    /// # Errors
    ///
    /// A system error if that cannot be done.
    pub fn save(self) -> Result<()> {
        self.written.put()
    }
}

/// Saves what is due, again and again. What fails stays due. Only the last attempt is reported.
fn keep_saving(shared: &Shared, place: &Place, output: Option<&File>) {
    let mut inner = shared.lock();
    loop {
        inner = shared
            .changed
            .wait_while(inner, |inner| !inner.due && !inner.ended)
            .unwrap_or_else(PoisonError::into_inner);
        if inner.ended {
            return;
        }
        let text = inner.file.text();
        inner.due = false;
        drop(inner);
        let durable = output.is_none_or(|output| output.sync_data().is_ok());
        let saved = durable && place.write(&text).and_then(Written::put).is_ok();
        inner = shared.lock();
        inner.due |= !saved;
        inner = shared
            .changed
            .wait_timeout_while(inner, BETWEEN, |inner| !inner.ended)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}

/// Holds states back until the output has everything that was written before them.
#[derive(Debug)]
struct Noted {
    shared: Arc<Shared>,
    written: Vec<(Arc<StreamDescriptor>, JsonObject)>,
    waits_for: WaitsFor,
}

/// What a state waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    /// Any flush after it.
    Flush,
    /// That its stream is settled.
    Stream,
}

impl Observer for Noted {
    fn written(&mut self, message: &Message) {
        if let Message::State { stream, state, .. } = message {
            self.written.push((stream.clone(), state.clone()));
        }
    }

    fn flushed(&mut self) {
        if self.waits_for == WaitsFor::Flush {
            self.release(|_| true);
        }
    }

    fn settled(&mut self, stream: &StreamDescriptor) {
        self.release(|noted| noted == stream);
    }
}

impl Noted {
    /// Gives the states of these streams to be saved.
    fn release(&mut self, is_of: impl Fn(&StreamDescriptor) -> bool) {
        let mut released = self.written.extract_if(.., |(stream, _)| is_of(stream)).peekable();
        if released.peek().is_none() {
            return;
        }
        let mut inner = self.shared.lock();
        for (stream, state) in released {
            inner.file.set(&stream, &state);
        }
        inner.due = true;
        drop(inner);
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn state(name: &str, state: &str) -> Message {
        let stream = Arc::new(StreamDescriptor { name: name.to_owned(), namespace: None });
        Message::State { stream, state: JsonObject::parse(state).unwrap(), record_count: 0 }
    }

    #[test]
    fn a_state_is_due_only_when_the_output_was_flushed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let writer = StateWriter::at_end(StateFile::open(&path).unwrap().0);
        let mut observer = writer.observer();
        observer.written(&state("a", r#"{"n":1}"#));
        observer.flushed();
        observer.written(&state("a", r#"{"n":2}"#));
        writer.finish().unwrap().unwrap().save().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#"{"n":1}"#) && !text.contains(r#"{"n":2}"#), "{text}");
    }

    #[test]
    fn a_state_that_waits_for_its_stream_is_not_due_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let writer = StateWriter::at_end(StateFile::open(&path).unwrap().0);
        let mut observer = writer.observer_by_stream();
        observer.written(&state("a", r#"{"n":1}"#));
        observer.written(&state("b", r#"{"n":2}"#));
        observer.flushed();
        observer.settled(&StreamDescriptor::new("b", None));
        observer.written(&state("b", r#"{"n":3}"#));
        writer.finish().unwrap().unwrap().save().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(r#"{"n":2}"#), "{text}");
        assert!(!text.contains(r#"{"n":1}"#) && !text.contains(r#"{"n":3}"#), "{text}");
    }

    #[test]
    fn where_no_state_was_emitted_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let writer = StateWriter::on_the_way(StateFile::open(&path).unwrap().0, None);
        writer.observer().flushed();
        assert!(writer.finish().unwrap().is_none());
        assert!(!path.exists());
    }

    #[test]
    fn the_last_states_are_saved_however_soon_they_follow() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let writer = StateWriter::on_the_way(StateFile::open(&path).unwrap().0, None);
        let mut observer = writer.observer();
        for n in 0..=100 {
            observer.written(&state("a", &format!(r#"{{"n":{n}}}"#)));
            observer.flushed();
        }
        if let Some(unsaved) = writer.finish().unwrap() {
            unsaved.save().unwrap();
        }
        assert!(fs::read_to_string(&path).unwrap().contains(r#"{"n":100}"#));
    }
}
