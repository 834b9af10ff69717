//! When there is a state, and where a read that was stopped goes on.

use std::collections::BTreeSet;

use super::*;
use crate::{partition::changing::objects::MAX_REMEMBERED, record::Digest};

/// Things that take so many pages that the list is cut into windows.
fn many() -> Account {
    let things: Vec<Element> =
        (0..480).step_by(4).map(|hour| element(&format!("{hour:03}"), hour, "done")).collect();
    Account::of(&things)
}

/// Reads the list, and returns how many states there are before its end. So many objects are open.
fn states_with(open: usize) -> usize {
    let account = many();
    let state = State {
        cursor: Some(Cursor::at(at(0))),
        memory: Memory {
            open: (0..open).map(|id| (format!("x{id}"), Some(Digest::of("x")))).collect(),
            ..Memory::default()
        },
        ..State::default()
    };
    let mut changing = account.open(OPEN_ONES, &state.to_json(THINGS.cursor), 30 * DAY);
    let mut states = 0;
    while let Some(request) = changing.next_request() {
        if request.slice.scope == Scope::Object {
            break;
        }
        changing.observe(&request, account.answer(&request).unwrap()).unwrap();
        states += usize::from(changing.checkpoint().is_some() && !changing.is_finished());
    }
    states
}

#[test]
fn the_more_objects_are_open_the_rarer_are_states() {
    let all = states_with(999);
    assert!(all >= 6, "{all} states");
    assert_eq!([0, 1000, 2000].map(states_with), [all, all / 2, all / 3]);
}

#[test]
fn the_cursor_stays_at_the_newest_of_too_many_open_objects() {
    let account = Account::of(&[]);
    let mut things: Vec<Element> =
        (0..MAX_REMEMBERED).map(|id| element(&id.to_string(), 3 * DAY, "open")).collect();
    things.extend(["x", "y", "z"].map(|id| element(id, 20 * DAY, "open")));
    let mut changing = account.open(OPEN_ONES, "{}", 30 * DAY);
    let open = changing.next_request().unwrap();
    assert_eq!(changing.observe(&open, page(&open, &things)).unwrap().len(), things.len());
    let all = changing.next_request().unwrap();
    let newest = [element("done", 25 * DAY, "done")];
    changing.observe(&all, page(&all, &newest)).unwrap();
    let state = state_of(&changing.checkpoint().unwrap());
    assert_eq!(state.cursor.unwrap().instant, at(20 * DAY));
    assert_eq!(state.memory.open.len(), MAX_REMEMBERED);
    let [(level, message)] = &changing.take_log()[..] else { panic!("one message") };
    assert!(*level == Level::Warn && message.starts_with("3 open objects are too many"), "{message}");
}

#[test]
fn progress_is_that_of_the_list() {
    let account = Account::of(&[element("a", 3 * DAY, "open")]);
    let mut changing = account.open(OPEN_ONES, "{}", 10 * DAY);
    assert_eq!(changing.progress(), (0, Some(1)));
    account.answer_all(&mut changing, 1);
    assert_eq!(changing.progress(), (1, Some(1)));
}

#[test]
fn a_read_that_is_stopped_goes_on_with_what_is_left_of_the_list() {
    let account = many();
    let mut changing = account.open(OPEN_ONES, r#"{"at":"2023-12-31T00:00:00Z"}"#, 30 * DAY);
    let mut seen = Vec::new();
    for _ in 0..20 {
        let request = changing.next_request().unwrap();
        seen.extend(changing.observe(&request, account.answer(&request).unwrap()).unwrap());
    }
    changing.stop();
    let rest = account.answer_all(&mut changing, 1);
    assert!(rest.requests.len() < 8 && !rest.is_finished, "{:?}", rest.requests);
    let state = changing.left_off().unwrap();
    assert!(state_of(&state).unread.is_some(), "{state}");
    let next = account.read(OPEN_ONES, &state, 31 * DAY);
    let mut seen: Vec<String> = seen.iter().map(|record| shown(record)).collect();
    seen.extend(rest.records);
    seen.extend(next.records);
    // Only what shares a second with the edge is read again.
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), account.things.len());
    assert!(seen.len() < account.things.len() + 10, "{}", seen.len());
}

#[test]
fn a_list_that_has_been_read_is_not_left_off() {
    let account = Account::of(&[element("a", 3 * DAY, "open")]);
    let mut changing = account.open(OPEN_ONES, "{}", 10 * DAY);
    assert!(account.answer_all(&mut changing, 1).is_finished);
    changing.stop();
    assert_eq!(changing.left_off(), None);
}
