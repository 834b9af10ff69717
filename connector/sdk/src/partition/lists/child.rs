//! The list of one parent.

use std::collections::VecDeque;

use time::Timestamp;

use crate::{page::PageChain, problem::Problem, slice::Slice, stream::Absent};

/// The most parts of one parent that are requested because the one before was there. A longer
/// series is treated as endless.
const MAX_FURTHER_PARTS: usize = 10_000;

/// The list of one parent. Its slices are read one after the other.
#[derive(Debug)]
pub(in crate::partition) struct Child {
    pub(in crate::partition) root: Option<Timestamp>,
    pub(super) slice: Slice,
    pub(super) chain: PageChain,
    further: VecDeque<Slice>,
    /// How many parts have been added because the one before was there.
    added_parts: usize,
    /// Whether the last part was not found.
    has_no_more_parts: bool,
    pub(in crate::partition) is_refused: bool,
}

impl Child {
    /// Creates the list of a parent. `None` if there is nothing to request.
    pub(super) fn new(root: Option<Timestamp>, slices: Vec<Slice>) -> Option<Self> {
        let mut further = VecDeque::from(slices);
        let slice = further.pop_front()?;
        let chain = PageChain::default();
        let (added_parts, has_no_more_parts, is_refused) = (0, false, false);
        Some(Self { root, slice, chain, further, added_parts, has_no_more_parts, is_refused })
    }

    /// Replaces the slice that is being read.
    pub(super) fn replace(&mut self, slices: Vec<Slice>) {
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

    pub(super) fn is_finished(&self) -> bool {
        self.chain.is_finished() && self.further.is_empty()
    }

    /// Records that the part that is being read was not found. If it is the last known one, there
    /// are no others.
    pub(super) fn end_parts(&mut self) {
        self.has_no_more_parts = self.further.is_empty();
    }

    /// Takes the token of the next page. After the last page of the last part, adds the part that
    /// may follow.
    pub(super) fn advance(&mut self, next_token: Option<String>, absent: Absent) -> Result<(), Problem> {
        self.chain.advance(next_token)?;
        if !self.chain.is_finished() {
            return Ok(());
        }
        if let (Absent::EndOfParts(next), Some(part)) = (absent, &self.slice.part)
            && self.further.is_empty()
            && !self.has_no_more_parts
            && !self.is_refused
        {
            self.added_parts += 1;
            if self.added_parts > MAX_FURTHER_PARTS {
                return Err(Problem::new(format!("the server has part {part:?}, and no end of parts")));
            }
            self.further.push_back(Slice { part: Some(next(part)), ..self.slice.clone() });
        }
        self.next_slice();
        Ok(())
    }
}
