//! What becomes of single objects.

use super::*;

/// `a` below the cursor, `z` at it.
fn account(a: &'static str) -> Account {
    Account::of(&[element("a", 3 * DAY, a), element("z", 9 * DAY, "done")])
}

/// Reads an account, and then what became of it.
fn read_twice(before: &Account, after: &Account) -> [Read; 2] {
    let first = before.read(OPEN_ONES, "{}", 10 * DAY);
    let second = after.read(OPEN_ONES, first.state(), 20 * DAY);
    [first, second]
}

#[test]
fn an_open_object_is_remembered_and_requested_once_it_is_no_longer_listed_as_open() {
    let [first, second] = read_twice(&account("open"), &account("done"));
    assert_eq!(first.requests, ["things?status=open", "things"]);
    assert_eq!(first.records, ["a open", "z done"]);
    let state = state_of(first.state());
    assert_eq!((state.memory.open.len(), state.memory.open[0].0.as_str()), (1, "a"));
    assert_eq!(state.cursor.unwrap().instant, at(9 * DAY));
    assert_eq!(second.requests, ["things?status=open", "things", "things/a"]);
    assert_eq!(second.records, ["z done", "a done"]);
    assert_eq!(state_of(second.state()).memory, Memory::default());
}

#[test]
fn an_open_object_that_has_not_changed_is_not_emitted_again() {
    let [_, second] = read_twice(&account("open"), &account("open"));
    assert_eq!(second.records, ["z done"]);
    assert_eq!(state_of(second.state()).memory.open.len(), 1);
}

#[test]
fn a_record_says_that_an_object_is_gone() {
    let [_, second] = read_twice(&account("open"), &Account::of(&[]));
    assert_eq!(second.records, ["a deleted"]);
    assert_eq!(second.log, [(Level::Debug, "a is gone: not found".to_owned())]);
}

#[test]
fn nothing_is_said_of_an_object_that_is_gone_and_was_never_emitted() {
    let [first, second] = read_twice(&account("draft"), &Account::of(&[]));
    assert_eq!((first.records, second.records), (vec!["z done".to_owned()], vec![]));
    assert_eq!(second.requests.last().unwrap(), "things/a");
}

#[test]
fn all_lines_of_an_object_are_emitted_together_and_no_line_says_that_it_is_gone() {
    let lines = |account: Account| Account { stream: &LINES, ..account };
    let [first, same] = read_twice(&lines(account("open")), &lines(account("open")));
    assert_eq!(first.records, ["a open", "a open", "z done", "z done"]);
    assert_eq!(same.records, ["z done", "z done"]);
    let [_, gone] = read_twice(&lines(account("open")), &lines(Account::of(&[])));
    assert_eq!(gone.records, [""; 0]);
}

#[test]
fn a_read_ends_once_every_object_that_is_looked_for_was_answered() {
    let ids = ["a", "b", "c", "d", "e"];
    let things = |status| ids.map(|id| element(id, 3 * DAY, status));
    let first = Account::of(&things("open")).read(OPEN_ONES, "{}", 10 * DAY);
    let mut after = things("done").to_vec();
    after.push(element("z", 9 * DAY, "done"));
    // The last one is gone.
    after.remove(4);
    for concurrency in 1..=7 {
        let account = Account::of(&after);
        let mut changing = account.open(OPEN_ONES, first.state(), 20 * DAY);
        assert!(!changing.is_finished());
        let read = account.answer_all(&mut changing, concurrency);
        let mut records = read.records;
        records.sort();
        records.dedup();
        assert_eq!(records, ["a done", "b done", "c done", "d done", "e deleted", "z done"]);
        assert!(read.is_finished);
        // What is still looked for is not yet settled, so there is no state before the end.
        assert_eq!((read.states.len(), changing.checkpoint()), (1, None), "{concurrency}");
    }
}

#[test]
fn an_object_that_is_refused_is_not_taken_for_gone() {
    let first = account("open").read(OPEN_ONES, "{}", 10 * DAY);
    let account = Account::of(&[]);
    let mut changing = account.open(OPEN_ONES, first.state(), 20 * DAY);
    for _ in ["things?status=open", "things"] {
        let request = changing.next_request().unwrap();
        changing.observe(&request, Page::default()).unwrap();
    }
    let request = changing.next_request().unwrap();
    assert_eq!(changing.without(&request, "forbidden", false), None);
    assert_eq!((changing.checkpoint(), changing.is_finished()), (None, false));
}

#[test]
fn pages_of_a_list_have_a_size_and_a_time_and_a_single_object_has_neither() {
    let first = account("open").read(OPEN_ONES, "{}", 10 * DAY);
    let mut changing = account("done").open(OPEN_ONES, first.state(), 20 * DAY);
    let open = changing.next_request().unwrap();
    assert_eq!(open.page_limit, Some(2));
    assert!(changing.shorten(&open), "as the row says");
    for _ in ["one half of the open ones", "the other", "all"] {
        let request = changing.next_request().unwrap();
        changing.observe(&request, Page::default()).unwrap();
    }
    let object = changing.next_request().unwrap();
    assert_eq!((object.path().as_str(), object.page_limit), ("things/a", None));
    assert!(!changing.shorten(&object));
}
