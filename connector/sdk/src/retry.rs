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
mod tests {
    use super::*;
    use crate::testing::instant;

    const READ: RetryPolicy = RetryPolicy::read(5);

    fn asking(value: &str) -> Response {
        Response { headers: vec![("retry-after".into(), value.into())], ..Response::default() }
    }

    /// The delays between attempts that take no time and always fail.
    fn waits(policy: RetryPolicy, asked: Option<Duration>) -> Vec<Duration> {
        let (mut retries, mut elapsed) = (Retries::new(policy), Duration::ZERO);
        std::iter::from_fn(|| match retries.next(elapsed, asked, 0.0) {
            Next::TryAfter(delay) => {
                elapsed += delay;
                Some(delay)
            }
            _ => None,
        })
        .collect()
    }

    #[test]
    fn waits_double_up_to_half_a_minute_and_end_with_the_patience() {
        let waits = waits(READ, None);
        let millis: Vec<_> = waits.iter().take(9).map(Duration::as_millis).collect();
        assert_eq!(millis, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(waits.iter().sum::<Duration>(), READ.patience);
    }

    #[test]
    fn after_a_refusal_by_the_rate_limit_the_pace_decides_and_the_delay_hardly_grows() {
        let mut retries = Retries::new(READ);
        let minute = Duration::from_secs(60);
        let delay = |next| {
            let Next::TryAfter(delay) = next else { panic!("{next:?}") };
            delay.as_millis()
        };
        let mut next = |asked| delay(retries.next_at_pace(minute, asked, 0.0));
        assert_eq!([None; 5].map(&mut next), [500, 1000, 1000, 1000, 1000]);
        assert_eq!(next(Some(Duration::from_secs(7))), 7000);
        assert_eq!(
            Retries::new(READ).next_at_pace(READ.patience, None, 0.0),
            Next::TryAfter(Duration::from_millis(500))
        );
        let mut last = Retries { failures: 5, ..Retries::new(READ) };
        assert_eq!(last.next_at_pace(READ.patience, None, 0.0), Next::GiveUp);
    }

    #[test]
    fn no_patience_is_no_second_try() {
        assert!(waits(RetryPolicy::read(0), None).is_empty());
        assert!(waits(RetryPolicy::read(0), Some(Duration::from_secs(1))).is_empty());
    }

    #[test]
    fn a_try_that_takes_longer_than_all_patience_is_not_the_last() {
        let mut retries = Retries::new(READ);
        let long = Duration::from_secs(3600);
        let next: Vec<_> = (0..3).map(|_| retries.next(long, None, 0.0)).collect();
        assert!(matches!(next[..], [Next::TryAfter(_), Next::TryAfter(_), Next::GiveUp]), "{next:?}");
        assert_eq!(Retries::new(RetryPolicy::CHECK).next(long, None, 0.0), Next::GiveUp);
    }

    #[test]
    fn what_the_server_asks_for_is_never_undercut_and_is_waited_for_longer() {
        let minute = Some(Duration::from_secs(60));
        assert_eq!(
            Retries::new(READ).next(Duration::ZERO, minute, 1.0),
            Next::TryAfter(Duration::from_secs(60))
        );
        assert_eq!(waits(READ, minute).iter().sum::<Duration>(), READ.patience_if_asked);
        let longest = Some(READ.patience_if_asked);
        assert_eq!(
            Retries::new(READ).next(Duration::ZERO, longest, 0.0),
            Next::TryAfter(READ.patience_if_asked)
        );
        assert!(waits(READ, Some(Duration::from_secs(1))).iter().sum::<Duration>() > READ.patience);
    }

    #[test]
    fn a_wait_beyond_the_patience_is_an_error_at_once() {
        for seconds in [601, 3600, u64::MAX] {
            let asked = Duration::from_secs(seconds);
            assert_eq!(Retries::new(READ).next(Duration::ZERO, Some(asked), 0.0), Next::AsksTooMuch(asked));
        }
        let asked = Duration::from_secs(90);
        assert_eq!(
            Retries::new(READ).next(Duration::from_secs(599), Some(asked), 0.0),
            Next::AsksTooMuch(asked)
        );
    }

    #[test]
    fn all_waits_leave_time_within_a_call_of_the_host() {
        let longest = RetryPolicy::read(10);
        assert!(longest.patience <= longest.patience_if_asked);
        assert!(longest.patience_if_asked <= Duration::from_secs(12 * 60));
        let check = RetryPolicy::CHECK;
        assert!(
            check.patience <= check.patience_if_asked && check.patience_if_asked < Duration::from_secs(30)
        );
    }

    #[test]
    fn jitter_shortens_by_a_quarter_at_most() {
        let next = Retries::new(READ).next(Duration::ZERO, None, 1.0);
        assert_eq!(next, Next::TryAfter(Duration::from_millis(375)));
    }

    #[test]
    fn durations_are_told_as_a_person_does() {
        for (millis, expected) in [
            (0, "0s"),
            (10, "1s"),
            (42_000, "42s"),
            (60_000, "1m"),
            (303_000, "5m 3s"),
            (3_600_000, "1h"),
            (5_400_000, "1h 30m"),
            (3_605_000, "1h"),
            (90_000_000, "25h"),
        ] {
            assert_eq!(spell(Duration::from_millis(millis)), expected);
        }
        assert!(spell(Duration::MAX).contains('h'));
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
