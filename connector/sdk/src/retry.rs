//! Decides whether and when to retry a request.
//!
//! Retries back off exponentially until a time budget is used up. Connection errors, rate limits
//! and server errors share that budget.

use std::time::Duration;

use time::Timestamp;

use crate::http::Response;

/// How long one request is retried. All times count from the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long to keep retrying.
    pub patience: Duration,
    /// How long to keep retrying when the server says how long to wait. A longer wait fails the
    /// request at once.
    pub patience_if_asked: Duration,
    /// The least number of attempts, even if the first one takes longer than `patience`.
    pub min_attempts: u32,
    /// The delay after the first failure. It doubles with each further failure.
    pub first_delay: Duration,
    /// The longest delay, unless the server asks for a longer one.
    pub max_delay: Duration,
}

/// The longest time to retry a request. The host ends a call after 15 minutes by default, and a
/// call may wait for a request, so this leaves time for the first and the last attempt, which may
/// take a minute each.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// The longest delay after a refusal because of the rate limit, unless the server asks for a longer
/// one. A longer one would keep requests back that the pace allows, and starve a reader that shares
/// the limit with others.
const MAX_DELAY_AT_PACE: Duration = Duration::from_secs(1);

impl RetryPolicy {
    /// For reading a stream: retries for this many minutes, at most ten. Zero disables retries.
    pub const fn read(minutes: u64) -> Self {
        let patience = Duration::from_secs(60 * minutes);
        let (patience_if_asked, min_attempts) = if minutes == 0 { (Duration::ZERO, 1) } else { (LONGEST, 3) };
        let (first_delay, max_delay) = (Duration::from_millis(500), Duration::from_secs(30));
        Self { patience, patience_if_asked, min_attempts, first_delay, max_delay }
    }

    /// For a check, where a person is waiting.
    pub const CHECK: Self = Self {
        patience: Duration::from_secs(10),
        patience_if_asked: Duration::from_secs(15),
        min_attempts: 1,
        ..Self::read(1)
    };
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Wait this long, then retry.
    TryAfter(Duration),
    /// The budget is used up.
    GiveUp,
    /// The server asks for a longer wait than the budget allows.
    AsksTooMuch(Duration),
}

/// The retries of one request.
#[derive(Debug)]
pub struct Retries {
    policy: RetryPolicy,
    failures: u32,
}

impl Retries {
    /// Starts with the whole budget.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, failures: 0 }
    }

    /// Returns how often the request has failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a failure and returns what to do next. `elapsed` is the time since the request was
    /// first sent.
    ///
    /// The delay is never shorter than `asked`, the wait that the server asks for. `jitter`, in
    /// 0..1, shortens other delays by up to a quarter, so that requests that failed together are
    /// not retried together. The last attempt is made when the budget ends, so every shorter outage
    /// is survived.
    pub fn next(&mut self, elapsed: Duration, asked: Option<Duration>, jitter: f64) -> Next {
        self.next_within(self.policy.max_delay, elapsed, asked, jitter)
    }

    /// As [`Retries::next`] after a refusal because of the rate limit. The delay hardly grows,
    /// because the pace decides when the request is sent again.
    pub fn next_at_pace(&mut self, elapsed: Duration, asked: Option<Duration>, jitter: f64) -> Next {
        self.next_within(MAX_DELAY_AT_PACE, elapsed, asked, jitter)
    }

    fn next_within(
        &mut self,
        longest: Duration,
        elapsed: Duration,
        asked: Option<Duration>,
        jitter: f64,
    ) -> Next {
        self.failures += 1;
        let RetryPolicy { patience, patience_if_asked, min_attempts, first_delay, max_delay } = self.policy;
        let doubled = first_delay.saturating_mul(1 << (self.failures - 1).min(16));
        let own = doubled.min(max_delay).min(longest).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 4.0);
        if let Some(asked) = asked.filter(|asked| !asked.is_zero()) {
            let delay = asked.max(own);
            return match patience_if_asked.checked_sub(elapsed) {
                Some(left) if delay <= left => Next::TryAfter(delay),
                _ if asked > max_delay => Next::AsksTooMuch(asked),
                _ => Next::GiveUp,
            };
        }
        match patience.saturating_sub(elapsed) {
            Duration::ZERO if self.failures < min_attempts => Next::TryAfter(own),
            Duration::ZERO => Next::GiveUp,
            left => Next::TryAfter(own.min(left)),
        }
    }
}

/// Formats a duration for a person, in whole seconds or coarser: `42s`, `5m`, `1h 30m`.
pub fn spell(duration: Duration) -> String {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let said: Vec<String> = parts
        .into_iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    if said.is_empty() { "0s".to_owned() } else { said.join(" ") }
}

/// Parses the response's `Retry-After`, in seconds or as an HTTP date (RFC 9110, section 10.2.3).
pub fn parse_retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    parse_seconds(text).or_else(|| {
        let date = Timestamp::from(httpdate::parse_http_date(text).ok()?);
        Some(Duration::try_from(date - now).unwrap_or(Duration::ZERO))
    })
}

/// Parses seconds. The RFC allows no fraction, but some servers send one.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    // Nine digits of the fraction, padded with zeros, are its nanoseconds.
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
    Some(Duration::new(seconds.parse().ok()?, nanoseconds))
}

#[cfg(test)]
mod tests;
