//! Reads whole streams from a scripted server: one test per value of each column of the table. Most
//! of it are the rows and that server, which all of them share.

mod checks;
mod parents;
mod ranges;

use std::time::Duration;

use json_text::Fields;
use time::SignedDuration;

use super::*;
use crate::{
    api::Api,
    cursor::TimeRange,
    fixtures::{PARENTS, PlainServer, TIME},
    http::{Request, Response},
    instant::parse_instant,
    list::ListFields,
    page::Page,
    problem::Problem,
    ranges::Ranges,
    reader::Batch,
    record::{Hoist, Unsettled},
    request::{PageParameters, PageRequest},
    rows::{Nested, Rows},
    server::{Server, Verdict},
    slice::{Slice, Until},
    source::{Check, Settings},
    stream::{Absent, Answer, Carry, Ends, Parents, Parts, Place, TimeFilter, TimeForm},
    testing::{World, answer},
};

/// The columns that all lists of this API share.
const LIST: Stream<()> = Stream { group: "toys", requests: "1 per page", ..Stream::LIST };

/// A list without time filter and cursor.
static COUPONS: Stream<()> = Stream { name: "coupons", path: "coupons", page_limit: Some(2), ..LIST };

/// A list with a cursor that the server cannot filter by.
static ITEMS: Stream<()> = Stream { name: "items", path: "items", cursor: Some("created_at"), ..LIST };

/// Ranges of fixed width.
static VOLUMES: Stream<()> = Stream {
    name: "volumes",
    path: "volumes",
    cursor: Some("created_at"),
    time: Some(TIME),
    partition: Partition::Ranges(Ranges::of(SignedDuration::hours(96))),
    ..LIST
};

/// Ranges of days, which the server truncates, with a grace period.
static DAYS: Stream<()> = Stream {
    name: "days",
    path: "days",
    cursor: Some("created_at"),
    time: Some(TimeFilter { form: TimeForm::Date, ..TimeFilter::by_ends("start", "end") }),
    grace: Some(SignedDuration::hours(48)),
    partition: Partition::Ranges(Ranges {
        width: SignedDuration::hours(31 * 24),
        before: SignedDuration::hours(1),
        after: SignedDuration::hours(25),
        unit: SignedDuration::ZERO,
    }),
    ..LIST
};

/// One list per value of a filter.
static CHANGES: Stream<()> = Stream {
    name: "changes",
    path: "changes",
    carry: Carry { part_as: Some("status"), ..Carry::NOTHING },
    parts: Some(Parts { place: Place::Query("status"), values: |(), _| ["open", "done"].map(text).to_vec() }),
    ..LIST
};

/// Windows of time, per value of a filter.
static METRICS: Stream<()> = Stream {
    name: "metrics",
    path: "metrics",
    cursor: Some("created_at"),
    time: Some(TIME),
    partition: Partition::Windows,
    page_limit: Some(2),
    parts: Some(Parts { place: Place::Query("status"), values: |(), _| ["open", "done"].map(text).to_vec() }),
    ..LIST
};

/// The parents of most streams below.
static OWNERS: Stream<()> =
    Stream { name: "owners", path: "owners", cursor: Some("created_at"), page_limit: Some(2), ..LIST };

const OF_OWNER: Parents<()> = Parents { stream: &OWNERS, ..PARENTS };

/// One object per parent, whose id is in the query.
static UPCOMING: Stream<()> = Stream {
    name: "upcoming",
    path: "invoices/upcoming",
    answer: Answer::Object,
    carry: Carry {
        hoists: &[Hoist { object: "plan", fields: &[("id", "plan_id")], keep: true }],
        parent_as: Some("owner_id"),
        ..Carry::NOTHING
    },
    partition: Partition::Parents(Parents { place: Place::Query("owner_id"), ..OF_OWNER }),
    ..LIST
};

/// Numbered parts of a parent in the path, up to the first one that does not exist.
static VERSIONS: Stream<()> = Stream {
    name: "versions",
    path: "owners/{parent}/versions/{part}",
    answer: Answer::Object,
    carry: Carry { parent_as: Some("owner_id"), part_as: Some("version"), ..Carry::NOTHING },
    partition: Partition::Parents(OF_OWNER),
    parts: Some(Parts { place: Place::Path, values: |(), _| ["1", "2"].map(text).to_vec() }),
    ends: Ends {
        absent: Absent::EndOfParts(|part| (part.parse::<u32>().unwrap() + 1).to_string()),
        ..Ends::USUAL
    },
    ..LIST
};

/// Parents of parents.
static BLOCKS: Stream<()> = Stream {
    name: "blocks",
    path: "owners/{parent}/blocks",
    partition: Partition::Parents(OF_OWNER),
    ..LIST
};

static BLOCK_INVOICES: Stream<()> = Stream {
    name: "block_invoices",
    path: "blocks/{parent}/invoices",
    carry: Carry { parent_as: Some("block_id"), ..Carry::NOTHING },
    partition: Partition::Parents(Parents { stream: &BLOCKS, key: "block_id", deleted: None, ..PARENTS }),
    ..LIST
};

/// Records that are emitted while they can still change.
static INVOICES: Stream<()> = Stream {
    name: "invoices",
    path: "invoices",
    cursor: Some("created_at"),
    time: Some(TIME),
    partition: Partition::Windows,
    page_limit: Some(100),
    unsettled: Some(Unsettled {
        field: "status",
        values: &["issued", "synced"],
        at_most: Some(SignedDuration::hours(90 * 24)),
    }),
    ..LIST
};

/// A list that the server filters by another time than the cursor's.
static TRANSACTIONS: Stream<()> = Stream {
    name: "transactions",
    path: "owners/{parent}/transactions",
    cursor: Some("created_at"),
    time: Some(TimeFilter { slack: SignedDuration::hours(24), ..TIME }),
    partition: Partition::Parents(OF_OWNER),
    ..LIST
};

/// Hours, of which a response may hold a part without saying so.
static HOURS: Stream<()> = Stream {
    name: "hours",
    path: "hours",
    cursor: Some("created_at"),
    time: Some(TIME),
    partition: Partition::Ranges(Ranges {
        unit: SignedDuration::hours(1),
        ..Ranges::of(SignedDuration::hours(96))
    }),
    page_limit: Some(100),
    ends: Ends { may_be_silent: true, too_large: half, ..Ends::USUAL },
    ..LIST
};

fn half(slice: &Slice) -> Option<Vec<Slice>> {
    let (from, hours) = (slice.from?, slice.span()?.whole_hours());
    let boundary = from + SignedDuration::hours(hours / 2);
    let below = Slice { until: Some(Until::Before(boundary)), ..slice.clone() };
    (hours > 1).then(|| vec![below, Slice { from: Some(boundary), ..slice.clone() }])
}

/// Records within the records of another list.
static LINES: Stream<()> = Stream {
    name: "lines",
    rows: Rows::Nested(Nested {
        list: "lines",
        copied: &[("id", "invoice_id"), ("created_at", "created_at"), ("owner.id", "owner_id")],
    }),
    withheld: |()| &["issued"],
    ..INVOICES
};

/// A record that not every parent has.
static NOTES: Stream<()> = Stream {
    name: "notes",
    path: "owners/{parent}/note",
    answer: Answer::Object,
    partition: Partition::Parents(OF_OWNER),
    ends: Ends { absent: Absent::Nothing, ..Ends::USUAL },
    ..LIST
};

/// A list that not every server has.
static EVENTS: Stream<()> =
    Stream { name: "events", path: "events", ends: Ends { may_be_unknown: true, ..Ends::USUAL }, ..LIST };

/// A list that some servers do not have, per parent.
static OWNER_EVENTS: Stream<()> = Stream {
    name: "owner_events",
    path: "owners/{parent}/events",
    partition: Partition::Parents(OF_OWNER),
    ends: Ends { may_be_unknown: true, ..Ends::USUAL },
    ..LIST
};

static SLOW: RateClass = RateClass { name: "slow", per_second: Some(2.0), limit: None };

/// A list per parent, at most two requests per second.
static COSTS: Stream<()> = Stream {
    name: "costs",
    path: "owners/{parent}/costs",
    partition: Partition::Parents(OF_OWNER),
    rate: &SLOW,
    ..LIST
};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A source with all of these streams.
#[derive(Debug)]
struct Toy;

const START: &str = "2024-01-01T00:00:00Z";

impl Source for Toy {
    type Config = ();

    const STREAMS: &'static [&'static Stream<()>] = &[
        &COUPONS,
        &ITEMS,
        &VOLUMES,
        &DAYS,
        &CHANGES,
        &METRICS,
        &UPCOMING,
        &VERSIONS,
        &BLOCK_INVOICES,
        &INVOICES,
        &TRANSACTIONS,
        &HOURS,
        &LINES,
        &NOTES,
        &EVENTS,
        &OWNER_EVENTS,
        &COSTS,
    ];

    const SCHEMAS: &'static [(&'static str, &'static str)] = &[("", r#"{"properties":{}}"#)];

    fn specification() -> Specification {
        Specification {
            name: "toy",
            version: "1.0.0",
            config_schema: "{}",
            documentation_url: "https://toy",
            allowed_hosts: &[],
        }
    }

    fn config(_: &str) -> Result<()> {
        Ok(())
    }

    fn settings((): &()) -> Settings {
        Settings::usual(TimeRange::since(parse_instant(START).unwrap()))
    }

    fn api(_: Rc<()>) -> Rc<dyn Api<()>> {
        Rc::new(ToyApi)
    }

    fn check((): &()) -> Check {
        Check {
            request: Request::get("http://h", "ping", &[]),
            is_own: |body| body == b"pong",
            not_own: "not the API".into(),
            hint: "look at the address".into(),
            hint_in_outage: None,
            probe: None,
        }
    }
}

const _: () = Stream::check(Toy::STREAMS);

/// An API whose lists are `{"data": […], "next": …}`.
struct ToyApi;

impl Server for ToyApi {
    fn judge(&self, response: &Response) -> Verdict {
        PlainServer.judge(response)
    }
}

impl Api<()> for ToyApi {
    fn page_request(&self, request: &PageRequest<()>) -> Request {
        let query = request.query(&(), PageParameters { limit: "limit", token: "page" });
        Request::get("http://h", &request.path(), &query)
    }

    fn decode_page(&self, request: &PageRequest<()>, body: &[u8]) -> std::result::Result<Page, Problem> {
        let fields = ListFields { elements: "data", next_token: "next", may_omit_token: true };
        let page = fields.decode(request, &(), body)?;
        let is_full = request.page_limit.is_some_and(|limit| page.records.len() >= limit as usize);
        let is_cut_off = page.next_token.is_none() && is_full && request.stream.ends.may_be_silent;
        Ok(Page { is_cut_off, ..page })
    }
}

fn list(records: &[&str]) -> Response {
    answer(200, format!(r#"{{"data":[{}]}}"#, records.join(",")))
}

/// The list of three owners, in two pages.
fn owners(path: &str) -> Response {
    let owner = |id: &str, day: u32| format!(r#"{{"id":{id:?},"created_at":"2024-02-{day:02}T00:00:00Z"}}"#);
    if path.contains("page=") {
        list(&[&owner("c", 1)])
    } else {
        answer(200, format!(r#"{{"data":[{},{}],"next":"2"}}"#, owner("a", 3), owner("b", 2)))
    }
}

/// Returns the decoded path and query of a URL.
fn path(url: &str) -> String {
    url.trim_start_matches("GET ").trim_start_matches("http://h/").replace("%3A", ":").replace("%2B", "+")
}

/// The results of a read: records, checkpoints, requested paths, log lines.
struct Read {
    records: Vec<String>,
    checkpoints: Vec<String>,
    asked: Vec<String>,
    lines: Vec<String>,
    world: Rc<World>,
}

fn read(stream: &str, state: Option<&str>, mut script: impl FnMut(&str) -> Response + 'static) -> Read {
    let world = World::new(move |request: &Request| Ok(script(&path(&request.url))));
    let connector = Connector::<Toy>::new(world.platform(), Rc::default());
    let mut reader = connector.read("", stream, state).unwrap();
    let batches: Vec<Batch> = world.run(async {
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().await.unwrap() {
            batches.push(batch);
        }
        batches
    });
    let asked = world.requests.borrow().iter().map(|request| path(request)).collect();
    let lines = world.lines.borrow().iter().map(|(_, line)| line.clone()).collect();
    let (records, checkpoints): (Vec<_>, Vec<_>) =
        batches.into_iter().map(|batch| (batch.records, batch.checkpoint)).unzip();
    Read {
        records: records.concat(),
        checkpoints: checkpoints.into_iter().flatten().collect(),
        asked,
        lines,
        world,
    }
}

fn owners_or_nothing(path: &str) -> Response {
    if path.starts_with("owners?") { owners(path) } else { list(&[]) }
}

#[test]
fn a_list_without_time_filter_and_cursor_is_read_whole() {
    let read = read("coupons", None, |path| match path {
        "coupons?limit=2" => answer(200, r#"{"data":[{"id":1},{"id":2}],"next":"x"}"#),
        _ => list(&[r#"{"id":3}"#]),
    });
    assert_eq!(read.asked, ["coupons?limit=2", "coupons?limit=2&page=x"]);
    assert_eq!(read.records.len(), 3);
    assert_eq!(read.checkpoints, Vec::<String>::new());
}

#[test]
fn without_a_cursor_a_stream_is_discovered_for_full_refresh_only() {
    let world = World::new(|_| panic!("a request"));
    let discovered = Connector::<Toy>::new(world.platform(), Rc::default()).discover("").unwrap();
    let of = |name: &str| discovered.iter().find(|stream| stream.name == name).unwrap();
    assert_eq!((of("coupons").cursor, of("coupons").resumable), (None, false));
    assert_eq!((of("items").cursor, of("items").resumable), (Some("created_at"), false));
    assert_eq!((of("volumes").cursor, of("volumes").resumable), (Some("created_at"), true));
    assert_eq!((of("upcoming").cursor, of("upcoming").resumable), (None, true));
}

#[test]
fn without_default_groups_every_stream_is_selected_by_default() {
    let world = World::new(|_| panic!("a request"));
    let discovered = Connector::<Toy>::new(world.platform(), Rc::default()).discover("").unwrap();
    assert!(!discovered.is_empty() && discovered.iter().all(|stream| stream.selected_by_default));
}

#[test]
fn where_the_server_cannot_filter_by_time_older_records_are_dropped() {
    let at = |day: u32| format!(r#"{{"created_at":"2024-05-{day:02}T00:00:00Z"}}"#);
    let read =
        read("items", Some(&at(10)), move |_| list(&[&at(12), r#"{"id":"no time"}"#, &at(10), &at(9)]));
    assert_eq!(read.asked, ["items"]);
    assert_eq!(read.records.len(), 3);
    assert_eq!(read.checkpoints, [r#"{"created_at":"2024-05-12T00:00:00+00:00"}"#]);
}

#[test]
fn an_element_without_rows_holds_the_cursor_and_one_that_is_withheld_does_too() {
    let invoice = |day: &str, status: &str, lines: &str| {
        format!(
            r#"{{"id":"{day}","created_at":"2024-{day}T00:00:00Z","status":"{status}","owner":{{"id":1}},"lines":{lines}}}"#
        )
    };
    let cursor = |invoices: &[(&'static str, &'static str, &'static str)]| {
        let invoices: Vec<String> =
            invoices.iter().map(|(day, status, lines)| invoice(day, status, lines)).collect();
        let read =
            read("lines", None, move |_| list(&invoices.iter().map(String::as_str).collect::<Vec<_>>()));
        (read.records, read.checkpoints[0].clone())
    };
    let (records, state) = cursor(&[
        ("05-20", "paid", r#"[{"n":1},{"n":2}]"#),
        ("05-15", "issued", r#"[{"n":3}]"#),
        ("05-12", "synced", "[]"),
        ("05-11", "paid", "null"),
    ]);
    assert_eq!(
        records[1],
        r#"{"n":2,"invoice_id":"05-20","created_at":"2024-05-20T00:00:00Z","owner_id":1}"#
    );
    assert_eq!((records.len(), state.as_str()), (2, r#"{"created_at":"2024-05-12T00:00:00+00:00"}"#));
    let (records, state) = cursor(&[("05-20", "paid", "[]"), ("05-15", "issued", r#"[{"n":3}]"#)]);
    assert_eq!((records.len(), state.as_str()), (0, r#"{"created_at":"2024-05-15T00:00:00+00:00"}"#));
    let (records, state) = cursor(&[("05-20", "paid", "[]")]);
    assert_eq!((records.len(), state.as_str()), (0, r#"{"created_at":"2024-05-20T00:00:00+00:00"}"#));
}

#[test]
fn records_that_can_still_change_are_emitted_and_hold_the_cursor_for_so_long_at_most() {
    let invoice =
        |day: &str, status: &str| format!(r#"{{"created_at":"2024-{day}T00:00:00Z","status":"{status}"}}"#);
    let invoices = [("05-20", "paid"), ("05-10", "synced"), ("04-02", "issued"), ("02-01", "issued")];
    let read = read("invoices", None, move |_| {
        let records = invoices.map(|(day, status)| invoice(day, status));
        list(&records.iter().map(String::as_str).collect::<Vec<_>>())
    });
    assert_eq!(read.records.len(), 4);
    assert_eq!(read.checkpoints, [r#"{"created_at":"2024-04-02T00:00:00+00:00"}"#]);
}

#[test]
fn a_path_that_the_server_does_not_know_skips_the_stream_if_its_row_allows_for_it() {
    let read = read("events", None, |_| answer(405, ""));
    assert_eq!((read.records.len(), read.checkpoints.len()), (0, 0));
    assert_eq!(read.lines, ["events: skipped because the server does not have it: no such path"]);
    let of_owner = self::read("owner_events", None, |path| {
        if path.starts_with("owners?") { owners(path) } else { answer(405, "") }
    });
    assert_eq!(of_owner.lines, ["owner_events: skipped because the server does not have it: no such path"]);
    // Another server takes the path for that of a record.
    let read = self::read("events", None, |_| answer(404, ""));
    assert_eq!(read.lines, ["events: skipped because the server does not have it: gone"]);
    for (status, message) in
        [(405, "coupons: no such path"), (404, "coupons: gone; check the address of the API")]
    {
        let world = World::new(move |_| Ok(answer(status, "")));
        let mut reader =
            Connector::<Toy>::new(world.platform(), Rc::default()).read("", "coupons", None).unwrap();
        assert_eq!(world.run(reader.next_batch()).unwrap_err().message, message);
    }
}

#[test]
fn each_rate_class_has_a_pace_that_all_readers_share() {
    let (world, paces) = (World::new(|request| Ok(owners_or_nothing(&path(&request.url)))), Rc::default());
    let connector = Connector::<Toy>::new(world.platform(), Rc::clone(&paces));
    let mut readers = [0; 2].map(|_| connector.read("", "costs", None).unwrap());
    for reader in &mut readers {
        while world.run(reader.next_batch()).unwrap().is_some() {}
    }
    // Six requests at about two per second. Neither the first of them nor the owners' list has to
    // wait.
    let elapsed = world.elapsed();
    assert!((Duration::from_millis(2400)..=Duration::from_millis(2500)).contains(&elapsed), "{elapsed:?}");
}

#[test]
fn a_check_says_what_to_look_at() {
    let check = |response: Response| {
        let world = World::new(move |_| Ok(response.clone()));
        world.run(Connector::<Toy>::new(world.platform(), Rc::default()).check(""))
    };
    assert_eq!(check(answer(200, "pong")), Ok(()));
    assert_eq!(check(answer(200, "<html>")).unwrap_err().message, "not the API");
    assert_eq!(check(answer(404, "")).unwrap_err().message, "gone; look at the address");
    let outage = check(answer(500, "")).unwrap_err().message;
    assert!(outage.starts_with("an outage, which says nothing about the config: broken"), "{outage}");
}
