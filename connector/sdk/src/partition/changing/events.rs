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

/// How far back to read events if no earlier read has read them. Earlier changes are not seen.
const REACH: SignedDuration = SignedDuration::hours(30 * 24);

/// The events since the last read.
#[derive(Debug)]
pub(super) struct Events<C: 'static> {
    feed: &'static Feed<C>,
    /// All events up to this instant have been looked at. `None` in the first read of the stream.
    since: Option<Timestamp>,
    list: Option<Spans<C>>,
    reach: Reach,
    is_given_up: bool,
    /// How many events name no object.
    nameless: usize,
    log: Vec<(Level, String)>,
}

/// What is known of how far back the log of events goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Unknown,
    /// The newest events are requested, whatever their time. After a short time, they go back to
    /// the last read, and nothing else is needed.
    NewestAsked,
    /// The newest events do not go back to the last read.
    NotNewest,
    /// An event is requested that is as old as the last read.
    Asked,
    Known,
}

/// The keys of these two requests. Spans count theirs from 0.
const NEWEST_KEY: usize = usize::MAX - 1;
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
        Self { feed, since, list, reach, is_given_up: false, nameless: 0, log: Vec::new() }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.reach == Reach::Known && self.list.as_ref().is_none_or(Spans::is_finished)
    }

    pub(super) fn next_request(&mut self) -> Option<PageRequest<C>> {
        let newest = PageRequest::new(self.feed.stream, Slice { scope: Scope::Feed, ..Slice::default() });
        match self.reach {
            Reach::Unknown => {
                self.reach = Reach::NewestAsked;
                return Some(PageRequest { level: 1, key: NEWEST_KEY, ..newest });
            }
            Reach::NewestAsked => return None,
            Reach::NotNewest | Reach::Asked | Reach::Known => {}
        }
        if let (Reach::NotNewest, Some(since)) = (self.reach, self.since) {
            self.reach = Reach::Asked;
            let slice = bounded(self.feed.stream, since, Some(Until::Including(since)));
            let slice = Slice { scope: Scope::Feed, from: None, keep_from: None, ..slice };
            let request = PageRequest::new(self.feed.stream, slice);
            return Some(PageRequest { level: 1, key: REACH_KEY, page_limit: Some(1), ..request });
        }
        let request = self.list.as_mut()?.next_request()?;
        // What this list lacks says nothing about the stream's own.
        Some(PageRequest { level: 1, ..request })
    }

    /// Takes a page of events. Returns the identifiers of the objects that they name.
    pub(super) fn observe(&mut self, request: &PageRequest<C>, page: Page) -> Result<Vec<String>, Problem> {
        let events = match request.key {
            REACH_KEY => {
                self.note_reach(!page.records.is_empty());
                Vec::new()
            }
            NEWEST_KEY => self.observe_newest(page),
            _ => self.list.as_mut().map(|list| list.accept(request, page)).transpose()?.unwrap_or_default(),
        };
        let mut named = Vec::new();
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

    /// Takes the newest events. Returns those since the last read, if they go back to it or there
    /// are no others; otherwise none, and they are listed.
    fn observe_newest(&mut self, page: Page) -> Vec<Record> {
        self.reach = Reach::NotNewest;
        let Some(since) = self.since else { return Vec::new() };
        let mut events = page.records;
        let from = since.saturating_sub(OVERLAP);
        let (first, oldest) = (events.first(), events.last());
        let (newest, oldest) = (first.and_then(|it| it.position), oldest.and_then(|it| it.position));
        // Only a list that is newest first says what it goes back to.
        let positions = events.iter().map(|event| event.position);
        let is_newest_first =
            newest > oldest && positions.is_sorted_by(|newer, older| newer.is_some() && newer >= older);
        let is_all = page.next_token.is_none();
        let reaches_back = is_newest_first && oldest.is_some_and(|oldest| oldest < from);
        if !(is_all || reaches_back) {
            return Vec::new();
        }
        self.list = None;
        let goes_back = |event: &Record| event.position.is_some_and(|position| position <= since);
        self.note_reach(events.iter().any(goes_back));
        events.retain(|event| event.position.is_none_or(|position| position >= from));
        events
    }

    /// Notes whether the log goes back to the last read.
    fn note_reach(&mut self, goes_back: bool) {
        self.reach = Reach::Known;
        if let Some(since) = self.since.filter(|_| !goes_back) {
            let message = format!(
                "{} has no events up to {}, so what changed until its first one is not seen, \
                 unless it is seen without events",
                self.feed.stream.name,
                format_instant(since)
            );
            self.log.push((Level::Warn, message));
        }
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
        self.list = None;
        if mem::replace(&mut self.is_given_up, true) {
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
        match self.since {
            // The first read: what it reads is newer than its opening.
            None => Some(opened),
            since if is_end && !self.is_given_up => since.max(Some(opened)),
            since => since,
        }
    }
}
