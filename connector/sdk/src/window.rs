//! Slices by time.
//!
//! In: the pages of a list that is sorted newest first and can be filtered by its cursor field. Out: which windows to
//! ask for, oldest first, and a checkpoint for every finished prefix of them: the newest position in it.
//!
//! A read begins as one window over the whole range. If its first page shows that many more follow, the
//! range is split into windows of a few pages each, which are read concurrently; those split again where they turn
//! out to be dense. So a short range is one request, and a long history is tens of windows.

use time::{SignedDuration, Timestamp};

use crate::{
    cursor::{OVERLAP, Range, Watermark},
    instant::floor_to_second,
    page::{Page, PageChain},
    record::Record,
    slice::{Ask, Slice, Slices, Until},
    stream::Stream,
};
use json_text::Object;

/// A window with more further pages than this is split. Below it, a chain of pages takes less than a second.
const SPLIT_ABOVE_PAGES: f64 = 8.0;

/// How many pages a new window shall have. Each window costs half a page more than it needs, on average.
const PAGES_PER_WINDOW: f64 = 6.0;

/// The most windows that one window is split into. Parts that are still dense split again.
const MAX_PARTS: f64 = 32.0;

/// The windows of a stream, oldest first.
#[derive(Debug)]
pub struct Windows {
    stream: &'static Stream,
    windows: Vec<Window>,
    next_key: usize,
    /// Finished windows that are not kept any more.
    past: usize,
    watermark: Watermark,
    /// The newest position in finished windows that are not kept any more.
    reached: Option<Timestamp>,
    told: Timestamp,
    finished: bool,
}

#[derive(Debug)]
struct Window {
    key: usize,
    from: Timestamp,
    until: Option<Until>,
    chain: PageChain,
    /// The newest position of a settled record in it that is not after the opening.
    newest: Option<Timestamp>,
}

impl Window {
    /// Notes a record of it. One that lies above it, because the server's filter let it through, says nothing of it.
    fn observe(&mut self, record: &Record, opened: Timestamp) {
        let is_below_end = |position: &Timestamp| match self.until {
            Some(Until::Including(until)) => *position <= until,
            Some(Until::Before(until)) => *position < until,
            None => true,
        };
        let settled = record.position.filter(|position| !record.provisional && *position <= opened);
        self.newest = self.newest.max(settled.filter(is_below_end));
    }
}

impl Windows {
    /// One window over the range, less what lies below the last cursor.
    pub fn new(stream: &'static Stream, range: &Range, watermark: Watermark) -> Self {
        let from = range.lower_bound(Some(watermark.previous()), OVERLAP);
        let told = watermark.previous().instant;
        let mut windows = Self {
            stream,
            windows: Vec::new(),
            next_key: 0,
            past: 0,
            watermark,
            reached: None,
            told,
            finished: false,
        };
        if range.end.is_none_or(|end| end >= from) {
            let whole = windows.window(from, range.end.map(Until::Including));
            windows.windows.push(whole);
        }
        windows
    }

    fn window(&mut self, from: Timestamp, until: Option<Until>) -> Window {
        let key = self.next_key;
        self.next_key += 1;
        Window { key, from, until, chain: PageChain::default(), newest: None }
    }

    /// Puts windows in the place of the one at `index`: one above the cut, and parts below. Its first page has only told
    /// where to cut and is read again with the window above, so that nothing depends on the order of the list.
    fn split(&mut self, index: usize, cut: Timestamp, parts: i64) {
        let from = self.windows[index].from;
        let width = ((cut - from).whole_seconds() / parts).max(1);
        let mut edges: Vec<Timestamp> = (1..parts)
            .map(|part| from.saturating_add(SignedDuration::seconds(width * part)))
            .map(floor_to_second)
            .take_while(|edge| *edge < cut)
            .collect();
        edges.push(cut);
        let mut lower = from;
        let mut below = Vec::new();
        for edge in edges.into_iter().filter(|edge| *edge > from) {
            below.push(self.window(lower, Some(Until::Before(edge))));
            lower = edge;
        }
        let above = self.window(cut, self.windows[index].until);
        below.push(above);
        let newer = self.windows.split_off(index + 1);
        self.windows.truncate(index);
        self.windows.extend(below);
        self.windows.extend(newer);
    }

    fn state(&self, cursor: &str) -> String {
        let mut state = Object::default();
        state.push_text(self.stream.cursor_field, cursor);
        state.finish()
    }
}

impl Slices for Windows {
    fn next_ask(&mut self) -> Option<Ask> {
        let waiting = |window: &mut Window| {
            window.chain.ask().map(|token| (window.key, window.from, window.until, token))
        };
        let (key, from, until, page_token) = self.windows.iter_mut().find_map(waiting)?;
        let slice = Slice { from: Some(from), until, ..Slice::default() };
        Some(Ask { key, stream: self.stream, slice, page_token })
    }

    fn observe(&mut self, ask: &Ask, page: Page) -> Result<Vec<String>, String> {
        let index =
            self.windows.iter().position(|window| window.key == ask.key).ok_or("an unknown window")?;
        let records = page.records;
        let is_first_of_many = ask.page_token.is_none() && page.next_token.is_some();
        let below = is_first_of_many.then(|| split_below(&records, self.windows[index].from)).flatten();
        if let Some((cut, parts)) = below {
            self.split(index, cut, parts);
            return Ok(Vec::new());
        }
        self.windows[index].chain.advance(page.next_token)?;
        for record in &records {
            self.watermark.observe(record);
            self.windows[index].observe(record, self.watermark.opened());
        }
        Ok(records.into_iter().filter(|record| !record.provisional).map(|record| record.json).collect())
    }

    fn progress(&self) -> (u64, Option<u64>) {
        let finished = self.windows.iter().filter(|window| window.chain.is_finished()).count();
        ((self.past + finished) as u64, Some((self.past + self.windows.len()) as u64))
    }

    fn checkpoint(&mut self) -> Option<String> {
        let finished = self.windows.iter().take_while(|window| window.chain.is_finished()).count();
        if finished == self.windows.len() {
            let first_time = !std::mem::replace(&mut self.finished, true);
            return first_time.then(|| self.state(&self.watermark.cursor().text));
        }
        self.reached =
            self.reached.max(self.windows.drain(..finished).filter_map(|window| window.newest).max());
        self.past += finished;
        // Not where the finished windows end: a record with an older date than that may appear later, and a read that
        // goes on from here must not leave it behind when it ends.
        let cursor = self.watermark.up_to(self.reached?);
        if cursor.instant <= self.told {
            return None;
        }
        self.told = cursor.instant;
        Some(self.state(&cursor.text))
    }
}

/// Where to cut a window off below its first page, and into how many parts to split the rest; none if following the
/// chain of pages is as good.
///
/// The cut is a whole second above the oldest record of the page, so that records of one second, which a server may
/// show with their fraction cut off, are never divided.
fn split_below(records: &[Record], from: Timestamp) -> Option<(Timestamp, i64)> {
    let positions: Vec<Timestamp> = records.iter().filter_map(|record| record.position).collect();
    let (newest, oldest) = (*positions.first()?, *positions.last()?);
    if !positions.is_sorted_by(|newer, older| newer >= older) {
        return None;
    }
    let cut = floor_to_second(oldest).checked_add(SignedDuration::seconds(1))?;
    if cut > newest || cut <= from {
        return None;
    }
    let span = (newest - oldest).as_seconds_f64();
    let further_pages = (oldest - from).as_seconds_f64() / span;
    let parts = (further_pages / PAGES_PER_WINDOW).ceil().clamp(2.0, MAX_PARTS);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 2..=32")]
    (further_pages > SPLIT_ABOVE_PAGES).then_some((cut, parts as i64))
}

#[cfg(test)]
mod tests;
