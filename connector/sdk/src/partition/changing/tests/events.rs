//! Events, which name objects that have changed.

use super::*;
use crate::cursor::OVERLAP;

const CHANGES: Wishes = Wishes { events: true, open_for: None, sweep_after: None };

/// A state whose cursor is at day 9, and that has looked at all events up to day 10.
const STATE: &str = r#"{"at":"2024-01-10T00:00:00Z","changes":"2024-01-11T00:00:00Z"}"#;

fn account(events: &[Element]) -> Account {
    let things = [element("a", 3 * DAY, "void"), element("b", 4 * DAY, "void")];
    Account { events: Some(events.to_vec()), ..Account::of(&things) }
}

/// Returns an event per hour of these days, each of which names `a`.
fn hourly(days: std::ops::Range<i64>) -> Vec<Element> {
    (days.start * DAY..days.end * DAY).map(|hour| element("a", hour, "thing.voided")).collect()
}

/// Answers the request for the newest events with this page. Returns the next request.
fn after_newest(newest: &[Element], next_token: Option<&str>) -> PageRequest<Wishes> {
    after_newest_since(STATE, newest, next_token)
}

fn after_newest_since(state: &str, newest: &[Element], next_token: Option<&str>) -> PageRequest<Wishes> {
    let mut changing = account(&[]).open(CHANGES, state, 100 * DAY);
    let request = changing.next_request().unwrap();
    assert!(changing.next_request().is_none(), "all depends on what the newest events are");
    let page = Page { next_token: next_token.map(str::to_owned), ..page(&request, newest) };
    changing.observe(&request, page).unwrap();
    changing.next_request().unwrap()
}

#[test]
fn an_object_that_an_event_names_is_requested_after_the_list() {
    let events = [element("b", 9 * DAY, "thing.voided"), element("a", 12 * DAY, "thing.voided")];
    let read = account(&events).read(CHANGES, STATE, 20 * DAY);
    assert_eq!(read.requests, ["events", "things", "things/a"]);
    assert_eq!(read.records, ["a void"]);
    assert_eq!(state_of(read.state()).memory.changes, Some(at(20 * DAY)));
}

#[test]
fn many_events_are_listed_since_the_last_read() {
    let read = account(&hourly(8..19)).read(CHANGES, STATE, 20 * DAY);
    assert_eq!(read.records, ["a void"]);
    assert!(read.requests.iter().filter(|path| *path == "events").count() > 80);
}

#[test]
fn without_events_changes_are_seen_as_far_as_the_list_shows_them() {
    let account = Account { events: None, ..account(&[]) };
    let read = account.read(CHANGES, STATE, 20 * DAY);
    assert_eq!(read.requests, ["events", "things"]);
    let [(Level::Warn, message)] = &read.log[..] else { panic!("{:?}", read.log) };
    assert!(message.starts_with("events cannot be read"), "{message}");
    // A later read looks for them from where this one did.
    assert_eq!(state_of(read.state()).memory.changes, Some(at(10 * DAY)));
}

#[test]
fn that_the_log_goes_back_to_the_last_read_takes_one_event_to_know() {
    let newest = [3, 2, 1].map(|day| element("a", (11 + day) * DAY, "thing.voided"));
    let request = after_newest(&newest, Some("3"));
    assert_eq!((request.page_limit, request.slice.from), (Some(1), None));
    assert_eq!(request.slice.until, Some(Until::Including(at(10 * DAY))));
}

#[test]
fn every_request_for_events_is_about_another_list_than_the_stream() {
    let account = account(&hourly(8..19));
    let mut changing = account.open(CHANGES, STATE, 20 * DAY);
    let mut asked = 0;
    while let Some(request) = changing.next_request() {
        let is_of_events = request.slice.scope == Scope::Feed;
        assert_eq!(request.level, usize::from(is_of_events), "{request:?}");
        asked += usize::from(is_of_events);
        changing.observe(&request, account.answer(&request).unwrap()).unwrap();
    }
    assert!(asked > 80);
}

#[test]
fn newest_events_that_are_older_than_the_last_read_are_all_there_is_to_see() {
    let newest = [9, 8, 7].map(|day| element("a", day * DAY, "thing.voided"));
    assert_eq!(label(&after_newest(&newest, Some("3"))), "things");
}

#[test]
fn old_events_first_say_nothing_of_newer_ones() {
    // The server lists them oldest first, or in no order, or several of one time.
    for days in [[7, 8, 9], [9, 7, 8], [9, 9, 9]] {
        let newest = days.map(|day| element("a", day * DAY, "thing.voided"));
        assert_eq!(label(&after_newest(&newest, Some("3"))), "events", "{days:?}");
    }
    // There are no others.
    let newest = [9, 9, 9].map(|day| element("a", day * DAY, "thing.voided"));
    assert_eq!(label(&after_newest(&newest, None)), "things");
}

#[test]
fn events_may_go_on_with_the_time_of_the_last_one_on_a_page() {
    let with_oldest = |oldest: Timestamp| {
        let mut newest = [12, 11, 10].map(|day| element("a", day * DAY, "thing.voided"));
        newest[2].at = oldest;
        label(&after_newest(&newest, Some("3")))
    };
    let begin = at(10 * DAY) - OVERLAP;
    assert_eq!(with_oldest(begin), "events");
    assert_eq!(with_oldest(begin - SignedDuration::seconds(1)), "things");
}

#[test]
fn without_an_instant_for_them_events_are_read_since_the_cursor_or_a_month_ago() {
    for (cursor, since) in [(95, 95), (3, 70)] {
        let state = State { cursor: Some(Cursor::at(at(cursor * DAY))), ..State::default() };
        let newest = [99, 98, 97].map(|day| element("a", day * DAY, "thing.voided"));
        let request = after_newest_since(&state.to_json(THINGS.cursor), &newest, Some("3"));
        assert_eq!(request.slice.until, Some(Until::Including(at(since * DAY))));
    }
}

#[test]
fn the_first_read_of_a_stream_needs_no_events() {
    let read = account(&hourly(8..19)).read(CHANGES, "{}", 20 * DAY);
    assert_eq!(read.requests, ["things"]);
    assert_eq!(state_of(read.state()).memory.changes, Some(at(20 * DAY)));
}

#[test]
fn a_log_that_does_not_go_back_to_the_last_read_is_warned_of() {
    let one = |hour| vec![element("a", hour, "thing.voided")];
    let (last_read, later) = (10 * DAY, 10 * DAY + 1);
    for (events, goes_back) in [
        (one(last_read), true),
        (one(later), false),
        (Vec::new(), false),
        (hourly(10..19), true),
        (hourly(11..19), false),
    ] {
        let read = account(&events).read(CHANGES, STATE, 20 * DAY);
        let expected = "events has no events up to 2024-01-11T00:00:00+00:00, so";
        assert_eq!(
            read.log.iter().filter(|(_, message)| message.starts_with(expected)).count(),
            read.log.len()
        );
        assert_eq!(read.log.is_empty(), goes_back, "{} events: {:?}", events.len(), read.log);
    }
}

#[test]
fn events_that_should_name_an_object_and_do_not_are_counted() {
    let mut events = hourly(9..11);
    events.extend((11..16).map(|day| element("", day * DAY, "thing.voided")));
    events.extend((11..16).map(|day| element("", day * DAY + 1, "other.made")));
    let read = account(&events).read(CHANGES, STATE, 20 * DAY);
    assert_eq!(read.log, [(Level::Warn, "5 events name no object and were skipped".to_owned())]);
}

#[test]
fn a_state_within_a_read_does_not_say_that_its_events_have_been_looked_at() {
    let things: Vec<Element> =
        (0..480).step_by(4).map(|hour| element(&format!("{hour:03}"), hour, "done")).collect();
    let account = Account { events: Some(hourly(9..12)), ..Account::of(&things) };
    let state = r#"{"at":"2023-12-31T00:00:00Z","changes":"2024-01-11T00:00:00Z"}"#;
    let read = account.read(CHANGES, state, 20 * DAY);
    let changes = |state: &String| state_of(state).memory.changes.unwrap();
    let (last, within) = read.states.split_last().unwrap();
    assert!(within.len() > 2 && within.iter().all(|state| changes(state) == at(10 * DAY)));
    assert_eq!(changes(last), at(20 * DAY));
}
