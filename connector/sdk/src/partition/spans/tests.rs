//! Reads lists of all shapes, with responses in any order.

use std::collections::BTreeSet;

use super::*;
use crate::{fixtures, instant::format_instant, ranges::Ranges, slice::Scope, testing};

static THINGS: Stream<()> = Stream { page_limit: Some(10), ..fixtures::OWNERS };

const OPENED: &str = "2024-06-01T00:00:00Z";

fn windows(from: &str) -> Spans<()> {
    windows_from(from, from)
}

fn windows_from(start: &str, cursor: &str) -> Spans<()> {
    let range = TimeRange { start: testing::instant(start), end: None, lookback: SignedDuration::ZERO };
    Spans::new(&THINGS, &(), &range, Cursor::parse(cursor), testing::instant(OPENED))
}

fn cursor(state: &str) -> Timestamp {
    let state: serde_json::Value = serde_json::from_str(state).unwrap();
    testing::instant(state["created_at"].as_str().unwrap())
}

/// Reads a list to its end with up to `concurrency` requests in flight, answered in random order,
/// and verifies every checkpoint. Returns the numbers of requested pages and of checkpoints.
fn read(
    list: &fixtures::List,
    mut windows: Spans<()>,
    concurrency: usize,
    random: &mut fastrand::Rng,
) -> (usize, usize) {
    let (mut open, mut asked, mut states) = (Vec::new(), 0, Vec::new());
    let mut seen = BTreeSet::new();
    loop {
        while open.len() < concurrency {
            let Some(request) = windows.next_request() else { break };
            open.push(request);
            asked += 1;
        }
        if open.is_empty() {
            break;
        }
        let request = open.swap_remove(random.usize(..open.len()));
        for record in windows.observe(&request, list.page(&request)).unwrap() {
            assert!(seen.insert(record.clone()), "{record} was emitted twice");
        }
        if let Some(state) = windows.checkpoint() {
            let reached = cursor(&state);
            let missing =
                (0..list.len()).map(|index| index.to_string()).filter(|record| !seen.contains(record));
            assert!(missing.map(|record| list.position(&record)).all(|position| position >= reached));
            states.push(reached);
        }
    }
    assert_eq!(seen.len(), list.len());
    // In the end every window counts as read, including those that have been dropped.
    let (done, total) = windows.progress();
    assert_eq!(Some(done), total);
    assert!(states.is_sorted_by(|one, next| one < next), "{states:?}");
    (asked, states.len())
}

fn spread(random: &mut fastrand::Rng, count: usize, first: &str, last: &str) -> fixtures::List {
    let range = testing::instant(first).as_nanoseconds()..testing::instant(last).as_nanoseconds();
    let mut at = || Timestamp::from_nanoseconds(random.i128(range.clone())).unwrap();
    fixtures::List::new((0..count).map(|_| at()).collect())
}

#[test]
fn a_short_range_is_one_request_and_one_checkpoint() {
    let mut random = fastrand::Rng::with_seed(1);
    let list = spread(&mut random, 10, "2024-05-31T00:00:00Z", "2024-05-31T01:00:00Z");
    assert_eq!(read(&list, windows("2024-05-31T00:00:00Z"), 8, &mut random), (1, 1));
}

#[test]
fn an_empty_range_is_one_request_and_keeps_the_cursor() {
    let mut windows = windows("2024-05-31T00:00:00Z");
    let request = windows.next_request().unwrap();
    assert!(windows.observe(&request, Page::default()).unwrap().is_empty());
    assert_eq!(windows.checkpoint().unwrap(), r#"{"created_at":"2024-05-31T00:00:00Z"}"#);
    assert!(windows.next_request().is_none() && windows.checkpoint().is_none());
}

#[test]
fn a_long_history_is_tens_of_windows_and_hardly_more_pages_than_needed() {
    let mut random = fastrand::Rng::with_seed(2);
    let list = spread(&mut random, 1000, "2023-01-01T00:00:00Z", "2024-05-31T00:00:00Z");
    let (asked, states) = read(&list, windows("2023-01-01T00:00:00Z"), 8, &mut random);
    assert!((100..130).contains(&asked), "{asked} pages");
    assert!((3..40).contains(&states), "{states} checkpoints");
}

#[test]
fn a_burst_of_events_costs_a_few_requests() {
    let mut random = fastrand::Rng::with_seed(4);
    let burst = |second: i32| testing::instant(OPENED) - SignedDuration::seconds(i64::from(second));
    let list = fixtures::List::new((1..15).map(burst).collect());
    let slice = Slice {
        scope: Scope::Feed,
        from: Some(testing::instant("2024-05-31T00:00:00Z")),
        ..Slice::default()
    };
    let events = Spans::of(&THINGS, &(), slice, testing::instant(OPENED));
    let (asked, _) = read(&list, events, 8, &mut random);
    assert!(asked <= 5, "{asked} pages");
}

#[test]
fn every_record_is_handed_on_once_however_they_are_spread() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let bursts = random.usize(1..6);
        let mut positions = Vec::new();
        for _ in 0..bursts {
            let start =
                testing::instant("2023-01-01T00:00:00Z") + SignedDuration::seconds(random.i64(0..40_000_000));
            let width = 10_i64.pow(random.u32(0..7));
            for _ in 0..random.usize(..400) {
                positions.push(start + SignedDuration::milliseconds(random.i64(0..width * 1000)));
            }
        }
        let list = fixtures::List::new(positions);
        read(&list, windows("2022-01-01T00:00:00Z"), random.usize(1..9), &mut random);
    }
}

#[test]
fn many_records_of_one_second_are_a_chain_of_pages() {
    let list = fixtures::List::new(vec![testing::instant("2024-03-01T00:00:00.5Z"); 500]);
    let mut random = fastrand::Rng::with_seed(3);
    assert_eq!(read(&list, windows("2020-01-01T00:00:00Z"), 8, &mut random).0, 50);
}

#[test]
fn nothing_is_lost_where_a_later_page_has_newer_records() {
    let mut windows = windows("2020-01-01T00:00:00Z");
    let request = windows.next_request().unwrap();
    let records = ["2024-05-03T00:00:00Z", "2024-05-02T00:00:00Z"].map(fixtures::record_at);
    let page = Page { records: records.into(), next_token: Some("t".into()), bytes: 0, is_cut_off: false };
    assert_eq!(windows.observe(&request, page).unwrap(), Vec::<String>::new());
    let requests: Vec<PageRequest<()>> = std::iter::from_fn(|| windows.next_request()).collect();
    let above = requests.last().unwrap();
    assert_eq!(above.slice.from, Some(testing::instant("2024-05-02T00:00:01Z")));
    assert_eq!((above.slice.until, &above.page_token), (None, &None));
}

#[test]
fn a_list_that_is_not_newest_first_is_never_split() {
    let mut windows = windows("2020-01-01T00:00:00Z");
    let request = windows.next_request().unwrap();
    let records =
        ["2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-01T00:00:00Z"].map(fixtures::record_at);
    let page = Page { records: records.into(), next_token: Some("t".into()), bytes: 0, is_cut_off: false };
    assert_eq!(windows.observe(&request, page).unwrap().len(), 3);
    assert_eq!(windows.next_request().unwrap().page_token.as_deref(), Some("t"));
    assert!(windows.next_request().is_none());
}

#[test]
fn nothing_is_asked_for_when_the_cursor_is_past_the_end() {
    let start = testing::instant("2024-01-01T00:00:00Z");
    let range = TimeRange { start, end: Some(start), lookback: SignedDuration::ZERO };
    let mut windows = Spans::new(&THINGS, &(), &range, Cursor::parse("2024-02-01T00:00:00Z"), start);
    assert!(windows.next_request().is_none());
    assert_eq!(windows.checkpoint().unwrap(), r#"{"created_at":"2024-02-01T00:00:00Z"}"#);
}

#[test]
fn a_read_begins_a_minute_below_its_cursor() {
    let request = windows_from("2020-01-01T00:00:00Z", "2024-05-31T00:00:00Z").next_request().unwrap();
    assert_eq!(request.slice.from, Some(testing::instant("2024-05-30T23:59:00Z")));
}

#[test]
fn no_state_passes_the_newest_record_before_the_opening_however_a_read_is_cut_short() {
    const START: &str = "2022-01-01T00:00:00Z";
    let opened = testing::instant(OPENED);
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        // Some lie before the opening, perhaps long before, and many after it.
        let newest = random.i64(1..2 * 365 * 24);
        let mut hours: Vec<i64> =
            (0..random.usize(1..300)).map(|_| -newest - random.i64(0..1000) * random.i64(0..10)).collect();
        hours.extend((0..random.usize(1..600)).map(|_| random.i64(1..5000)));
        let positions: Vec<Timestamp> =
            hours.into_iter().map(|hours| opened + SignedDuration::hours(hours)).collect();
        let start = testing::instant(START);
        let positions: Vec<Timestamp> = positions.into_iter().map(|position| position.max(start)).collect();
        let expected = positions.iter().filter(|position| **position <= opened).max().copied().unwrap();
        let list = fixtures::List::new(positions);
        let (mut state, mut seen, mut is_finished) = (START.to_owned(), BTreeSet::new(), false);
        while !is_finished {
            let mut windows = windows_from(START, &state);
            let mut open = Vec::new();
            for _ in 0..random.usize(1..150) {
                open.extend(std::iter::from_fn(|| windows.next_request()).take(8 - open.len()));
                is_finished = open.is_empty();
                if is_finished {
                    break;
                }
                let request = open.swap_remove(random.usize(..open.len()));
                seen.extend(windows.observe(&request, list.page(&request)).unwrap());
                if let Some(states) = windows.checkpoint() {
                    assert!(cursor(&states) <= expected, "{seed}: {states} passes {expected}");
                    state = serde_json::from_str::<serde_json::Value>(&states).unwrap()["created_at"]
                        .as_str()
                        .unwrap()
                        .to_owned();
                }
            }
        }
        assert_eq!((testing::instant(&state), seen.len()), (expected, list.len()), "{seed}");
    }
}

#[test]
fn a_window_is_split_into_windows_of_six_pages() {
    // A page of ten minutes, and so many more below it.
    let parts = |pages: i64, scope| {
        let newest = testing::instant(OPENED);
        let records: Vec<Record> = (0..=10)
            .map(|minute| fixtures::record_at(&format_instant(newest - SignedDuration::minutes(minute))))
            .collect();
        let from = newest - SignedDuration::minutes(10 * (pages + 1));
        split_below(&records, from, scope).map(|(_, count)| count)
    };
    let counts = [8, 9, 12, 13, 60, 6_000].map(|pages| parts(pages, Scope::All));
    assert_eq!(counts, [None, Some(2), Some(2), Some(3), Some(10), Some(32)]);
    assert_eq!(parts(6_000, Scope::Feed), Some(2));
}

#[test]
fn a_page_of_less_than_a_second_is_cut_where_a_second_begins() {
    let cut = |newest: &str| {
        let page = [newest, "2024-05-01T00:00:00.5Z"].map(fixtures::record_at);
        split_below(&page, testing::instant("2024-04-01T00:00:00Z"), Scope::All).map(|(cut, _)| cut)
    };
    let second = testing::instant("2024-05-01T00:00:01Z");
    let newest = ["2024-05-01T00:00:00.9Z", "2024-05-01T00:00:01Z", "2024-05-01T00:00:01.2Z"];
    assert_eq!(newest.map(cut), [None, Some(second), Some(second)]);
}

#[test]
fn a_record_after_the_opening_does_not_move_a_state_before_the_end() {
    let newest = testing::instant("2024-02-01T00:00:00Z");
    let mut positions = vec![newest];
    let opened = testing::instant(OPENED);
    positions.extend((1..200).map(|day| opened + SignedDuration::hours(24 * day)));
    let list = fixtures::List::new(positions);
    let (mut windows, mut states) = (windows("2024-01-01T00:00:00Z"), 0);
    while let Some(request) = windows.next_request() {
        windows.observe(&request, list.page(&request)).unwrap();
        if let Some(state) = windows.checkpoint() {
            states += 1;
            assert_eq!(cursor(&state), newest);
        }
    }
    assert!(states > 0);
}

#[test]
fn progress_is_how_many_spans_have_been_read() {
    static RANGES: Stream<()> =
        Stream { partition: Partition::Ranges(Ranges::of(SignedDuration::hours(96))), ..THINGS };
    let day = |day: u32| testing::instant(&format!("2024-01-{day:02}T00:00:00Z"));
    let mut spans = Spans::new(&RANGES, &(), &TimeRange::since(day(1)), None, day(11));
    let requests: Vec<PageRequest<()>> = std::iter::from_fn(|| spans.next_request()).collect();
    for (done, request) in (0..).zip(&requests) {
        assert_eq!(spans.progress(), (done, Some(3)));
        let records = vec![fixtures::record_at(&format_instant(request.slice.from.unwrap()))];
        spans.observe(request, Page { records, ..Page::default() }).unwrap();
        assert!(spans.checkpoint().is_some() || done == 0);
    }
    assert_eq!(spans.progress(), (3, Some(3)));
}

#[test]
fn windows_are_no_shorter_than_a_second() {
    let second = |second: i64| testing::instant(OPENED) + SignedDuration::seconds(second);
    assert_eq!(edges(second(0), second(3), 8), [1, 2, 3].map(second));
    assert_eq!(edges(second(0), second(16), 8), [2, 4, 6, 8, 10, 12, 14, 16].map(second));
}
