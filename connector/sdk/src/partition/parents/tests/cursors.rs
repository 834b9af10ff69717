//! Cursors of the stream, of single parents, and of reads with an end.

use super::*;

#[test]
fn each_parent_continues_from_its_own_cursor_if_it_has_one() {
    let mut server = Server::default();
    server.owner("2024-01-01T00:00:00Z", &[&day(1), &day(2)]);
    server.owner("2024-01-02T00:00:00Z", &[&day(1), &day(2)]);
    let state = format!(r#"{{"2024-01-01T00:00:00Z":{{"created_at":{:?}}}}}"#, day(2));
    let (records, state) = read(&server, &mut lists(&state), usize::MAX, &mut fastrand::Rng::with_seed(2));
    assert_eq!(records.len(), 3);
    assert_eq!(state.unwrap(), r#"{"created_at":"2024-01-01T02:00:00+00:00"}"#);
}

#[test]
fn a_parent_whose_cursor_lies_in_the_future_leaves_the_others_alone() {
    let mut server = Server::default();
    server.owner("2024-01-01T00:00:00Z", &[&day(1), &day(2)]);
    server.owner("2024-01-02T00:00:00Z", &[&day(1), &day(2)]);
    let state = r#"{"2024-01-01T00:00:00Z":{"created_at":"2122-01-01T00:00:00Z"}}"#;
    let (records, state) = read(&server, &mut lists(state), usize::MAX, &mut fastrand::Rng::with_seed(2));
    assert_eq!(records.len(), 2);
    assert_eq!(state.unwrap(), r#"{"created_at":"2024-01-01T02:00:00+00:00"}"#);
}

#[test]
fn what_was_read_before_an_end_was_set_does_not_move_the_cursor_beyond_that_end() {
    let mut server = Server::default();
    server.owner("2024-01-01T00:00:00Z", &[&day(1), &day(9)]);
    server.owner("2024-01-02T00:00:00Z", &[&day(50), &day(99)]);
    let single = format!(r#"{{"2024-01-02T00:00:00Z":{{"created_at":{:?}}}}}"#, day(99));
    let unfinished = format!(
        r#"{{"unfinished":{{"version":1,"opened":"2024-05-31T00:00:00Z","parents_after":"2024-01-01T12:00:00Z","observed":{:?}}}}}"#,
        day(99)
    );
    for state in [single, unfinished] {
        let range = TimeRange {
            end: Some(testing::instant(&day(5))),
            ..TimeRange::since(testing::instant("2023-01-01T00:00:00Z"))
        };
        let state = State::parse(&state, THINGS.cursor, Some(fixtures::PARENTS.key)).unwrap();
        let opened = testing::instant(OPENED);
        let mut lists = ByParent::new(&THINGS, THINGS.parents().unwrap(), Rc::new(()), range, state, opened);
        let (_, state) = read(&server, &mut lists, 99, &mut fastrand::Rng::with_seed(1));
        assert_eq!(state.unwrap(), r#"{"created_at":"2024-01-01T01:00:00+00:00"}"#);
    }
}

#[test]
fn a_read_that_had_an_end_and_continues_without_it_starts_over() {
    let mut server = Server::default();
    (0..150).for_each(|number| server.owner(&day(number), &[&day(400)]));
    let end = testing::instant(&day(200));
    let open = |end, state: &str| {
        let range = TimeRange { end, ..TimeRange::since(testing::instant("2023-01-01T00:00:00Z")) };
        let state = State::parse(state, THINGS.cursor, Some(fixtures::PARENTS.key)).unwrap();
        ByParent::new(&THINGS, THINGS.parents().unwrap(), Rc::new(()), range, state, testing::instant(OPENED))
    };
    let random = &mut fastrand::Rng::with_seed(1);
    let (_, state) = read(&server, &mut open(Some(end), "{}"), 190, random);
    let state = state.unwrap();
    assert!(state.contains("unfinished"), "{state}");
    let (records, _) = read(&server, &mut open(None, &state), 999, random);
    assert_eq!(records.len(), 150);
}

#[test]
fn an_end_at_the_very_opening_leaves_nothing_out_so_a_read_without_it_continues() {
    let mut server = Server::default();
    (0..150).for_each(|number| server.owner(&day(number), &[&day(400)]));
    let open = |end: Option<&str>, state: &str| {
        let end = end.map(testing::instant);
        let range = TimeRange { end, ..TimeRange::since(testing::instant("2023-01-01T00:00:00Z")) };
        let state = State::parse(state, THINGS.cursor, Some(fixtures::PARENTS.key)).unwrap();
        ByParent::new(&THINGS, THINGS.parents().unwrap(), Rc::new(()), range, state, testing::instant(OPENED))
    };
    let continued = |end| {
        let random = &mut fastrand::Rng::with_seed(1);
        let (before, state) = read(&server, &mut open(Some(end), "{}"), 190, random);
        let (after, _) = read(&server, &mut open(None, &state.unwrap()), 999, random);
        before.iter().chain(&after).collect::<BTreeSet<_>>().len() == 150 && after.len() < 150
    };
    assert!(continued(OPENED));
    assert!(!continued("2024-05-31T23:59:59Z"));
}

#[test]
fn parents_that_are_newer_than_the_end_are_read_once_although_a_read_is_cut_short() {
    let mut server = Server::default();
    (0..300).for_each(|number| server.owner(&day(number), &[&day(20), &day(60)]));
    let open = |end: Option<u32>, state: &str| {
        let end = end.map(|number| testing::instant(&day(number)));
        let range = TimeRange { end, ..TimeRange::since(testing::instant("2023-01-01T00:00:00Z")) };
        let state = State::parse(state, THINGS.cursor, Some(fixtures::PARENTS.key)).unwrap();
        ByParent::new(&THINGS, THINGS.parents().unwrap(), Rc::new(()), range, state, testing::instant(OPENED))
    };
    // The end stays, is moved to later or earlier, or is removed.
    for end in [Some(30), Some(70), Some(25), None] {
        let random = &mut fastrand::Rng::with_seed(1);
        // Fewer requests than there are parents above the end.
        let (_, state) = read(&server, &mut open(Some(30), "{}"), 280, random);
        let (mut state, mut records, mut reads) = (state.unwrap(), BTreeSet::new(), 1);
        while state.contains("unfinished") {
            let (emitted, next) = read(&server, &mut open(end, &state), 280, random);
            let next = next.unwrap();
            assert_ne!(next, state, "{end:?}: no progress");
            (state, reads) = (next, reads + 1);
            records.extend(emitted);
        }
        assert!((2..=6).contains(&reads), "{end:?}: {reads}");
        if end.is_none_or(|end| end > 60) {
            assert_eq!(records.len(), 600, "{end:?}");
        }
    }
}

#[test]
fn a_new_parent_whose_records_can_be_older_is_read_from_the_start() {
    let mut server = Server::default();
    server.owner("2024-05-20T00:00:00Z", &[]);
    server.owner("2024-05-31T00:00:00Z", &[]);
    let mut lists = lists_of(&LATE_THINGS, r#"{"created_at":"2024-05-28T00:00:00Z"}"#);
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, server.page(&listing)).unwrap();
    let from: Vec<_> =
        std::iter::from_fn(|| lists.next_request()).map(|request| request.slice.from.unwrap()).collect();
    assert_eq!(from, ["2023-01-01T00:00:00Z", "2024-05-28T00:00:00Z"].map(testing::instant));
}

#[test]
fn a_thing_after_the_opening_does_not_move_the_cursor_whether_or_not_a_read_is_cut_short() {
    let mut server = Server::default();
    for number in 0..350 {
        server.owner(&day(number), &[&day(number), "2030-01-01T00:00:00Z"]);
    }
    let whole = format!(r#"{{"created_at":"{}"}}"#, day(349).replace('Z', "+00:00"));
    for stop in [300, 400, 500, usize::MAX] {
        let mut random = fastrand::Rng::with_seed(4);
        let (_, state) = read(&server, &mut lists("{}"), stop, &mut random);
        let state = state.unwrap();
        assert!(!state.contains("2030") && !state.contains("created_at\":\"2024-06-01"), "{state}");
        let (_, last) = read(&server, &mut lists(&state), usize::MAX, &mut random);
        assert_eq!(last.unwrap(), whole, "{stop}");
    }
    // An older version also stored positions after the opening.
    let observed = r#""opened":"2024-05-31T00:00:00Z","parents_after":"2023-01-01T00:00:00Z","observed":"2030-01-01T00:00:00Z""#;
    let state = format!(r#"{{"unfinished":{{"version":1,{observed}}}}}"#);
    let (_, last) = read(&server, &mut lists(&state), usize::MAX, &mut fastrand::Rng::with_seed(5));
    assert_eq!(last.unwrap(), r#"{"created_at":"2023-01-01T00:00:00+00:00"}"#);
}

#[test]
fn a_list_is_read_again_from_a_minute_below_the_cursor_unless_it_has_a_grace_period() {
    let mut server = Server::default();
    server.owner("2024-01-01T00:00:00Z", &[]);
    let from = |stream| {
        let mut lists = lists_of(stream, r#"{"created_at":"2024-05-28T00:00:00Z"}"#);
        let listing = lists.next_request().unwrap();
        lists.observe(&listing, server.page(&listing)).unwrap();
        lists.next_request().unwrap().slice.from.unwrap()
    };
    assert_eq!(from(&THINGS), testing::instant("2024-05-27T23:59:00Z"));
    assert_eq!(from(&LATE_THINGS), testing::instant("2024-05-28T00:00:00Z"));
}

#[test]
fn with_a_grace_period_the_cursor_is_that_far_behind_even_if_nothing_has_happened() {
    let mut server = Server::default();
    server.owner(&day(1), &[]);
    let last = |stream| read(&server, &mut lists_of(stream, "{}"), 9, &mut fastrand::Rng::with_seed(1)).1;
    assert_eq!(last(&LATE_THINGS).unwrap(), r#"{"created_at":"2024-05-30T00:00:00+00:00"}"#);
    assert_eq!(last(&THINGS).unwrap(), r#"{"created_at":"2023-01-01T00:00:00+00:00"}"#);
}

#[test]
fn the_state_of_many_parents_stays_small() {
    let mut server = Server::default();
    for number in 0..300 {
        server.owner(&day(number), &[&day(number)]);
    }
    let (_, state) = read(&server, &mut lists("{}"), 350, &mut fastrand::Rng::with_seed(7));
    let state = state.unwrap();
    assert!(state.contains("unfinished") && state.len() < 250, "{state}");
}

#[test]
fn the_more_cursors_of_single_parents_a_state_has_the_more_seldom_it_is_told() {
    let mut server = Server::default();
    for number in 0..700 {
        server.owner(&day(number), &[]);
    }
    let checkpoints = |cursors: usize| {
        let parents: Vec<String> =
            (0..cursors).map(|id| format!(r#""p{id}":{{"created_at":"2024-01-01T00:00:00Z"}}"#)).collect();
        let mut lists = lists(&format!("{{{}}}", parents.join(",")));
        let mut count = 0;
        while let Some(request) = lists.next_request() {
            lists.observe(&request, server.page(&request)).unwrap();
            count += usize::from(lists.checkpoint().is_some());
        }
        count
    };
    // The last one, which has no such cursors any more, and one for each hundred, or three hundred,
    // parents before.
    assert_eq!((checkpoints(0), checkpoints(999), checkpoints(2_000)), (7, 7, 3));
}
