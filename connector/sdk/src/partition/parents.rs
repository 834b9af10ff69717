//! Cuts a stream by parents: one list per record of another stream.
//!
//! The progress of a read is one instant: the lists of all parents created after it have been read.
//! This works because the outermost parents are listed newest first. A finished read has one cursor
//! for the whole stream.
//!
//! A parent whose list is refused is skipped and fails the stream at its end. No checkpoint passes
//! it.

use std::{mem, rc::Rc};

use time::{SignedDuration, Timestamp};

use super::{Slices, bounded, corrections::Corrected, emit, lists::Lists};
use crate::{
    cursor::{Cursor, OVERLAP, TimeRange, Watermark},
    error::{Error, Result},
    log::Level,
    page::Page,
    problem::Problem,
    record::Record,
    refusal::Refusals,
    request::PageRequest,
    slice::{Scope, Slice, Until},
    state::{Memory, State, Unfinished},
    stream::{Parents, Stream},
};

/// A checkpoint is due after this many parents or records, whichever comes first.
const CHECKPOINT_PARENTS: usize = 100;
const CHECKPOINT_RECORDS: usize = 5_000;

/// Cursors of single parents are part of every checkpoint until the read has ended. The interval
/// between checkpoints grows by itself for each this many of them, so that the total size of
/// checkpoints is not quadratic.
const CURSORS_PER_INTERVAL: usize = 1_000;

/// The lists of all parents, and the state of reading them.
pub struct ByParent<C: 'static> {
    stream: &'static Stream<C>,
    config: Rc<C>,
    range: TimeRange,
    state: State,
    watermark: Watermark,
    corrected: Option<Corrected<C>>,
    lists: Lists<C>,
    refusals: Refusals,
    log: Vec<(Level, String)>,
    /// Parents and records since the last checkpoint.
    since_checkpoint: (usize, usize),
    emitted: Option<Timestamp>,
    finished: bool,
}

impl<C> std::fmt::Debug for ByParent<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByParent").field("stream", &self.stream.name).finish_non_exhaustive()
    }
}

impl<C> ByParent<C> {
    /// Creates all lists, continuing from `state`. `opened` is when this read was opened. If the
    /// state is that of an unfinished read, that read's opening counts instead.
    pub fn new(
        stream: &'static Stream<C>,
        parents: &'static Parents<C>,
        config: Rc<C>,
        range: TimeRange,
        mut state: State,
        opened: Timestamp,
    ) -> Self {
        if state.unfinished.is_some_and(|unfinished| !unfinished.reaches(range.end)) {
            // What was read is not enough for this end, so the read starts over.
            state = state.restarted();
        }
        // Records within the grace period do not count yet.
        let settled = stream.grace.map_or(opened, |grace| opened.checked_sub(grace).unwrap_or(opened));
        let previous = state.cursor.clone().unwrap_or_else(|| Cursor::at(range.start));
        let mut watermark = Watermark::new(previous, settled).holding(stream.unsettled.as_ref());
        // Other parents have not been read beyond an end that was set since.
        let is_read = |position: &Timestamp| range.end.is_none_or(|end| *position <= end);
        if let Some(Unfinished { opened, observed, held, .. }) = state.unfinished {
            watermark = watermark.resume(opened, observed.filter(is_read), held);
        }
        // A parent's cursor in the future says nothing about the others, so the watermark ignores
        // it.
        let of_parents = state.parents.values().map(|cursor| cursor.instant);
        of_parents.filter(is_read).for_each(|position| watermark.observe_position(position));
        let end = if stream.grace.is_some() {
            Some(range.end.map_or(opened, |end| end.min(opened)))
        } else {
            range.end
        };
        // A first read reads everything as it is. The last read was opened a grace period after its
        // cursor, and if there are only cursors of parents, after the oldest.
        let oldest = state.parents.values().map(|cursor| cursor.instant).min();
        let since = state.cursor.as_ref().map(|cursor| cursor.instant).or(oldest);
        let corrected = stream
            .corrections
            .zip(since)
            .map(|(row, since)| Corrected::new(row, since, range.end, state.memory.clone()));
        Self {
            stream,
            corrected,
            lists: Lists::new(stream, parents, &config, 0, state.unfinished),
            config,
            range: TimeRange { end, ..range },
            emitted: state.unfinished.map(|unfinished| unfinished.parents_after),
            refusals: Refusals::new(parents.stream.name, state.unfinished.is_some()),
            state,
            watermark,
            log: Vec::new(),
            since_checkpoint: (0, 0),
            finished: false,
        }
    }

    fn observe_parents(&mut self, request: &PageRequest<C>, page: Page) -> Result<(), Problem> {
        let mut skipped = Vec::new();
        let parents = self.lists.observe_parents(&self.config, request, page, &mut skipped)?;
        let (stream, config, state, range) = (self.stream, &self.config, &self.state, &self.range);
        let cut = self.lists.cut();
        let slices = |id: &str, record: &Record| {
            let whole = Slice { parent: Some(id.to_owned()), ..times(stream, state, range, id, record) };
            let mut slices = cut(config, record, &whole);
            if let Some(corrected) = &self.corrected {
                let again = |slice: &Slice| cut(config, record, slice);
                let again = corrected.slices(record, &whole, &slices, range.start, again);
                slices.extend(again);
            }
            slices
        };
        self.lists.admit(config, parents, &slices, &mut skipped)?;
        for id in skipped {
            self.log.push((Level::Warn, format!("skipped {id}, which is being deleted")));
        }
        Ok(())
    }

    fn observe_list(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        self.refusals.note_answer();
        self.since_checkpoint.0 += self.lists.advance(request, page.next_token)?;
        for record in page.records.iter().filter(|record| request.slice.keeps(record.position)) {
            self.watermark.observe(record);
        }
        let records = emit(&request.slice, page.records);
        self.since_checkpoint.1 += records.len();
        Ok(records)
    }

    /// Returns the state once every list has been requested. If some were refused, it is the state
    /// from which this read began, and only if a later one was emitted, because a read that
    /// continues from a later one would skip the parents that were read.
    fn final_state(&self) -> Option<State> {
        if !self.refusals.is_empty() {
            return self.emitted.map(|_| self.state.clone().restarted());
        }
        let cursor = match (self.stream.grace, self.range.end) {
            // Everything up to the end has been requested, even if there was no record.
            (Some(_), Some(end)) => self.watermark.up_to(end),
            _ => self.watermark.cursor(),
        };
        Some(State { cursor: Some(cursor), memory: self.memory(true), ..State::default() })
    }

    fn memory(&self, is_end: bool) -> Memory {
        self.corrected.as_ref().map(|corrected| corrected.remember(is_end)).unwrap_or_default()
    }

    /// Returns the progress of the read, if it has changed since it was last emitted.
    fn progress(&mut self) -> Option<Unfinished> {
        let read_after = self.lists.read_after()?;
        // A parent that was refused has not been read.
        let parents_after = self.refusals.newest().map_or(read_after, |refused| read_after.max(refused));
        if parents_after >= self.emitted.unwrap_or(Timestamp::MAX) {
            return None;
        }
        self.emitted = Some(parents_after);
        Some(self.unfinished(parents_after))
    }

    /// Returns the progress of a read whose lists of parents created after an instant have been
    /// read.
    fn unfinished(&self, parents_after: Timestamp) -> Unfinished {
        let watermark = &self.watermark;
        let (observed, held) = (watermark.observed(), watermark.held());
        let opened = watermark.opened();
        let end = self.range.end.filter(|end| *end < opened);
        let stopped = self.lists.is_stopped() || self.state.unfinished.is_some_and(|state| state.stopped);
        Unfinished { opened, end, parents_after, observed, held, stopped }
    }
}

/// Returns the time to read of a parent's list, as a slice.
fn times<C>(stream: &Stream<C>, state: &State, range: &TimeRange, id: &str, record: &Record) -> Slice {
    let has_grace = stream.grace.is_some();
    // With a grace period, a new parent is read from the start, because its records can be older
    // than it.
    let is_new = |cursor: &&Cursor| record.position.is_none_or(|position| position >= cursor.instant);
    let of_stream = state.cursor.as_ref().filter(|cursor| !has_grace || !is_new(cursor));
    let cursor = state.parents.get(id).or(of_stream);
    let end = if has_grace { Until::Before } else { Until::Including };
    // A stream with a grace period needs no overlap.
    let overlap = if has_grace { SignedDuration::ZERO } else { OVERLAP };
    bounded(stream, range.lower_bound(cursor, overlap), range.end.map(end))
}

impl<C: 'static> Slices<C> for ByParent<C> {
    fn next_request(&mut self) -> Option<PageRequest<C>> {
        if let Some(corrected) = self.corrected.as_mut().filter(|corrected| !corrected.is_finished()) {
            return corrected.next_request();
        }
        self.lists.next_request()
    }

    fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        if request.slice.scope == Scope::Feed {
            let corrected = self.corrected.as_mut().ok_or("an unknown slice")?;
            corrected.observe(page)?;
            self.log.append(&mut corrected.log);
            return Ok(Vec::new());
        }
        if request.level == 0 {
            self.observe_list(request, page)
        } else {
            self.observe_parents(request, page).map(|()| Vec::new())
        }
    }

    fn without(&mut self, request: &PageRequest<C>, reason: &str, _: bool) -> Option<Vec<String>> {
        let corrected = self.corrected.as_mut().filter(|_| request.slice.scope == Scope::Feed)?;
        corrected.give_up(reason);
        self.log.append(&mut corrected.log);
        Some(Vec::new())
    }

    fn end_parts(&mut self, request: &PageRequest<C>) {
        if let Some(lists) = self.lists.at(request.level) {
            lists.end_parts(request);
        }
    }

    fn refuse(&mut self, request: &PageRequest<C>, error: Error) -> Result<()> {
        let lists = self.lists.at(request.level);
        let (Some(lists), Some(parent)) = (lists, &request.slice.parent) else { return Err(error) };
        let Some(child) = lists.child(request) else { return Err(error) };
        if !mem::replace(&mut child.is_refused, true) {
            let root = child.root;
            self.log.push((self.refusals.level(), format!("skipped {parent}: {error}")));
            self.refusals.note(parent, root, error)?;
        }
        // Its other slices may still be answered.
        let forgotten = lists.advance(request, None).map_err(|problem| Error::system(problem.to_string()))?;
        if request.level == 0 {
            self.since_checkpoint.0 += forgotten;
        }
        Ok(())
    }

    fn shorten(&mut self, request: &PageRequest<C>) -> bool {
        let is_list = request.slice.scope != Scope::Feed;
        is_list && self.lists.at(request.level).is_some_and(|lists| lists.shorten(request))
    }

    fn stop(&mut self) {
        self.lists.stop();
    }

    fn is_finished(&self) -> bool {
        self.lists.is_finished()
    }

    fn left_off(&mut self) -> Option<String> {
        if self.lists.is_finished() {
            return None;
        }
        // What was true before covers those of new parents, but the host does not know that.
        let has_records = mem::take(&mut self.since_checkpoint).1 > 0;
        let covered = self.emitted.filter(|_| has_records);
        let progress = self.progress().or_else(|| covered.map(|emitted| self.unfinished(emitted)))?;
        self.state.memory = self.memory(false);
        Some(self.state.to_json_with(Some(progress), self.stream.cursor))
    }

    fn failure(&mut self) -> Option<Error> {
        self.refusals.take_error()
    }

    fn take_log(&mut self) -> Vec<(Level, String)> {
        mem::take(&mut self.log)
    }

    fn progress(&self) -> (u64, Option<u64>) {
        self.lists.progress()
    }

    fn checkpoint(&mut self) -> Option<String> {
        let cursor_field = self.stream.cursor;
        if self.lists.is_finished() {
            let is_first = !mem::replace(&mut self.finished, true);
            return is_first.then(|| self.final_state())?.map(|state| state.to_json(cursor_field));
        }
        let intervals = 1 + self.state.parents.len() / CURSORS_PER_INTERVAL;
        let (parents, records) = self.since_checkpoint;
        if parents < CHECKPOINT_PARENTS * intervals && records < CHECKPOINT_RECORDS * intervals {
            return None;
        }
        let progress = self.progress()?;
        self.since_checkpoint = (0, 0);
        self.state.memory = self.memory(false);
        Some(self.state.to_json_with(Some(progress), cursor_field))
    }
}

#[cfg(test)]
mod tests;
