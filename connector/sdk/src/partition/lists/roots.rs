//! The list of the outermost parents.

use std::collections::VecDeque;

use time::{SignedDuration, Timestamp};

use super::Parent;
use crate::{
    instant::floor_to_second,
    page::{Page, PageChain},
    problem::Problem,
    request::PageRequest,
    slice::{Slice, Until},
    state::Unfinished,
    stream::{Partition, Stream},
};

/// The list of the outermost parents. All of them are read, whatever their age.
#[derive(Debug)]
pub(super) struct Roots<C: 'static> {
    stream: &'static Stream<C>,
    level: usize,
    slice: Slice,
    chain: PageChain,
    /// The parts of the list that have not been requested.
    further: VecDeque<Slice>,
    /// When the last listed parent was created.
    pub(super) last_position: Option<Timestamp>,
    /// Whether the listed parents came newest first.
    pub(super) is_sorted: bool,
    unfinished: Option<Unfinished>,
}

/// Returns the time whose parents have been read, and need not be listed again. A read that is
/// stopped often would otherwise list all of them each time. It relies on their order.
fn listed<C>(stream: &Stream<C>, unfinished: Option<Unfinished>) -> Option<(Timestamp, Timestamp)> {
    let unfinished = unfinished.filter(|state| state.stopped)?;
    // A server may truncate fractions of a second.
    let after = floor_to_second(unfinished.parents_after).saturating_add(SignedDuration::seconds(1));
    let is_filtered = matches!(stream.partition, Partition::Windows);
    (is_filtered && after < unfinished.opened).then_some((after, unfinished.opened))
}

impl<C> Roots<C> {
    pub(super) fn new(
        stream: &'static Stream<C>,
        config: &C,
        level: usize,
        unfinished: Option<Unfinished>,
    ) -> Self {
        let parts = stream.parts.map_or_else(|| vec![None], |parts| (parts.values)(config, None));
        let mut further = VecDeque::new();
        for part in parts {
            let mut slice = Slice { part, ..Slice::default() };
            if let Some((after, opened)) = listed(stream, unfinished) {
                further.push_back(Slice { from: Some(opened), ..slice.clone() });
                slice.until = Some(Until::Before(after));
            }
            further.push_back(slice);
        }
        let slice = further.pop_front().unwrap_or_default();
        let (chain, last_position, is_sorted) = (PageChain::default(), None, true);
        Self { stream, level, slice, chain, further, last_position, is_sorted, unfinished }
    }

    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        let page_token = self.chain.next_page()?;
        Some(PageRequest {
            level: self.level,
            page_token,
            ..PageRequest::new(self.stream, self.slice.clone())
        })
    }

    pub(super) fn observe(&mut self, page: Page) -> Result<Vec<Parent>, Problem> {
        let mut parents = Vec::new();
        for record in page.records {
            if let (Some(last), Some(position)) = (self.last_position, record.position) {
                self.is_sorted &= position <= last;
            }
            self.last_position = record.position.or(self.last_position);
            // If the list is not sorted, it is unknown what an earlier run has read.
            if !(self.is_sorted && self.is_read(record.position)) {
                parents.push(Parent { root: record.position, record });
            }
        }
        self.chain.advance(page.next_token)?;
        if self.chain.is_finished()
            && let Some(slice) = self.further.pop_front()
        {
            (self.slice, self.chain) = (slice, PageChain::default());
        }
        Ok(parents)
    }

    /// Returns whether an earlier run of this read has read a parent's list.
    fn is_read(&self, position: Option<Timestamp>) -> bool {
        let (Some(position), Some(unfinished)) = (position, &self.unfinished) else { return false };
        position > unfinished.parents_after && position <= unfinished.opened
    }

    pub(super) fn is_finished(&self) -> bool {
        self.chain.is_finished() && self.further.is_empty()
    }
}
