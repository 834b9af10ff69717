//! What a read that was stopped has not read, and how a later one continues there.
//!
//! Windows are read newest first and several at a time, so what is left consists of the lower parts
//! of some windows and all of the later ones. A cursor alone cannot say that.

use time::{SignedDuration, Timestamp};

use super::{Span, Spans};
use crate::{
    cursor::OVERLAP,
    instant::floor_to_second,
    record::Record,
    slice::{Slice, Until},
    state::{State, Unread},
    stream::Partition,
};

impl Span {
    /// Notes how far down a page of a window goes.
    pub(super) fn descend(&mut self, is_first: bool, records: &[Record]) {
        let mut last = self.lowest;
        if !is_first && last.is_none() {
            return;
        }
        let descends = records.iter().all(|record| {
            let position = record.position.filter(|position| last.is_none_or(|last| *position <= last));
            last = position.or(last);
            position.is_some()
        });
        self.lowest = last.filter(|_| descends);
    }

    /// Returns the whole second above all that is unread of a window that has been begun. `None`
    /// if that is no less than before.
    ///
    /// Records of the same second, whose fractions a server may truncate, are never separated.
    fn unread_below(&self) -> Option<Timestamp> {
        let below = floor_to_second(self.lowest?).checked_add(SignedDuration::seconds(1))?;
        self.slice.until.is_none_or(|until| until.is_above(below)).then_some(below)
    }

    /// Returns whether nothing is lost if the next page is not requested now.
    pub(super) fn can_wait(&self) -> bool {
        self.chain.is_fresh() || self.unread_below().is_some()
    }

    /// Returns the first instant that is unread, and where the unread part ends. `None` if
    /// everything has been read.
    fn unread(&self) -> Option<(Timestamp, Timestamp)> {
        if self.chain.is_finished() {
            return None;
        }
        let end = match (self.slice.keep_before, self.slice.until) {
            (Some(end), _) | (None, Some(Until::Before(end))) => end,
            (None, Some(Until::Including(_)) | None) => Timestamp::MAX,
        };
        Some((begin(&self.slice)?, self.unread_below().unwrap_or(end)))
    }
}

impl<C> Spans<C> {
    /// Continues where an earlier read was stopped.
    #[must_use]
    pub fn resume(mut self, unread: Option<Unread>) -> Self {
        let Some(Unread { edges, opened, observed, held }) = unread else { return self };
        let opened = opened.unwrap_or_else(|| self.watermark.opened());
        // What is unread beyond an end date is left to a later read.
        let observed = observed.map(|observed| self.end_date.map_or(observed, |end| observed.min(end)));
        self.watermark = self.watermark.resume(opened, observed, held);
        let overlap = match self.stream.partition {
            Partition::Ranges(ranges) => Some(ranges.before),
            _ => None,
        };
        let spans = std::mem::take(&mut self.spans);
        for edges in edges.chunks(2) {
            for Span { slice, .. } in &spans {
                if let Some(slice) = clip(slice, edges[0], edges.get(1).copied(), overlap) {
                    let span = self.span(slice);
                    self.spans.push(span);
                }
            }
        }
        self
    }

    /// Returns the state of a read that was stopped.
    pub fn rest(&self) -> State {
        // Records close to the opening may have become visible since.
        let opened = self.end.unwrap_or_else(|| self.watermark.opened());
        let newest = opened.saturating_sub(OVERLAP);
        let newest = self.end_date.map_or(newest, |end| newest.min(end));
        let mut edges = Vec::new();
        let mut unread_up_to = None;
        // Spans are ordered by where they begin.
        for (from, end) in self.spans.iter().filter_map(Span::unread) {
            if from >= newest {
                break;
            }
            if unread_up_to.is_none_or(|up_to| up_to < from) {
                edges.extend(unread_up_to);
                edges.push(from);
                unread_up_to = None;
            }
            unread_up_to = unread_up_to.max(Some(end));
        }
        if let Some(end) = unread_up_to.filter(|end| *end < newest) {
            edges.push(end);
        }
        if edges.len() % 2 == 0 {
            edges.push(newest);
        }
        let reached = self.reached.map(|reached| self.watermark.up_to(reached.min(edges[0])));
        State {
            cursor: Some(reached.unwrap_or_else(|| self.watermark.previous().clone())),
            unread: Some(Unread {
                edges,
                opened: self.stream.grace.map(|_| self.watermark.opened()),
                observed: self.watermark.observed(),
                held: self.watermark.held(),
            }),
            ..State::default()
        }
    }
}

/// Returns where the records of a slice begin.
fn begin(slice: &Slice) -> Option<Timestamp> {
    slice.keep_from.or(slice.from)
}

/// Returns the part of a slice from `from` up to `end`. A range keeps its end, and begins as far
/// before its records as `overlap` says.
fn clip(
    slice: &Slice,
    from: Timestamp,
    end: Option<Timestamp>,
    overlap: Option<SignedDuration>,
) -> Option<Slice> {
    let begins = begin(slice)?;
    let from = from.max(begins);
    let until = slice.keep_before.map(Until::Before).or(slice.until);
    if until.is_some_and(|until| !until.is_above(from)) || end.is_some_and(|end| end <= from) {
        return None;
    }
    let mut slice = slice.clone();
    let Some(overlap) = overlap else {
        let end = end.filter(|end| slice.until.is_none_or(|until| until.is_above(*end)));
        return Some(Slice { from: Some(from), until: end.map(Until::Before).or(slice.until), ..slice });
    };
    if from > begins {
        slice.from = slice.from.max(Some(from.saturating_sub(overlap)));
        slice.keep_from = Some(from);
    }
    Some(slice)
}

#[cfg(test)]
mod tests;
