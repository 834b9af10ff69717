//! Cuts a stream without parents into slices: the whole list, adaptive windows of time, or ranges
//! of fixed width. Each is read once per part.
//!
//! Windows start as a single one over the whole time. If its first page shows that many more
//! follow, it is split into windows of a few pages each. They are read concurrently, and split
//! again where they are dense. So a short time takes one request, and a long history tens of
//! windows.

mod unread;
mod windows;

use time::{SignedDuration, Timestamp};

use self::windows::{edges, split_below};
use super::{Slices, bounded, emit};
use crate::{
    cursor::{Cursor, OVERLAP, TimeRange, Watermark},
    page::{Page, PageChain},
    problem::Problem,
    record::Record,
    request::PageRequest,
    slice::{Slice, Until},
    state::State,
    stream::{Partition, Stream},
};

/// The time spans of a stream, oldest first.
///
/// The methods that several partitions call are never inlined, which keeps the component small.
#[derive(Debug)]
pub struct Spans<C: 'static> {
    stream: &'static Stream<C>,
    spans: Vec<Span>,
    next_key: usize,
    /// How many finished spans have been dropped.
    dropped: usize,
    watermark: Watermark,
    /// Everything up to this instant is requested and has settled, even if there is no record.
    end: Option<Timestamp>,
    /// The end date. Nothing after it is requested.
    end_date: Option<Timestamp>,
    /// The newest position in spans that have been dropped.
    reached: Option<Timestamp>,
    emitted: Timestamp,
    finished: bool,
    stopped: bool,
}

#[derive(Debug)]
struct Span {
    key: usize,
    slice: Slice,
    chain: PageChain,
    /// The newest position of a settled record that is not after the opening.
    newest: Option<Timestamp>,
    /// The oldest position of the pages so far, if all of them came newest first.
    lowest: Option<Timestamp>,
}

impl Span {
    /// Observes a record. Ignores one above the span, which the server's filter let through.
    fn observe(&mut self, record: &Record, opened: Timestamp) {
        let settled = record.position.filter(|position| !record.unsettled && *position <= opened);
        let is_below_end =
            |position: &Timestamp| self.slice.until.is_none_or(|until| until.is_above(*position));
        self.newest = self.newest.max(settled.filter(is_below_end));
    }
}

impl<C> Spans<C> {
    /// Creates the slices of `range` that lie above the last cursor. `opened` is when the read was
    /// opened.
    pub fn new(
        stream: &'static Stream<C>,
        config: &C,
        range: &TimeRange,
        previous: Option<Cursor>,
        opened: Timestamp,
    ) -> Self {
        let settled = stream.grace.map_or(opened, |grace| opened.checked_sub(grace).unwrap_or(opened));
        let previous = previous.unwrap_or_else(|| Cursor::at(range.start));
        let watermark = Watermark::new(previous, settled).holding(stream.unsettled.as_ref());
        // A stream with a grace period needs no overlap.
        let overlap = if stream.grace.is_some() { SignedDuration::ZERO } else { OVERLAP };
        let from = range.lower_bound(Some(watermark.previous()), overlap);
        let end = stream.grace.map(|_| range.end.map_or(opened, |end| end.min(opened)));
        if range.end.is_some_and(|end| end < from) && stream.cursor.is_some() {
            let nothing = Self::with(stream, config, Vec::new(), watermark, end);
            return Self { end_date: range.end, ..nothing };
        }
        let until = end.map(Until::Before).or(range.end.map(Until::Including));
        let slices = match stream.partition {
            Partition::Ranges(ranges) => {
                let (begin, end) = (ranges.floor(from), end.or(range.end).unwrap_or(opened));
                let until = ranges.ceil(end).min(end.max(opened));
                ranges.cut(begin, until, (begin < range.start).then_some(range.start))
            }
            _ => vec![bounded(stream, from, until)],
        };
        Self { end_date: range.end, ..Self::with(stream, config, slices, watermark, end) }
    }

    /// Creates a single slice, whatever has been read of it.
    #[inline(never)]
    pub(super) fn of(stream: &'static Stream<C>, config: &C, slice: Slice, opened: Timestamp) -> Self {
        let watermark = Watermark::new(Cursor::at(slice.from.unwrap_or(opened)), opened);
        Self::with(stream, config, vec![slice], watermark, None)
    }

    #[inline(never)]
    fn with(
        stream: &'static Stream<C>,
        config: &C,
        slices: Vec<Slice>,
        watermark: Watermark,
        end: Option<Timestamp>,
    ) -> Self {
        let mut spans = Self {
            stream,
            spans: Vec::new(),
            next_key: 0,
            dropped: 0,
            emitted: watermark.previous().instant,
            watermark,
            end,
            end_date: None,
            reached: None,
            finished: false,
            stopped: false,
        };
        let parts = stream.parts.map_or_else(|| vec![None], |parts| (parts.values)(config, None));
        for slice in slices {
            for part in &parts {
                let span = spans.span(Slice { part: part.clone(), ..slice.clone() });
                spans.spans.push(span);
            }
        }
        spans
    }

    fn span(&mut self, slice: Slice) -> Span {
        let key = self.next_key;
        self.next_key += 1;
        Span { key, slice, chain: PageChain::default(), newest: None, lowest: None }
    }

    fn index(&self, request: &PageRequest<C>) -> Option<usize> {
        self.spans.iter().position(|span| span.key == request.key)
    }

    /// Replaces the window at `index` by one above the cut and `count` below. The window above
    /// repeats the first page, so that nothing depends on the order of the list.
    fn split(&mut self, index: usize, from: Timestamp, cut: Timestamp, count: i64) {
        let whole = self.spans[index].slice.clone();
        let (mut lower, mut slices) = (from, Vec::new());
        for edge in edges(from, cut, count) {
            slices.push(Slice { from: Some(lower), until: Some(Until::Before(edge)), ..whole.clone() });
            lower = edge;
        }
        slices.push(Slice { from: Some(cut), ..whole });
        self.replace(index, slices);
    }

    #[inline(never)]
    fn replace(&mut self, index: usize, slices: Vec<Slice>) {
        self.spans.remove(index);
        for slice in slices {
            let span = self.span(slice);
            // The spans of different parts of a list alternate.
            let at = self.spans.partition_point(|other| other.slice.from <= span.slice.from);
            self.spans.insert(at, span);
        }
    }

    /// Takes the page of a request. Returns its records that belong to the slice.
    #[inline(never)]
    pub(super) fn accept(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<Record>, Problem> {
        let index = self.index(request).ok_or("an unknown slice")?;
        let mut records = page.records;
        if let (Partition::Windows, None, Some(_), Some(from)) =
            (self.stream.partition, &request.page_token, &page.next_token, request.slice.from)
            && let Some((cut, count)) = split_below(&records, from, request.slice.scope)
        {
            self.split(index, from, cut, count);
            return Ok(Vec::new());
        }
        self.spans[index].chain.advance(page.next_token)?;
        if matches!(self.stream.partition, Partition::Windows) {
            self.spans[index].descend(request.page_token.is_none(), &records);
        }
        records.retain(|record| request.slice.keeps(record.position));
        for record in &records {
            self.watermark.observe(record);
            self.spans[index].observe(record, self.watermark.opened());
        }
        Ok(records)
    }

    /// Returns the cursor that is true once all records accepted so far are written, if it has
    /// moved, and whether it is the last one.
    #[inline(never)]
    pub(super) fn reached(&mut self) -> Option<(Cursor, bool)> {
        let finished = self.spans.iter().take_while(|span| span.chain.is_finished()).count();
        let Some(next) = self.spans.get(finished).map(|span| span.slice.from) else {
            let cursor = self.end.map_or_else(|| self.watermark.cursor(), |end| self.watermark.up_to(end));
            let is_first = !std::mem::replace(&mut self.finished, true);
            return is_first.then_some((cursor, true));
        };
        let newest = self.spans.drain(..finished).filter_map(|span| span.newest).max();
        self.reached = self.reached.max(newest);
        self.dropped += finished;
        // The end of the finished spans is too late: a record with an older date may appear later,
        // and a read that continues from here must not miss it. Another part may also have read
        // less.
        let cursor = self.watermark.up_to(self.reached?.min(next?));
        if cursor.instant <= self.emitted {
            return None;
        }
        self.emitted = cursor.instant;
        Some((cursor, false))
    }
}

impl<C: 'static> Slices<C> for Spans<C> {
    #[inline(never)]
    fn next_request(&mut self) -> Option<PageRequest<C>> {
        let stopped = self.stopped;
        let waiting =
            |span: &mut Span| span.chain.next_page().map(|token| (span.key, span.slice.clone(), token));
        let mut wanted = self.spans.iter_mut().filter(|span| !(stopped && span.can_wait()));
        let (key, slice, page_token) = wanted.find_map(waiting)?;
        Some(PageRequest { key, page_token, ..PageRequest::new(self.stream, slice) })
    }

    fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        let records = self.accept(request, page)?;
        Ok(emit(&request.slice, records))
    }

    #[inline(never)]
    fn shorten(&mut self, request: &PageRequest<C>) -> bool {
        let slices = (self.stream.ends.too_large)(&request.slice);
        let (Some(index), Some(slices)) = (self.index(request), slices) else { return false };
        self.replace(index, slices);
        true
    }

    fn stop(&mut self) {
        self.stopped = !matches!(self.stream.partition, Partition::Whole);
    }

    fn is_finished(&self) -> bool {
        self.spans.iter().all(|span| span.chain.is_finished())
    }

    fn left_off(&mut self) -> Option<String> {
        (self.stopped && !self.is_finished()).then(|| self.rest().to_json(self.stream.cursor))
    }

    fn progress(&self) -> (u64, Option<u64>) {
        let finished = self.spans.iter().filter(|span| span.chain.is_finished()).count();
        ((self.dropped + finished) as u64, Some((self.dropped + self.spans.len()) as u64))
    }

    fn checkpoint(&mut self) -> Option<String> {
        self.stream.cursor?;
        let (cursor, _) = self.reached()?;
        Some(State { cursor: Some(cursor), ..State::default() }.to_json(self.stream.cursor))
    }
}

#[cfg(test)]
mod tests;
