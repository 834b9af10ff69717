//! The outside world for tests: a scripted server, a clock that jumps, a log that remembers.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use futures_util::future::{LocalBoxFuture, poll_fn};
use time::{SignedDuration, Timestamp};

use crate::sdk::{
    api::{Api, Verdict},
    clock::Clock,
    error::Error,
    executor::block_on,
    http::{Request, Response, Transport, TransportError},
    instant::parse_instant,
    log::{Level, Log},
    page::Page,
    platform::Platform,
    progress::Progress,
    record::Record,
    slice::{Ask, Until},
    stream::{Bounds, Parents, Shape, Slicing, Stream},
};

/// Parses an instant.
pub(crate) fn instant(text: &str) -> Timestamp {
    parse_instant(text).unwrap()
}

/// A record at an instant.
pub(crate) fn record_at(text: &str) -> Record {
    Record { json: format!("{{\"created_at\":{text:?}}}"), position: parse_instant(text), provisional: false }
}

const BOUNDS: Bounds = Bounds { from: "from", including: "until", before: "before" };

/// A plain stream, sliced by windows.
pub(crate) fn stream() -> Stream {
    Stream { name: "things", path: "things", page_limit: Some(100), ..OWNERS }
}

/// A stream to be a parent.
pub(crate) static OWNERS: Stream = Stream {
    name: "owners",
    path: "owners",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: Some(2),
    bounds: BOUNDS,
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    is_enriched: false,
    provisional: None,
    schema: "owners.json",
};

/// The parents of a stream.
pub(crate) fn parents() -> Parents {
    Parents { stream: &OWNERS, id: "id", key: "owner_id", deleted: Some("deleted"), grace: None }
}

type Script = dyn FnMut(&Request) -> Result<Response, TransportError>;

/// A world in which time passes only when everybody waits.
pub(crate) struct World {
    now: Cell<Timestamp>,
    sleepers: RefCell<Vec<(Timestamp, Waker)>>,
    latency: Cell<Duration>,
    script: RefCell<Box<Script>>,
    /// Method and URL of every request, in order.
    pub(crate) requests: RefCell<Vec<String>>,
    /// The most requests that were in flight at once.
    pub(crate) most_in_flight: Cell<usize>,
    in_flight: Cell<usize>,
    /// Until when the server was said to refuse requests, each time.
    pub(crate) rate_limits: RefCell<Vec<Timestamp>>,
    /// How many slices were said to be read, and of how many, each time.
    pub(crate) slices: RefCell<Vec<(u64, Option<u64>)>>,
    /// Every log line.
    pub(crate) lines: RefCell<Vec<(Level, String)>>,
}

impl World {
    /// A world whose server answers as `script` says.
    pub(crate) fn new(
        script: impl FnMut(&Request) -> Result<Response, TransportError> + 'static,
    ) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(instant("2024-06-01T00:00:00Z")),
            sleepers: RefCell::default(),
            latency: Cell::default(),
            script: RefCell::new(Box::new(script)),
            requests: RefCell::default(),
            most_in_flight: Cell::default(),
            in_flight: Cell::default(),
            rate_limits: RefCell::default(),
            slices: RefCell::default(),
            lines: RefCell::default(),
        })
    }

    /// Makes every answer take that long.
    pub(crate) fn with_latency(self: Rc<Self>, latency: Duration) -> Rc<Self> {
        self.latency.set(latency);
        self
    }

    /// The seams to this world.
    pub(crate) fn platform(self: &Rc<Self>) -> Platform {
        let outside = Rc::new(Outside(Rc::clone(self)));
        Platform {
            transport: outside.clone(),
            clock: outside.clone(),
            log: outside.clone(),
            progress: outside,
        }
    }

    /// How long this world has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        (self.now.get() - instant("2024-06-01T00:00:00Z")).try_into().unwrap()
    }

    /// Runs a future; whenever it waits, the clock jumps to the next moment that somebody waits for.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        block_on(future, || {
            let mut sleepers = self.sleepers.borrow_mut();
            let next = sleepers.iter().map(|(until, _)| *until).min().expect("nobody waits for anything");
            self.now.set(self.now.get().max(next));
            for (_, waker) in sleepers.extract_if(.., |(until, _)| *until <= next) {
                waker.wake();
            }
        })
    }

    fn sleep(self: &Rc<Self>, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let world = Rc::clone(self);
        let until = world.now.get() + SignedDuration::try_from(duration).unwrap();
        Box::pin(poll_fn(move |context| {
            if world.now.get() >= until {
                return Poll::Ready(());
            }
            world.sleepers.borrow_mut().push((until, context.waker().clone()));
            Poll::Pending
        }))
    }
}

struct Outside(Rc<World>);

impl Transport for Outside {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let world = Rc::clone(&self.0);
        world.requests.borrow_mut().push(request.to_string());
        world.in_flight.set(world.in_flight.get() + 1);
        world.most_in_flight.set(world.most_in_flight.get().max(world.in_flight.get()));
        let response = (world.script.borrow_mut())(&request);
        let latency = world.sleep(world.latency.get());
        Box::pin(async move {
            latency.await;
            world.in_flight.set(world.in_flight.get() - 1);
            response
        })
    }
}

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

impl Progress for Outside {
    fn rate_limited(&self, until: Timestamp) {
        self.0.rate_limits.borrow_mut().push(until);
    }

    fn slices(&self, done: u64, total: Option<u64>) {
        self.0.slices.borrow_mut().push((done, total));
    }
}

impl Log for Outside {
    fn log(&self, level: Level, message: &str) {
        self.0.lines.borrow_mut().push((level, message.to_owned()));
    }
}

/// A list as a server keeps it, newest first, with a page for every ask.
pub(crate) struct List(Vec<Timestamp>);

impl List {
    /// A list of records at these instants; each one's text tells its place in the list.
    pub(crate) fn new(mut positions: Vec<Timestamp>) -> Self {
        positions.sort_unstable_by(|one, other| other.cmp(one));
        Self(positions)
    }

    /// The page that is asked for, by the conventions of keyset paging.
    pub(crate) fn page(&self, ask: &Ask) -> Page {
        let skip = ask.page_token.as_ref().map_or(0, |token| token.parse().unwrap());
        let is_wanted = |position: &Timestamp| {
            let below = match ask.slice.until {
                Some(Until::Including(until)) => *position <= until,
                Some(Until::Before(until)) => *position < until,
                None => true,
            };
            below && ask.slice.from.is_none_or(|from| *position >= from)
        };
        let limit = usize::try_from(ask.stream.page_limit.unwrap()).unwrap();
        let mut wanted = self.0.iter().enumerate().filter(|(_, position)| is_wanted(position)).skip(skip);
        let records: Vec<Record> =
            wanted.by_ref().take(limit).map(|(index, position)| self.record(index, *position)).collect();
        let next_token = wanted.next().is_some().then(|| (skip + limit).to_string());
        Page { records, next_token, bytes: 0, is_cut_off: false }
    }

    fn record(&self, index: usize, position: Timestamp) -> Record {
        Record { json: index.to_string(), position: Some(position), provisional: false }
    }

    /// Where the record with this text stands.
    pub(crate) fn position(&self, json: &str) -> Timestamp {
        self.0[json.parse::<usize>().unwrap()]
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// An answer with this status and body.
pub(crate) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, headers: Vec::new(), body: body.into() }
}

/// An API that takes every status as what it usually is.
pub(crate) struct PlainApi;

impl Api for PlainApi {
    fn page_request(&self, ask: &Ask) -> Request {
        Request::get("http://h", ask.stream.path, &[])
    }

    fn judge(&self, response: &Response) -> Verdict {
        match response.status {
            200 => Verdict::Complete,
            429 => Verdict::RateLimited(Error::transient("too many")),
            500 => Verdict::Retry(Error::transient("broken").internal("why")),
            404 => Verdict::Absent("gone".into()),
            _ => Verdict::Fail(Error::config("wrong")),
        }
    }

    fn decode_page(&self, _: &Ask, _: &[u8]) -> Result<Page, String> {
        Ok(Page::default())
    }
}
