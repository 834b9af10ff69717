//! Tests the path and the query of requests.

use super::*;
use crate::{
    fixtures::{PARENTS, TIME},
    stream::{Object, Open, Parents, Partition, Parts, TimeFilter},
    testing::instant,
};

/// A list whose requests have all that a query can hold.
static VISITS: Stream<()> = Stream {
    path: "visits",
    filters: &[("sort", "newest"), ("status[]", "paid")],
    time: Some(TIME),
    partition: Partition::Parents(Parents { place: Place::Query("owner"), ..PARENTS }),
    parts: Some(Parts { place: Place::Query("currency"), values: |(), _| Vec::new() }),
    query: |(), slice| vec![("days", slice.span().map_or(0, SignedDuration::whole_days).to_string())],
    page_limit: Some(20),
    object: Some(Object { path: "visits/{id}/detail", id: "id" }),
    open: Some(&Open {
        field: "status",
        values: &["draft", "issued"],
        filter: "status[]",
        at_most: |()| None,
    }),
    ..Stream::LIST
};

static DAYS: Stream<()> = Stream {
    path: "owners/{parent}/days/{part}",
    time: Some(TimeFilter { form: TimeForm::Date, ..TimeFilter::by_ends("from", "until") }),
    ..Stream::LIST
};

fn query(request: &PageRequest<()>) -> Vec<String> {
    let query = request.query(&(), PageParameters { limit: "limit", token: "page" });
    query.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn slice(from: &str, until: Until) -> Slice {
    let (parent, part) = (Some("o 1/2".into()), Some("eur".into()));
    Slice { parent, part, from: Some(instant(from)), until: Some(until), ..Slice::default() }
}

fn january() -> Slice {
    slice("2024-01-01T00:00:00Z", Until::Before(instant("2024-02-01T00:00:00Z")))
}

#[test]
fn a_query_has_what_the_row_and_the_slice_say() {
    let request = PageRequest { page_token: Some("next".into()), ..PageRequest::new(&VISITS, january()) };
    let expected = [
        "limit=20",
        "sort=newest",
        "status[]=paid",
        "from=2024-01-01T00:00:00+00:00",
        "before=2024-02-01T00:00:00+00:00",
        "owner=o 1/2",
        "currency=eur",
        "days=31",
        "page=next",
    ];
    assert_eq!((request.path().as_str(), query(&request)), ("visits", expected.map(str::to_owned).to_vec()));
    let slice = slice("2024-01-01T00:00:00Z", Until::Including(instant("2024-01-01T00:00:00.5Z")));
    let first = query(&PageRequest::new(&VISITS, slice));
    assert_eq!(first[4], "until=2024-01-01T00:00:00.5+00:00");
    assert_eq!(first.last().unwrap(), "days=0", "the first page has no token");
}

#[test]
fn a_list_without_pages_is_asked_for_neither_a_page_size_nor_a_page() {
    let whole = PageRequest::new(&VISITS, Slice::default());
    let request = PageRequest { page_limit: None, page_token: Some("next".into()), ..whole };
    assert_eq!(query(&request), ["sort=newest", "status[]=paid", "days=0"]);
}

#[test]
fn open_objects_are_asked_for_by_their_values_instead_of_those_of_the_list() {
    let slice = Slice { scope: Scope::Open, ..Slice::default() };
    let open = query(&PageRequest::new(&VISITS, slice));
    assert_eq!(open, ["limit=20", "sort=newest", "days=0", "status[]=draft", "status[]=issued"]);
}

#[test]
fn a_single_object_is_asked_for_by_its_path_alone() {
    let request = PageRequest::new(&VISITS, Slice { scope: Scope::Object, ..january() });
    assert_eq!((request.path().as_str(), query(&request)), ("visits/o%201%2F2/detail", Vec::new()));
    assert!(matches!(request.answer(), Answer::Object));
    assert!(matches!(PageRequest::new(&VISITS, january()).answer(), Answer::List));
}

#[test]
fn ids_in_a_path_are_encoded() {
    assert_eq!(PageRequest::new(&DAYS, january()).path(), "owners/o%201%2F2/days/eur");
}

#[test]
fn where_only_days_can_be_requested_every_day_that_is_touched_is() {
    for (until, day) in [
        ("2024-02-01T00:00:00Z", "until=2024-02-01"),
        ("2024-02-01T00:00:01Z", "until=2024-02-02"),
        ("2024-02-29T23:59:59Z", "until=2024-03-01"),
    ] {
        let slice = slice("2024-01-01T23:59:59Z", Until::Before(instant(until)));
        assert_eq!(query(&PageRequest::new(&DAYS, slice)), ["from=2024-01-01", day]);
    }
}
