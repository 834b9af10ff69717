//! How fast requests are started.
//!
//! In: every start, every success, and every answer that asks for fewer requests. Out: when the next request may start.
//! All requests of a stream share one pace, so one refusal slows all slices down, and none of them has to learn it
//! anew.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// After a refusal the pace is this part of what the server has been serving, so that it is no refusal again at once.
const BACK_OFF: f64 = 0.9;

/// While nothing is refused, the pace grows by this part of itself per second, so that it comes back from a back-off in
/// two seconds, and a server that allows more than it did is used better within a minute.
const SPEED_UP: f64 = 0.05;

/// But not by more than this with one success: a refusal costs a turn, so at a slow pace they must be rare.
const SPEED_UP_ONCE: f64 = 0.01;

/// The slowest pace, in requests per second.
const SLOWEST: f64 = 0.2;

/// The pace of one stream.
#[derive(Debug)]
pub struct Pace {
    /// Requests per second; none while nothing has been refused.
    rate: Option<f64>,
    next_start: Timestamp,
    /// Successes since the last refusal, or since the first.
    served: u32,
    served_since: Option<Timestamp>,
    /// Refusals of requests that were started before this are old news.
    slowed_at: Timestamp,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rate: None,
            next_start: Timestamp::MIN,
            served: 0,
            served_since: None,
            slowed_at: Timestamp::MIN,
        }
    }
}

impl Pace {
    /// Takes the next place in the queue and returns how long to wait for it.
    pub fn take_turn(&mut self, now: Timestamp) -> Duration {
        let start = self.next_start.max(now);
        if let Some(rate) = self.rate {
            self.next_start = after(start, Duration::from_secs_f64(1.0 / rate));
        }
        Duration::try_from(start.duration_since(now)).unwrap_or_default()
    }

    /// Notes that a request was served.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.rate = self.rate.map(|rate| rate * (1.0 + (SPEED_UP / rate).min(SPEED_UP_ONCE)));
        self.served_since.get_or_insert(now);
        self.served += 1;
    }

    /// Notes that a request which was started at `started` was refused, and that none shall start for `wait`.
    pub fn refused(&mut self, started: Timestamp, now: Timestamp, wait: Duration) {
        self.next_start = self.next_start.max(after(now, wait));
        if started < self.slowed_at {
            return;
        }
        self.slowed_at = now;
        let served = self.served_rate(now);
        let rate = match self.rate {
            None => served,
            // Nothing came through since the last refusal, so nothing was learnt but that it is still too fast.
            Some(rate) if self.served == 0 => rate * 0.8,
            // What was served includes times of waiting, so it counts only if it is far below the pace.
            Some(rate) if served < rate / 2.0 => served,
            Some(rate) => rate,
        };
        self.rate = Some((rate * BACK_OFF).max(SLOWEST));
        (self.served, self.served_since) = (0, Some(now));
    }

    /// What the server has been serving, per second. Servers commonly allow a second's worth at once, so a burst counts
    /// as one second.
    fn served_rate(&self, now: Timestamp) -> f64 {
        let seconds = self.served_since.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
        f64::from(self.served) / seconds.max(1.0)
    }
}

fn after(instant: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|wait| instant.checked_add(wait).ok()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::testing::instant;

    /// A server that serves `limit` requests a second (and as many at once), asked as fast as the pace allows.
    /// Returns how many it served and refused in `seconds`.
    fn served_by(limit: f64, seconds: i64, latency: Duration) -> (f64, u32) {
        let start = instant("2024-01-01T00:00:00Z");
        let end = start + SignedDuration::from_secs(seconds);
        let (mut pace, mut now, mut tokens, mut filled) = (Pace::default(), start, limit, start);
        let (mut served, mut refused) = (0.0, 0);
        while now < end {
            let wait = pace.take_turn(now);
            now = after(now, wait.max(Duration::from_millis(1)));
            tokens = (tokens + limit * now.duration_since(filled).as_secs_f64()).min(limit);
            filled = now;
            if tokens >= 1.0 {
                tokens -= 1.0;
                served += 1.0;
                pace.succeeded(after(now, latency));
            } else {
                refused += 1;
                pace.refused(now, after(now, latency), Duration::from_millis(500));
            }
        }
        (served, refused)
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
        for limit in [1.0, 10.0, 50.0, 100.0] {
            let (served, refused) = served_by(limit, 60, Duration::from_millis(20));
            assert!(served >= 0.8 * limit * 60.0, "{limit}/s: {served} served, {refused} refused");
            assert!(
                f64::from(refused) <= 0.1 * served + 5.0,
                "{limit}/s: {served} served, {refused} refused"
            );
        }
    }

    #[test]
    fn nothing_starts_before_the_server_wants_it() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        pace.refused(now, now, Duration::from_secs(30));
        assert_eq!(pace.take_turn(now), Duration::from_secs(30));
    }

    #[test]
    fn refusals_of_requests_already_under_way_slow_down_once() {
        let mut pace = Pace::default();
        let now = instant("2024-01-01T00:00:00Z");
        for _ in 0..8 {
            pace.refused(now, after(now, Duration::from_millis(1)), Duration::ZERO);
        }
        assert_eq!((pace.rate, pace.slowed_at), (Some(SLOWEST), after(now, Duration::from_millis(1))));
    }
}
