//! Gets one answer, in spite of failures that pass.
//!
//! In: a request. Out: the decoded answer, or the one error that remains when the budget of tries is used up. This is
//! the only place that retries.

use std::{cell::RefCell, rc::Rc, time::Duration};

use time::Timestamp;

use crate::{
    api::{Api, Verdict},
    error::{Error, Result},
    http::{Request, Response, TransportError},
    log::Level,
    pace::Pace,
    platform::Platform,
    retry::{Retries, RetryPolicy, parse_retry_after},
};

/// An answer that arrived whole and cannot be read is seldom better the next time: three tries, not eight.
const UNREADABLE_COST: u32 = 3;

/// Eight times a minute of silence is more than anybody waits for.
const TIMED_OUT_COST: u32 = 3;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// The decoded body.
    Complete(T),
    /// What was asked for does not exist; the server's words.
    Absent(String),
    /// The account does not have this feature; the server's words.
    Unavailable(String),
    /// The server refuses this request; others may be answered.
    Refused(Error),
    /// The server would answer a request for less.
    TooLarge(Error),
}

/// Sends requests of one stream.
pub struct Fetcher {
    platform: Platform,
    api: Rc<dyn Api>,
    policy: RetryPolicy,
    pace: RefCell<Pace>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Takes a body, or says why it cannot be read.
type Decode<'a> = dyn FnMut(&[u8]) -> Result<(), String> + 'a;

/// Why one try failed.
struct Failure {
    error: Error,
    cost: u32,
    retry_after: Option<Duration>,
    is_final: bool,
    is_refusal: bool,
}

impl Fetcher {
    /// Sends to `api` with the given budget for each request.
    pub fn new(platform: Platform, api: Rc<dyn Api>, policy: RetryPolicy) -> Self {
        Self { platform, api, policy, pace: RefCell::default() }
    }

    /// The API this sends to.
    pub fn api(&self) -> &dyn Api {
        &*self.api
    }

    /// The instant by the clock of the outside world.
    pub fn now(&self) -> Timestamp {
        self.platform.clock.now()
    }

    /// Sends `request` until an answer can be decoded.
    ///
    /// # Errors
    /// The error of the last try, once trying again is no use or the budget is used up.
    pub async fn fetch<T>(
        &self,
        request: Request,
        decode: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Answer<T>> {
        let mut decoded = None;
        let mut keep = |body: &[u8]| {
            decoded = Some(decode(body)?);
            Ok(())
        };
        match self.fetch_with(request, &mut keep).await? {
            Answer::Absent(reason) => Ok(Answer::Absent(reason)),
            Answer::Unavailable(reason) => Ok(Answer::Unavailable(reason)),
            Answer::Refused(error) => Ok(Answer::Refused(error)),
            Answer::TooLarge(error) => Ok(Answer::TooLarge(error)),
            Answer::Complete(()) => {
                decoded.map(Answer::Complete).ok_or_else(|| Error::system("an answer was not decoded"))
            }
        }
    }

    /// As [`Fetcher::fetch`], but compiled once for all kinds of answers.
    async fn fetch_with(&self, request: Request, decode: &mut Decode<'_>) -> Result<Answer<()>> {
        let mut retries = Retries::new(self.policy);
        loop {
            let clock = &self.platform.clock;
            let turn = self.pace.borrow_mut().take_turn(clock.now());
            if !turn.is_zero() {
                clock.sleep(turn).await;
            }
            let started = clock.now();
            let result = self.platform.transport.send(request.clone()).await;
            let now = clock.now();
            let failure = match self.evaluate(result, decode) {
                Ok(answer) => {
                    self.pace.borrow_mut().succeeded(now);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let jitter = f64::from(now.nanosecond()) / 1e9;
            let delay = retries.next_delay(failure.cost, failure.retry_after, jitter);
            let attempt =
                format!("{request}: attempt {} of {}", retries.failures(), self.policy.max_attempts);
            let Some(delay) = delay.filter(|_| !failure.is_final) else {
                return Err(exhausted(failure, &retries, &attempt));
            };
            let line = format!("{attempt}: {}; next in {delay:.1?}", failure.error.message);
            // A person is told when it begins to take long.
            let takes_long = retries.failures() > 3 || failure.cost > 1;
            self.platform.log.log(if takes_long { Level::Warn } else { Level::Debug }, &line);
            if failure.is_refusal {
                self.platform.progress.rate_limited(now.saturating_add(delay.try_into().unwrap_or_default()));
                self.pace.borrow_mut().refused(started, now, failure.retry_after);
            }
            clock.sleep(delay).await;
        }
    }

    fn evaluate(
        &self,
        result: Result<Response, TransportError>,
        decode: &mut Decode<'_>,
    ) -> Result<Answer<()>, Failure> {
        let failed =
            |error: Error| Failure { error, cost: 1, retry_after: None, is_final: false, is_refusal: false };
        let response = match result {
            Ok(response) => response,
            Err(TransportError::Broken(reason)) => {
                return Err(failed(Error::transient(format!("no complete answer: {reason}"))));
            }
            Err(TransportError::TimedOut(reason)) => {
                let error = Error::transient(format!("no answer in time: {reason}"));
                return Err(Failure { cost: TIMED_OUT_COST, ..failed(error) });
            }
            Err(TransportError::Refused(reason)) => {
                let error = Error::system(format!("the request could not be made: {reason}"));
                return Err(Failure { is_final: true, ..failed(error) });
            }
            Err(TransportError::Denied(reason)) => {
                let error = Error::config(format!("{reason}; the log says what would allow it"));
                return Err(Failure { is_final: true, ..failed(error) });
            }
        };
        let asked = parse_retry_after(&response, self.platform.clock.now());
        match self.api.judge(&response) {
            Verdict::Complete => match decode(&response.body) {
                Ok(()) => Ok(Answer::Complete(())),
                Err(reason) => {
                    Err(Failure { cost: UNREADABLE_COST, ..failed(self.unreadable(&response, &reason)) })
                }
            },
            Verdict::Retry(error) => Err(Failure { retry_after: asked, ..failed(error) }),
            Verdict::RateLimited(error) => {
                Err(Failure { retry_after: asked, is_refusal: true, ..failed(error) })
            }
            Verdict::Fail(error) => Err(Failure { is_final: true, ..failed(error) }),
            Verdict::Absent(reason) => Ok(Answer::Absent(reason)),
            Verdict::Unavailable(reason) => Ok(Answer::Unavailable(reason)),
            Verdict::Refused(error) => Ok(Answer::Refused(error)),
            Verdict::TooLarge(error) => Ok(Answer::TooLarge(error)),
        }
    }
}

impl Fetcher {
    /// The error for a body that is not what was asked for. How it begins often tells who really answered.
    fn unreadable(&self, response: &Response, reason: &str) -> Error {
        let content_type = response.header("content-type").unwrap_or("unknown type");
        let body = self.api.redact(&String::from_utf8_lossy(&response.body));
        let beginning: String = body.chars().take(200).collect();
        let (status, size) = (response.status, response.body.len());
        let reason = self.api.redact(reason);
        Error::system(format!("the answer (status {status}, {content_type}) cannot be read: {reason}"))
            .internal(format!("the body has {size} bytes and begins {beginning:?}"))
    }
}

/// The error that is left when there is no next try.
fn exhausted(failure: Failure, retries: &Retries, attempt: &str) -> Error {
    let Failure { mut error, is_final, .. } = failure;
    if !is_final && retries.failures() > 1 {
        error.message.push_str(&format!(" (tried {} times)", retries.failures()));
    }
    let internal = error.internal_message.take();
    let internal = internal.map_or_else(|| attempt.to_owned(), |internal| format!("{attempt}: {internal}"));
    error.internal(internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        error::FailureType,
        fixtures::PlainApi,
        http::Request,
        testing::{World, answer, instant},
    };

    fn utf8(body: &[u8]) -> Result<String, String> {
        String::from_utf8(body.to_vec()).map_err(|error| error.to_string())
    }

    /// Fetches once from a server that gives these answers and then the last one for ever.
    fn fetch(answers: Vec<Result<Response, TransportError>>) -> (Result<Answer<String>>, Rc<World>) {
        let mut left = answers.into_iter().peekable();
        let mut last = Err(TransportError::Broken(String::new()));
        let world = World::new(move |_| {
            last = left.next().unwrap_or_else(|| last.clone());
            last.clone()
        });
        let fetcher = Fetcher::new(world.platform(), Rc::new(PlainApi), RetryPolicy::READ);
        let result = world.run(fetcher.fetch(Request::get("http://h", "x", &[]), utf8));
        (result, world)
    }

    fn broken() -> Result<Response, TransportError> {
        Err(TransportError::Broken("cut".into()))
    }

    #[test]
    fn failures_that_pass_are_tried_again() {
        let unreadable = Ok(answer(200, [0xff]));
        let (result, world) = fetch(vec![broken(), Ok(answer(500, "")), unreadable, Ok(answer(200, "fine"))]);
        assert_eq!(result, Ok(Answer::Complete("fine".into())));
        assert_eq!(world.requests.borrow().len(), 4);
    }

    #[test]
    fn a_failure_that_never_passes_ends_with_its_error_and_the_number_of_tries() {
        let (result, world) = fetch(vec![Ok(answer(500, ""))]);
        let error = result.unwrap_err();
        assert_eq!(error.failure_type, FailureType::Transient);
        assert_eq!(error.message, "broken (tried 8 times)");
        assert_eq!(error.internal_message.as_deref(), Some("GET http://h/x: attempt 8 of 8: why"));
        assert_eq!(world.elapsed().as_secs(), 22);
    }

    #[test]
    fn a_body_that_stays_unreadable_is_an_error_that_shows_how_it_begins() {
        let mut html = answer(200, [b"<html>".as_slice(), &[0xff]].concat());
        html.headers.push(("content-type".into(), "text/html".into()));
        let error = fetch(vec![Ok(html)]).0.unwrap_err();
        assert!(error.message.starts_with("the answer (status 200, text/html) cannot be read"), "{error}");
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

    #[test]
    fn silence_is_endured_three_times() {
        let (result, world) = fetch(vec![Err(TransportError::TimedOut("silence".into()))]);
        assert_eq!(result.unwrap_err().message, "no answer in time: silence (tried 3 times)");
        assert_eq!(world.requests.borrow().len(), 3);
    }

    #[test]
    fn the_server_is_given_the_time_it_asks_for() {
        let mut busy = answer(429, "");
        busy.headers.push(("retry-after".into(), "42".into()));
        let (result, world) = fetch(vec![Ok(busy), Ok(answer(200, "fine"))]);
        assert!(result.is_ok());
        assert_eq!(world.elapsed().as_secs(), 42);
        let told = instant("2024-06-01T00:00:42Z");
        assert_eq!(*world.rate_limits.borrow(), [told]);
    }

    #[test]
    fn what_is_gone_is_an_answer_and_no_error() {
        assert_eq!(fetch(vec![Ok(answer(404, ""))]).0, Ok(Answer::Absent("gone".into())));
    }
}
