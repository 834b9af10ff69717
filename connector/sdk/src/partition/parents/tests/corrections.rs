//! Corrections of what was read before.

use super::*;
use crate::stream::{Corrections, Ends};

static CORRECTIONS: Corrections<()> = Corrections {
    stream: &fixtures::OWNERS,
    status: "status",
    effects: &[("done", "counts")],
    since: &["at"],
    from: "from",
    until: "until",
    parent: "owner",
    longest: SignedDuration::hours(1),
};

/// Things that corrections change.
static CORRECTED: Stream<()> = Stream {
    corrections: Some(&CORRECTIONS),
    ends: Ends { too_large: |slice| Some(vec![slice.clone()]), ..Ends::USUAL },
    ..LATE_THINGS
};

const STATE: &str = r#"{"created_at":"2024-05-28T00:00:00Z"}"#;

/// A page with one correction.
fn correction() -> Page {
    let times = r#""at":"2024-05-29T00:00:00Z","from":"2024-05-01T00:00:00Z","until":"2024-05-02T00:00:00Z""#;
    let json = format!(r#"{{"id":"c","status":"done",{times},"owner":null}}"#);
    Page { records: vec![Record::new(json, None)], ..Page::default() }
}

/// Lists with one correction, and 150 owners.
fn corrected() -> ByParent<()> {
    let mut lists = lists_of(&CORRECTED, STATE);
    let corrections = lists.next_request().unwrap();
    lists.observe(&corrections, correction()).unwrap();
    let listing = lists.next_request().unwrap();
    let owners = (0..150).rev().map(|number| record(&day(number), &format!("\"id\":\"{number}\"")));
    lists.observe(&listing, Page { records: owners.collect(), ..Page::default() }).unwrap();
    lists
}

#[test]
fn corrections_are_read_before_parents_are_listed_since_they_say_what_to_ask_for() {
    let mut lists = lists_of(&CORRECTED, STATE);
    let corrections = lists.next_request().unwrap();
    assert_eq!(corrections.slice.scope, Scope::Feed);
    assert!(lists.next_request().is_none());
    lists.observe(&corrections, Page::default()).unwrap();
    let listing = lists.next_request().unwrap();
    assert_eq!((listing.slice.scope, listing.slice.parent), (Scope::All, None));
}

#[test]
fn what_a_correction_concerns_is_asked_for_after_what_is_new() {
    let mut lists = corrected();
    let (mut from, mut owner) = (Vec::new(), None);
    while let Some(request) = lists.next_request() {
        lists.observe(&request, Page::default()).unwrap();
        if *owner.get_or_insert(request.slice.parent.clone()) == request.slice.parent {
            from.push(request.slice.from.unwrap());
        }
    }
    assert_eq!(from, ["2024-05-28T00:00:00Z", "2024-05-01T00:00:00Z"].map(testing::instant));
}

#[test]
fn a_state_remembers_the_corrections_that_the_read_follows_and_at_its_end_those_it_has_followed() {
    let (mut lists, mut states) = (corrected(), Vec::new());
    while let Some(request) = lists.next_request() {
        lists.observe(&request, Page::default()).unwrap();
        states.extend(lists.checkpoint());
    }
    let [midst, end] = &states[..] else { panic!("{states:?}") };
    assert!(midst.contains(r#""correcting":{"c":"#) && !midst.contains("corrections"), "{midst}");
    assert!(end.contains(r#""corrections":{"c":"#) && !end.contains("correcting"), "{end}");
}

#[test]
fn without_corrections_the_read_goes_on_with_a_warning() {
    let mut lists = lists_of(&CORRECTED, STATE);
    let corrections = lists.next_request().unwrap();
    assert_eq!(lists.without(&corrections, "forbidden", false), Some(Vec::new()));
    let log = lists.take_log();
    assert!(
        matches!(&log[..], [(Level::Warn, line)] if line.ends_with("not corrected: forbidden")),
        "{log:?}"
    );
    let listing = lists.next_request().unwrap();
    assert_eq!((listing.slice.scope, &listing.slice.parent), (Scope::All, &None));
    // What it means that another list is not there, the row says.
    assert_eq!(lists.without(&listing, "gone", true), None);
}

#[test]
fn corrections_are_not_asked_for_in_shorter_times() {
    let mut lists = lists_of(&CORRECTED, STATE);
    let corrections = lists.next_request().unwrap();
    assert!(!lists.shorten(&corrections));
    let mut lists = corrected();
    let first = lists.next_request().unwrap();
    assert!(lists.shorten(&first));
}
