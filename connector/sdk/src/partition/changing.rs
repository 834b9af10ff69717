//! Reads a list, and finds out what became of objects that earlier reads have read.
//!
//! A read has up to four steps, one after the other:
//!
//! 1. The events since the last read name objects that have changed.
//! 2. The open objects are listed.
//! 3. The list itself is read from its cursor, or from the start if a sweep is due.
//! 4. The objects that no step has returned, but that were open or were named by an event, are
//!    requested one by one.
//!
//! The open objects come before the list. So one that is closed in between is either returned by
//! the list, or was open when it was last seen.
//!
//! The file is long because the four steps share what is known of the objects.

mod events;
mod objects;

use std::{mem, rc::Rc};

use json_text::Object as JsonObject;
use time::{SignedDuration, Timestamp};

use self::{events::Events, objects::Objects};
use super::{Slices, bounded, spans::Spans};
use crate::{
    cursor::{Cursor, TimeRange},
    error::Result,
    log::Level,
    page::Page,
    problem::Problem,
    record::{Origin, Record},
    request::PageRequest,
    rows::Rows,
    slice::{Scope, Slice, Until},
    state::{Memory, State, Sweep},
    stream::Stream,
};

/// Open objects are part of every checkpoint. For each this many of them, one more checkpoint is
/// left out before the next, so that the total size of checkpoints is not quadratic.
const OBJECTS_PER_INTERVAL: usize = 1_000;

/// A list whose objects change after they have been read.
#[derive(Debug)]
pub struct Changing<C: 'static> {
    stream: &'static Stream<C>,
    /// The cursor of the last read.
    previous: Option<Cursor>,
    /// When this read was opened.
    opened: Timestamp,
    events: Option<Events<C>>,
    open_list: Option<Spans<C>>,
    list: Spans<C>,
    objects: Objects,
    singles: Singles,
    swept: Option<Timestamp>,
    /// When the sweep was opened that this read is part of.
    sweep: Option<Timestamp>,
    /// The cursor, once the list has been read to its end.
    end: Option<Cursor>,
    /// Checkpoints that were left out since the last one.
    left_out: usize,
    log: Vec<(Level, String)>,
    finished: bool,
}

/// The objects that are requested one by one.
#[derive(Debug, Default)]
struct Singles {
    waiting: Vec<String>,
    are_known: bool,
    asked: usize,
    answered: usize,
    /// The times of records to emit.
    slice: Slice,
}

impl<C> Changing<C> {
    /// Continues from `state`. `opened` is when the read was opened.
    pub fn new(
        stream: &'static Stream<C>,
        config: &C,
        range: &TimeRange,
        state: State,
        opened: Timestamp,
    ) -> Self {
        let State { cursor: previous, memory, unread, .. } = state;
        let events = stream
            .feed
            .filter(|feed| (feed.is_wanted)(config))
            .map(|feed| Events::new(feed, config, memory.changes, previous.as_ref(), opened));
        let sweep_after = (stream.sweep)(config);
        let is_due = |swept: &Timestamp| sweep_after.is_some_and(|after| opened - *swept >= after);
        // The first read of a stream is a sweep, however often it is cut short: what lies below its
        // checkpoints has been read since it was opened.
        let sweep = match (sweep_after, &previous, memory.sweep) {
            (None, ..) | (_, None, _) => None,
            (Some(_), Some(_), Some(sweep)) => Some((sweep.opened, Some(Cursor::at(sweep.reached)))),
            // What a stopped read has left is read first.
            (Some(_), Some(_), None) if unread.is_some() => None,
            (Some(_), Some(_), None) => memory.swept.as_ref().is_none_or(is_due).then_some((opened, None)),
        };
        let is_first = previous.is_none();
        let swept = memory.swept.or(is_first.then_some(opened)).filter(|_| sweep_after.is_some());
        let (sweep, begin) = sweep.map_or((None, previous.clone()), |(opened, at)| (Some(opened), at));
        let open_for = stream.open.and_then(|open| (open.at_most)(config));
        let oldest = open_for.map(|at_most| opened.checked_sub(at_most).unwrap_or(range.start));
        let objects = Objects::new(memory.open, oldest);
        let open_list = oldest.and_then(|oldest| {
            let (from, until) = (oldest.max(range.start), range.end.map_or(opened, |end| end.min(opened)));
            let slice = bounded(stream, from, Some(Until::Including(until)));
            let slice = Slice { scope: Scope::Open, ..slice };
            (from <= until).then(|| Spans::of(stream, config, slice, opened))
        });
        let keep_before = range.end.and_then(|end| end.checked_add(SignedDuration::nanoseconds(1)));
        let slice = Slice { keep_from: Some(range.start), keep_before, ..Slice::default() };
        Self {
            stream,
            opened,
            events,
            open_list,
            list: Spans::new(stream, config, range, begin, opened).resume(unread),
            objects,
            singles: Singles { slice, ..Singles::default() },
            swept,
            sweep,
            previous,
            end: None,
            left_out: 0,
            log: Vec::new(),
            finished: false,
        }
    }

    /// Returns the records to emit: those that are not of an open object which was emitted as it
    /// is.
    fn select(&mut self, slice: &Slice, records: Vec<Record>) -> Vec<String> {
        let mut emitted = Vec::with_capacity(records.len());
        let mut last: Option<(Rc<Origin>, bool)> = None;
        for record in records {
            let is_new = match (&record.origin, &last) {
                (None, _) => true,
                (Some(origin), Some((last, is_new))) if Rc::ptr_eq(origin, last) => *is_new,
                (Some(origin), _) => {
                    // What the end date leaves out is remembered as it was, for a read without it.
                    let is_new = slice.keeps(record.position) && self.objects.see(origin, &record);
                    last = Some((Rc::clone(origin), is_new));
                    is_new
                }
            };
            if is_new && !record.withheld && slice.keeps(record.position) {
                emitted.push(record.json);
            }
        }
        emitted
    }

    /// Notes that an object is gone. Returns the record that says so.
    fn miss(&mut self, id: &str) -> Option<String> {
        let is_shown = self.objects.miss(id) && matches!(self.stream.rows, Rows::Elements);
        let object = self.stream.object.filter(|_| is_shown)?;
        let mut record = JsonObject::default();
        record.push_text(object.id, id);
        record.push("deleted", "true");
        Some(record.finish())
    }

    fn observe_object(&mut self, id: &str, page: Page) -> Vec<String> {
        self.singles.answered += 1;
        let is_stub = |record: &Record| record.origin.as_ref().is_some_and(|origin| origin.is_deleted);
        if page.records.iter().any(is_stub) {
            return self.miss(id).into_iter().collect();
        }
        // The server may spell the identifier in another way.
        self.objects.find(id);
        self.select(&self.singles.slice.clone(), page.records)
    }

    /// Returns the state once everything up to `cursor` has been read.
    fn state(&mut self, cursor: Cursor, is_end: bool) -> State {
        let (open, held) = self.objects.remember();
        if is_end && let Some((_, left_out)) = held {
            self.log.push((
                Level::Warn,
                format!(
                    "{left_out} open objects are too many to remember; until fewer are open, \
                     the newest of them are read again each time"
                ),
            ));
        }
        let (mut cursor, mut sweep) = (cursor, None);
        if let Some(opened) = self.sweep {
            sweep = (!is_end).then_some(Sweep { opened, reached: cursor.instant });
            self.swept = if is_end { Some(opened) } else { self.swept };
            let is_ahead = |previous: &&Cursor| !is_end || previous.instant >= cursor.instant;
            if let Some(previous) = self.previous.as_ref().filter(is_ahead) {
                cursor = previous.clone();
            }
        }
        if let Some((held, _)) = held.filter(|(held, _)| *held <= cursor.instant) {
            cursor = Cursor::at(held);
        }
        let changes = self.events.as_ref().map(|events| events.state(is_end, self.opened));
        let changes = changes.flatten();
        let memory = Memory { open, swept: self.swept, sweep, changes, ..Memory::default() };
        State { cursor: Some(cursor), memory, ..State::default() }
    }
}

impl<C: 'static> Slices<C> for Changing<C> {
    fn next_request(&mut self) -> Option<PageRequest<C>> {
        if let Some(events) = self.events.as_mut().filter(|events| !events.is_finished()) {
            return events.next_request();
        }
        if let Some(open) = self.open_list.as_mut().filter(|open| !open.is_finished()) {
            return open.next_request();
        }
        if !self.list.is_finished() {
            return self.list.next_request();
        }
        if !mem::replace(&mut self.singles.are_known, true) {
            self.singles.waiting = self.objects.sought();
        }
        let id = self.singles.waiting.pop()?;
        self.singles.asked += 1;
        let slice = Slice { scope: Scope::Object, parent: Some(id), ..self.singles.slice.clone() };
        Some(PageRequest { page_limit: None, ..PageRequest::new(self.stream, slice) })
    }

    fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        let records = match request.slice.scope {
            Scope::Object => return Ok(self.observe_object(id(request), page)),
            Scope::Feed => {
                let events = self.events.as_mut().ok_or("an unknown slice")?;
                for id in events.observe(request, page)? {
                    self.objects.seek(id);
                }
                self.log.extend(events.take_log());
                return Ok(Vec::new());
            }
            Scope::Open => self.open_list.as_mut().ok_or("an unknown slice")?.accept(request, page)?,
            Scope::All => self.list.accept(request, page)?,
        };
        Ok(self.select(&request.slice, records))
    }

    fn without(&mut self, request: &PageRequest<C>, reason: &str, is_absent: bool) -> Option<Vec<String>> {
        match request.slice.scope {
            Scope::Object if is_absent => {
                let id = id(request);
                self.singles.answered += 1;
                let message = format!("{id} is gone: {reason}");
                self.log.push((Level::Debug, message));
                Some(self.miss(id).into_iter().collect())
            }
            Scope::Feed => {
                let events = self.events.as_mut()?;
                events.give_up(reason);
                self.log.extend(events.take_log());
                Some(Vec::new())
            }
            _ => None,
        }
    }

    fn shorten(&mut self, request: &PageRequest<C>) -> bool {
        match request.slice.scope {
            Scope::Open => self.open_list.as_mut().is_some_and(|open| open.shorten(request)),
            Scope::All => self.list.shorten(request),
            Scope::Object | Scope::Feed => false,
        }
    }

    fn take_log(&mut self) -> Vec<(Level, String)> {
        mem::take(&mut self.log)
    }

    fn stop(&mut self) {
        // The other steps take few requests, and are read to their end.
        self.list.stop();
    }

    fn is_finished(&self) -> bool {
        self.finished
    }

    fn left_off(&mut self) -> Option<String> {
        let rest = (!self.list.is_finished()).then(|| self.list.rest())?;
        let state = self.state(rest.cursor?, false);
        Some(State { unread: rest.unread, ..state }.to_json(self.stream.cursor))
    }

    fn progress(&self) -> (u64, Option<u64>) {
        // The other steps take few requests, or a number that is not known beforehand.
        self.list.progress()
    }

    fn checkpoint(&mut self) -> Option<String> {
        if self.end.is_none() {
            let (cursor, is_end) = self.list.reached()?;
            if !is_end {
                self.left_out += 1;
                if self.left_out <= self.objects.count() / OBJECTS_PER_INTERVAL {
                    return None;
                }
                self.left_out = 0;
                return Some(self.state(cursor, false).to_json(self.stream.cursor));
            }
            self.end = Some(cursor);
        }
        let Singles { waiting, are_known, asked, answered, .. } = &self.singles;
        let is_read =
            if *are_known { waiting.is_empty() && asked == answered } else { self.objects.are_found() };
        if !is_read || self.finished {
            return None;
        }
        self.finished = true;
        let cursor = self.end.clone()?;
        Some(self.state(cursor, true).to_json(self.stream.cursor))
    }
}

/// Returns the identifier of the object that a request is for.
fn id<C>(request: &PageRequest<C>) -> &str {
    request.slice.parent.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
