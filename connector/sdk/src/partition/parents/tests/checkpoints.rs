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
