//! Limits how fast requests are started.
//!
//! Requests of one rate class share a pace, so that it is learnt only once.
//!
//! The share of refusals shows how far the pace is above the server's rate limit. An occasional
//! refusal means nothing; one in six means that the pace is a fifth too fast. The pace is then set
//! to the rate at which the server has been serving, and grows again from there.

use std::{cell::RefCell, collections::VecDeque, time::Duration};

use time::{SignedDuration, Timestamp};

/// How many responses to remember for measuring the served rate: more than arrive in a second.
const REMEMBERED: usize = 256;

/// How many of them count for the share of refusals.
const RECENT: usize = 48;

/// The pace is too fast if more than one response in this many is a refusal, and there are at least
/// `A_FEW`.
const TOLERATED: usize = 6;
const A_FEW: usize = 3;

/// Slow down to this fraction of the served rate.
const BACK_OFF: f64 = 0.95;

/// While few requests are refused, the pace grows by this fraction per second, so that a raised
/// limit is used within a minute. One response adds at most `SPEED_UP_ONCE`, or a slow pace would
/// oscillate.
const SPEED_UP: f64 = 0.05;
const SPEED_UP_ONCE: f64 = 0.01;

/// The slowest pace, in requests per second.
const SLOWEST: f64 = 0.2;

/// A class of requests that share one of the server's rate limits.
#[derive(Debug, Clone, Copy)]
pub struct RateClass {
    /// Unique name.
    pub name: &'static str,
    /// The initial pace, in requests per second. `None` starts without a limit and learns it from
    /// refusals.
    pub per_second: Option<f64>,
}

impl RateClass {
    /// The class for an API with one limit for all requests.
    pub const DEFAULT: Self = Self { name: "default", per_second: None };
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
    next_start: Timestamp,
    /// When the latest responses arrived, and whether they were refusals.
    answers: VecDeque<(Timestamp, bool)>,
    /// Refusals of requests that were started before this are ignored.
    slowed_at: Timestamp,
}

impl Default for Pace {
    fn default() -> Self {
        let (next_start, slowed_at) = (Timestamp::MIN, Timestamp::MIN);
        Self { rate: None, next_start, answers: VecDeque::new(), slowed_at }
    }
}

impl Pace {
    fn of(class: &RateClass) -> Self {
        Self { rate: class.per_second, ..Self::default() }
    }

    /// Reserves the next start time and returns how long to wait for it.
    pub fn take_turn(&mut self, now: Timestamp) -> Duration {
        let start = self.next_start.max(now);
        if let Some(rate) = self.rate {
            self.next_start = after(start, Duration::from_secs_f64(1.0 / rate));
        }
        Duration::try_from(start - now).unwrap_or_default()
    }

    /// Records that a request was served.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.rate = self.rate.map(|rate| rate * (1.0 + (SPEED_UP / rate).min(SPEED_UP_ONCE)));
        self.remember(now, false);
    }

    /// Records that a request started at `started` exceeded the rate limit, and how long the server
    /// asks to wait.
    pub fn refused(&mut self, started: Timestamp, now: Timestamp, retry_after: Option<Duration>) {
        if started < self.slowed_at {
            return;
        }
        self.remember(now, true);
        let recent = self.answers.iter().rev().take(RECENT);
        let refused = recent.clone().filter(|(_, refused)| *refused).count();
        if refused < A_FEW || refused * TOLERATED <= recent.count() {
            return;
        }
        let served = self.served_rate(now);
        self.rate = Some(self.rate.map_or(served, |rate| rate.min(served)).max(SLOWEST));
        self.next_start = self.next_start.max(after(now, retry_after.unwrap_or_default()));
        self.slowed_at = now;
        self.answers.clear();
    }

    fn remember(&mut self, now: Timestamp, refused: bool) {
        if self.answers.len() == REMEMBERED {
            self.answers.pop_front();
        }
        self.answers.push_back((now, refused));
    }

    /// Returns slightly less than the rate at which the server has been serving, per second.
    /// Servers commonly allow a burst of one second's worth, so a burst counts as one second. If
    /// nothing was served, the current pace is reduced.
    fn served_rate(&self, now: Timestamp) -> f64 {
        let served = self.answers.iter().filter(|(_, refused)| !refused).count();
        if served == 0 {
            return self.rate.map_or(1.0, |rate| rate * 0.8);
        }
        let since = self.answers.front().map_or(now, |(oldest, _)| *oldest);
        #[expect(clippy::cast_precision_loss, reason = "at most 256")]
        let served = served as f64;
        BACK_OFF * served / (now - since).as_seconds_f64().max(1.0)
    }
}

fn after(instant: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|wait| instant.checked_add(wait)).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    /// Sends requests as fast as the pace allows to a server that serves `limit` a second (and as
    /// many at once). Returns how many it served and refused in `seconds`.
    fn served_by(limit: f64, seconds: i64, latency: Duration) -> (f64, u32) {
        let start = instant("2024-01-01T00:00:00Z");
        let end = start + SignedDuration::seconds(seconds);
        let (mut pace, mut now, mut tokens, mut filled) = (Pace::default(), start, limit, start);
        let (mut served, mut refused) = (0.0, 0);
        while now < end {
            let wait = pace.take_turn(now);
            now = after(now, wait.max(Duration::from_millis(1)));
            tokens = (tokens + limit * (now - filled).as_seconds_f64()).min(limit);
            filled = now;
            if tokens >= 1.0 {
                tokens -= 1.0;
                served += 1.0;
                pace.succeeded(after(now, latency));
            } else {
                refused += 1;
                pace.refused(now, after(now, latency), None);
            }
        }
        (served, refused)
    }

    #[test]
    fn each_class_has_a_pace_of_its_own_which_may_begin_with_a_limit() {
        static SLOW: RateClass = RateClass { name: "slow", per_second: Some(2.0) };
        let (paces, now) = (Paces::default(), instant("2024-01-01T00:00:00Z"));
        let waits = |class| [0; 3].map(|_| paces.with(class, |pace| pace.take_turn(now)).as_millis());
        assert_eq!(waits(&SLOW), [0, 500, 1000]);
        assert_eq!(waits(&RateClass::DEFAULT), [0, 0, 0]);
    }

    #[test]
    fn nothing_waits_while_nothing_is_refused() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        for _ in 0..1000 {
            assert_eq!(pace.take_turn(now), Duration::ZERO);
            pace.succeeded(now);
        }
    }

    #[test]
    fn most_of_what_a_server_allows_is_used_and_little_refused() {
        for (limit, share) in [(1.0, 0.75), (10.0, 0.8), (50.0, 0.8), (100.0, 0.8)] {
            let (served, refused) = served_by(limit, 60, Duration::from_millis(20));
            assert!(served >= share * limit * 60.0, "{limit}/s: {served} served, {refused} refused");
            assert!(
                f64::from(refused) <= 0.2 * served + 5.0,
                "{limit}/s: {served} served, {refused} refused"
            );
        }
    }

    #[test]
    fn refusals_now_and_then_change_nothing() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        for number in 0..1000 {
            if number % 12 == 0 {
                pace.refused(now, now, Some(Duration::from_secs(30)));
            } else {
                pace.succeeded(now);
            }
            assert_eq!(pace.take_turn(now), Duration::ZERO);
        }
    }

    #[test]
    fn nothing_starts_before_the_server_wants_it_when_it_refuses_many() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        for _ in 0..A_FEW {
            pace.refused(now, now, Some(Duration::from_secs(30)));
        }
        assert_eq!(pace.take_turn(now), Duration::from_secs(30));
    }

    #[test]
    fn refusals_of_requests_already_under_way_slow_down_once() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        for _ in 0..64 {
            pace.refused(now, after(now, Duration::from_millis(1)), None);
        }
        assert_eq!(pace.rate, Some(1.0));
    }
}
