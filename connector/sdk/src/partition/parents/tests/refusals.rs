//! Lists that the server refuses.

use super::*;

#[test]
fn the_list_of_one_parent_that_is_refused_fails_the_read_once_all_others_are_read() {
    let mut server = Server::default();
    for number in [1, 2, 3] {
        server.owner(&day(number), &[&day(number)]);
    }
    let refused = [day(2)];
    let mut random = fastrand::Rng::with_seed(1);
    let (records, states, failure) =
        read_refused(&server, &mut lists("{}"), &refused, usize::MAX, &mut random);
    assert_eq!((records.len(), states), (2, Vec::new()));
    let message = failure.unwrap().message;
    assert!(message.contains("the lists of 1 owners were refused (2024-01-01T02:00:00Z)"), "{message}");
}

#[test]
fn no_state_passes_a_parent_that_is_refused_and_the_next_whole_read_begins_anew() {
    let mut server = Server::default();
    for number in 0..350 {
        server.owner(&day(number), &[&day(number)]);
    }
    for seed in 0..8 {
        let mut random = fastrand::Rng::with_seed(seed);
        let refused: Vec<String> = (0..random.usize(1..5)).map(|_| day(random.u32(0..350))).collect();
        let start = r#"{"created_at":"2023-06-01T00:00:00Z"}"#;
        let stop = random.usize(100..900);
        let (first, states, _) = read_refused(&server, &mut lists(start), &refused, stop, &mut random);
        // From every state, a further read returns all that the first one has not.
        for state in states.iter().map(String::as_str).chain([start]) {
            let (second, last) = read(&server, &mut lists(state), usize::MAX, &mut random);
            let missing = refused.iter().filter(|owner| !second.iter().any(|thing| thing.contains(*owner)));
            assert_eq!(missing.count(), 0, "{seed}: {state}");
            assert!(!last.unwrap().contains("unfinished"));
        }
        assert!(first.len() <= 350);
        let (records, states, failure) =
            read_refused(&server, &mut lists(start), &refused, usize::MAX, &mut random);
        let others = (0..350).map(day).filter(|owner| !refused.contains(owner)).count();
        assert_eq!(records.len(), others);
        assert!(failure.is_some());
        // The first state is emitted again only if a later one was emitted.
        assert!(states.is_empty() || states.last().unwrap() == start, "{states:?}");
    }
}

#[test]
fn a_state_is_told_after_a_hundred_lists_although_the_last_was_refused_and_continues_with_that() {
    let mut server = Server::default();
    (0..150).for_each(|number| server.owner(&day(number), &[]));
    let (mut lists, mut read) = (lists("{}"), 0);
    let state = loop {
        let request = lists.next_request().unwrap();
        read += u32::from(request.slice.parent.is_some());
        if read == 100 {
            lists.refuse(&request, Error::config("forbidden")).unwrap();
            break lists.checkpoint().unwrap();
        }
        lists.observe(&request, server.page(&request)).unwrap();
        assert_eq!(lists.checkpoint(), None);
    };
    let refused = day(50).replace('Z', "+00:00");
    assert!(state.contains(&format!(r#""parents_after":"{refused}""#)), "{state}");
}

#[test]
fn a_parent_without_a_time_that_is_refused_lets_no_state_pass() {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    let mut records: Vec<Record> = vec![Record::new(r#"{"id":"x"}"#.into(), None)];
    records.extend((0..200).rev().map(|number| record(&day(number), &format!("\"id\":\"{number}\""))));
    lists.observe(&listing, Page { records, ..Page::default() }).unwrap();
    let mut states = Vec::new();
    while let Some(request) = lists.next_request() {
        if request.slice.parent.as_deref() == Some("x") {
            lists.refuse(&request, Error::config("forbidden")).unwrap();
        } else {
            lists.observe(&request, Page::default()).unwrap();
        }
        states.extend(lists.checkpoint());
    }
    assert_eq!((states, lists.failure().is_some()), (Vec::new(), true));
}

#[test]
fn the_parents_list_itself_cannot_be_refused() {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    assert_eq!(lists.refuse(&listing, Error::config("forbidden")), Err(Error::config("forbidden")));
}

#[test]
fn where_all_lists_are_refused_only_the_first_are_asked_for() {
    let mut server = Server::default();
    (0..350).for_each(|number| server.owner(&day(number), &[]));
    let (mut lists, mut asked) = (lists("{}"), 0);
    let error = loop {
        let request = lists.next_request().unwrap();
        if request.slice.parent.is_none() {
            lists.observe(&request, server.page(&request)).unwrap();
            continue;
        }
        asked += 1;
        if let Err(error) = lists.refuse(&request, Error::config("forbidden")) {
            break error;
        }
    };
    assert_eq!(asked, 20);
    assert!(error.message.ends_with("no others were asked for: forbidden"), "{error}");
}
