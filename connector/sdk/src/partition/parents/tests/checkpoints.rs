//! When a checkpoint is due.

use super::*;

/// A page of so many owners, newest first.
fn owners(count: u32) -> Page {
    let records = (0..count).rev().map(|number| record(&day(number), &format!("\"id\":\"{number}\"")));
    Page { records: records.collect(), ..Page::default() }
}

/// A page of so many things.
fn things(count: usize) -> Page {
    Page { records: vec![fixtures::record_at("2024-01-01T00:00:00Z"); count], ..Page::default() }
}

/// Reads the lists of so many owners, each with so many things. Returns after how many lists each
/// checkpoint was told.
fn told_after(lists: &mut ByParent<()>, count: u32, each: usize) -> Vec<u32> {
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, owners(count)).unwrap();
    let mut told = Vec::new();
    for number in 1..=count {
        let request = lists.next_request().unwrap();
        lists.observe(&request, things(each)).unwrap();
        told.extend(lists.checkpoint().map(|_| number));
    }
    told
}

/// A state with so many cursors of single parents.
fn with_cursors(count: usize) -> String {
    let cursors: Vec<String> =
        (0..count).map(|id| format!(r#""p{id}":{{"created_at":"2024-01-01T00:00:00Z"}}"#)).collect();
    format!("{{{}}}", cursors.join(","))
}

#[test]
fn one_is_told_after_each_hundred_parents_however_little_they_have() {
    assert_eq!(told_after(&mut lists("{}"), 250, 0), [100, 200, 250]);
}

#[test]
fn one_is_told_after_five_thousand_records_however_few_parents_have_them() {
    assert_eq!(told_after(&mut lists("{}"), 5, 2_500), [2, 4, 5]);
    assert_eq!(told_after(&mut lists("{}"), 5, 2_499), [3, 5]);
}

#[test]
fn one_with_more_cursors_of_single_parents_is_told_after_more_records() {
    assert_eq!(told_after(&mut lists(&with_cursors(1_000)), 9, 2_500), [4, 8, 9]);
}

#[test]
fn one_with_more_cursors_of_single_parents_is_told_after_more_parents() {
    assert_eq!(told_after(&mut lists(&with_cursors(999)), 250, 0), [100, 200, 250]);
    assert_eq!(told_after(&mut lists(&with_cursors(1_000)), 450, 0), [200, 400, 450]);
}

/// The state after the lists of a hundred owners.
fn after_a_hundred(lists: &mut ByParent<()>) -> String {
    (0..100).for_each(|_| {
        let request = lists.next_request().unwrap();
        assert!(request.slice.parent.is_some());
        lists.observe(&request, Page::default()).unwrap();
    });
    lists.checkpoint().unwrap()
}

#[test]
fn a_read_of_things_that_can_change_that_is_cut_short_continues_with_the_other_parents() {
    let open = |state: &str| {
        let mut lists = lists_of(&LATE_THINGS, state);
        let listing = lists.next_request().unwrap();
        lists.observe(&listing, owners(150)).unwrap();
        lists
    };
    let state = after_a_hundred(&mut open("{}"));
    let mut next = open(&state);
    assert_eq!(std::iter::from_fn(|| next.next_request()).count(), 50);
}

#[test]
fn a_state_says_whether_parents_were_listed_in_parts_because_a_read_was_stopped() {
    let mut whole = lists("{}");
    let listing = whole.next_request().unwrap();
    whole.observe(&listing, owners(150)).unwrap();
    let state = after_a_hundred(&mut whole);
    assert!(!state.contains("stopped"), "{state}");
    let stopped = format!(
        r#"{{"unfinished":{{"version":1,"opened":{OPENED:?},"parents_after":"2024-03-01T00:00:00Z","stopped":true}}}}"#
    );
    let mut continued = lists(&stopped);
    for page in [owners(0), owners(150)] {
        // Those that are new, and those that have not been read.
        let listing = continued.next_request().unwrap();
        continued.observe(&listing, page).unwrap();
    }
    let state = after_a_hundred(&mut continued);
    assert!(state.contains(r#""stopped":true"#), "{state}");
}

#[test]
fn none_is_told_of_parents_that_are_not_in_order_before_the_end() {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    let mut page = owners(150);
    page.records.reverse();
    lists.observe(&listing, page).unwrap();
    let mut told = Vec::new();
    while let Some(request) = lists.next_request() {
        lists.observe(&request, Page::default()).unwrap();
        told.extend(lists.checkpoint());
    }
    assert_eq!(told, [r#"{"created_at":"2023-01-01T00:00:00+00:00"}"#]);
}
