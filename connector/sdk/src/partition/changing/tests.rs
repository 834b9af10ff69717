//! Reads an account whose things change, as a reader does it.

mod checkpoints;
mod events;
mod objects;
mod sweeps;

use std::{cmp::Reverse, collections::VecDeque};

use json_text::Scanner;

use super::*;
use crate::{
    fixtures::TIME,
    instant::format_instant,
    request::PageParameters,
    rows::Nested,
    stream::{Ends, Feed, Object, Open, Partition},
    testing::instant,
};

const DAY: i64 = 24;

/// What the user asks for.
#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    events: bool,
    open_for: Option<SignedDuration>,
    sweep_after: Option<SignedDuration>,
}

const OPEN_ONES: Wishes =
    Wishes { events: false, open_for: Some(SignedDuration::hours(90 * DAY)), sweep_after: None };

static EVENTS: Stream<Wishes> = Stream {
    name: "events",
    path: "events",
    cursor: Some("at"),
    time: Some(TIME),
    partition: Partition::Windows,
    page_limit: Some(3),
    ..Stream::LIST
};

static FEED: Feed<Wishes> = Feed {
    stream: &EVENTS,
    is_wanted: |wishes| wishes.events,
    event_type: "status",
    names: &[("thing.", &["id"])],
};

static OPEN: Open<Wishes> =
    Open { field: "status", values: &["open", "draft"], filter: "status", at_most: |wishes| wishes.open_for };

static THINGS: Stream<Wishes> = Stream {
    name: "things",
    path: "things",
    object: Some(Object { path: "things/{id}", id: "id" }),
    open: Some(&OPEN),
    feed: Some(&FEED),
    withheld: |_| &["draft"],
    sweep: |wishes| wishes.sweep_after,
    page_limit: Some(2),
    ends: Ends { too_large: |slice| Some(vec![slice.clone(); 2]), ..Ends::USUAL },
    ..EVENTS
};

/// One record per line of a thing.
static LINES: Stream<Wishes> = Stream {
    rows: Rows::Nested(Nested { list: "lines", copied: &[("id", "id"), ("status", "status")] }),
    ..THINGS
};

/// A thing, or an event whose type is the status.
#[derive(Debug, Clone)]
struct Element {
    id: String,
    at: Timestamp,
    status: &'static str,
}

impl Element {
    fn json(&self) -> String {
        let (id, at, status) = (&self.id, format_instant(self.at), self.status);
        format!(r#"{{"id":"{id}","at":"{at}","status":"{status}","lines":[{{"n":1}},{{"n":2}}]}}"#)
    }
}

/// Returns so many hours after the start.
fn at(hour: i64) -> Timestamp {
    instant("2024-01-01T00:00:00Z") + SignedDuration::hours(hour)
}

fn element(id: &str, hour: i64, status: &'static str) -> Element {
    Element { id: id.to_owned(), at: at(hour), status }
}

/// What the server has.
struct Account {
    stream: &'static Stream<Wishes>,
    things: Vec<Element>,
    /// `None` if the server does not show them.
    events: Option<Vec<Element>>,
}

impl Account {
    fn of(things: &[Element]) -> Self {
        Self { stream: &THINGS, things: things.to_vec(), events: Some(Vec::new()) }
    }

    /// Returns the page that is asked for, by keyset pagination.
    fn answer(&self, request: &PageRequest<Wishes>) -> Option<Page> {
        let Slice { parent, from, until, scope, .. } = &request.slice;
        let elements = if *scope == Scope::Feed { self.events.as_ref()? } else { &self.things };
        let mut wanted: Vec<&Element> = elements
            .iter()
            .filter(|element| match scope {
                Scope::Object => parent.as_ref() == Some(&element.id),
                Scope::Open => OPEN.values.contains(&element.status),
                Scope::All | Scope::Feed => true,
            })
            .filter(|element| from.is_none_or(|from| from <= element.at))
            .filter(|element| until.is_none_or(|until| until.is_above(element.at)))
            .collect();
        if *scope == Scope::Object && wanted.is_empty() {
            return None;
        }
        wanted.sort_by_key(|element| Reverse(element.at));
        let skip = request.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let limit = request.page_limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        let mut left = wanted.into_iter().skip(skip);
        let elements: Vec<Element> = left.by_ref().take(limit).cloned().collect();
        let next_token = left.next().map(|_| (skip + limit).to_string());
        Some(Page { next_token, ..page(request, &elements) })
    }

    fn open(&self, wishes: Wishes, state: &str, opened: i64) -> Changing<Wishes> {
        self.open_until(None, wishes, state, opened)
    }

    fn open_until(&self, end: Option<i64>, wishes: Wishes, state: &str, opened: i64) -> Changing<Wishes> {
        let range = TimeRange { end: end.map(at), ..TimeRange::since(at(0)) };
        Changing::new(self.stream, &wishes, &range, state_of(state), at(opened))
    }

    /// Reads everything since `state`, with one request at a time.
    fn read(&self, wishes: Wishes, state: &str, opened: i64) -> Read {
        let read = self.answer_all(&mut self.open(wishes, state, opened), 1);
        assert!(read.is_finished);
        read
    }

    /// Answers all requests of a read, so many of which are in flight at once.
    fn answer_all(&self, changing: &mut Changing<Wishes>, concurrency: usize) -> Read {
        let (mut read, mut in_flight) = (Read::default(), VecDeque::new());
        loop {
            in_flight
                .extend(std::iter::from_fn(|| changing.next_request()).take(concurrency - in_flight.len()));
            let Some(request) = in_flight.pop_front() else { break };
            assert!(!changing.is_finished(), "{request:?} comes after the end");
            read.requests.push(label(&request));
            assert!(read.requests.len() < 1_000, "the read does not end");
            let records = match self.answer(&request) {
                Some(page) => changing.observe(&request, page).unwrap(),
                None => changing.without(&request, "not found", true).unwrap(),
            };
            read.records.extend(records.iter().map(|record| shown(record)));
            read.states.extend(changing.checkpoint());
            read.log.extend(changing.take_log());
        }
        read.states.extend(changing.checkpoint());
        read.is_finished = changing.is_finished();
        read
    }
}

/// What a read does.
#[derive(Debug, Default)]
struct Read {
    /// Path and status of each request.
    requests: Vec<String>,
    /// Identifier and status of each record.
    records: Vec<String>,
    states: Vec<String>,
    log: Vec<(Level, String)>,
    is_finished: bool,
}

impl Read {
    fn state(&self) -> &str {
        self.states.last().unwrap()
    }
}

/// Returns a page of these elements, as the row reads them.
fn page(request: &PageRequest<Wishes>, elements: &[Element]) -> Page {
    let mut records = Vec::new();
    for element in elements {
        request.scan(&Wishes::default(), &mut Scanner::new(&element.json()), &mut records).unwrap();
    }
    Page { records, ..Page::default() }
}

fn label(request: &PageRequest<Wishes>) -> String {
    let query = request.query(&Wishes::default(), PageParameters { limit: "limit", token: "token" });
    let is_of_open_ones = query.contains(&("status".to_owned(), "open".to_owned()));
    format!("{}{}", request.path(), if is_of_open_ones { "?status=open" } else { "" })
}

fn shown(record: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(record).unwrap();
    let what = if record["deleted"] == true { "deleted" } else { record["status"].as_str().unwrap() };
    format!("{} {what}", record["id"].as_str().unwrap())
}

fn state_of(state: &str) -> State {
    State::parse(state, THINGS.cursor, None).unwrap()
}
