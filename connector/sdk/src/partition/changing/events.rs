//! The events since the last read, which name objects that have changed.

use std::{borrow::Cow, mem};

use json_text::Json;
use time::{SignedDuration, Timestamp};

use crate::{
    cursor::{Cursor, OVERLAP},
    instant::format_instant,
    log::Level,
    page::Page,
    partition::{Slices, bounded, spans::Spans},
    problem::Problem,
    record::{Record, inside},
    request::PageRequest,
    slice::{Scope, Slice, Until},
    stream::Feed,
};

/// How far back events are read if no read has looked at them. What changed earlier is not seen.
const REACH: SignedDuration = SignedDuration::hours(30 * 24);

/// The events since the last read.
#[derive(Debug)]
pub(super) struct Events<C: 'static> {
    feed: &'static Feed<C>,
    /// All events up to this instant have been looked at. `None` in the first read of the stream.
    since: Option<Timestamp>,
    list: Option<Spans<C>>,
    reach: Reach,
    /// How many events name no object.
    nameless: usize,
    log: Vec<(Level, String)>,
}

/// Whether the log of events goes back to the last read, which a request for an older event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Unknown,
    Asked,
    Known,
}

/// The key of that request. Spans count theirs from 0.
const REACH_KEY: usize = usize::MAX;

impl<C> Events<C> {
    pub(super) fn new(
        feed: &'static Feed<C>,
        config: &C,
        changes: Option<Timestamp>,
        previous: Option<&Cursor>,
        opened: Timestamp,
    ) -> Self {
        // The last read was opened at its cursor or later.
        let earliest = opened.saturating_sub(REACH);
        let since = changes.or(previous.map(|cursor| cursor.instant.max(earliest)));
        let since = previous.and(since).map(|since| since.min(opened));
        let list = since.map(|since| {
            let slice = bounded(feed.stream, since.saturating_sub(OVERLAP), None);
            Spans::of(feed.stream, config, Slice { scope: Scope::Feed, ..slice }, opened)
        });
        let reach = if list.is_some() { Reach::Unknown } else { Reach::Known };
        Self { feed, since, list, reach, nameless: 0, log: Vec::new() }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.reach == Reach::Known && self.list.as_ref().is_none_or(Spans::is_finished)
    }

    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        if let (Reach::Unknown, Some(since)) = (self.reach, self.since) {
            self.reach = Reach::Asked;
            let from = since.saturating_sub(SignedDuration::hours(100 * 365 * 24));
            let slice = bounded(self.feed.stream, from, Some(Until::Including(since)));
            let slice = Slice { scope: Scope::Feed, from: None, ..slice };
            let request = PageRequest::new(self.feed.stream, slice);
            return Some(PageRequest { level: 1, key: REACH_KEY, page_limit: Some(1), ..request });
        }
        let request = self.list.as_mut()?.next_request()?;
        // What this list lacks says nothing about the stream's own.
        Some(PageRequest { level: 1, ..request })
    }

    /// Takes a page of events. Returns the identifiers of the objects that they name.
    pub(super) fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        if request.key == REACH_KEY {
            self.reach = Reach::Known;
            if let Some(since) = self.since.filter(|_| page.records.is_empty()) {
                let message = format!(
                    "{} has no events up to {}, so what changed until its first one is not seen, \
                     unless it is seen without events",
                    self.feed.stream.name,
                    format_instant(since)
                );
                self.log.push((Level::Warn, message));
            }
            return Ok(Vec::new());
        }
        let Some(list) = &mut self.list else { return Ok(Vec::new()) };
        let (mut named, events) = (Vec::new(), list.accept(request, page)?);
        for event in &events {
            match self.name_in(event) {
                Some(Some(id)) => named.push(id),
                Some(None) => self.nameless += 1,
                None => {}
            }
        }
        if self.is_finished() && self.nameless > 0 {
            let message = format!("{} events name no object and were skipped", self.nameless);
            self.log.push((Level::Warn, message));
        }
        Ok(named)
    }

    /// Returns the identifier in an event. `None` if its type says that it names no object of the
    /// stream, and `Some(None)` if it should.
    fn name_in(&self, event: &Record) -> Option<Option<String>> {
        let event_type = event.text(self.feed.event_type)?;
        let (_, paths) = self.feed.names.iter().find(|(prefix, _)| event_type.starts_with(prefix))?;
        let event = Json::checked(&event.json);
        let id = paths.iter().find_map(|path| inside(event, path)?.text().filter(|id| !id.is_empty()));
        Some(id.map(Cow::into_owned))
    }

    /// Goes on without events.
    pub(super) fn give_up(&mut self, reason: &str) {
        self.reach = Reach::Known;
        if self.list.take().is_none() {
            return;
        }
        let name = self.feed.stream.name;
        let message = format!("{name} cannot be read, so changes are seen as without it: {reason}");
        self.log.push((Level::Warn, message));
    }

    pub(super) fn take_log(&mut self) -> Vec<(Level, String)> {
        mem::take(&mut self.log)
    }

    /// Returns the instant up to which events have been looked at.
    pub(super) fn state(&self, is_end: bool, opened: Timestamp) -> Option<Timestamp> {
        match (self.since, &self.list) {
            // The first read: what it reads is newer than its opening.
            (None, _) => Some(opened),
            (since, Some(_)) if is_end => since.max(Some(opened)),
            (since, _) => since,
        }
    }
}
