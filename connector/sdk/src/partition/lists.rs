//! Lists parents at any depth, and reads the list of each parent page by page.
//!
//! Parents are listed only as fast as their lists are read, so memory does not grow with their
//! number. If parents have parents themselves, their listing is another such set of lists.
//!
//! The file is long because all of it works on one queue of lists.

mod child;
mod roots;

use std::collections::VecDeque;

use time::{SignedDuration, Timestamp};

use self::{child::Child, roots::Roots};
use crate::{
    page::Page,
    problem::Problem,
    record::Record,
    request::PageRequest,
    slice::Slice,
    state::Unfinished,
    stream::{Parents, Partition, Stream},
};

/// The next page of the outermost parents is requested when fewer lists than this are waiting.
const WAITING_PARENTS: usize = 50;

/// The next page of parents that have parents themselves is requested when fewer lists than this
/// are waiting. Such pages are small, but there are many. A read that is stopped before the lists
/// of their parents have been begun would request all of them again.
const WAITING_PARENTS_OF_PARENTS: usize = 1;

/// Stop listing parents while this many are queued behind a slow one.
const MAX_PARENTS: usize = 10_000;

/// A record that has a list, and when its outermost ancestor was created, by which lists are
/// resumed.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) record: Record,
    pub(super) root: Option<Timestamp>,
}

/// The lists of a stream's parents.
#[derive(Debug)]
pub(super) struct Lists<C: 'static> {
    stream: &'static Stream<C>,
    parents: &'static Parents<C>,
    level: usize,
    listing: Listing<C>,
    /// The lists in the order of their parents. The first one is not finished.
    children: VecDeque<Child>,
    first_key: usize,
    /// How many lists have been read to their end.
    done: usize,
    /// The longest time of a slice, once the server has refused longer ones as too large.
    longest: Option<SignedDuration>,
    /// The oldest of the outermost ancestors of lists that have been begun.
    begun: Option<Option<Timestamp>>,
    /// Once the read is stopped, only lists whose outermost ancestor is no older than this are
    /// read: those of ancestors of which some lists have been begun. `None` in it if there are
    /// none.
    stopped_at: Option<Option<Timestamp>>,
}

/// Where parents come from.
#[derive(Debug)]
enum Listing<C: 'static> {
    Roots(Box<Roots<C>>),
    Lists(Box<Lists<C>>),
}

impl<C> Lists<C> {
    /// Creates the lists of `parents`. Skips those that `unfinished` says have been read.
    pub(super) fn new(
        stream: &'static Stream<C>,
        parents: &'static Parents<C>,
        config: &C,
        level: usize,
        unfinished: Option<Unfinished>,
    ) -> Self {
        let listing = match &parents.stream.partition {
            Partition::Parents(grandparents) => {
                let lists = Self::new(parents.stream, grandparents, config, level + 1, unfinished);
                Listing::Lists(Box::new(lists))
            }
            _ => {
                let roots = Roots::new(parents.stream, config, level + 1, unfinished);
                Listing::Roots(Box::new(roots))
            }
        };
        let (children, first_key, done, longest) = (VecDeque::new(), 0, 0, None);
        let (begun, stopped_at) = (None, None);
        Self { stream, parents, level, listing, children, first_key, done, longest, begun, stopped_at }
    }

    /// As [`super::Slices::stop`].
    pub(super) fn stop(&mut self) {
        let oldest = self.begun.flatten();
        // Without an order, no state could say which lists have been read.
        if self.is_sorted() && oldest.is_some() == self.begun.is_some() {
            self.stop_at(oldest);
        }
    }

    fn stop_at(&mut self, oldest: Option<Timestamp>) {
        self.stopped_at = Some(oldest);
        if let Listing::Lists(lists) = &mut self.listing {
            lists.stop_at(oldest);
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped_at.is_some()
    }

    /// Returns whether the outermost parents come newest first.
    fn is_sorted(&self) -> bool {
        match &self.listing {
            Listing::Roots(roots) => roots.is_sorted,
            Listing::Lists(lists) => lists.is_sorted(),
        }
    }

    /// Returns the next page request: for parents if few lists are waiting, otherwise for the first
    /// waiting list.
    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        let waiting = self.children.iter().filter(|child| child.chain.is_waiting());
        let enough = match &self.listing {
            Listing::Roots(_) => WAITING_PARENTS,
            Listing::Lists(_) => WAITING_PARENTS_OF_PARENTS,
        };
        let few = self.stopped_at.is_some() || waiting.take(enough).count() < enough;
        if few && self.children.len() < MAX_PARENTS {
            let request = match &mut self.listing {
                Listing::Roots(_) if self.stopped_at.is_some() => None,
                Listing::Roots(roots) => roots.next_request(),
                Listing::Lists(lists) => lists.next_request(),
            };
            if request.is_some() {
                return request;
            }
        }
        let is_wanted =
            |child: &Child| self.stopped_at.is_none_or(|oldest| oldest.is_some() && child.root >= oldest);
        let index = self.children.iter().position(|child| child.chain.is_waiting() && is_wanted(child))?;
        self.fit(index);
        let child = &mut self.children[index];
        self.begun = Some(self.begun.map_or(child.root, |oldest| oldest.min(child.root)));
        let page_token = child.chain.next_page()?;
        let (level, key, slice) = (self.level, self.first_key + index, child.slice.clone());
        Some(PageRequest { level, key, page_token, ..PageRequest::new(self.stream, slice) })
    }

    /// Takes a page of parents, at any depth. Returns the parents of this level's lists.
    pub(super) fn observe_parents(
        &mut self,
        config: &C,
        request: &PageRequest<C>,
        page: Page,
        skipped: &mut Vec<String>,
    ) -> Result<Vec<Parent>, Problem> {
        let lists = match &mut self.listing {
            Listing::Roots(roots) => return roots.observe(page),
            Listing::Lists(lists) => lists,
        };
        if request.level > lists.level {
            let parents = lists.observe_parents(config, request, page, skipped)?;
            let cut = lists.cut();
            let whole = |id: &str| Slice { parent: Some(id.to_owned()), ..Slice::default() };
            lists.admit(config, parents, &|id, record| cut(config, record, &whole(id)), skipped)?;
            return Ok(Vec::new());
        }
        let root = lists.child(request).and_then(|child| child.root);
        lists.advance(request, page.next_token)?;
        let kept = page.records.into_iter().filter(|record| request.slice.keeps(record.position));
        Ok(kept.map(|record| Parent { record, root }).collect())
    }

    /// Returns what cuts the slice of a list into further ones.
    pub(super) fn cut(&self) -> fn(&C, &Record, &Slice) -> Vec<Slice> {
        self.parents.slices
    }

    /// Adds the lists of parents. `slices` returns those of a list, by the parent's id and record.
    /// Adds the ids of parents that are being deleted to `skipped`.
    #[inline(never)]
    pub(super) fn admit(
        &mut self,
        config: &C,
        parents: Vec<Parent>,
        slices: &dyn Fn(&str, &Record) -> Vec<Slice>,
        skipped: &mut Vec<String>,
    ) -> Result<(), Problem> {
        let Parents { stream, id, deleted, .. } = self.parents;
        for Parent { record, root } in parents {
            let id = record
                .text(id)
                .ok_or_else(|| Problem::new(format!("a record of {} has no {id:?}", stream.name)))?;
            if deleted.is_some_and(|field| record.is_true(field)) {
                skipped.push(id);
                continue;
            }
            let slices = slices(&id, &record);
            let parts =
                self.stream.parts.map_or_else(|| vec![None], |parts| (parts.values)(config, Some(&record)));
            let of_part = |part: Option<String>| {
                slices.iter().map(move |slice| Slice { part: part.clone(), ..slice.clone() })
            };
            self.children.extend(Child::new(root, parts.into_iter().flat_map(of_part).collect()));
        }
        Ok(())
    }

    /// Returns the list that a request is for.
    pub(super) fn child(&mut self, request: &PageRequest<C>) -> Option<&mut Child> {
        let index = request.key.checked_sub(self.first_key)?;
        self.at(request.level)?.children.get_mut(index)
    }

    /// Returns the lists of a level. `None` for the level of the outermost parents.
    pub(super) fn at(&mut self, level: usize) -> Option<&mut Self> {
        if level == self.level {
            return Some(self);
        }
        match &mut self.listing {
            Listing::Roots(_) => None,
            Listing::Lists(lists) => lists.at(level),
        }
    }

    /// Advances a list, and drops the finished lists at the front. Returns how many were dropped.
    pub(super) fn advance(
        &mut self,
        request: &PageRequest<C>,
        next_token: Option<String>,
    ) -> Result<usize, Problem> {
        let absent = self.stream.ends.absent;
        let child = self.child(request).ok_or("an unknown parent")?;
        child.advance(next_token, absent)?;
        self.done += usize::from(child.is_finished());
        let mut forgotten = 0;
        while self.children.front().is_some_and(Child::is_finished) {
            self.children.pop_front();
            forgotten += 1;
        }
        self.first_key += forgotten;
        Ok(forgotten)
    }

    /// As [`super::Slices::end_parts`].
    pub(super) fn end_parts(&mut self, request: &PageRequest<C>) {
        if let Some(child) = self.child(request) {
            child.end_parts();
        }
    }

    /// Shortens the next slice of a list to what the server answers.
    fn fit(&mut self, index: usize) {
        let child = &mut self.children[index];
        while child.chain.is_fresh()
            && self.longest.is_some_and(|longest| child.slice.span().is_some_and(|span| span > longest))
            && let Some(slices) = (self.stream.ends.too_large)(&child.slice)
        {
            child.replace(slices);
        }
    }

    /// As [`super::Slices::shorten`].
    pub(super) fn shorten(&mut self, request: &PageRequest<C>) -> bool {
        let Some(slices) = (self.stream.ends.too_large)(&request.slice) else { return false };
        let longest = slices.iter().filter_map(Slice::span).max();
        let Some(child) = self.child(request) else { return false };
        child.replace(slices);
        self.longest = longest.into_iter().chain(self.longest).min();
        true
    }

    /// Returns the instant such that every list whose outermost ancestor was created after it has
    /// been read. `None` if that is not known.
    pub(super) fn read_after(&self) -> Option<Timestamp> {
        match &self.listing {
            Listing::Roots(roots) if !roots.is_sorted => None,
            // Parents come newest first.
            Listing::Roots(roots) => self.children.front().map_or(roots.last_position, |child| child.root),
            Listing::Lists(lists) => {
                let open = self.children.iter().filter(|child| !child.is_finished()).map(|child| child.root);
                open.chain([lists.read_after()]).reduce(|one, other| Some(one?.max(other?)))?
            }
        }
    }

    /// Returns whether every parent has been listed.
    fn is_listed(&self) -> bool {
        match &self.listing {
            Listing::Roots(roots) => roots.is_finished(),
            Listing::Lists(lists) => lists.is_finished(),
        }
    }

    /// Returns whether every list has been read.
    pub(super) fn is_finished(&self) -> bool {
        self.children.is_empty() && self.is_listed()
    }

    /// As [`super::Slices::progress`].
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        let listed = self.first_key + self.children.len();
        (self.done as u64, self.is_listed().then_some(listed as u64))
    }
}

#[cfg(test)]
mod tests;
