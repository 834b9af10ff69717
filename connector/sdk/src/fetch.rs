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
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::{
        error::FailureType,
        fixtures::PlainServer,
        http::Request,
        testing::{World, answer, instant},
    };

    fn utf8(body: &[u8]) -> Result<String, Problem> {
        String::from_utf8(body.to_vec()).map_err(|error| Problem::new(error.to_string()))
    }

    /// Fetches once from a server that gives these answers, and then repeats the last one.
    fn fetch(answers: Vec<Result<Response, TransportError>>) -> (Result<Outcome<String>>, Rc<World>) {
        let mut left = answers.into_iter().peekable();
        let mut last = Err(TransportError::Broken(String::new()));
        let world = World::new(move |_| {
            last = left.next().unwrap_or_else(|| last.clone());
            last.clone()
        });
        let fetcher =
            Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
        let result = world.run(fetcher.fetch(Request::get("http://h", "x", &[]), &RateClass::DEFAULT, utf8));
        (result, world)
    }

    fn broken() -> Result<Response, TransportError> {
        Err(TransportError::Broken("cut".into()))
    }

    #[test]
    fn failures_that_pass_are_tried_again() {
        let unreadable = Ok(answer(200, [0xff]));
        let (result, world) = fetch(vec![broken(), Ok(answer(500, "")), unreadable, Ok(answer(200, "fine"))]);
        assert_eq!(result, Ok(Outcome::Complete("fine".into())));
        assert_eq!(world.requests.borrow().len(), 4);
    }

    #[test]
    fn a_failure_that_never_passes_ends_with_its_error_and_the_number_of_tries() {
        let (result, world) = fetch(vec![Ok(answer(500, ""))]);
        let error = result.unwrap_err();
        assert_eq!(error.failure_type, FailureType::Transient);
        assert_eq!(error.message, "broken (tried 16 times in 5m)");
        assert_eq!(error.internal_message.as_deref(), Some("GET http://h/x: attempt 16: why"));
        assert_eq!(world.elapsed().as_secs(), 300);
    }

    #[test]
    fn a_body_that_stays_unreadable_is_an_error_that_shows_how_it_begins() {
        let mut html = answer(200, [b"<html>".as_slice(), &[0xff]].concat());
        html.headers.push(("content-type".into(), "text/html".into()));
        let error = fetch(vec![Ok(html)]).0.unwrap_err();
        assert!(error.message.starts_with("the response (status 200, text/html) cannot be read"), "{error}");
        assert!(error.message.ends_with("(tried 3 times in 2s)"), "{error}");
        assert!(error.internal_message.unwrap().contains("<html>"));
    }

    #[test]
    fn what_is_no_use_to_try_again_is_tried_once() {
        for last in [
            Ok(answer(401, "")),
            Err(TransportError::Denied("no".into())),
            Err(TransportError::Refused("no".into())),
        ] {
            let (result, world) = fetch(vec![last]);
            assert!(result.is_err());
            assert_eq!(world.requests.borrow().len(), 1);
        }
    }

    /// Fetches from a server that fails for this many seconds and then recovers.
    fn fetch_through(
        seconds: i64,
        failure: &Result<Response, TransportError>,
        latency: u64,
    ) -> (Result<Outcome<String>>, Rc<World>) {
        let (started, failure) = (instant("2024-06-01T00:00:00Z"), failure.clone());
        let clock: Rc<RefCell<Option<Platform>>> = Rc::default();
        let now = Rc::clone(&clock);
        let world = World::new(move |_| {
            let elapsed = now.borrow().as_ref().unwrap().clock.now() - started;
            if elapsed.whole_seconds() < seconds { failure.clone() } else { Ok(answer(200, "fine")) }
        })
        .with_latency(Duration::from_secs(latency));
        *clock.borrow_mut() = Some(world.platform());
        let fetcher =
            Fetcher::new(world.platform(), Rc::new(PlainServer), RetryPolicy::read(5), Rc::default());
        let result = world.run(fetcher.fetch(Request::get("http://h", "x", &[]), &RateClass::DEFAULT, utf8));
        (result, world)
    }

    fn asking(status: u16, retry_after: &str) -> Response {
        let headers = vec![("retry-after".into(), retry_after.into())];
        Response { headers, ..answer(status, "") }
    }

    #[test]
    fn outages_of_minutes_are_waited_out_whatever_fails() {
        let silence = Err(TransportError::TimedOut("silence".into()));
        for (failure, latency) in [
            (broken(), 0),
            (silence, 60),
            (Ok(answer(500, "")), 0),
            (Ok(answer(429, "")), 0),
            (Ok(asking(429, "1")), 0),
            (Ok(asking(500, "0")), 0),
            (Ok(asking(500, "Thu, 01 Jan 2015 00:00:00 GMT")), 0),
        ] {
            // An attempt that is sent within the budget and ends after it is the last one.
            for seconds in [60, 299 - i64::try_from(latency).unwrap()] {
                let (result, _) = fetch_through(seconds, &failure, latency);
                assert_eq!(result, Ok(Outcome::Complete("fine".into())), "{seconds} s of {failure:?}");
            }
        }
        let error = fetch_through(400, &broken(), 0).0.unwrap_err();
        assert_eq!(error.failure_type, FailureType::Transient);
    }

    #[test]
    fn silence_uses_up_the_patience_by_its_own_length() {
        let (result, world) = fetch_through(3600, &Err(TransportError::TimedOut("silence".into())), 60);
        let error = result.unwrap_err();
        assert!(error.message.starts_with("no answer in time: silence (tried 5 times in 5m"), "{error}");
        assert!(world.elapsed().as_secs() < 400);
    }

    #[test]
    fn a_wait_that_is_too_long_is_an_error_at_once_that_says_until_when() {
        let (result, world) = fetch(vec![Ok(asking(429, "3600"))]);
        let error = result.unwrap_err();
        let expected = "too many; the server asks to wait 1h, until 2024-06-01T01:00:00+00:00, but a request waits for \
            10m at most: try again later";
        assert_eq!(error.message, expected);
        assert_eq!(error.failure_type, FailureType::Transient);
        assert_eq!(world.elapsed(), Duration::ZERO);
        let error = fetch(vec![Ok(asking(500, "99999999999"))]).0.unwrap_err();
        assert!(error.message.contains("asks to wait 27777777h 46m,"), "{error}");
    }

    #[test]
    fn a_person_is_told_when_it_takes_long_and_when_it_is_over_and_not_about_every_try() {
        let levels = |seconds| {
            let (_, world) = fetch_through(seconds, &broken(), 0);
            let lines = world.lines.borrow();
            let count = |level| lines.iter().filter(|(of, _)| *of == level).count();
            (count(Level::Warn), count(Level::Info), count(Level::Debug))
        };
        assert_eq!(levels(3), (0, 0, 3));
        let (warnings, over, others) = levels(200);
        assert!((2..=4).contains(&warnings) && others > 5, "{warnings} {others}");
        assert_eq!(over, 1);
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for() {
        let mut busy = answer(429, "");
        busy.headers.push(("retry-after".into(), "42".into()));
        let (result, world) = fetch(vec![Ok(busy), Ok(answer(200, "fine"))]);
        assert!(result.is_ok());
        assert_eq!(world.elapsed().as_secs(), 42);
        let reported = instant("2024-06-01T00:00:42Z");
        assert_eq!(*world.rate_limits.borrow(), [reported]);
    }

    #[test]
    fn what_is_gone_is_an_answer_and_no_error() {
        assert_eq!(fetch(vec![Ok(answer(404, ""))]).0, Ok(Outcome::Absent("gone".into())));
    }
}
