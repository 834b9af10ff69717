//! Limits how fast requests are started.
//!
//! Requests of one rate class share a pace, so that it is learnt only once. Instances of a
//! connector that read other streams of the same account share the server's limit, but know nothing
//! of each other.
//!
//! The share of refusals shows how far the pace is above the server's rate limit. An occasional
//! refusal means nothing. If more than one in six is refused, the pace drops by a third, and then
//! grows steadily, so that it stays close to the limit. All paces grow by a similar amount but drop
//! by a fraction of themselves, so that those of several instances become equal. Starts are
//! scattered, or an instance that starts in step with the server would leave nothing to the others.

use std::{cell::RefCell, collections::VecDeque, time::Duration};

use time::{SignedDuration, Timestamp};

/// How many responses to remember for measuring the served rate: more than arrive in a second.
const REMEMBERED: usize = 256;

/// How many of them count for the share of refusals.
const RECENT: usize = 24;

/// The pace is too fast if more than one response in this many is a refusal, and there are at least
/// `A_FEW`.
const TOLERATED: usize = 6;
const A_FEW: usize = 3;

/// Slow down to the share of requests that was served, but to no more and no less than these
/// fractions of the pace.
const BACK_OFF: f64 = 0.7;
const BACK_OFF_AT_MOST: f64 = 0.4;

/// Refusals of requests that started sooner than this after the pace was slowed are ignored, since
/// they are due to the pace before: a second, in which servers count, or the time of two requests.
const SETTLING: SignedDuration = SignedDuration::seconds(1);
const SETTLING_REQUESTS: f64 = 2.0;

/// The first pace that is learnt is at most this fraction of the rate at which the server has been
/// serving.
const OF_SERVED: f64 = 0.95;

/// The pace grows by this fraction of its [ceiling](Pace::ceiling) per second, and faster once
/// `CALM` requests in a row were served, so that a raised limit is used within a minute. One
/// response adds at most `SPEED_UP_ONCE` of the pace.
const SPEED_UP: f64 = 0.01;
const SPEED_UP_IN_CALM: f64 = 0.04;
const CALM: u32 = 48;
const SPEED_UP_ONCE: f64 = 0.3;

/// The longest time that counts for the growth from one response to the next, in seconds.
const LONGEST_GROWTH: f64 = 5.0;

/// How much of the ceiling is left each time that the pace is too fast.
const CEILING_LEFT: f64 = 0.6;

/// By how much the time between two starts differs from the pace at most, as a fraction. A slower
/// pace than `SCATTERED` is scattered less: such a server allows no bursts.
const SCATTER: f64 = 0.75;
const SCATTERED: f64 = 3.0;

/// The slowest pace, in requests per second.
const SLOWEST: f64 = 0.2;

/// A class of requests that share one of the server's rate limits.
#[derive(Debug, Clone, Copy)]
pub struct RateClass {
    /// Unique name.
    pub name: &'static str,
    /// The initial pace, in requests per second. `None` starts without a pace and learns it from
    /// refusals.
    pub per_second: Option<f64>,
    /// The limit that the server documents, in requests per second. Requests are slowed to about
    /// this when they are first too fast. `None` measures what the server serves instead.
    pub limit: Option<f64>,
}

impl RateClass {
    /// The class for an API with one limit for all requests.
    pub const DEFAULT: Self = Self { name: "default", per_second: None, limit: None };
}

/// The pace of every rate class. All readers of a source share them.
#[derive(Debug, Default)]
pub struct Paces(RefCell<Vec<(&'static str, Pace)>>);

impl Paces {
    /// Calls `change` with the pace of a class.
    pub fn with<T>(&self, class: &'static RateClass, change: impl FnOnce(&mut Pace) -> T) -> T {
        let mut paces = self.0.borrow_mut();
        let index = paces.iter().position(|(name, _)| *name == class.name).unwrap_or_else(|| {
            paces.push((class.name, Pace::of(class)));
            paces.len() - 1
        });
        change(&mut paces[index].1)
    }
}

/// The pace of one class.
#[derive(Debug)]
pub struct Pace {
    /// Requests per second. `None` until requests have been too fast.
    rate: Option<f64>,
    /// The documented limit.
    limit: Option<f64>,
    /// About the fastest pace of late, and at first the limit. A pace that has dropped far below
    /// grows as fast as one that has not.
    ceiling: f64,
    next_start: Timestamp,
    /// Whether the latest request had to wait for its turn. Otherwise, something else limits the
    /// requests, and the pace need not grow.
    is_limiting: bool,
    /// When the latest responses arrived, and whether they were refusals.
    answers: VecDeque<(Timestamp, bool)>,
    /// When the last request was served.
    served_at: Timestamp,
    /// How many requests in a row were served.
    calm: u32,
    /// When the pace was slowed.
    slowed_at: Option<Timestamp>,
    /// The state of the generator that scatters the starts.
    seed: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of(&RateClass::DEFAULT)
    }
}

impl Pace {
    fn of(class: &RateClass) -> Self {
        let (next_start, served_at) = (Timestamp::MIN, Timestamp::MIN);
        let (rate, limit, answers) = (class.per_second, class.limit, VecDeque::new());
        let (ceiling, is_limiting, calm, slowed_at, seed) = (0.0, false, 0, None, 0);
        Self { rate, limit, ceiling, next_start, is_limiting, answers, served_at, calm, slowed_at, seed }
    }

    /// Reserves the next start time and returns how long to wait for it.
    pub fn take_turn(&mut self, now: Timestamp) -> Duration {
        let start = self.next_start.max(now);
        self.is_limiting = start > now;
        if let Some(rate) = self.rate {
            let apart = self.scatter(rate, now) / rate;
            self.next_start = after(start, Duration::from_secs_f64(apart));
        }
        Duration::try_from(start - now).unwrap_or_default()
    }

    /// Returns a random factor around 1. A pace that was never too fast is not scattered.
    fn scatter(&mut self, rate: f64, now: Timestamp) -> f64 {
        if self.slowed_at.is_none() {
            return 1.0;
        }
        // Knuth's linear congruential generator; the time makes that of each instance another one.
        let random =
            self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed = random.wrapping_add(u64::from(now.nanosecond()));
        let unit = f64::from((random >> 32) as u32) / f64::from(u32::MAX);
        let most = SCATTER * (rate / SCATTERED).min(1.0).powi(2);
        1.0 - most + 2.0 * most * unit
    }

    /// Returns whether a request was served at this instant or later.
    pub fn has_served_since(&self, instant: Timestamp) -> bool {
        self.served_at >= instant
    }

    /// Records that a request was served.
    pub fn succeeded(&mut self, now: Timestamp) {
        let since = (now - self.served_at).as_seconds_f64().clamp(0.0, LONGEST_GROWTH);
        self.served_at = self.served_at.max(now);
        self.calm = self.calm.saturating_add(1);
        if let Some(rate) = self.rate.filter(|_| self.is_limiting) {
            let speed_up = if self.calm > CALM { SPEED_UP_IN_CALM } else { SPEED_UP };
            let more = speed_up * self.ceiling.max(rate) * since;
            let rate = rate + more.min(rate * SPEED_UP_ONCE);
            (self.rate, self.ceiling) = (Some(rate), self.ceiling.max(rate));
        }
        self.remember(now, false);
    }

    /// Records that a request started at `started` exceeded the rate limit, and how long the server
    /// asks to wait.
    pub fn refused(&mut self, started: Timestamp, now: Timestamp, retry_after: Option<Duration>) {
        if self.is_settling(started) {
            return;
        }
        self.calm = 0;
        self.remember(now, true);
        let recent = self.answers.iter().rev().take(RECENT);
        let refused = recent.clone().filter(|(_, refused)| *refused).count();
        let count = recent.count();
        if refused < A_FEW || refused * TOLERATED <= count {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 24")]
        let served = 1.0 - refused as f64 / count as f64;
        let kept = served.clamp(BACK_OFF_AT_MOST, BACK_OFF);
        let (rate, ceiling) = match (self.rate, self.limit) {
            (Some(rate), _) => (rate * kept, (self.ceiling * CEILING_LEFT).max(rate)),
            (None, Some(limit)) => (self.served_rate(now).max(limit * kept), limit),
            (None, None) => (self.served_rate(now), self.served_rate(now)),
        };
        (self.rate, self.ceiling) = (Some(rate.max(SLOWEST)), ceiling);
        self.next_start = self.next_start.max(after(now, retry_after.unwrap_or_default()));
        self.slowed_at = Some(now);
        self.answers.clear();
    }

    /// Returns whether the refusal of a request started at `started` says nothing about the present
    /// pace.
    fn is_settling(&self, started: Timestamp) -> bool {
        let (Some(slowed_at), Some(rate)) = (self.slowed_at, self.rate) else { return false };
        let settling = SignedDuration::seconds_f64(SETTLING_REQUESTS / rate).max(SETTLING);
        started < slowed_at.saturating_add(settling)
    }

    fn remember(&mut self, now: Timestamp, refused: bool) {
        if self.answers.len() == REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back((now, refused));
    }

    /// Returns slightly less than the rate at which the server has been serving, per second.
    /// Servers commonly allow a burst of one second's worth, so a burst counts as one second. One
    /// per second if nothing was served.
    fn served_rate(&self, now: Timestamp) -> f64 {
        let served = self.answers.iter().filter(|(_, refused)| !refused).count();
        if served == 0 {
            return 1.0;
        }
        let since = self.answers.front().map_or(now, |(oldest, _)| *oldest);
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        let served = served as f64;
        OF_SERVED * served / (now - since).as_seconds_f64().max(1.0)
    }
}

fn after(instant: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|wait| instant.checked_add(wait)).unwrap_or(instant)
}

#[cfg(test)]
mod tests;
