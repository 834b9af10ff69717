//! The corrections of a stream, and the time that is read again because of them.

use time::Timestamp;

use crate::{
    log::Level,
    page::{Page, PageChain},
    problem::Problem,
    record::{Digest, Record, position},
    request::PageRequest,
    slice::{Scope, Slice, Until},
    state::{Digests, Memory},
    stream::Corrections,
};
use json_text::{Json, quoted};

/// The most corrections that a state remembers, the newest ones. It then has some 300 kB. Of those
/// that it does not remember, an instant tells whether they are new.
const MAX_REMEMBERED: usize = 6_000;

/// The corrections of a stream that are not known from earlier reads.
#[derive(Debug)]
pub(super) struct Corrected<C: 'static> {
    row: &'static Corrections<C>,
    chain: PageChain,
    /// The cursor of the last read.
    since: Timestamp,
    /// The end of this read.
    end: Option<Timestamp>,
    /// What earlier reads have followed.
    known: Option<Digests>,
    /// The corrections that count. If the read is continued, those that counted when it began.
    followed: Option<Digests>,
    is_continued: bool,
    ranges: Vec<Range>,
    pub(super) log: Vec<(Level, String)>,
}

/// A range of time whose records have changed.
#[derive(Debug, Clone)]
struct Range {
    from: Timestamp,
    until: Timestamp,
    /// The identifier in a concerned parent, as JSON. `None` if all are.
    parent: Option<String>,
}

impl<C> Corrected<C> {
    /// Continues from a state with a cursor.
    pub(super) fn new(
        row: &'static Corrections<C>,
        since: Timestamp,
        end: Option<Timestamp>,
        memory: Memory,
    ) -> Self {
        let Memory { corrections: known, correcting, .. } = memory;
        let is_continued = correcting.is_some();
        let followed = Some(correcting.unwrap_or_default());
        let (chain, ranges, log) = (PageChain::default(), Vec::new(), Vec::new());
        Self { row, chain, since, end, known, followed, is_continued, ranges, log }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.chain.is_finished()
    }

    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        let page_token = self.chain.next_page()?;
        let slice = Slice { scope: Scope::Feed, ..Slice::default() };
        // What this list lacks says nothing about the stream's own.
        Some(PageRequest { level: 1, page_token, ..PageRequest::new(self.row.stream, slice) })
    }

    /// Takes a page of corrections.
    pub(super) fn observe(&mut self, page: Page) -> Result<(), Problem> {
        for record in &page.records {
            self.observe_one(record)?;
        }
        self.chain.advance(page.next_token)?;
        if self.chain.is_finished() {
            if let Some(followed) = &mut self.followed {
                followed.truncate(MAX_REMEMBERED);
            }
            if !self.ranges.is_empty() {
                let message = format!("{} {} are new", self.ranges.len(), self.row.stream.name);
                self.log.push((Level::Info, message));
            }
        }
        Ok(())
    }

    fn observe_one(&mut self, record: &Record) -> Result<(), Problem> {
        let row = self.row;
        let fields = record.fields().ok_or("it is not an object")?;
        let status = fields.text(row.status);
        let effect = row.effects.iter().find(|(value, _)| status.as_deref() == Some(value));
        let Some((_, effect)) = effect else { return Ok(()) };
        let instant = |name: &str| fields.value(name).and_then(position);
        let (Some(id), Some(from), Some(until)) =
            (fields.text(row.stream.primary_key[0]), instant(row.from), instant(row.until))
        else {
            return Err(Problem::new(format!("one of {} has no identifier or no time", row.stream.name)));
        };
        let mut shown = (*effect).to_owned();
        for name in row.since.iter().chain([&row.from, &row.until]) {
            shown.extend(["|", fields.raw(name).map_or("null", Json::get)]);
        }
        let digest = Some(Digest::of(&shown));
        let is_recent = || row.since.iter().any(|name| instant(name) >= Some(self.since));
        let is_new = self.known.as_ref().map_or_else(is_recent, |known| {
            let is_known = known.iter().any(|(one, as_it_was)| *one == id && *as_it_was == digest);
            // Of too many, only the newest are remembered.
            !is_known && (known.len() < MAX_REMEMBERED || is_recent())
        });
        if is_new {
            let parent = fields.text(row.parent).map(|id| quoted(&id));
            self.ranges.push(Range { from, until, parent });
        }
        // What lies above an end that is before the cursor is left to a read without that end.
        let is_cut = self.end.is_some_and(|end| end < until && end < self.since);
        let known = self.known.iter().flatten().find(|(one, _)| *one == id);
        let remembered = if is_cut { known.map(|(_, as_it_was)| *as_it_was) } else { Some(digest) };
        if let (false, Some(followed), Some(digest)) = (self.is_continued, &mut self.followed, remembered) {
            followed.push((id.into_owned(), digest));
        }
        Ok(())
    }

    /// Goes on without corrections. Those that are known stay so; if none are, all count as new to
    /// the next read.
    pub(super) fn give_up(&mut self, reason: &str) {
        self.chain = PageChain::finished();
        self.ranges.clear();
        self.followed = Some(self.known.clone().unwrap_or_default());
        let name = self.row.stream.name;
        self.log
            .push((Level::Warn, format!("{name} cannot be read, so past days are not corrected: {reason}")));
    }

    /// Returns the slices of a parent that are read again, below `reads`, which are read anyway and
    /// are what `cut` made of `whole`. `cut` cuts a slice as the stream's row says.
    #[inline(never)]
    pub(super) fn slices(
        &self,
        parent: &Record,
        whole: &Slice,
        reads: &[Slice],
        start: Timestamp,
        cut: impl Fn(&Slice) -> Vec<Slice>,
    ) -> Vec<Slice> {
        let (Some(from), Some(Until::Including(until) | Until::Before(until))) = (whole.from, whole.until)
        else {
            return Vec::new();
        };
        // The first slice can begin earlier than asked for, to have whole records.
        let first = reads.first().and_then(|slice| slice.keep_from.or(slice.from));
        let (below, end) = (first.unwrap_or(from).min(until), until);
        let holds = |id: &String| parent.json.contains(id.as_str());
        let concerns = |range: &&Range| range.parent.as_ref().is_none_or(holds);
        let mut ranges: Vec<(Timestamp, Timestamp)> = Vec::new();
        for range in self.ranges.iter().filter(concerns) {
            let (mut from, mut until) = (range.from.max(start), range.until.min(below));
            if from < range.until && from < end && start < until {
                // Ranges that touch become one.
                ranges.retain(|other| {
                    let is_apart = other.1 < from || until < other.0;
                    if !is_apart {
                        (from, until) = (from.min(other.0), until.max(other.1));
                    }
                    is_apart
                });
                ranges.push((from, until));
            }
        }
        ranges.sort_unstable();
        let (mut slices, mut last) = (Vec::new(), None);
        for (from, until) in ranges {
            // The record at the end of the range is complete, and those that begin later did not
            // change.
            let end = Until::Before(until.saturating_add(self.row.longest));
            // A record of which two ranges have a part belongs to the first of them.
            let first = last.replace(until).max(Some(from.saturating_sub(self.row.longest)));
            for slice in cut(&Slice { from: Some(from), until: Some(end), ..whole.clone() }) {
                let keep_from = slice.keep_from.max(first);
                let keep_before = Some(slice.keep_before.map_or(until, |before| before.min(until)));
                // A range can lie so far above `below` that no record reaches into it from there.
                if keep_from < keep_before {
                    slices.push(Slice { keep_from, keep_before, ..slice });
                }
            }
        }
        slices
    }

    /// Returns what the state remembers once the read has ended, or before that.
    pub(super) fn remember(&self, is_end: bool) -> Memory {
        if is_end {
            return Memory { corrections: self.followed.clone(), ..Memory::default() };
        }
        Memory { corrections: self.known.clone(), correcting: self.followed.clone(), ..Memory::default() }
    }
}

#[cfg(test)]
mod tests;
