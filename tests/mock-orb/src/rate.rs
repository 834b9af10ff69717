//! Limits the rate of requests per API key with token buckets.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::rate_class::RateClass;

/// How many requests each API key may make. Keys do not share a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests per second on average. [`RateTable`](crate::RateTable) has Orb's documented limits.
    pub per_second: f64,
    /// The largest burst of requests; at least 1.
    pub burst: f64,
    /// The `Retry-After` header of rejections.
    pub retry_after: RetryAfter,
    /// Counts requests whose path, as sent, starts with this prefix.
    pub path_prefix: String,
    /// Counts requests of this class; of all classes if `None`.
    pub class: Option<RateClass>,
}

/// The `Retry-After` header of a 429. Orb does not document one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// No header.
    Absent,
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date, rounded up to a second.
    Date,
}

impl RateLimit {
    /// Limits all requests to this rate, with bursts of at most one second's worth and no
    /// `Retry-After`.
    #[must_use]
    pub fn per_second(requests: f64) -> RateLimit {
        RateLimit {
            per_second: requests,
            burst: requests.max(1.0),
            retry_after: RetryAfter::Absent,
            path_prefix: String::new(),
            class: None,
        }
    }
}

/// A limit with the token buckets of the keys seen so far.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: RateLimit,
    buckets: HashMap<String, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Limiter {
        Limiter { limit, buckets: HashMap::new() }
    }

    pub(crate) fn retry_after(&self) -> RetryAfter {
        self.limit.retry_after
    }

    /// Takes one token of a key, or returns how long until there is one.
    pub(crate) fn take(
        &mut self,
        key: &str,
        class: RateClass,
        path: &str,
        now: Instant,
    ) -> Result<(), Duration> {
        let counts = self.limit.class.is_none_or(|counted| counted == class);
        if !counts || !path.starts_with(&self.limit.path_prefix) {
            return Ok(());
        }
        let burst = self.limit.burst.max(1.0);
        let bucket = self.buckets.entry(key.to_owned()).or_insert(Bucket { tokens: burst, filled: now });
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * self.limit.per_second).min(burst);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - bucket.tokens) / self.limit.per_second;
        Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time_and_never_overflows() {
        let mut limiter = Limiter::new(RateLimit { burst: 2.0, ..RateLimit::per_second(10.0) });
        let start = Instant::now();
        let mut take = |key, milliseconds| {
            limiter
                .take(key, RateClass::Read, "/v1/plans", start + Duration::from_millis(milliseconds))
                .is_ok()
        };
        assert_eq!([take("a", 0), take("a", 0), take("a", 0)], [true, true, false]);
        assert!(take("b", 0), "keys do not share");
        assert_eq!([take("a", 50), take("a", 101), take("a", 102)], [false, true, false]);
        assert_eq!([take("a", 9_000), take("a", 9_000), take("a", 9_000)], [true, true, false]);
    }

    #[test]
    fn a_refusal_says_how_long_to_wait() {
        let mut limiter =
            Limiter::new(RateLimit { path_prefix: "/v1/c".to_owned(), ..RateLimit::per_second(0.5) });
        let now = Instant::now();
        assert_eq!(limiter.take("a", RateClass::Read, "/v1/customers", now), Ok(()));
        assert_eq!(limiter.take("a", RateClass::Read, "/v1/customers", now), Err(Duration::from_secs(2)));
        assert_eq!(limiter.take("a", RateClass::Read, "/v1/plans", now), Ok(()));
    }

    #[test]
    fn a_limit_of_a_class_counts_no_other() {
        let mut limiter =
            Limiter::new(RateLimit { class: Some(RateClass::Analytics), ..RateLimit::per_second(1.0) });
        let now = Instant::now();
        let mut take = |class| limiter.take("a", class, "/v1/x", now).is_ok();
        assert_eq!([take(RateClass::Analytics), take(RateClass::Analytics)], [true, false]);
        assert!(take(RateClass::Read) && take(RateClass::Read));
    }
}
