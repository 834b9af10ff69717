//! How often and when a request is tried again.
//!
//! In: the number of failures so far and what the server said about waiting. Out: how long to wait, or that the budget
//! is used up. One budget covers connection errors, refusals and unreadable answers alike.

use std::time::Duration;

use time::Timestamp;

use crate::http::Response;

/// A budget of tries and of time for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often the request is sent at most, the first time included.
    pub max_attempts: u32,
    /// The wait after the first failure; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest wait that is chosen by us.
    pub max_delay: Duration,
    /// How long all waits of one request may take together, those the server asks for included.
    pub max_wait: Duration,
}

impl RetryPolicy {
    /// For reading a stream: about 20 seconds of patience unless the server asks for more. Eight tries make it
    /// improbable (3 in a million requests) that a server failing every fifth request ends a sync.
    pub const READ: Self = Self {
        max_attempts: 8,
        first_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(5),
        max_wait: Duration::from_secs(600),
    };

    /// For a check, at which a person waits for an answer.
    pub const CHECK: Self = Self { max_attempts: 3, max_wait: Duration::from_secs(15), ..Self::READ };
}

/// What has been used of the budget of one request.
#[derive(Debug)]
pub struct Retries {
    policy: RetryPolicy,
    failures: u32,
    spent: u32,
    waited: Duration,
}

impl Retries {
    /// A full budget.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, failures: 0, spent: 0, waited: Duration::ZERO }
    }

    /// How often the request has failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Notes a failure and returns how long to wait before the next try, or none if there shall be none. `cost` is how
    /// many tries of the budget it uses up: one, or more for a failure that hardly ever passes.
    ///
    /// `retry_after` is what the server asked for and is never undercut. `jitter`, in 0..1, shortens a wait of our own
    /// choice by up to a quarter, so that clients that failed together do not return together.
    pub fn next_delay(&mut self, cost: u32, retry_after: Option<Duration>, jitter: f64) -> Option<Duration> {
        self.failures += 1;
        self.spent += cost;
        if self.spent >= self.policy.max_attempts {
            return None;
        }
        let doubled = self.policy.first_delay.saturating_mul(1 << (self.failures - 1).min(16));
        let own = doubled.min(self.policy.max_delay).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 4.0);
        let delay = retry_after.map_or(own, |asked| asked.max(own));
        self.waited = self.waited.saturating_add(delay);
        (self.waited <= self.policy.max_wait).then_some(delay)
    }
}

/// How long a response asks us to wait: `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3).
pub fn parse_retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    parse_seconds(text).or_else(|| {
        let date = Timestamp::from(httpdate::parse_http_date(text).ok()?);
        Some(Duration::try_from(date - now).unwrap_or(Duration::ZERO))
    })
}

/// Seconds, perhaps with a fraction, which the RFC does not know and some servers send.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    // The fraction as nanoseconds: filled up with zeros to nine digits, or cut there.
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::instant;

    fn asking(value: &str) -> Response {
        Response { headers: vec![("retry-after".into(), value.into())], ..Response::default() }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end_with_the_budget() {
        let mut retries = Retries::new(RetryPolicy::READ);
        let waits: Vec<_> = std::iter::from_fn(|| retries.next_delay(1, None, 0.0)).collect();
        let millis: Vec<_> = waits.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000, 5000, 5000, 5000]);
        assert_eq!(retries.failures(), 8);
    }

    #[test]
    fn a_failure_that_hardly_ever_passes_costs_more_tries() {
        let mut retries = Retries::new(RetryPolicy::READ);
        assert_eq!(std::iter::from_fn(|| retries.next_delay(3, None, 0.0)).count(), 2);
        assert_eq!(retries.failures(), 3);
    }

    #[test]
    fn what_the_server_asks_for_is_never_undercut() {
        let mut retries = Retries::new(RetryPolicy::READ);
        assert_eq!(retries.next_delay(1, Some(Duration::from_secs(30)), 1.0), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_wait_beyond_the_budget_is_a_failure_now() {
        let mut retries = Retries::new(RetryPolicy::READ);
        assert_eq!(retries.next_delay(1, Some(Duration::from_secs(601)), 0.0), None);
        assert_eq!(retries.next_delay(1, Some(Duration::MAX), 0.0), None);
    }

    #[test]
    fn jitter_shortens_by_a_quarter_at_most() {
        let mut retries = Retries::new(RetryPolicy::READ);
        assert_eq!(retries.next_delay(1, None, 1.0), Some(Duration::from_millis(375)));
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = instant("2024-01-01T00:00:00Z");
        assert_eq!(parse_retry_after(&asking("7"), now), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after(&asking("1.5"), now), Some(Duration::from_millis(1500)));
        for date in
            ["Mon, 01 Jan 2024 00:00:09 GMT", "Monday, 01-Jan-24 00:00:09 GMT", "Mon Jan  1 00:00:09 2024"]
        {
            assert_eq!(parse_retry_after(&asking(date), now), Some(Duration::from_secs(9)), "{date}");
        }
        let past = asking("Sun, 31 Dec 2023 00:00:00 GMT");
        assert_eq!(parse_retry_after(&past, now), Some(Duration::ZERO));
        for nonsense in
            ["soon", "-3", "", ".", "1.x", "1e999", "99999999999999999999", "Mon, 32 Jan 2024 00:00:09 GMT"]
        {
            assert_eq!(parse_retry_after(&asking(nonsense), now), None, "{nonsense}");
        }
    }
}
