//! Reads that are stopped.

use super::*;

/// Lists of owners that are listed in this order, the first of which is being read.
fn begun(owners: &[Record]) -> (ByParent<()>, PageRequest<()>) {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, Page { records: owners.to_vec(), ..Page::default() }).unwrap();
    let first = lists.next_request().unwrap();
    (lists, first)
}

fn owner(number: u32) -> Record {
    record(&day(number), &format!("\"id\":\"{number}\""))
}

/// The owners whose lists are asked for from now on.
fn asked(lists: &mut ByParent<()>) -> Vec<String> {
    std::iter::from_fn(|| lists.next_request()).map(|request| request.slice.parent.unwrap()).collect()
}

#[test]
fn a_read_that_is_stopped_ends_the_lists_it_has_begun_and_says_which_are_left() {
    let (mut lists, first) = begun(&[3, 2, 1].map(owner));
    lists.stop();
    let next_token = Some("next".to_owned());
    lists.observe(&first, Page { next_token, ..Page::default() }).unwrap();
    let rest = lists.next_request().unwrap();
    assert_eq!((rest.slice.parent.as_deref(), rest.page_token.as_deref()), (Some("3"), Some("next")));
    lists.observe(&rest, Page::default()).unwrap();
    assert_eq!(asked(&mut lists), Vec::<String>::new());
    assert!(!lists.is_finished());
    let state = lists.left_off().unwrap();
    let mut next = self::lists(&state);
    assert!(state.contains(r#""stopped":true"#), "{state}");
    // The owners are listed anew, since the list itself cannot be continued.
    while let Some(request) = next.next_request().filter(|request| request.slice.parent.is_none()) {
        let wanted = [3, 2, 1].map(owner).into_iter().filter(|owner| is_in(owner, &request.slice));
        next.observe(&request, Page { records: wanted.collect(), ..Page::default() }).unwrap();
    }
    assert_eq!(asked(&mut next), ["1"]);
}

fn is_in(record: &Record, slice: &Slice) -> bool {
    let position = record.position.unwrap();
    slice.from.is_none_or(|from| position >= from) && slice.until.is_none_or(|until| until.is_above(position))
}

#[test]
fn a_read_that_is_at_its_end_when_it_is_stopped_is_finished() {
    let (mut lists, first) = begun(&[owner(3)]);
    lists.stop();
    assert!(!lists.is_finished());
    lists.observe(&first, Page::default()).unwrap();
    assert!(lists.is_finished());
    assert!(lists.checkpoint().is_some());
    assert_eq!(lists.left_off(), None);
}

#[test]
fn a_read_that_is_stopped_before_its_first_list_reads_none() {
    let mut lists = lists("{}");
    let listing = lists.next_request().unwrap();
    lists.stop();
    lists.observe(&listing, Page { records: [3, 2].map(owner).into(), ..Page::default() }).unwrap();
    assert_eq!(asked(&mut lists), Vec::<String>::new());
    assert!(!lists.is_finished());
}

#[test]
fn parents_that_are_not_in_order_are_read_to_the_end_although_the_read_is_stopped() {
    let (mut lists, _) = begun(&[3, 1, 2].map(owner));
    lists.stop();
    assert_eq!(asked(&mut lists), ["1", "2"]);
    assert_eq!(lists.left_off(), None);
}

#[test]
fn a_read_that_has_begun_a_parent_without_a_time_goes_on_although_it_is_stopped() {
    let (mut lists, _) = begun(&[Record::new(r#"{"id":"x"}"#.into(), None), owner(2), owner(1)]);
    lists.stop();
    assert_eq!(asked(&mut lists), ["2", "1"]);
}

#[test]
fn a_read_that_is_stopped_lists_no_further_parents() {
    let mut lists = lists("{}");
    let page = |owners: &[u32], next: &str| Page {
        records: owners.iter().copied().map(owner).collect(),
        next_token: Some(next.to_owned()),
        ..Page::default()
    };
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, page(&[4, 3], "second")).unwrap();
    let (second, first) = (lists.next_request().unwrap(), lists.next_request().unwrap());
    assert_eq!((second.slice.parent.as_deref(), first.slice.parent.as_deref()), (None, Some("4")));
    lists.stop();
    lists.observe(&second, page(&[2, 1], "third")).unwrap();
    lists.observe(&first, Page::default()).unwrap();
    assert!(lists.next_request().is_none());
}

#[test]
fn parents_of_parents_that_were_listed_ahead_are_left_for_the_next_read() {
    let mut lists = lists_of(&PARTS, "{}");
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, Page { records: [3, 2, 1].map(owner).into(), ..Page::default() }).unwrap();
    // The things of all owners are listed at once, and each has one.
    let things: Vec<_> = (0..3).map(|_| lists.next_request().unwrap()).collect();
    for request in things {
        let id = format!("{}.0", request.slice.parent.as_deref().unwrap());
        let records = vec![record(&day(7), &format!("\"id\":{id:?}"))];
        lists.observe(&request, Page { records, ..Page::default() }).unwrap();
    }
    let first = lists.next_request().unwrap();
    assert_eq!(first.slice.parent.as_deref(), Some("3.0"));
    lists.stop();
    lists.observe(&first, Page::default()).unwrap();
    assert!(lists.next_request().is_none());
    let state = lists.left_off().unwrap();
    let next = day(2).replace('Z', "+00:00");
    assert!(state.contains(&format!(r#""parents_after":"{next}""#)), "{state}");
}

/// Owners whom the server cannot filter by time.
static UNFILTERED: Stream<()> = Stream { time: None, partition: Partition::Whole, ..fixtures::OWNERS };

static THINGS_OF_UNFILTERED: Stream<()> =
    Stream { partition: Partition::Parents(Parents { stream: &UNFILTERED, ..fixtures::PARENTS }), ..THINGS };

/// The times of owners that are listed by a read that continues from one that was stopped after
/// those that were created after this instant.
fn listed(stream: &'static Stream<()>, parents_after: &str) -> Vec<(Option<Timestamp>, Option<Until>)> {
    let unfinished =
        format!(r#"{{"version":1,"opened":{OPENED:?},"parents_after":{parents_after:?},"stopped":true}}"#);
    let mut lists = lists_of(stream, &format!(r#"{{"unfinished":{unfinished}}}"#));
    let mut listed = Vec::new();
    while let Some(request) = lists.next_request() {
        lists.observe(&request, Page::default()).unwrap();
        listed.push((request.slice.from, request.slice.until));
    }
    listed
}

#[test]
fn a_read_that_was_stopped_lists_only_parents_that_are_new_and_those_that_are_left() {
    let opened = testing::instant(OPENED);
    // A server may truncate the fraction.
    let left = Until::Before(testing::instant("2024-03-01T00:00:01Z"));
    let parts = [(Some(opened), None), (None, Some(left))];
    assert_eq!(listed(&THINGS, "2024-03-01T00:00:00.5Z"), parts);
}

#[test]
fn a_read_that_was_stopped_lists_all_parents_at_once_where_nothing_can_be_left_out() {
    assert_eq!(listed(&THINGS_OF_UNFILTERED, "2024-03-01T00:00:00Z"), [(None, None)]);
    // The last second before the opening.
    assert_eq!(listed(&THINGS, "2024-05-31T23:59:59Z"), [(None, None)]);
    assert_eq!(listed(&THINGS, "2024-05-31T23:59:58Z").len(), 2);
}

#[test]
fn a_read_that_is_stopped_among_new_owners_has_a_state_that_covers_their_things() {
    let state = r#"{"unfinished":{"version":1,"opened":"2024-01-02T00:00:00Z","parents_after":"2024-01-01T12:00:00Z","stopped":true}}"#;
    let mut lists = lists(state);
    let listing = lists.next_request().unwrap();
    lists.observe(&listing, Page { records: vec![owner(30)], ..Page::default() }).unwrap();
    // The page with the others is under way.
    assert_eq!(lists.next_request().unwrap().level, 1);
    // The new owner comes first, and what was read before says nothing of it.
    let first = lists.next_request().unwrap();
    assert_eq!(first.slice.parent.as_deref(), Some("30"));
    lists.stop();
    let thing = record("2024-01-02T07:00:00Z", "\"id\":\"thing\"");
    assert_eq!(lists.observe(&first, Page { records: vec![thing], ..Page::default() }).unwrap().len(), 1);
    assert_eq!((asked(&mut lists), lists.checkpoint()), (vec![], None));
    assert_eq!(lists.left_off().unwrap().replace("+00:00", "Z"), state);
    assert_eq!(lists.left_off(), None);
}
