//! Injects faults: selects requests, and delays, replaces or cuts their answers.

use std::time::Duration;

use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::dice::mix;
use crate::problem::Problem;

/// A fault to inject. A constructor says what happens, and the methods select the requests; without
/// any selection, the fault applies to every request, for ever. Several faults may apply to one
/// request: delays add up, and the first injected answer wins.
///
/// ```
/// # use mock_orb::Fault;
/// The second page of customers fails twice, then succeeds.
/// Fault::status(429).retry_after("1").on("/v1/customers").with_query("cursor").times(2);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    effect: Effect,
    path: PathMatch,
    parameters: Vec<(String, Option<String>)>,
    /// Parameters whose values must exceed these numbers.
    above: Vec<(String, u64)>,
    /// The requested timeframe must be longer than this.
    longer_than: Option<SignedDuration>,
    skip: u64,
    every: u64,
    chance: Option<(f64, u64)>,
    times: u64,
    /// How many requests have matched the path and query so far.
    matched: u64,
}

#[derive(Clone, Debug)]
enum PathMatch {
    Prefix(String),
    Exact(String),
}

#[derive(Clone, Debug)]
enum Effect {
    Answer(InjectedAnswer),
    Disconnect,
    Truncate(usize),
    RepeatPageToken,
    SlowBody { bytes: usize, every: Duration },
    Latency(Duration),
}

/// An answer that does not come from the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InjectedAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Fault {
    /// Answers with a status and the body Orb documents for it; other statuses get a body of the
    /// same form.
    #[must_use]
    pub fn status(status: u16) -> Fault {
        Fault::answer(&Problem::of_status(status))
    }

    /// Answers with the 404 with which Orb says that the account has no access to an endpoint.
    #[must_use]
    pub fn feature_not_available() -> Fault {
        Fault::answer(&Problem::feature_not_available())
    }

    /// Answers with any body, such as a proxy's HTML page or a 200 that is not JSON.
    #[must_use]
    pub fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Fault {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Fault::new(Effect::Answer(InjectedAnswer { status, headers, body: body.into().into() }))
    }

    /// Closes the connection without an answer.
    #[must_use]
    pub fn disconnect() -> Fault {
        Fault::new(Effect::Disconnect)
    }

    /// Announces the whole body with `Content-Length`, but closes the connection after this many
    /// bytes of it. Shorter bodies arrive whole.
    #[must_use]
    pub fn truncate(bytes: usize) -> Fault {
        Fault::new(Effect::Truncate(bytes))
    }

    /// Makes a list endless: every page links to a next page, with the page token that was sent.
    #[must_use]
    pub fn repeat_page_token() -> Fault {
        Fault::new(Effect::RepeatPageToken)
    }

    /// Sends the body in pieces of this many bytes, with a pause after each.
    #[must_use]
    pub fn slow_body(bytes: usize, every: Duration) -> Fault {
        Fault::new(Effect::SlowBody { bytes: bytes.max(1), every })
    }

    /// Waits before the first byte of the answer.
    #[must_use]
    pub fn latency(delay: Duration) -> Fault {
        Fault::new(Effect::Latency(delay))
    }

    /// Never answers, and keeps the connection open.
    #[must_use]
    pub fn silence() -> Fault {
        // About a hundred years: the longest delay that timers accept reliably.
        Fault::latency(Duration::from_secs(60 * 60 * 24 * 365 * 100))
    }

    /// Adds a `Retry-After` header to an injected answer: either a number of seconds or an HTTP
    /// date.
    #[must_use]
    pub fn retry_after(self, value: impl Into<String>) -> Fault {
        self.header("retry-after", value)
    }

    /// Adds a header, such as `Transient-Error: true`, to an injected answer. The header must be
    /// valid.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Fault {
        if let Effect::Answer(answer) = &mut self.effect {
            answer.headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Matches requests whose path, as sent, starts with this prefix, such as `/v1/customers`.
    #[must_use]
    pub fn on(self, path_prefix: impl Into<String>) -> Fault {
        Fault { path: PathMatch::Prefix(path_prefix.into()), ..self }
    }

    /// Matches requests with exactly this path, as sent.
    #[must_use]
    pub fn on_exactly(self, path: impl Into<String>) -> Fault {
        Fault { path: PathMatch::Exact(path.into()), ..self }
    }

    /// Matches requests with this query parameter, whatever its value. The name is decoded.
    #[must_use]
    pub fn with_query(mut self, name: &str) -> Fault {
        self.parameters.push((name.to_owned(), None));
        self
    }

    /// Matches requests with this query parameter and this value, both decoded.
    #[must_use]
    pub fn with_query_value(mut self, name: &str, value: &str) -> Fault {
        self.parameters.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Matches requests whose query parameter exceeds this number, such as `limit` for pages that
    /// are too large.
    #[must_use]
    pub fn with_query_above(mut self, name: &str, number: u64) -> Fault {
        self.above.push((name.to_owned(), number));
        self
    }

    /// Matches requests with more than this time between `timeframe_start` and `timeframe_end`.
    #[must_use]
    pub fn with_timeframe_above(self, span: Duration) -> Fault {
        Fault { longer_than: Some(SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)), ..self }
    }

    /// Skips the first matching requests.
    #[must_use]
    pub fn after(self, requests: u64) -> Fault {
        Fault { skip: requests, ..self }
    }

    /// Applies only to the n-th matching request, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Fault {
        self.after(n.saturating_sub(1)).times(1)
    }

    /// Applies to every n-th matching request, starting with the first.
    #[must_use]
    pub fn every(self, n: u64) -> Fault {
        Fault { every: n.max(1), ..self }
    }

    /// Applies to a matching request with this probability, from 0 to 1. The choice depends only on
    /// the seed.
    #[must_use]
    pub fn with_chance(self, probability: f64, seed: u64) -> Fault {
        Fault { chance: Some((probability, seed)), ..self }
    }

    /// Applies to at most this many requests.
    #[must_use]
    pub fn times(self, times: u64) -> Fault {
        Fault { times, ..self }
    }

    fn new(effect: Effect) -> Fault {
        Fault {
            effect,
            path: PathMatch::Prefix(String::new()),
            parameters: Vec::new(),
            above: Vec::new(),
            longer_than: None,
            skip: 0,
            every: 1,
            chance: None,
            times: u64::MAX,
            matched: 0,
        }
    }

    fn answer(problem: &Problem) -> Fault {
        Fault::body(problem.status, "application/json", problem.body())
    }

    /// Counts a request, and returns whether the fault applies to it.
    fn strikes(&mut self, path: &str, query: &[(String, String)]) -> bool {
        let on_path = match &self.path {
            PathMatch::Prefix(prefix) => path.starts_with(prefix),
            PathMatch::Exact(exact) => path == exact,
        };
        let in_query = |(name, value): &(String, Option<String>)| {
            query.iter().any(|(sent, with)| sent == name && value.as_ref().is_none_or(|value| value == with))
        };
        let sent = |name: &str| query.iter().find(|(sent, _)| sent == name).map(|(_, value)| value);
        let is_above = |(name, number): &(String, u64)| {
            sent(name).and_then(|value| value.parse::<u64>().ok()).is_some_and(|sent| sent > *number)
        };
        let instant = |name| sent(name)?.parse::<Timestamp>().ok();
        let span = instant("timeframe_start")
            .zip(instant("timeframe_end"))
            .map(|(start, end)| end.duration_since(start));
        let is_longer = self.longer_than.is_none_or(|longest| span.is_some_and(|span| span > longest));
        if !(on_path && is_longer && self.parameters.iter().all(in_query) && self.above.iter().all(is_above))
        {
            return false;
        }
        self.matched += 1;
        let Some(position) = (self.matched - 1).checked_sub(self.skip) else { return false };
        let spared = self.chance.is_some_and(|(probability, seed)| {
            // A float between 0 and 1 has 53 bits of precision.
            let roll = (mix(mix(seed) ^ self.matched) >> 11) as f64 / (1_u64 << 53) as f64;
            roll >= probability
        });
        if position % self.every != 0 || spared || self.times == 0 {
            return false;
        }
        self.times -= 1;
        true
    }
}

/// The combined effect of all faults that apply to one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    pub(crate) disconnect: bool,
    pub(crate) answer: Option<InjectedAnswer>,
    pub(crate) repeat_page_token: bool,
    pub(crate) truncate: Option<usize>,
    pub(crate) slow_body: Option<(usize, Duration)>,
}

/// Counts a request with every fault, and combines those that apply.
pub(crate) fn strike(faults: &mut [Fault], path: &str, query: &[(String, String)]) -> Strike {
    let mut strike = Strike::default();
    for fault in faults {
        if !fault.strikes(path, query) {
            continue;
        }
        match &fault.effect {
            Effect::Answer(answer) => strike.answer = strike.answer.or_else(|| Some(answer.clone())),
            Effect::Disconnect => strike.disconnect = true,
            Effect::Truncate(bytes) => strike.truncate = Some(*bytes),
            Effect::RepeatPageToken => strike.repeat_page_token = true,
            Effect::SlowBody { bytes, every } => strike.slow_body = Some((*bytes, *every)),
            Effect::Latency(delay) => strike.delay = strike.delay.saturating_add(*delay),
        }
    }
    strike
}

#[cfg(test)]
mod tests;
