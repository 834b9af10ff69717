//! Sends requests, retries them and decodes the responses. Nothing else retries.

use std::{cell::Cell, rc::Rc, time::Duration};

use time::Timestamp;

use crate::{
    error::{Error, Result},
    http::{Request, Response, TransportError},
    instant::{floor_to_second, format_instant},
    log::Level,
    notes::Notes,
    pace::{Paces, RateClass},
    platform::Platform,
    problem::Problem,
    retry::{Next, Retries, RetryPolicy, parse_retry_after, spell},
    server::{Server, Verdict},
};

/// Give up after this many complete responses that cannot be decoded. Retrying seldom helps.
const UNREADABLE_RESPONSES: u32 = 3;

/// Failures of a request that has been retried for this long are logged as warnings.
const LONG: Duration = Duration::from_secs(10);

/// The least time between two such warnings, across all requests.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The decoded body.
    Complete(T),
    /// As [`Verdict::Absent`].
    Absent(String),
    /// As [`Verdict::Unavailable`].
    Unavailable(String),
    /// As [`Verdict::UnknownPath`].
    UnknownPath(Error),
    /// As [`Verdict::Refused`].
    Refused(Error),
    /// As [`Verdict::TooLarge`].
    TooLarge(Error),
}

/// Sends the requests of one read.
pub struct Fetcher {
    platform: Platform,
    server: Rc<dyn Server>,
    policy: RetryPolicy,
    paces: Rc<Paces>,
    outage: Outage,
    notes: Notes,
}

/// What has been logged about failing requests.
#[derive(Debug, Default)]
struct Outage {
    warned_at: Cell<Option<Timestamp>>,
    is_open: Cell<bool>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Decodes a body.
type Decode<'a> = dyn FnMut(&[u8]) -> Result<(), Problem> + 'a;

/// Why one attempt failed.
struct Failure {
    error: Error,
    retry_after: Option<Duration>,
    is_unreadable: bool,
    is_final: bool,
    is_refusal: bool,
}

impl Fetcher {
    /// Creates a fetcher that retries each request according to `policy`.
    pub fn new(platform: Platform, server: Rc<dyn Server>, policy: RetryPolicy, paces: Rc<Paces>) -> Self {
        Self { platform, server, policy, paces, outage: Outage::default(), notes: Notes::default() }
    }

    /// Returns the counts of problems with single records.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Returns the current instant.
    pub fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    /// Sends `request`, at the pace of `rate`, until a response can be decoded.
    ///
    /// # Errors
    /// The error of the last attempt, if retrying cannot help or the retry budget is used up.
    pub async fn fetch<T>(
        &self,
        request: Request,
        rate: &'static RateClass,
        decode: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<Outcome<T>> {
        let mut decoded = None;
        let mut keep = |body: &[u8]| {
            decoded = Some(decode(body)?);
            Ok(())
        };
        match self.fetch_with(request, rate, &mut keep).await? {
            Outcome::Absent(reason) => Ok(Outcome::Absent(reason)),
            Outcome::Unavailable(reason) => Ok(Outcome::Unavailable(reason)),
            Outcome::UnknownPath(error) => Ok(Outcome::UnknownPath(error)),
            Outcome::Refused(error) => Ok(Outcome::Refused(error)),
            Outcome::TooLarge(error) => Ok(Outcome::TooLarge(error)),
            Outcome::Complete(()) => {
                decoded.map(Outcome::Complete).ok_or_else(|| Error::system("a response was not decoded"))
            }
        }
    }

    /// [`Fetcher::fetch`], compiled once for all types.
    async fn fetch_with(
        &self,
        request: Request,
        rate: &'static RateClass,
        decode: &mut Decode<'_>,
    ) -> Result<Outcome<()>> {
        let (mut retries, mut unreadable, mut first_sent) = (Retries::new(self.policy), 0, None);
        loop {
            let clock = &self.platform.clock;
            let turn = self.paces.with(rate, |pace| pace.take_turn(clock.now()));
            if !turn.is_zero() {
                let queued = clock.now();
                clock.sleep(turn).await;
                // While others are served, waiting for a turn is no sign of an outage.
                if self.paces.with(rate, |pace| pace.has_served_since(queued)) {
                    let waited = clock.now() - queued;
                    first_sent = first_sent.map(|first_sent: Timestamp| first_sent.saturating_add(waited));
                }
            }
            let sent = clock.now();
            let first_sent = *first_sent.get_or_insert(sent);
            let result = self.platform.transport.send(request.clone()).await;
            let now = clock.now();
            let elapsed = Duration::try_from(now - first_sent).unwrap_or_default();
            let failure = match self.evaluate(result, decode) {
                Ok(answer) => {
                    self.paces.with(rate, |pace| pace.succeeded(now));
                    self.log_end_of_outage(&request, elapsed);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            unreadable += u32::from(failure.is_unreadable);
            let jitter = f64::from(now.nanosecond()) / 1e9;
            let next = if failure.is_refusal {
                retries.next_at_pace(elapsed, failure.retry_after, jitter)
            } else {
                retries.next(elapsed, failure.retry_after, jitter)
            };
            let next = match next {
                _ if failure.is_final || unreadable == UNREADABLE_RESPONSES => Next::GiveUp,
                next => next,
            };
            let attempt = format!("{request}: attempt {}", retries.failures());
            let Next::TryAfter(delay) = next else {
                return Err(self.exhausted(failure, next, &retries, elapsed, &attempt));
            };
            self.log_failure(&format!("{attempt}: {}", failure.error.message), elapsed, delay);
            if failure.is_refusal {
                self.platform.progress.rate_limited(now.saturating_add(delay.try_into().unwrap_or_default()));
                self.paces.with(rate, |pace| pace.refused(sent, now, failure.retry_after));
            }
            clock.sleep(delay).await;
        }
    }

    /// Logs a failure. It is a warning if the request has been failing for long, but not too often.
    fn log_failure(&self, what: &str, elapsed: Duration, delay: Duration) {
        let now = self.now();
        let takes_long = elapsed.saturating_add(delay) >= LONG;
        let is_due = |last: Timestamp| now - last >= WARNING_INTERVAL;
        let level = if takes_long && self.outage.warned_at.get().is_none_or(is_due) {
            self.outage.warned_at.set(Some(now));
            self.outage.is_open.set(true);
            Level::Warn
        } else {
            Level::Debug
        };
        let (elapsed, delay, patience) = (spell(elapsed), spell(delay), spell(self.policy.patience));
        let line = format!("{what}; retried for {elapsed} of {patience}, next attempt in {delay}");
        self.platform.log.log(level, &line);
    }

    /// Logs the end of an outage whose beginning was logged as a warning.
    fn log_end_of_outage(&self, request: &Request, elapsed: Duration) {
        if elapsed >= LONG && self.outage.is_open.take() {
            self.platform.log.info(&format!("{request}: succeeded after {}", spell(elapsed)));
        }
    }

    fn evaluate(
        &self,
        result: Result<Response, TransportError>,
        decode: &mut Decode<'_>,
    ) -> Result<Outcome<()>, Failure> {
        let failed = |error: Error| Failure {
            error,
            retry_after: None,
            is_unreadable: false,
            is_final: false,
            is_refusal: false,
        };
        let response = match result {
            Ok(response) => response,
            Err(TransportError::Broken(reason)) => {
                return Err(failed(Error::transient(format!("no complete response: {reason}"))));
            }
            Err(TransportError::TimedOut(reason)) => {
                return Err(failed(Error::transient(format!("no answer in time: {reason}"))));
            }
            Err(TransportError::Refused(reason)) => {
                let error = Error::system(format!("the request could not be sent: {reason}"));
                return Err(Failure { is_final: true, ..failed(error) });
            }
            Err(TransportError::Denied(reason)) => {
                let error = Error::config(format!("{reason}; the log says how to allow it"));
                return Err(Failure { is_final: true, ..failed(error) });
            }
        };
        let asked = parse_retry_after(&response, self.platform.clock.now());
        match self.server.judge(&response) {
            Verdict::Complete => match decode(&response.body) {
                Ok(()) => Ok(Outcome::Complete(())),
                Err(reason) => {
                    Err(Failure { is_unreadable: true, ..failed(self.unreadable(&response, &reason)) })
                }
            },
            Verdict::Retry(error) => Err(Failure { retry_after: asked, ..failed(error) }),
            Verdict::RateLimited(error) => {
                Err(Failure { retry_after: asked, is_refusal: true, ..failed(error) })
            }
            Verdict::Fail(error) => Err(Failure { is_final: true, ..failed(error) }),
            Verdict::Absent(reason) => Ok(Outcome::Absent(reason)),
            Verdict::Unavailable(reason) => Ok(Outcome::Unavailable(reason)),
            Verdict::UnknownPath(error) => Ok(Outcome::UnknownPath(error)),
            Verdict::Refused(error) => Ok(Outcome::Refused(error)),
            Verdict::TooLarge(error) => Ok(Outcome::TooLarge(error)),
        }
    }
}

impl Fetcher {
    /// Returns the error for a body that cannot be decoded. The start of the body often shows who
    /// really answered.
    fn unreadable(&self, response: &Response, problem: &Problem) -> Error {
        let content_type = response.header("content-type").unwrap_or("unknown type");
        let (status, reason) = (response.status, self.server.redact(&problem.to_string()));
        Error::system(format!("the response (status {status}, {content_type}) cannot be read: {reason}"))
            .internal(response.excerpt(|text| self.server.redact(text)))
    }

    /// Returns the error of a request that is not retried any more.
    fn exhausted(
        &self,
        failure: Failure,
        next: Next,
        retries: &Retries,
        elapsed: Duration,
        attempt: &str,
    ) -> Error {
        let Failure { mut error, is_final, .. } = failure;
        if !is_final && retries.failures() > 1 {
            error.message.push_str(&format!(" (tried {} times in {})", retries.failures(), spell(elapsed)));
        }
        if let Next::AsksTooMuch(asked) = next {
            let until = asked.try_into().ok().and_then(|asked| self.now().checked_add(asked));
            let until = until.map(|until| format!(", until {}", format_instant(floor_to_second(until))));
            let (asked, until) = (spell(asked), until.unwrap_or_default());
            let patience = spell(self.policy.patience_if_asked);
            error.message.push_str(&format!(
                "; the server asks to wait {asked}{until}, but a request waits for {patience} at most: try again later"
            ));
        }
        let internal = error.internal_message.take();
        let internal =
            internal.map_or_else(|| attempt.to_owned(), |internal| format!("{attempt}: {internal}"));
        error.internal(internal)
    }
}

#[cfg(test)]
mod tests;
