//! Reads that are stopped again and again, each continuing where the last one was left off.

mod answers;
mod in_flight;

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use json_text::Fields;
use time::{SignedDuration, Timestamp};

use super::*;
use crate::{
    api::Api,
    cursor::TimeRange,
    fetch::Fetcher,
    fixtures::{PARENTS, PlainServer, TIME},
    http::{Request, Response},
    instant::{format_instant, parse_instant},
    list::ListFields,
    pace::Paces,
    partition::open::open,
    problem::Problem,
    ranges::Ranges,
    record::Unsettled,
    request::PageParameters,
    retry::RetryPolicy,
    server::{Server, Verdict},
    state::State,
    stream::{Parents, Partition},
    testing::{World, answer, instant},
};

const LIST: Stream<()> = Stream { page_limit: Some(100), cursor: Some("created_at"), ..Stream::LIST };

static CUSTOMERS: Stream<()> =
    Stream { name: "customers", path: "customers", time: Some(TIME), partition: Partition::Windows, ..LIST };

/// Customers of whom the oldest can still change.
static PENDING: Stream<()> =
    Stream { unsettled: Some(Unsettled { field: "pending", values: &["yes"], at_most: None }), ..CUSTOMERS };

/// Customers who are read again from time to time.
static SWEPT: Stream<()> = Stream { sweep: |()| Some(SignedDuration::hours(24)), ..CUSTOMERS };

/// One list per customer, some of several pages.
static ENTRIES: Stream<()> = Stream {
    name: "entries",
    path: "customers/{parent}/entries",
    partition: Partition::Parents(Parents { stream: &CUSTOMERS, ..PARENTS }),
    ..LIST
};

static BLOCKS: Stream<()> = Stream { name: "blocks", path: "customers/{parent}/blocks", ..ENTRIES };

/// One list per block, of which a customer has three.
static PARTS: Stream<()> = Stream {
    name: "parts",
    path: "blocks/{parent}/parts",
    partition: Partition::Parents(Parents { stream: &BLOCKS, ..PARENTS }),
    ..LIST
};

static GRANTS: Stream<()> = Stream { name: "grants", path: "customers/{parent}/grants", ..ENTRIES };

/// One list per grant, which only one of twenty customers has.
static USES: Stream<()> = Stream {
    name: "uses",
    path: "grants/{parent}/uses",
    partition: Partition::Parents(Parents { stream: &GRANTS, ..PARENTS }),
    ..LIST
};

/// Hours, in ranges of four days, up to now.
static HOURS: Stream<()> = Stream {
    name: "hours",
    path: "hours",
    time: Some(TIME),
    grace: Some(SignedDuration::hours(35 * 24)),
    partition: Partition::Ranges(Ranges {
        unit: SignedDuration::hours(1),
        ..Ranges::of(SignedDuration::hours(96))
    }),
    ..LIST
};

/// A list that can only be read whole.
static ITEMS: Stream<()> = Stream { name: "items", path: "items", cursor: None, ..LIST };

const START: &str = "2021-01-01T00:00:00Z";

/// The customers, newest first, in bursts and alone.
fn customers(count: i64) -> Vec<(i64, Timestamp)> {
    let mut at = instant("2024-05-31T12:00:00Z");
    let mut random = fastrand::Rng::with_seed(7);
    let mut customers = Vec::new();
    for number in (0..count).rev() {
        customers.push((number, at));
        let seconds = if random.u8(0..4) == 0 { random.i64(0..8_000) } else { random.i64(0..100) };
        at -= SignedDuration::milliseconds(seconds * 1000 + random.i64(1..1000));
    }
    customers
}

fn object(id: &str, at: Timestamp, more: &str) -> String {
    format!(r#"{{"id":{id:?},"created_at":"{}"{more}}}"#, format_instant(at))
}

/// A server with so many customers.
fn serve(customers: &[(i64, Timestamp)], request: &Request) -> Response {
    let url = request.url.trim_start_matches("http://h/").replace("%3A", ":").replace("%2B", "+");
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let at = |name: &str| field(name).map(|text| parse_instant(text).unwrap());
    let (from, until, before) = (at("from"), at("until"), at("before"));
    let is_wanted = |at: Timestamp| {
        from.is_none_or(|from| at >= from)
            && until.is_none_or(|until| at <= until)
            && before.is_none_or(|before| at < before)
    };
    let skip: usize = field("page").map_or(0, |page| page.parse().unwrap());
    // One more than a page holds tells whether there is a next one.
    let mut rows: Vec<String> = match path.split('/').collect::<Vec<_>>()[..] {
        ["customers"] => {
            let wanted = customers.iter().filter(|(_, at)| is_wanted(*at));
            let pending = |number| if number == 5 { r#","pending":"yes""# } else { "" };
            let wanted = wanted.skip(skip).take(101);
            wanted.map(|(number, at)| object(&number.to_string(), *at, pending(*number))).collect()
        }
        ["customers", id, "entries"] => {
            let count = match id.parse::<i64>().unwrap() {
                id if id % 50 == 0 => 350,
                id => id % 5,
            };
            let at = instant("2024-03-01T00:00:00Z");
            (0..count).skip(skip).take(101).map(|number| object(&format!("{id}-{number}"), at, "")).collect()
        }
        ["customers", id, "blocks"] => {
            let at = instant("2024-02-01T00:00:00Z");
            (0..3).map(|number| object(&format!("{id}-{number}"), at, "")).collect()
        }
        ["blocks", id, "parts"] => vec![object(&format!("{id}-part"), instant("2024-02-01T00:00:00Z"), "")],
        ["customers", id, "grants"] => match id.parse::<i64>().unwrap() % 20 {
            0 => vec![object(&format!("{id}-grant"), instant("2024-02-01T00:00:00Z"), "")],
            _ => Vec::new(),
        },
        ["grants", id, "uses"] => vec![object(&format!("{id}-use"), instant("2024-02-01T00:00:00Z"), "")],
        ["hours"] => {
            let hours = (0..).map(|hour| from.unwrap() + SignedDuration::hours(hour));
            let hours = hours.take_while(|at| *at < before.unwrap());
            hours.map(|at| object(&format_instant(at), at, "")).collect()
        }
        ["items"] => {
            let at = instant("2024-02-01T00:00:00Z");
            (skip..1500).take(101).map(|number| object(&number.to_string(), at, "")).collect()
        }
        _ => panic!("{path}"),
    };
    let next = if rows.len() > 100 { format!("\"{}\"", skip + 100) } else { "null".to_owned() };
    rows.truncate(100);
    answer(200, format!(r#"{{"data":[{}],"next":{next}}}"#, rows.join(",")))
}

struct Toy;

impl Server for Toy {
    fn judge(&self, response: &Response) -> Verdict {
        match response.status {
            402 => Verdict::Unavailable("not paid for".into()),
            _ => PlainServer.judge(response),
        }
    }
}

impl Api<()> for Toy {
    fn page_request(&self, request: &PageRequest<()>) -> Request {
        let query = request.query(&(), PageParameters { limit: "limit", token: "page" });
        Request::get("http://h", &request.path(), &query)
    }

    fn decode_page(&self, request: &PageRequest<()>, body: &[u8]) -> std::result::Result<Page, Problem> {
        ListFields { elements: "data", next_token: "next", may_omit_token: true }.decode(request, &(), body)
    }
}

fn tools(world: &Rc<World>) -> Tools<()> {
    let api: Rc<dyn Api<()>> = Rc::new(Toy);
    let fetcher = Fetcher::new(world.platform(), api.clone(), RetryPolicy::CHECK, Rc::<Paces>::default());
    Tools { config: Rc::new(()), api, fetcher, platform: world.platform() }
}

/// Opens a stream that continues from this state.
fn reader(world: &Rc<World>, stream: &'static Stream<()>, state: &str, concurrency: usize) -> Reader<()> {
    let state = State::parse(state, stream.cursor, stream.parents().map(|parents| parents.key)).unwrap();
    let range = TimeRange::since(instant(START));
    let slices = open(stream, Rc::new(()), range, state, instant("2024-06-01T00:00:00Z"));
    Reader::new(stream, slices, tools(world), concurrency)
}

/// What a series of slices adds up to.
#[derive(Debug, Default)]
struct Tally {
    slices: usize,
    requests: usize,
    emitted: usize,
    ids: BTreeSet<String>,
    /// The most requests that were begun after a slice was told to stop.
    most_after_stop: usize,
    last: Option<String>,
}

/// Reads a stream in slices of so many requests.
fn read(stream: &'static Stream<()>, count: i64, concurrency: usize, requests: usize) -> Tally {
    let mut tally = Tally::default();
    let customers: Rc<[(i64, Timestamp)]> = customers(count).into();
    let random = Rc::new(RefCell::new(fastrand::Rng::with_seed(concurrency as u64)));
    loop {
        let customers = Rc::clone(&customers);
        let random = Rc::clone(&random);
        let world = World::new(move |request: &Request| Ok(serve(&customers, request)))
            .with_latencies(move || Duration::from_millis(random.borrow_mut().u64(20..200)));
        let mut reader = reader(&world, stream, tally.last.as_deref().unwrap_or("{}"), concurrency);
        let (mut stopped_at, mut uncovered) = (None, 0);
        while let Some(batch) = world.run(reader.next_batch()).unwrap() {
            let ids = batch
                .records
                .iter()
                .map(|json| Fields::decode(json).unwrap().text("id").unwrap().into_owned());
            tally.ids.extend(ids);
            tally.emitted += batch.records.len();
            uncovered += batch.records.len();
            if let Some(checkpoint) = batch.checkpoint {
                (tally.last, uncovered) = (Some(checkpoint), 0);
            }
            let begun = world.requests.borrow().len();
            if begun >= requests && stopped_at.is_none() {
                stopped_at = Some(begun);
                reader.stop();
            }
            assert!(!reader.is_complete());
        }
        let begun = world.requests.borrow().len();
        tally.requests += begun;
        tally.slices += 1;
        tally.most_after_stop = tally.most_after_stop.max(begun - stopped_at.unwrap_or(begun));
        if reader.is_complete() {
            return tally;
        }
        assert_eq!(uncovered, 0, "records that no checkpoint covers");
        assert!(tally.slices < 1000, "{tally:?}");
    }
}

/// Reads a stream in slices at several numbers of requests in flight. A slice may make `overhead`
/// requests more than its share.
fn verify(stream: &'static Stream<()>, count: i64, requests: usize, overhead: usize, expected: usize) {
    let whole = read(stream, count, 16, usize::MAX);
    assert_eq!((whole.ids.len(), whole.emitted), (expected, expected));
    for concurrency in [1, 4, 6, 16] {
        let tally = read(stream, count, concurrency, requests);
        let Tally { slices, requests, emitted, most_after_stop, .. } = tally;
        let found = format!(
            "{} at {concurrency}: {slices} slices, {requests} requests instead of {}, {emitted} records \
             instead of {expected}, at most {most_after_stop} requests after the stop",
            stream.name, whole.requests
        );
        assert!(tally.ids == whole.ids, "{found}");
        assert!(slices >= 15, "{found}");
        assert!(emitted * 100 <= expected * 101, "{found}");
        assert!(requests <= whole.requests + slices * overhead, "{found}");
        assert!(most_after_stop <= 5 * concurrency, "{found}");
    }
}

#[test]
fn a_read_that_is_stopped_is_left_off_and_continued_until_it_is_complete() {
    for stream in [&ENTRIES, &BLOCKS, &PARTS] {
        let whole = read(stream, 30, 2, usize::MAX);
        let tally = read(stream, 30, 2, 10);
        assert_eq!((&tally.ids, tally.emitted), (&whole.ids, whole.emitted), "{}", stream.name);
        assert_eq!(whole.slices, 1);
        assert!(tally.slices >= 3, "{}: {} slices", stream.name, tally.slices);
    }
}

#[test]
fn each_slice_goes_on_with_lists_whose_parents_are_few_among_many_lists() {
    let whole = read(&USES, 200, 5, usize::MAX);
    let tally = read(&USES, 200, 5, 30);
    assert_eq!((tally.ids.len(), tally.emitted), (10, 10));
    assert!(tally.requests <= whole.requests * 3 / 2, "{} instead of {}", tally.requests, whole.requests);
}

#[test]
fn windows_are_left_off_in_their_midst_and_nothing_is_read_twice() {
    verify(&CUSTOMERS, 60_000, 10, 4, 60_000);
}

#[test]
fn a_list_with_a_memory_is_left_off_as_well() {
    verify(&SWEPT, 20_000, 10, 4, 20_000);
}

#[test]
fn a_record_that_holds_the_cursor_does_not_hold_a_read_that_was_stopped() {
    verify(&PENDING, 60_000, 10, 4, 60_000);
    let last = read(&PENDING, 5_000, 4, 10).last.unwrap();
    let oldest = customers(5_000).into_iter().find(|(number, _)| *number == 5).unwrap().1;
    assert_eq!(last, format!(r#"{{"created_at":"{}"}}"#, format_instant(oldest)));
}

#[test]
fn lists_of_parents_are_read_to_their_end_and_the_others_later() {
    let entries = |id: i64| if id % 50 == 0 { 350 } else { id % 5 };
    verify(&ENTRIES, 5000, 45, 3, (0..5000).map(entries).sum::<i64>() as usize);
}

#[test]
fn of_parents_of_parents_all_lists_of_one_are_read() {
    verify(&PARTS, 1000, 45, 6, 3000);
}

#[test]
fn ranges_go_on_with_the_next_one() {
    let hours = (instant("2024-06-01T00:00:00Z") - instant(START)).whole_hours();
    verify(&HOURS, 1, 3, 1, hours as usize);
}

#[test]
fn a_list_that_cannot_be_continued_is_read_to_its_end() {
    let tally = read(&ITEMS, 1, 4, 3);
    assert_eq!((tally.slices, tally.emitted, tally.requests), (1, 1500, 15));
}
