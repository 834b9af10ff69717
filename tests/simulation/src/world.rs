//! The world of one instance of the connector: a clock that only moves when somebody waits, and a
//! server behind requests that arrive when the seed says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use wasmtime::component::ResourceTable;

use crate::dice::mix;
use crate::server::{Answer, Request, Server};

/// Nanoseconds of the server's time, since 1970.
pub(crate) type Time = i64;

pub(crate) const MILLISECOND: Time = 1_000_000;
pub(crate) const SECOND: Time = 1_000 * MILLISECOND;
pub(crate) const MINUTE: Time = 60 * SECOND;
pub(crate) const HOUR: Time = 60 * MINUTE;
pub(crate) const DAY: Time = 24 * HOUR;

/// More host calls than this in one sync are a loop.
const MOST_CALLS: u64 = 3_000_000;

/// Why the host ended an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The history says that the process dies at this call.
    Killed,
    /// All tasks wait, and nothing will ever happen.
    WaitsForNothing,
    /// There is no end of calls.
    Loops,
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Killed => "killed",
            Self::WaitsForNothing => "waits for nothing",
            Self::Loops => "calls the host without end",
        })
    }
}

impl std::error::Error for Ended {}

/// How long requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(crate) seed: u64,
    /// The longest time in either direction, in milliseconds.
    pub(crate) most: u64,
}

/// One request and what becomes of it.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) answer: Option<Answer>,
    /// When the head of the answer, or the failure, is there.
    pub(crate) head_at: Time,
    /// How much of the body has been read.
    pub(crate) read: usize,
}

/// What a guest can wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pollable {
    At(Time),
    Head(usize),
    Body(usize),
}

/// The data of a store.
pub(crate) struct World {
    pub(crate) table: ResourceTable,
    pub(crate) now: Time,
    /// The guest's clock minus the server's.
    pub(crate) skew: Time,
    /// The guest's clock jumps when this many requests have arrived.
    pub(crate) jump: Option<(u64, Time)>,
    pub(crate) server: Server,
    pub(crate) exchanges: Vec<Exchange>,
    arrivals: BinaryHeap<Reverse<(Time, usize)>>,
    latency: Latency,
    pub(crate) calls: u64,
    pub(crate) kill_at: Option<u64>,
    pub(crate) ended: Option<Ended>,
    /// What the guest logged.
    pub(crate) output: String,
}

impl World {
    pub(crate) fn new(server: Server, now: Time, latency: Latency) -> Self {
        Self {
            table: ResourceTable::new(),
            now,
            skew: 0,
            jump: None,
            server,
            exchanges: Vec::new(),
            arrivals: BinaryHeap::new(),
            latency,
            calls: 0,
            kill_at: None,
            ended: None,
            output: String::new(),
        }
    }

    /// Counts a call of the host.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.kill_at.is_some_and(|at| self.calls >= at) {
            return self.end(Ended::Killed);
        }
        if self.calls > MOST_CALLS {
            return self.end(Ended::Loops);
        }
        Ok(())
    }

    fn end<T>(&mut self, how: Ended) -> wasmtime::Result<T> {
        self.ended = Some(how);
        Err(how.into())
    }

    pub(crate) fn wall_clock(&self) -> Time {
        self.now + self.skew
    }

    pub(crate) fn note_log(&mut self, line: &str) {
        self.output.push_str(line);
        self.output.push('\n');
        self.server.log(self.now, || format!("log      {line}"));
    }

    /// Sends a request, which arrives later.
    pub(crate) fn send(&mut self, request: Request) -> usize {
        let index = self.exchanges.len();
        let delay = self.delay(index, 1);
        self.exchanges.push(Exchange { request, ..Exchange::default() });
        self.arrivals.push(Reverse((self.now + delay, index)));
        index
    }

    fn delay(&self, index: usize, direction: u64) -> Time {
        let roll = mix(self.latency.seed, mix(index as u64, direction));
        let most = self.latency.most.max(1) * 1_000_000;
        // One in sixteen takes the longest time, the others far less.
        let delay = if roll & 15 == 0 { most } else { 1 + (roll >> 8) % (most / 8).max(1) };
        Time::try_from(delay).unwrap_or(SECOND)
    }

    fn arrive(&mut self, at: Time, index: usize) {
        self.now = self.now.max(at);
        let back = self.delay(index, 2);
        let request = std::mem::take(&mut self.exchanges[index].request);
        let answer = self.server.answer(&request, self.now);
        self.exchanges[index].head_at = self.now + back + answer.delay();
        self.exchanges[index].request = request;
        self.exchanges[index].answer = Some(answer);
        if let Some((_, by)) = self.jump.take_if(|(after, _)| self.server.arrived() >= *after) {
            self.skew += by;
        }
    }

    pub(crate) fn is_ready(&self, pollable: Pollable) -> bool {
        self.ready_at(pollable).is_some_and(|at| at <= self.now)
    }

    /// When a pollable becomes ready, if that is known.
    fn ready_at(&self, pollable: Pollable) -> Option<Time> {
        match pollable {
            Pollable::At(at) => Some(at),
            Pollable::Head(index) => {
                self.exchanges[index].answer.as_ref().map(|_| self.exchanges[index].head_at)
            }
            Pollable::Body(index) => {
                let exchange = &self.exchanges[index];
                exchange.answer.as_ref().map(|answer| answer.ready_at(exchange.head_at, exchange.read))
            }
        }
    }

    /// Lets time pass until one of the pollables is ready. Returns which are.
    pub(crate) fn wait(&mut self, pollables: &[Pollable]) -> wasmtime::Result<Vec<u32>> {
        loop {
            let ready = (0_u32..).zip(pollables).filter(|(_, pollable)| self.is_ready(**pollable));
            let ready: Vec<u32> = ready.map(|(index, _)| index).collect();
            if !ready.is_empty() {
                return Ok(ready);
            }
            let next = pollables.iter().filter_map(|pollable| self.ready_at(*pollable)).min();
            match self.arrivals.peek().copied() {
                Some(Reverse((at, index))) if next.is_none_or(|next| at <= next) => {
                    self.arrivals.pop();
                    self.arrive(at, index);
                }
                _ => match next {
                    Some(next) => self.now = self.now.max(next),
                    None => return self.end(Ended::WaitsForNothing),
                },
            }
        }
    }
}
