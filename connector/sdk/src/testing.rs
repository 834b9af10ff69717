//! A platform for tests: a scripted server, a simulated clock and a recording log.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use futures_util::future::{LocalBoxFuture, poll_fn};
use time::{SignedDuration, Timestamp};

use crate::{
    clock::Clock,
    executor::block_on,
    http::{Request, Response, Transport, TransportError},
    instant::parse_instant,
    log::{Level, Log},
    platform::Platform,
    progress::Progress,
};

/// Parses an instant.
///
/// # Panics
/// If the text is not a timestamp.
pub fn instant(text: &str) -> Timestamp {
    parse_instant(text).unwrap()
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("requests", &self.requests).finish_non_exhaustive()
    }
}

type Script = dyn FnMut(&Request) -> Result<Response, TransportError>;

/// A simulated world. Time passes only while every future waits.
pub struct World {
    now: Cell<Timestamp>,
    sleepers: RefCell<Vec<(Timestamp, Waker)>>,
    latency: RefCell<Box<dyn FnMut() -> Duration>>,
    script: RefCell<Box<Script>>,
    /// Method and URL of every request, in order.
    pub requests: RefCell<Vec<String>>,
    /// The most requests that were in flight at once.
    pub most_in_flight: Cell<usize>,
    in_flight: Cell<usize>,
    /// Every instant that was reported as the end of a rate limit.
    pub rate_limits: RefCell<Vec<Timestamp>>,
    /// Every progress report: the slices read, and their total.
    pub slices: RefCell<Vec<(u64, Option<u64>)>>,
    /// Every log message.
    pub lines: RefCell<Vec<(Level, String)>>,
}

impl World {
    /// Creates a world whose server answers with `script`.
    pub fn new(script: impl FnMut(&Request) -> Result<Response, TransportError> + 'static) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(instant("2024-06-01T00:00:00Z")),
            sleepers: RefCell::default(),
            latency: RefCell::new(Box::new(|| Duration::ZERO)),
            script: RefCell::new(Box::new(script)),
            requests: RefCell::default(),
            most_in_flight: Cell::default(),
            in_flight: Cell::default(),
            rate_limits: RefCell::default(),
            slices: RefCell::default(),
            lines: RefCell::default(),
        })
    }

    /// Delays every response by `latency`.
    pub fn with_latency(self: Rc<Self>, latency: Duration) -> Rc<Self> {
        self.with_latencies(move || latency)
    }

    /// Delays each response by what `latency` returns for it.
    pub fn with_latencies(self: Rc<Self>, latency: impl FnMut() -> Duration + 'static) -> Rc<Self> {
        *self.latency.borrow_mut() = Box::new(latency);
        self
    }

    /// Returns the platform of this world.
    pub fn platform(self: &Rc<Self>) -> Platform {
        let outside = Rc::new(Outside(Rc::clone(self)));
        Platform {
            transport: outside.clone(),
            clock: outside.clone(),
            log: outside.clone(),
            progress: outside,
        }
    }

    /// Lets time pass between two reads.
    pub fn advance(&self, duration: Duration) {
        self.now.set(self.now.get() + SignedDuration::try_from(duration).unwrap());
    }

    /// Returns how much time has passed.
    pub fn elapsed(&self) -> Duration {
        (self.now.get() - instant("2024-06-01T00:00:00Z")).try_into().unwrap()
    }

    /// Runs a future. While it waits, the clock jumps to the end of the next sleep.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        block_on(future, || {
            let mut sleepers = self.sleepers.borrow_mut();
            let next = sleepers.iter().map(|(until, _)| *until).min().expect("no future is sleeping");
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
        let latency = (world.latency.borrow_mut())();
        let latency = world.sleep(latency);
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

/// Creates a response with this status and body.
pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response { status, headers: Vec::new(), body: body.into() }
}
