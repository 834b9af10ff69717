//! Lists that are too large to answer, which are asked for in shorter times.

use super::*;
use crate::stream::Ends;

/// Things of which a response has too many.
static MANY_THINGS: Stream<()> = Stream { ends: Ends { too_large: half, ..Ends::USUAL }, ..THINGS };

/// Cuts a slice of more than a day into halves.
fn half(slice: &Slice) -> Option<Vec<Slice>> {
    let (from, span) = (slice.from?, slice.span()?);
    let boundary = from + span / 2;
    let below = Slice { until: Some(Until::Before(boundary)), ..slice.clone() };
    (span > SignedDuration::hours(24)).then(|| vec![below, Slice { from: Some(boundary), ..slice.clone() }])
}

/// The lists of owners `2`, `1` and `0` with the things of 64 days.
fn of_three_owners(stream: &'static Stream<()>) -> ByParent<()> {
    let range = TimeRange {
        end: Some(testing::instant("2024-03-05T00:00:00Z")),
        ..TimeRange::since(testing::instant("2024-01-01T00:00:00Z"))
    };
    let parents = stream.parents().unwrap();
    let state = State::default();
    let mut lists = ByParent::new(stream, parents, Rc::new(()), range, state, testing::instant(OPENED));
    let listing = lists.next_request().unwrap();
    let records = [2, 1, 0].map(|number| record(&day(number), &format!("\"id\":\"{number}\"")));
    lists.observe(&listing, Page { records: records.into(), ..Page::default() }).unwrap();
    lists
}

/// Answers all requests, and returns which days of which owner are asked for, from the first of the
/// year.
fn asked(lists: &mut ByParent<()>) -> Vec<(String, std::ops::Range<i64>)> {
    let mut asked = Vec::new();
    while let Some(request) = lists.next_request() {
        lists.observe(&request, Page::default()).unwrap();
        asked.push(days(&request));
    }
    asked.sort_by_key(|(owner, days)| (owner.clone(), days.start));
    asked
}

fn days(request: &PageRequest<()>) -> (String, std::ops::Range<i64>) {
    let slice = &request.slice;
    let from = slice.from.unwrap() - testing::instant("2024-01-01T00:00:00Z");
    let until = from + slice.span().unwrap();
    (slice.parent.clone().unwrap(), from.whole_days()..until.whole_days())
}

#[test]
fn a_list_that_is_too_large_is_asked_for_in_halves_and_so_are_those_after_it() {
    let mut lists = of_three_owners(&MANY_THINGS);
    let first = lists.next_request().unwrap();
    assert_eq!(days(&first), ("2".to_owned(), 0..64));
    assert!(lists.shorten(&first));
    let halves = ["0", "1", "2"].map(|owner| [(owner.to_owned(), 0..32), (owner.to_owned(), 32..64)]);
    assert_eq!(asked(&mut lists), halves.concat());
}

#[test]
fn a_list_that_is_being_read_is_not_cut_because_another_one_is_too_large() {
    let mut lists = of_three_owners(&MANY_THINGS);
    let (first, second) = (lists.next_request().unwrap(), lists.next_request().unwrap());
    assert!(lists.shorten(&second));
    lists.observe(&first, Page { next_token: Some("more".to_owned()), ..Page::default() }).unwrap();
    let rest = lists.next_request().unwrap();
    assert_eq!((days(&rest), rest.page_token.as_deref()), (("2".to_owned(), 0..64), Some("more")));
}

#[test]
fn a_list_that_cannot_be_cut_stays_as_it_is() {
    let mut lists = of_three_owners(&THINGS);
    let first = lists.next_request().unwrap();
    assert!(!lists.shorten(&first));
}
