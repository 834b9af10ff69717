//! Reads lists of all shapes in slices, with responses in any order.

use std::collections::BTreeSet;

use super::*;
use crate::{
    cursor::TimeRange,
    fixtures::{self, List},
    page::Page,
    partition::Slices as _,
    ranges::Ranges,
    stream::Stream,
    testing::instant,
};

static THINGS: Stream<()> = Stream { page_limit: Some(10), ..fixtures::OWNERS };

const START: &str = "2022-01-01T00:00:00Z";
const OPENED: &str = "2024-06-01T00:00:00Z";

fn open(state: &str, opened: Timestamp) -> Spans<()> {
    open_until(state, None, opened)
}

fn open_until(state: &str, end: Option<Timestamp>, opened: Timestamp) -> Spans<()> {
    let state = State::parse(state, THINGS.cursor, None).unwrap();
    let range = TimeRange { end, ..TimeRange::since(instant(START)) };
    Spans::new(&THINGS, &(), &range, state.cursor, opened).resume(state.unread)
}

/// Bursts of records, some of them within a second, some after the opening.
fn list(random: &mut fastrand::Rng) -> List {
    let mut positions = Vec::new();
    for _ in 0..random.usize(1..6) {
        let start = instant(OPENED) + SignedDuration::seconds(random.i64(-70_000_000..20_000));
        let width = 10_i64.pow(random.u32(0..7));
        for _ in 0..random.usize(..400) {
            positions.push(start + SignedDuration::milliseconds(random.i64(0..width * 1000)));
        }
    }
    List::new(positions)
}

/// Reads a slice: stops after so many answers, and returns the state of the end. Adds the records
/// to `seen`, and returns how many there were.
fn slice(
    list: &List,
    mut spans: Spans<()>,
    answers: usize,
    random: &mut fastrand::Rng,
    seen: &mut BTreeSet<String>,
) -> (String, usize, bool) {
    let concurrency = random.usize(1..9);
    let (mut requests, mut emitted, mut last) = (Vec::new(), 0, None);
    for answered in 0.. {
        if answered == answers {
            spans.stop();
        }
        while requests.len() < concurrency {
            let Some(request) = spans.next_request() else { break };
            requests.push(request);
        }
        if requests.is_empty() {
            break;
        }
        let request = requests.swap_remove(random.usize(..requests.len()));
        let records = spans.observe(&request, list.page(&request)).unwrap();
        emitted += records.len();
        seen.extend(records);
        last = spans.checkpoint().or(last);
    }
    last = spans.checkpoint().or_else(|| spans.left_off()).or(last);
    (last.unwrap(), emitted, spans.is_finished())
}

#[test]
fn no_record_is_lost_and_few_are_repeated_however_often_a_read_is_stopped() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let list = list(&mut random);
        let (mut state, mut seen, mut emitted, mut opened) =
            ("{}".to_owned(), BTreeSet::new(), 0, instant(OPENED));
        for slices in 1.. {
            let answers = random.usize(1..20);
            let (last, records, is_finished) =
                slice(&list, open(&state, opened), answers, &mut random, &mut seen);
            (state, emitted) = (last, emitted + records);
            if is_finished {
                break;
            }
            assert!(state.contains("unread") && slices < 1_000, "{seed}: {state}");
            opened += SignedDuration::seconds(random.i64(0..100));
        }
        assert_eq!(seen.len(), list.len(), "{seed}");
        let within = |index: &usize| list.position(&index.to_string()) <= opened;
        let newest = (0..list.len()).find(within).map(|index| list.position(&index.to_string()));
        let expected = newest.unwrap_or_else(|| instant(START));
        let cursor = State::parse(&state, THINGS.cursor, None).unwrap().cursor.unwrap().instant;
        assert_eq!(cursor, expected.max(instant(START)), "{seed}");
        assert!(emitted >= list.len());
    }
}

#[test]
fn no_record_is_lost_however_the_end_is_moved_between_reads_that_are_stopped() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let list = list(&mut random);
        let (mut state, mut seen) = ("{}".to_owned(), BTreeSet::new());
        for _ in 0..random.usize(1..4) {
            let end = instant(OPENED) - SignedDuration::seconds(random.i64(0..70_000_000));
            let end = random.bool().then_some(end);
            let spans = open_until(&state, end, instant(OPENED));
            (state, ..) = slice(&list, spans, random.usize(1..12), &mut random, &mut seen);
        }
        let spans = open(&state, instant(OPENED) + SignedDuration::seconds(60));
        slice(&list, spans, usize::MAX, &mut random, &mut seen);
        assert_eq!(seen.len(), list.len(), "{seed}");
    }
}

#[test]
fn what_lies_beyond_the_end_is_unread() {
    let at = |hour: i64| instant("2024-01-01T00:00:00Z") + SignedDuration::hours(hour);
    let list = List::new((0..60).map(at).collect());
    let mut spans = open_until(r#"{"created_at":"2023-12-31T23:00:00Z"}"#, Some(at(50)), at(1000));
    let request = spans.next_request().unwrap();
    spans.observe(&request, list.page(&request)).unwrap();
    spans.stop();
    assert!(spans.next_request().is_none());
    let oldest = at(41) + SignedDuration::seconds(1);
    assert_eq!(spans.rest().unread.unwrap().edges, [at(-1) - OVERLAP, oldest, at(50)]);
}

#[test]
fn an_end_below_what_is_unread_holds_the_cursor() {
    let at = |hour: i64| instant("2024-01-01T00:00:00Z") + SignedDuration::hours(hour);
    let list = List::new((0..60).map(at).collect());
    let state = r#"{"created_at":"2024-01-01T05:00:00Z","unread":{"version":1,
        "edges":["2024-01-01T06:00:00Z","2024-01-02T00:00:01Z","2024-01-03T00:00:00Z"],
        "observed":"2024-01-02T23:00:00Z"}}"#;
    let mut spans = open_until(state, Some(at(10)), at(1000));
    while let Some(request) = spans.next_request() {
        spans.observe(&request, list.page(&request)).unwrap();
    }
    assert_eq!(spans.checkpoint().unwrap(), r#"{"created_at":"2024-01-01T10:00:00+00:00"}"#);
}

#[test]
fn what_is_unread_is_below_the_last_page_and_what_is_new() {
    let at = |hour: i64| instant("2024-01-01T00:00:00Z") + SignedDuration::hours(hour);
    let list = List::new((0..60).map(at).collect());
    // The few pages are not split.
    let mut spans = open(r#"{"created_at":"2023-12-31T23:00:00Z"}"#, at(1000));
    let request = spans.next_request().unwrap();
    let records = spans.observe(&request, list.page(&request)).unwrap();
    assert_eq!(records.len(), 10);
    spans.stop();
    assert!(spans.next_request().is_none());
    let oldest = at(50) + SignedDuration::seconds(1);
    let edges = [at(-1) - OVERLAP, oldest, at(1000) - OVERLAP];
    assert_eq!(spans.rest().unread.unwrap().edges, edges);
}

#[test]
fn a_state_that_is_not_understood_is_refused() {
    for unread in [
        r#"[]"#,
        r#"{"version":2,"edges":["2024-01-01T00:00:00Z"]}"#,
        r#"{"version":1,"edges":[]}"#,
        r#"{"version":1,"edges":["2024-01-01T00:00:00Z","2024-01-02T00:00:00Z"]}"#,
        r#"{"version":1,"edges":["2024-01-02T00:00:00Z","2024-01-01T00:00:00Z","2024-01-03T00:00:00Z"]}"#,
        r#"{"version":1,"edges":[5]}"#,
    ] {
        let state = format!(r#"{{"created_at":"2024-01-01T00:00:00Z","unread":{unread}}}"#);
        assert!(State::parse(&state, THINGS.cursor, None).is_err(), "{unread}");
    }
}

#[test]
fn only_a_read_that_was_stopped_before_its_end_is_left_off() {
    let list = List::new((0..60).map(|hour| instant(START) + SignedDuration::hours(hour)).collect());
    for (pages, is_stopped) in [(2, false), (2, true), (6, true)] {
        let mut spans = open(r#"{"created_at":"2022-01-01T00:00:00Z"}"#, instant(OPENED));
        for _ in 0..pages {
            let request = spans.next_request().unwrap();
            spans.observe(&request, list.page(&request)).unwrap();
        }
        if is_stopped {
            spans.stop();
        }
        let state = spans.left_off().map(|state| State::parse(&state, THINGS.cursor, None).unwrap());
        let is_left_off = state.is_some_and(|state| state.unread.is_some() && state.cursor.is_some());
        assert_eq!(is_left_off, pages == 2 && is_stopped, "{pages} pages");
    }
}

#[test]
fn a_read_that_goes_on_requests_the_unread_parts_and_nothing_else() {
    let edges = r#"["2024-01-05T00:00:00Z","2024-01-06T00:00:00Z","2024-02-01T00:00:00Z"]"#;
    let state =
        format!(r#"{{"created_at":"2024-01-01T00:00:00Z","unread":{{"version":1,"edges":{edges}}}}}"#);
    let mut spans = open(&state, instant(OPENED));
    let slices = std::iter::from_fn(|| spans.next_request()).map(|request| request.slice);
    let times: Vec<_> = slices.map(|slice| (slice.from, slice.until)).collect();
    let at = |text| Some(instant(text));
    let end = Some(Until::Before(instant("2024-01-06T00:00:00Z")));
    assert_eq!(times, [(at("2024-01-05T00:00:00Z"), end), (at("2024-02-01T00:00:00Z"), None)]);
}

#[test]
fn a_range_that_was_left_off_begins_as_far_before_its_records_as_any() {
    static RANGES: Stream<()> = Stream {
        partition: Partition::Ranges(Ranges {
            before: SignedDuration::hours(1),
            ..Ranges::of(SignedDuration::hours(96))
        }),
        ..THINGS
    };
    let overlap = SignedDuration::hours(1);
    let day = |day: u32| instant(&format!("2024-01-{day:02}T00:00:00Z"));
    let unread = Unread { edges: vec![day(6)], opened: None, observed: None, held: None };
    let range = TimeRange::since(day(1));
    let mut spans = Spans::new(&RANGES, &(), &range, None, day(11)).resume(Some(unread));
    let slices: Vec<Slice> =
        std::iter::from_fn(|| spans.next_request()).map(|request| request.slice).collect();
    let begin = |slice: &Slice| (slice.from.unwrap(), slice.keep_from.unwrap(), slice.until.unwrap());
    // Each range ends 96 hours after it begins.
    let boundary = day(9) - overlap;
    let (rest, next) = (Until::Before(boundary), Until::Before(day(11)));
    let expected = [(day(6) - overlap, day(6), rest), (boundary - overlap, boundary, next)];
    assert_eq!(slices.iter().map(begin).collect::<Vec<_>>(), expected);
    // One of which nothing was read is as it was.
    let unread = Unread { edges: vec![day(1)], opened: None, observed: None, held: None };
    let [new, same] = [None, Some(unread)].map(|unread| {
        let mut spans = Spans::new(&RANGES, &(), &range, None, day(11)).resume(unread);
        std::iter::from_fn(|| spans.next_request()).map(|request| request.slice).collect::<Vec<_>>()
    });
    assert_eq!(new, same);
}

/// Reads some of the ranges of four days since the first of January, with newer records first, and
/// returns the edges of what is left.
fn edges_without(read: &[usize], opened: Timestamp) -> Vec<Timestamp> {
    static RANGES: Stream<()> =
        Stream { partition: Partition::Ranges(Ranges::of(SignedDuration::hours(96))), ..THINGS };
    let range = TimeRange::since(instant("2024-01-01T00:00:00Z"));
    let mut spans = Spans::new(&RANGES, &(), &range, None, opened);
    let requests: Vec<_> = std::iter::from_fn(|| spans.next_request()).collect();
    for index in read {
        spans.observe(&requests[*index], Page::default()).unwrap();
    }
    spans.rest().unread.unwrap().edges
}

#[test]
fn unread_parts_that_touch_are_one() {
    let day = |day: u32| instant(&format!("2024-01-{day:02}T00:00:00Z"));
    assert_eq!(edges_without(&[], day(15)), [day(1)]);
    assert_eq!(edges_without(&[1], day(15)), [day(1), day(5), day(9)]);
    assert_eq!(edges_without(&[0, 2], day(15)), [day(5), day(9), day(13)]);
    assert_eq!(edges_without(&[0, 3], day(15)), [day(5), day(13), day(15) - OVERLAP]);
}

#[test]
fn an_unread_part_that_ends_where_all_is_new_has_no_end() {
    let day = |day: u32| instant(&format!("2024-01-{day:02}T00:00:00Z"));
    assert_eq!(edges_without(&[0], day(9) + OVERLAP), [day(5)]);
}

#[test]
fn a_window_of_which_nothing_says_how_far_it_is_is_read_to_its_end() {
    for (days, next) in [([3, 2, 1], None), ([2, 3, 1], Some("next"))] {
        let mut spans = open(r#"{"created_at":"2023-12-31T00:00:00Z"}"#, instant(OPENED));
        let request = spans.next_request().unwrap();
        let records = days.map(|day| fixtures::record_at(&format!("2024-01-{day:02}T00:00:00Z")));
        let page = Page { records: records.into(), next_token: Some("next".into()), ..Page::default() };
        spans.observe(&request, page).unwrap();
        spans.stop();
        let token = spans.next_request().and_then(|request| request.page_token);
        assert_eq!(token.as_deref(), next, "{days:?}");
    }
}
