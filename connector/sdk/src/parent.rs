//! Slices by parent.
//!
//! In: the pages of the parents' list (newest first) and of each parent's own list. Out: which of both to ask for, and
//! checkpoints. Parents are listed only as fast as their lists are read, so memory does not grow with their number.
//!
//! Progress inside a read is one instant, because parents come in the order of their creation: everything listed before
//! the oldest unfinished parent has been read. When all are read, one cursor is left for the whole stream.
//!
//! A parent whose list is refused is left out and fails the stream at its end. No checkpoint passes it.

use std::{collections::VecDeque, rc::Rc};

use time::{SignedDuration, Timestamp};

use crate::{
    api::Api,
    cursor::{Cursor, OVERLAP, Range, Watermark},
    error::{Error, Result},
    log::Log,
    page::{Page, PageChain},
    record::Record,
    refusal::Refusals,
    slice::{Ask, Slice, Slices, Until},
    state::{State, Unfinished},
    stream::{Parents, Stream},
};

/// The parents' list is asked for its next page when fewer parents than this wait for their turn.
const WAITING_PARENTS: usize = 50;

/// No more parents are listed while this many stand behind one that takes long.
const MAX_PARENTS: usize = 10_000;

/// A checkpoint is told after this many parents or records, whichever comes first.
const CHECKPOINT_PARENTS: usize = 100;
const CHECKPOINT_RECORDS: usize = 5_000;

/// Cursors of single parents are told with every checkpoint until the read has ended. So that what is told in all does not
/// grow with their square, a checkpoint is told after that much more for each so many of them.
const CURSORS_PER_PATIENCE: usize = 1_000;

/// The key of the parents' list; those of the parents follow.
const LISTING: usize = 0;

/// The lists of all parents.
pub struct ParentLists {
    stream: &'static Stream,
    parents: Parents,
    api: Rc<dyn Api>,
    log: Rc<dyn Log>,
    range: Range,
    state: State,
    watermark: Watermark,
    listing: PageChain,
    /// In the order they were listed; the first is not finished.
    children: VecDeque<Child>,
    first_key: usize,
    /// Lists that were read to their end.
    done: usize,
    refusals: Refusals,
    /// How long the time may be that a slice asks for, once the server has refused longer ones as too large.
    longest: Option<SignedDuration>,
    since_checkpoint: (usize, usize),
    /// The creation of the last parent that was listed, and whether they all came in order.
    last_position: Option<Timestamp>,
    is_sorted: bool,
    told: Option<Timestamp>,
    finished: bool,
}

impl std::fmt::Debug for ParentLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParentLists").field("stream", &self.stream.name).finish_non_exhaustive()
    }
}

/// The list of one parent: slices that are read one after the other.
struct Child {
    position: Option<Timestamp>,
    slice: Slice,
    chain: PageChain,
    further: VecDeque<Slice>,
    is_refused: bool,
}

impl Child {
    /// The list of the parent that was created at `position`; none if nothing is to be asked.
    fn new(position: Option<Timestamp>, slices: Vec<Slice>) -> Option<Self> {
        let mut further = VecDeque::from(slices);
        let slice = further.pop_front()?;
        Some(Self { position, slice, chain: PageChain::default(), further, is_refused: false })
    }

    /// Puts others in the place of the slice that is being read.
    fn replace(&mut self, slices: Vec<Slice>) {
        for slice in slices.into_iter().rev() {
            self.further.push_front(slice);
        }
        self.next_slice();
    }

    fn next_slice(&mut self) {
        if let Some(slice) = self.further.pop_front() {
            (self.slice, self.chain) = (slice, PageChain::default());
        }
    }

    fn is_finished(&self) -> bool {
        self.chain.is_finished() && self.further.is_empty()
    }

    fn advance(&mut self, next_token: Option<String>) -> Result<(), String> {
        self.chain.advance(next_token)?;
        if self.chain.is_finished() {
            self.next_slice();
        }
        Ok(())
    }
}

impl ParentLists {
    /// All lists, continuing from `state`. `opened` is when this read was opened; if the state is that of a read which
    /// has not finished, it goes on as if opened then.
    pub fn new(
        stream: &'static Stream,
        parents: Parents,
        range: Range,
        state: State,
        opened: Timestamp,
        (api, log): (Rc<dyn Api>, Rc<dyn Log>),
    ) -> Self {
        // What lies within the grace period counts as not yet there.
        let settled = parents.grace.map_or(opened, |grace| opened.checked_sub(grace).unwrap_or(opened));
        let previous = state.cursor.clone().unwrap_or_else(|| Cursor::at(range.start));
        let mut watermark = Watermark::new(previous, settled);
        if let Some(Unfinished { opened, observed, held, .. }) = state.unfinished {
            watermark = watermark.resume(opened, observed, held);
        }
        // A cursor of one parent that lies in the future says nothing about the others.
        state.parents.values().for_each(|cursor| watermark.observe_position(cursor.instant));
        Self {
            stream,
            parents,
            api,
            log,
            range: if parents.grace.is_some() {
                Range { end: Some(range.end.map_or(opened, |end| end.min(opened))), ..range }
            } else {
                range
            },
            told: state.unfinished.map(|unfinished| unfinished.parents_after),
            refusals: Refusals::new(parents.stream.name, state.unfinished.is_some()),
            state,
            watermark,
            listing: PageChain::default(),
            children: VecDeque::new(),
            first_key: LISTING + 1,
            done: 0,
            longest: None,
            since_checkpoint: (0, 0),
            last_position: None,
            is_sorted: true,
            finished: false,
        }
    }

    fn child(&self, id: String, parent: &Record) -> Option<Child> {
        // Where records can be older than their parent, one that is new is read from the start.
        let is_new = |cursor: &&Cursor| parent.position.is_none_or(|position| position >= cursor.instant);
        let of_stream =
            self.state.cursor.as_ref().filter(|cursor| self.parents.grace.is_none() || !is_new(cursor));
        let cursor = self.state.parents.get(&id).or(of_stream);
        let end = if self.parents.grace.is_some() { Until::Before } else { Until::Including };
        // What has a grace period is read again from there.
        let overlap = if self.parents.grace.is_some() { SignedDuration::ZERO } else { OVERLAP };
        let from = Some(self.range.lower_bound(cursor, overlap));
        let whole = Slice { parent: Some(id), from, until: self.range.end.map(end), ..Slice::default() };
        Child::new(parent.position, self.api.slices_of_parent(self.stream, parent, &whole))
    }

    /// Whether an earlier run of this read has been through with a parent.
    fn is_read(&self, position: Option<Timestamp>) -> bool {
        let (Some(position), Some(unfinished)) = (position, &self.state.unfinished) else { return false };
        position > unfinished.parents_after && position <= unfinished.opened
    }

    fn observe_parents(&mut self, page: Page) -> Result<(), String> {
        for parent in page.records {
            if let (Some(last), Some(position)) = (self.last_position, parent.position) {
                self.is_sorted &= position <= last;
            }
            self.last_position = parent.position.or(self.last_position);
            // Once the list is not in order, what an earlier run has read cannot be told from what it has not.
            if self.is_sorted && self.is_read(parent.position) {
                continue;
            }
            let Parents { stream, id, deleted, .. } = self.parents;
            let id = parent.text(id).ok_or_else(|| format!("a record of {} has no {id:?}", stream.name))?;
            if deleted.is_some_and(|field| parent.is_true(field)) {
                self.log.warn(&format!("{}: skipped {id}, which is being deleted", self.stream.name));
                continue;
            }
            self.children.extend(self.child(id, &parent));
        }
        self.listing.advance(page.next_token)
    }

    fn observe_child(&mut self, key: usize, page: Page) -> Result<Vec<String>, String> {
        self.refusals.note_answer();
        self.advance(key, page.next_token)?;
        for record in &page.records {
            self.watermark.observe(record);
        }
        let settled = page.records.into_iter().filter(|record| !record.provisional);
        let records: Vec<String> = settled.map(|record: Record| record.json).collect();
        self.since_checkpoint.1 += records.len();
        Ok(records)
    }

    /// Goes on in the list of a parent, and forgets the oldest ones that were read to their end.
    fn advance(&mut self, key: usize, next_token: Option<String>) -> Result<(), String> {
        let child = self.children.get_mut(key - self.first_key).ok_or("an unknown parent")?;
        child.advance(next_token)?;
        self.done += usize::from(child.is_finished());
        while self.children.front().is_some_and(Child::is_finished) {
            self.children.pop_front();
            self.first_key += 1;
            self.since_checkpoint.0 += 1;
        }
        Ok(())
    }

    /// Shortens the next slice of a parent until it is no longer than what the server answers.
    fn fit(&mut self, index: usize) {
        let child = &mut self.children[index];
        while child.chain.is_fresh()
            && self.longest.is_some_and(|longest| child.slice.span().is_some_and(|span| span > longest))
            && let Some(slices) = self.api.shorter_slices(self.stream, &child.slice)
        {
            child.replace(slices);
        }
    }

    /// The state once every list has been asked for. If some were refused, it is the one from which this read began, which
    /// is told only where a later one was: a read that went on from that would leave out the parents that were read.
    fn final_state(&self) -> Option<State> {
        if !self.refusals.is_empty() {
            return self.told.map(|_| State { unfinished: None, ..self.state.clone() });
        }
        let cursor = match (self.parents.grace, self.range.end) {
            // Everything up to the end has been asked for, whether or not there was a record.
            (Some(_), Some(end)) => self.watermark.up_to(end),
            _ => self.watermark.cursor(),
        };
        Some(State { cursor: Some(cursor), ..State::default() })
    }

    /// How far the read has come, if that is further than was told last.
    fn progress(&mut self) -> Option<Unfinished> {
        let oldest = match self.children.front() {
            Some(child) => child.position,
            None => self.last_position,
        };
        // A parent that was refused has not been read.
        let oldest =
            oldest.map(|oldest| self.refusals.newest().map_or(oldest, |refused| oldest.max(refused)));
        let parents_after =
            oldest.filter(|oldest| self.is_sorted && *oldest < self.told.unwrap_or(Timestamp::MAX))?;
        self.told = Some(parents_after);
        let watermark = &self.watermark;
        let (opened, observed, held) = (watermark.opened(), watermark.observed(), watermark.held());
        Some(Unfinished { opened, parents_after, observed, held })
    }
}

impl Slices for ParentLists {
    fn next_ask(&mut self) -> Option<Ask> {
        let waiting = self.children.iter().filter(|child| child.chain.is_waiting());
        let few = waiting.take(WAITING_PARENTS).count() < WAITING_PARENTS;
        let may_list = few && self.children.len() < MAX_PARENTS;
        if let Some(page_token) = may_list.then(|| self.listing.ask()).flatten() {
            let slice = Slice::default();
            return Some(Ask { key: LISTING, stream: self.parents.stream, slice, page_token });
        }
        let index = self.children.iter().position(|child| child.chain.is_waiting())?;
        self.fit(index);
        let page_token = self.children[index].chain.ask()?;
        let slice = self.children[index].slice.clone();
        Some(Ask { key: self.first_key + index, stream: self.stream, slice, page_token })
    }

    fn observe(&mut self, ask: &Ask, page: Page) -> Result<Vec<String>, String> {
        if ask.key == LISTING {
            self.observe_parents(page).map(|()| Vec::new())
        } else {
            self.observe_child(ask.key, page)
        }
    }

    fn refuse(&mut self, ask: &Ask, error: Error) -> Result<()> {
        // The parents' list has a smaller key than any child.
        let child = ask.key.checked_sub(self.first_key).and_then(|index| self.children.get_mut(index));
        let (Some(child), Some(parent)) = (child, &ask.slice.parent) else { return Err(error) };
        if !std::mem::replace(&mut child.is_refused, true) {
            let position = child.position;
            let line = format!("{}: {parent} is left out: {error}", self.stream.name);
            self.log.log(self.refusals.level(), &line);
            self.refusals.note(parent, position, error)?;
        }
        // Its other slices may be answered.
        self.advance(ask.key, None).map_err(Error::system)
    }

    fn shorten(&mut self, ask: &Ask) -> bool {
        let child = ask.key.checked_sub(self.first_key).and_then(|index| self.children.get_mut(index));
        let (Some(child), Some(slices)) = (child, self.api.shorter_slices(self.stream, &ask.slice)) else {
            return false;
        };
        let longest = slices.iter().filter_map(Slice::span).max();
        self.longest = longest.into_iter().chain(self.longest).min();
        child.replace(slices);
        true
    }

    fn failure(&mut self) -> Option<Error> {
        self.refusals.take_error()
    }

    fn progress(&self) -> (u64, Option<u64>) {
        let listed = self.first_key - (LISTING + 1) + self.children.len();
        (self.done as u64, self.listing.is_finished().then_some(listed as u64))
    }

    fn checkpoint(&mut self) -> Option<String> {
        let cursor_field = self.stream.cursor_field;
        if self.children.is_empty() && self.listing.is_finished() {
            let first_time = !std::mem::replace(&mut self.finished, true);
            return first_time.then(|| self.final_state())?.map(|state| state.to_json(cursor_field));
        }
        let patience = 1 + self.state.parents.len() / CURSORS_PER_PATIENCE;
        let (parents, records) = self.since_checkpoint;
        if parents < CHECKPOINT_PARENTS * patience && records < CHECKPOINT_RECORDS * patience {
            return None;
        }
        let progress = self.progress()?;
        self.since_checkpoint = (0, 0);
        Some(self.state.to_json_with(Some(progress), cursor_field))
    }
}

#[cfg(test)]
mod tests;
