//! Tests which corrections are new, and what is read again because of them.

mod ends;
mod pages;
mod ranges;
mod slices;

use time::SignedDuration;

use super::*;
use crate::{fixtures::OWNERS, testing::instant};

static ROW: Corrections<()> = Corrections {
    stream: &OWNERS,
    status: "status",
    effects: &[("done", "counts"), ("undoing", "counts"), ("undone", "is undone")],
    since: &["at"],
    from: "from",
    until: "until",
    parent: "owner",
    longest: SignedDuration::hours(25),
};

fn day(day: u32) -> String {
    format!("2024-01-{day:02}T00:00:00Z")
}

fn correction(id: &str, status: &str, days: std::ops::Range<u32>, owner: &str) -> Record {
    let (from, until, at) = (day(days.start), day(days.end), "2024-03-05T00:00:00Z");
    let fields = format!(r#""from":{from:?},"until":{until:?},"at":{at:?},"owner":{owner}"#);
    Record::new(format!(r#"{{"id":{id:?},"status":{status:?},{fields}}}"#), None)
}

/// Takes all corrections of a read that continues from a cursor.
fn read(since: &str, memory: Memory, records: Vec<Record>) -> Corrected<()> {
    let mut corrected = Corrected::new(&ROW, instant(since), None, memory);
    let request = corrected.next_request().unwrap();
    assert_eq!((request.level, corrected.next_request().is_none()), (1, true));
    corrected.observe(Page { records, ..Page::default() }).unwrap();
    assert!(corrected.is_finished());
    corrected
}

/// Returns the days of January that are kept of a parent.
fn kept(corrected: &Corrected<()>, parent: &str) -> Vec<u32> {
    let whole = Slice {
        from: Some(instant("2024-03-01T00:00:00Z")),
        until: Some(Until::Before(instant("2024-03-03T00:00:00Z"))),
        ..Slice::default()
    };
    let parent = Record::new(parent.to_owned(), None);
    let start = instant("2024-01-03T00:00:00Z");
    let slices = corrected.slices(&parent, &whole, &[], start, |slice| vec![slice.clone()]);
    let holds = |slice: &Slice, day: &u32| {
        let at = instant(&self::day(*day));
        let from = slice.from.unwrap() - SignedDuration::hours(24);
        at > from && slice.keeps(Some(at)) && slice.until.unwrap().is_above(at)
    };
    (1..31).flat_map(|day| slices.iter().filter(move |it| holds(it, &day)).map(move |_| day)).collect()
}

#[test]
fn ranges_that_touch_are_read_once_and_none_before_the_start() {
    let corrections = [("a", 1..4), ("b", 8..10), ("c", 12..13), ("d", 10..12), ("e", 20..21)];
    let records = corrections.map(|(id, days)| correction(id, "done", days, "null")).to_vec();
    let corrected = read("2024-03-01T00:00:00Z", Memory::default(), records);
    assert_eq!(kept(&corrected, "{}"), [3, 8, 9, 10, 11, 12, 20]);
}

#[test]
fn a_day_of_which_two_corrections_have_a_part_is_read_once() {
    let at = |day: u32, hour: u32| format!("2024-01-{day:02}T{hour:02}:00:00Z");
    for gap in [0, 1, 12, 24, 25, 26, 47] {
        // What ends at noon, and what begins some hours later.
        let (day, hour) = (12 + (12 + gap) / 24, (12 + gap) % 24);
        let [one, other] =
            [("a", at(10, 0), at(12, 12)), ("b", at(day, hour), at(20, 0))].map(|(id, from, until)| {
                let fields = format!(r#""from":{from:?},"until":{until:?},"at":{from:?},"owner":null"#);
                Record::new(format!(r#"{{"id":{id:?},"status":"done",{fields}}}"#), None)
            });
        let whole = Slice {
            from: Some(instant("2024-03-01T00:00:00Z")),
            until: Some(Until::Before(instant("2024-03-03T00:00:00Z"))),
            ..Slice::default()
        };
        for records in [vec![one.clone(), other.clone()], vec![other, one]] {
            let corrected = read("2024-01-01T00:00:00Z", Memory::default(), records);
            let start = instant("2024-01-03T00:00:00Z");
            let parent = Record::new("{}".to_owned(), None);
            let slices = corrected.slices(&parent, &whole, &[], start, |slice| vec![slice.clone()]);
            for hour in 0..24 * 12 {
                let begin = instant("2024-01-10T00:00:00Z") + SignedDuration::hours(hour);
                let reads = slices.iter().filter(|slice| slice.keeps(Some(begin))).count();
                assert!(reads <= 1, "{begin:?} is read {reads} times, with a gap of {gap} hours");
            }
        }
    }
}

#[test]
fn a_record_that_reaches_from_before_what_is_read_anyway_into_a_correction_is_read() {
    let whole = Slice {
        from: Some(instant("2024-01-20T01:08:38Z")),
        until: Some(Until::Before(instant("2024-01-22T00:00:00Z"))),
        ..Slice::default()
    };
    // What is read anyway begins minutes after the day of the 19th.
    let reads = Slice {
        from: Some(instant("2024-01-19T00:00:00Z")),
        keep_from: Some(instant("2024-01-19T00:08:38Z")),
        ..whole.clone()
    };
    let parent = Record::new("{}".to_owned(), None);
    for (hour, days, expected) in [(0, 19..21, 1), (19, 19..21, 1), (23, 17..18, 1), (0, 23..24, 0)] {
        let from = format!("2024-01-{:02}T{hour:02}:00:00Z", days.start);
        let fields = format!(r#""from":{from:?},"until":{:?},"at":{from:?},"owner":null"#, day(days.end));
        let record = Record::new(format!(r#"{{"id":"a","status":"done",{fields}}}"#), None);
        let corrected = read("2024-01-01T00:00:00Z", Memory::default(), vec![record]);
        let slices = corrected.slices(
            &parent,
            &whole,
            std::slice::from_ref(&reads),
            instant("2024-01-03T00:00:00Z"),
            |slice| vec![slice.clone()],
        );
        let begin = Some(instant(&day(days.start.min(19))));
        assert_eq!(slices.iter().filter(|slice| slice.keeps(begin)).count(), expected, "{from}");
        assert!(slices.iter().all(|slice| slice.keep_before <= reads.keep_from), "{from}");
    }
    // Nor are the days before the start.
    let record = correction("a", "done", 17..18, "null");
    let corrected = read("2024-01-01T00:00:00Z", Memory::default(), vec![record]);
    let start = instant("2024-01-18T00:00:00Z");
    assert!(corrected.slices(&parent, &whole, &[reads], start, |slice| vec![slice.clone()]).is_empty());
}

#[test]
fn only_parents_that_name_the_identifier_are_concerned() {
    let records = vec![correction("a", "done", 5..6, "\"x\"")];
    let corrected = read("2024-03-01T00:00:00Z", Memory::default(), records);
    assert_eq!(kept(&corrected, r#"{"id":"1","owners":["y","x"]}"#), [5]);
    assert_eq!(kept(&corrected, r#"{"id":"1","owners":["xx"]}"#), [0; 0]);
}

#[test]
fn a_correction_is_new_when_its_effect_changes() {
    let known = |status: &str| {
        read("2024-03-10T00:00:00Z", Memory::default(), vec![correction("a", status, 5..6, "null")])
            .remember(true)
    };
    let is_new = |before: &str, now: &str| {
        let now = vec![correction("a", now, 5..6, "null")];
        !kept(&read("2024-03-10T00:00:00Z", known(before), now), "{}").is_empty()
    };
    assert!(is_new("pending", "done") && is_new("done", "undone") && is_new("undoing", "undone"));
    assert!(!is_new("done", "done") && !is_new("done", "undoing") && !is_new("pending", "pending"));
}

#[test]
fn without_a_memory_time_tells_what_is_new() {
    for (since, expected) in [("2024-03-05T00:00:00Z", 1), ("2024-03-05T00:00:01Z", 0)] {
        let records = vec![correction("a", "done", 5..6, "null")];
        assert_eq!(kept(&read(since, Memory::default(), records), "{}").len(), expected);
    }
}

#[test]
fn a_continued_read_remembers_what_it_followed_from_the_beginning() {
    let first = vec![correction("a", "done", 5..6, "null")];
    let unfinished = read("2024-03-01T00:00:00Z", Memory::default(), first).remember(false);
    assert_eq!(unfinished.corrections, None);
    let records = vec![correction("b", "done", 7..8, "null"), correction("a", "done", 5..6, "null")];
    let continued = read("2024-03-01T00:00:00Z", unfinished, records.clone());
    assert_eq!(kept(&continued, "{}"), [5, 7]);
    let next = read("2024-03-10T00:00:00Z", continued.remember(true), records);
    assert_eq!(kept(&next, "{}"), [7]);
}

#[test]
fn without_the_list_what_is_known_stays_so() {
    let memory = read("2024-03-01T00:00:00Z", Memory::default(), vec![correction("a", "done", 5..6, "null")]);
    let memory = memory.remember(true);
    let mut corrected = Corrected::new(&ROW, instant("2024-03-10T00:00:00Z"), None, memory.clone());
    corrected.next_request();
    corrected.give_up("it is gone");
    assert!(corrected.is_finished() && kept(&corrected, "{}").is_empty());
    assert_eq!((corrected.remember(true), corrected.log.len()), (memory, 1));
}

#[test]
fn without_the_list_and_a_memory_the_next_read_follows_all() {
    let mut corrected = Corrected::new(&ROW, instant("2024-03-04T00:00:00Z"), None, Memory::default());
    corrected.next_request();
    corrected.give_up("it is gone");
    // Its cursor is newer than the correction.
    let next = vec![correction("a", "done", 5..6, "null")];
    assert_eq!(kept(&read("2024-03-10T00:00:00Z", corrected.remember(true), next), "{}"), [5]);
}

#[test]
fn a_read_that_is_not_finished_remembers_what_earlier_ones_followed() {
    let records = || vec![correction("a", "done", 5..6, "null")];
    let memory = read("2024-03-01T00:00:00Z", Memory::default(), records()).remember(true);
    let unfinished = read("2024-03-10T00:00:00Z", memory.clone(), records()).remember(false);
    assert_eq!((&unfinished.corrections, &unfinished.correcting), (&memory.corrections, &memory.corrections));
}

#[test]
fn an_end_below_the_cursor_leaves_out_nothing_of_a_correction_that_ends_with_it() {
    let records = || vec![correction("a", "done", 5..7, "null")];
    let (since, end) = (instant("2024-03-01T00:00:00Z"), Some(instant("2024-01-07T00:00:00Z")));
    let memory = Memory { corrections: Some(Vec::new()), ..Memory::default() };
    let mut corrected = Corrected::new(&ROW, since, end, memory);
    corrected.next_request();
    corrected.observe(Page { records: records(), ..Page::default() }).unwrap();
    assert_eq!(kept(&read("2024-03-10T00:00:00Z", corrected.remember(true), records()), "{}"), [0; 0]);
}

#[test]
fn what_an_end_below_the_cursor_leaves_out_is_new_once_the_end_is_gone() {
    let records = || vec![correction("a", "done", 5..9, "null"), correction("b", "done", 2..3, "null")];
    for memory in [Memory::default(), Memory { corrections: Some(Vec::new()), ..Memory::default() }] {
        let (since, end) = (instant("2024-03-01T00:00:00Z"), Some(instant("2024-01-07T00:00:00Z")));
        let mut corrected = Corrected::new(&ROW, since, end, memory);
        corrected.next_request();
        corrected.observe(Page { records: records(), ..Page::default() }).unwrap();
        let next = read("2024-03-10T00:00:00Z", corrected.remember(true), records());
        assert_eq!(kept(&next, "{}"), [5, 6, 7, 8]);
    }
}

#[test]
fn what_was_followed_before_an_end_below_the_cursor_is_remembered_as_it_was() {
    let memory =
        |records| read("2024-03-01T00:00:00Z", Memory::default(), records).remember(true).corrections;
    let before = || vec![correction("b", "done", 5..8, "null"), correction("a", "done", 5..9, "null")];
    let known = memory(before());
    let end = Some(instant("2024-01-07T00:00:00Z"));
    let since = Memory { corrections: known.clone(), ..Memory::default() };
    let mut corrected = Corrected::new(&ROW, instant("2024-03-01T00:00:00Z"), end, since);
    corrected.next_request();
    let records = vec![correction("b", "undone", 5..8, "null"), correction("a", "undone", 5..9, "null")];
    corrected.observe(Page { records, ..Page::default() }).unwrap();
    assert_eq!(corrected.remember(true).corrections, known);
}

#[test]
fn an_end_at_the_cursor_leaves_out_nothing() {
    let records = || vec![correction("a", "done", 5..9, "null")];
    let end = instant("2024-01-07T00:00:00Z");
    let memory = Memory { corrections: Some(Vec::new()), ..Memory::default() };
    let mut corrected = Corrected::new(&ROW, end, Some(end), memory);
    corrected.next_request();
    corrected.observe(Page { records: records(), ..Page::default() }).unwrap();
    // The days above the end are read anyway by a read that continues from there.
    assert_eq!(kept(&read("2024-01-07T00:00:00Z", corrected.remember(true), records()), "{}"), [0; 0]);
}
