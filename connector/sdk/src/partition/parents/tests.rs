//! Reads owners and their things from a small server, and interrupts reads.

mod checkpoints;
mod corrections;
mod cursors;
mod refusals;
mod shortened;
mod stops;

use std::collections::{BTreeMap, BTreeSet};

use time::SignedDuration;

use super::*;
use crate::{fixtures, stream::Partition, testing};

static THINGS: Stream<()> = Stream {
    name: "things",
    path: "owners/{parent}/things",
    partition: Partition::Parents(fixtures::PARENTS),
    ..fixtures::OWNERS
};

/// Things that can change for two days.
static LATE_THINGS: Stream<()> = Stream { grace: Some(SignedDuration::hours(48)), ..THINGS };

const OPENED: &str = "2024-06-01T00:00:00Z";

/// A server with owners and their things. The name of a thing consists of its owner and its day.
#[derive(Default)]
struct Server(BTreeMap<String, Vec<String>>);

impl Server {
    fn owner(&mut self, created: &str, things: &[&str]) {
        self.0.insert(created.into(), things.iter().map(|day| (*day).to_owned()).collect());
    }

    /// Owners are named by their creation. Owners and things are listed newest first, two per page.
    fn page(&self, request: &PageRequest<()>) -> Page {
        let records: Vec<Record> = match &request.slice.parent {
            None => {
                self.0.keys().rev().map(|created| record(created, &format!("\"id\":{created:?}"))).collect()
            }
            Some(owner) => {
                let things = self.0[owner].iter().rev().map(|at| record(at, &format!("\"of\":{owner:?}")));
                things.filter(|thing| is_wanted(thing, &request.slice)).collect()
            }
        };
        let skip: usize = request.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let next_token = (records.len() > skip + 2).then(|| (skip + 2).to_string());
        Page {
            records: records.into_iter().skip(skip).take(2).collect(),
            next_token,
            bytes: 0,
            is_cut_off: false,
        }
    }
}

fn is_wanted(record: &Record, slice: &Slice) -> bool {
    let position = record.position.unwrap();
    let below = slice.until.is_none_or(|until| matches!(until, Until::Including(until) if position <= until));
    below && slice.from.is_none_or(|from| position >= from)
}

fn record(at: &str, field: &str) -> Record {
    let json = format!("{{{field},\"created_at\":{at:?}}}");
    Record { json, ..fixtures::record_at(at) }
}

fn day(number: u32) -> String {
    format!("2024-01-{:02}T{:02}:00:00Z", number / 24 + 1, number % 24)
}

fn lists(state: &str) -> ByParent<()> {
    lists_of(&THINGS, state)
}

fn lists_of(stream: &'static Stream<()>, state: &str) -> ByParent<()> {
    let range = TimeRange {
        start: testing::instant("2023-01-01T00:00:00Z"),
        end: None,
        lookback: SignedDuration::ZERO,
    };
    let parents = stream.parents().unwrap();
    let state = State::parse(state, stream.cursor, Some(parents.key)).unwrap();
    ByParent::new(stream, parents, Rc::new(()), range, state, testing::instant(OPENED))
}

/// Reads until `stop` requests were answered, and returns the last state with the records emitted
/// before it.
fn read(
    server: &Server,
    lists: &mut ByParent<()>,
    stop: usize,
    random: &mut fastrand::Rng,
) -> (Vec<String>, Option<String>) {
    let (mut open, mut records, mut emitted, mut state) = (Vec::new(), Vec::new(), 0, None);
    for _ in 0..stop {
        open.extend(std::iter::from_fn(|| lists.next_request()).take(8 - open.len()));
        if open.is_empty() {
            break;
        }
        let request = open.swap_remove(random.usize(..open.len()));
        records.extend(lists.observe(&request, server.page(&request)).unwrap());
        if let Some(checkpoint) = lists.checkpoint() {
            (state, emitted) = (Some(checkpoint), records.len());
        }
    }
    records.truncate(emitted);
    (records, state)
}

/// Reads from a server that refuses the lists of some owners. Also returns the error at the end.
fn read_refused(
    server: &Server,
    lists: &mut ByParent<()>,
    refused: &[String],
    stop: usize,
    random: &mut fastrand::Rng,
) -> (Vec<String>, Vec<String>, Option<Error>) {
    let (mut open, mut records, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..stop {
        open.extend(std::iter::from_fn(|| lists.next_request()).take(8 - open.len()));
        if open.is_empty() {
            break;
        }
        let request = open.swap_remove(random.usize(..open.len()));
        if request.slice.parent.as_ref().is_some_and(|parent| refused.contains(parent)) {
            lists.refuse(&request, Error::config("forbidden")).unwrap();
        } else {
            records.extend(lists.observe(&request, server.page(&request)).unwrap());
        }
        states.extend(lists.checkpoint());
    }
    (records, states, lists.failure())
}

/// Things as parents of parts.
static PARTS: Stream<()> = Stream {
    name: "parts",
    path: "things/{parent}/parts",
    partition: Partition::Parents(Parents { stream: &THINGS, key: "thing_id", ..fixtures::PARENTS }),
    ..fixtures::OWNERS
};

/// Owners by the hour, of whom each has so many things, of which each has so many parts.
fn page_of_parts(owners: u32, request: &PageRequest<()>) -> Page {
    let count = |id: &str| id.bytes().map(u32::from).sum::<u32>() % 4;
    let children = |id: &str| (0..count(id)).map(|number| format!("{id}.{number}")).collect::<Vec<_>>();
    let records: Vec<Record> = match &request.slice.parent {
        None => {
            (0..owners).rev().map(|number| record(&day(number), &format!("\"id\":\"{number}\""))).collect()
        }
        Some(parent) => {
            children(parent).iter().map(|id| record(&day(7), &format!("\"id\":{id:?}"))).collect()
        }
    };
    let skip: usize = request.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
    let next_token = (records.len() > skip + 2).then(|| (skip + 2).to_string());
    Page { records: records.into_iter().skip(skip).take(2).collect(), next_token, ..Page::default() }
}

#[test]
fn all_parents_are_read_whatever_their_age_and_one_cursor_is_left() {
    let mut server = Server::default();
    server.owner("2001-01-01T00:00:00Z", &[&day(1), &day(9), &day(30)]);
    server.owner("2024-01-05T00:00:00Z", &[&day(2)]);
    server.owner("2024-01-06T00:00:00Z", &[]);
    let (records, state) = read(&server, &mut lists("{}"), usize::MAX, &mut fastrand::Rng::with_seed(1));
    assert_eq!(records.len(), 4);
    assert_eq!(state.unwrap(), r#"{"created_at":"2024-01-02T06:00:00+00:00"}"#);
}

#[test]
fn how_many_parents_there_are_is_told_once_all_are_listed() {
    let mut server = Server::default();
    server.owner("2024-01-01T00:00:00Z", &[&day(1), &day(2), &day(3)]);
    server.owner("2024-01-02T00:00:00Z", &[&day(1)]);
    server.owner("2024-01-03T00:00:00Z", &[]);
    let (mut lists, mut random) = (lists("{}"), fastrand::Rng::with_seed(3));
    assert_eq!(lists.progress(), (0, None));
    read(&server, &mut lists, 1, &mut random);
    assert_eq!(lists.progress(), (0, None), "one page of two was listed");
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, server.page(&listing)).unwrap();
    assert_eq!(lists.progress(), (0, Some(3)));
    let newest = lists.next_request().unwrap();
    lists.observe(&newest, server.page(&newest)).unwrap();
    assert_eq!(lists.progress(), (1, Some(3)));
    read(&server, &mut lists, usize::MAX, &mut random);
    assert_eq!(lists.progress(), (3, Some(3)));
}

#[test]
fn a_list_that_turns_out_not_to_be_in_order_is_not_skipped_in() {
    let mut lists = lists(
        r#"{"unfinished":{"version":1,"opened":"2024-05-31T00:00:00Z","parents_after":"2024-02-01T00:00:00Z"}}"#,
    );
    let listing = lists.next_request().unwrap();
    let positions = ["2024-03-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z"];
    let records = positions.map(|at| record(at, &format!("\"id\":{at:?}")));
    lists.observe(&listing, Page { records: records.into(), ..Page::default() }).unwrap();
    let asked: Vec<_> =
        std::iter::from_fn(|| lists.next_request()).map(|request| request.slice.parent.unwrap()).collect();
    assert_eq!(asked, positions[1..]);
}

#[test]
fn a_parent_at_the_very_instant_that_a_state_names_is_read() {
    let mut lists = lists(
        r#"{"unfinished":{"version":1,"opened":"2024-05-31T00:00:00Z","parents_after":"2024-02-01T00:00:00Z"}}"#,
    );
    let listing = lists.next_request().unwrap();
    // One that is newer than the read, one that was read, and two that were not.
    let positions =
        ["2024-05-31T00:00:01Z", "2024-02-01T00:00:01Z", "2024-02-01T00:00:00Z", "2024-01-31T00:00:00Z"];
    let records = positions.map(|at| record(at, &format!("\"id\":{at:?}")));
    lists.observe(&listing, Page { records: records.into(), ..Page::default() }).unwrap();
    let asked: Vec<_> =
        std::iter::from_fn(|| lists.next_request()).map(|request| request.slice.parent.unwrap()).collect();
    assert_eq!(asked, [positions[0], positions[2], positions[3]]);
}

#[test]
fn parents_are_listed_only_as_fast_as_their_lists_are_read() {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    let records = (0..52).rev().map(|number| record(&day(number), &format!("\"id\":\"{number}\"")));
    let next_token = Some("next".to_owned());
    lists.observe(&listing, Page { records: records.collect(), next_token, ..Page::default() }).unwrap();
    let asked: Vec<_> =
        (0..5).map(|_| lists.next_request().unwrap()).map(|request| request.slice.parent).collect();
    // With fewer than fifty lists waiting, the next page of parents is asked for.
    let expected = [Some("51"), Some("50"), Some("49"), None, Some("48")];
    assert_eq!(asked, expected.map(|id| id.map(str::to_owned)));
}

#[test]
fn a_parent_that_is_being_deleted_is_left_out() {
    let mut lists = lists("{}");
    let request = lists.next_request().unwrap();
    let stub = Record { json: r#"{"id":"x","deleted":true}"#.into(), ..Record::default() };
    lists.observe(&request, Page { records: vec![stub], ..Page::default() }).unwrap();
    assert!(lists.next_request().is_none());
    assert_eq!(lists.checkpoint().unwrap(), r#"{"created_at":"2023-01-01T00:00:00+00:00"}"#);
}

#[test]
fn a_read_that_is_cut_short_anywhere_and_resumed_loses_nothing() {
    let mut server = Server::default();
    for number in 0..350 {
        let things: Vec<String> = (0..number % 5).map(|thing| day(number + thing)).collect();
        server.owner(&day(number), &things.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let all: usize = server.0.values().map(Vec::len).sum();
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut seen, mut state, mut runs) = (BTreeSet::new(), "{}".to_owned(), 0);
        loop {
            runs += 1;
            let (records, checkpoint) = read(&server, &mut lists(&state), random.usize(1..900), &mut random);
            seen.extend(records);
            state = checkpoint.unwrap_or(state);
            if !state.contains("unfinished") && state != "{}" {
                break;
            }
        }
        assert_eq!(seen.len(), all, "seed {seed}, {runs} runs");
        assert_eq!(state, format!(r#"{{"created_at":"{}"}}"#, "2024-01-15T16:00:00+00:00"));
    }
}

#[test]
fn a_read_of_parents_of_parents_that_is_cut_short_anywhere_and_resumed_loses_nothing() {
    let (mut expected, mut resumed) = (None, 0);
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut seen, mut state) = (BTreeSet::new(), "{}".to_owned());
        loop {
            let mut lists = lists_of(&PARTS, &state);
            let (mut open, mut records, mut handed, mut emitted) = (Vec::new(), Vec::new(), 0, None);
            let stop = if seed == 0 { usize::MAX } else { random.usize(1..2_000) };
            for _ in 0..stop {
                open.extend(std::iter::from_fn(|| lists.next_request()).take(8 - open.len()));
                if open.is_empty() {
                    break;
                }
                let request = open.swap_remove(random.usize(..open.len()));
                records.extend(lists.observe(&request, page_of_parts(300, &request)).unwrap());
                if let Some(checkpoint) = lists.checkpoint() {
                    (emitted, handed) = (Some(checkpoint), records.len());
                }
            }
            records.truncate(handed);
            seen.extend(records);
            state = emitted.unwrap_or(state);
            if !state.contains("unfinished") && state != "{}" {
                break;
            }
            resumed += usize::from(state != "{}");
        }
        let all = *expected.get_or_insert(seen.len());
        assert_eq!(seen.len(), all, "seed {seed}");
    }
    assert!(expected > Some(300) && resumed > 20, "{expected:?}, resumed {resumed} times");
}
