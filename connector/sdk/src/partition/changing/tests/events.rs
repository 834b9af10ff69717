//! Events, which name objects that have changed.

use super::*;

const CHANGES: Wishes = Wishes { events: true, open_for: None, sweep_after: None };

/// A state whose cursor is at day 9, and that has looked at all events up to day 10.
const STATE: &str = r#"{"at":"2024-01-10T00:00:00Z","changes":"2024-01-11T00:00:00Z"}"#;

fn account(events: &[Element]) -> Account {
    let things = [element("a", 3 * DAY, "void"), element("b", 4 * DAY, "void")];
    Account { events: Some(events.to_vec()), ..Account::of(&things) }
}

/// Answers the request for the newest events with this page. Returns the next request.
fn after_newest(newest: &[Element], next_token: Option<&str>) -> PageRequest<Wishes> {
    let mut changing = account(&[]).open(CHANGES, STATE, 20 * DAY);
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
    let events: Vec<Element> = (8 * DAY..19 * DAY).map(|hour| element("a", hour, "thing.voided")).collect();
    let read = account(&events).read(CHANGES, STATE, 20 * DAY);
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
    let events: Vec<Element> = (8 * DAY..19 * DAY).map(|hour| element("a", hour, "thing.voided")).collect();
    let account = account(&events);
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
