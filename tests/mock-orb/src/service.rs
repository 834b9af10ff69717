//! Handles one HTTP request: applies faults, rate limits and authentication, and calls the
//! endpoint.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::delivery::{Cut, Delivery};
use crate::edit::RecordError;
use crate::endpoint::{Asked, Endpoint};
use crate::fault::{Fault, InjectedAnswer, Strike, strike};
use crate::kept_answers::KeptAnswers;
use crate::mutation::Applied;
use crate::problem::Problem;
use crate::query::decode_query;
use crate::rate::{Limiter, RetryAfter};
use crate::rate_class::RateClass;
use crate::request_log::{Authorization, LoggedRequest, Place, RequestLog};
use crate::script::{Agenda, Step};
use crate::timeline::later;

/// The largest request body. A search for 500 events is far smaller.
const MAXIMUM_BODY: usize = 1 << 20;

/// State shared by the server's thread and its owner.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) account: Mutex<Account>,
    /// The owner's thread that holds the account.
    pub(crate) holder: Mutex<Option<ThreadId>>,
    pub(crate) log: Mutex<RequestLog>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) limiters: Mutex<Vec<Limiter>>,
    /// Delays by path prefix; the longest prefix wins.
    pub(crate) latencies: Mutex<Vec<(String, Duration)>>,
    pub(crate) connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) kept: Mutex<KeptAnswers>,
    pub(crate) agenda: Mutex<Agenda>,
}

/// Locks, and ignores poison: a panic elsewhere is reported there and must not be masked here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(account: Account) -> Shared {
        Shared {
            account: Mutex::new(account),
            holder: Mutex::default(),
            log: Mutex::default(),
            faults: Mutex::default(),
            limiters: Mutex::default(),
            latencies: Mutex::default(),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            kept: Mutex::default(),
            agenda: Mutex::default(),
        }
    }

    /// Answers one request, or cuts its connection.
    pub(crate) async fn respond(
        &self,
        connection: u64,
        request: Request<Incoming>,
    ) -> Result<Response<Delivery>, Cut> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let query = decode_query(head.uri.query().unwrap_or_default());
        let key = bearer(&head.headers);
        let known = key.as_deref().is_some_and(|key| lock(&self.account).knows_key(key));
        let authorization = match head.headers.contains_key(AUTHORIZATION) {
            false => Authorization::Missing,
            true if known => Authorization::Valid,
            true => Authorization::Wrong,
        };
        let mut entry = Entry::open(
            &self.log,
            LoggedRequest {
                method: head.method.to_string(),
                path: path.clone(),
                query: query.clone(),
                authorization,
                headers: readable(&head.headers),
                body: String::new(),
                status: None,
                connection,
            },
        );
        let body = entry.read(body).await?;
        self.mutate(&path);
        let Strike { delay, disconnect, answer, repeat_page_token: repeat_token, truncate, slow_body } =
            strike(&mut lock(&self.faults), &path, &query);
        let refusal = key.filter(|_| known).and_then(|key| {
            let class = RateClass::of(head.method.as_str(), &path);
            self.refusal(&key, class, &path)
        });
        let delay = delay.saturating_add(self.latency(&path));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if disconnect {
            return Err(Cut);
        }
        let response = match answer.or(refusal) {
            Some(injected) => injected.into_response(),
            None => {
                let body = body.as_deref();
                let asked = Asked { method: &head.method, path: &path, query: &query, body, repeat_token };
                let target =
                    head.uri.path_and_query().filter(|_| head.method == Method::GET && !repeat_token);
                let target = target.map(PathAndQuery::as_str);
                let answer = if known { self.answer(asked, target) } else { Err(Problem::unauthenticated()) };
                let (status, body) = match answer {
                    Ok(body) => (200, body),
                    Err(problem) => (problem.status, problem.body().into()),
                };
                json(status, body).into_response()
            }
        };
        entry.status = Some(response.status().as_u16());
        Ok(response.map(|body| Delivery::new(body, truncate, slow_body)))
    }

    /// Applies the mutations that are due before a request for a path.
    fn mutate(&self, path: &str) {
        let due = lock(&self.agenda).due(path);
        if !due.is_empty() {
            self.apply(&due);
        }
    }

    /// Applies mutations, and notes what became of them.
    pub(crate) fn apply(&self, steps: &[Step]) -> Vec<Result<Applied, RecordError>> {
        let mut account = lock(&self.account);
        let outcomes: Vec<_> = steps.iter().flat_map(|step| step.apply(&mut account)).collect();
        // While the account is locked, so that nobody finds an older answer.
        lock(&self.kept).forget();
        lock(&self.agenda).note(outcomes.clone());
        outcomes
    }

    /// The account's answer, or the one cached for `target`.
    fn answer(&self, asked: Asked<'_>, target: Option<&str>) -> Result<Bytes, Problem> {
        if let Some(body) = target.and_then(|target| lock(&self.kept).find(target)) {
            return Ok(body);
        }
        let endpoint = Endpoint::parse(asked.method, asked.path).ok_or_else(Problem::url_not_found)?;
        let account = lock(&self.account);
        let body = Bytes::from(endpoint.answer(&account, asked)?);
        if let Some(target) = target {
            // While the account is locked, so that it cannot change first.
            lock(&self.kept).keep(target, &body);
        }
        Ok(body)
    }

    /// The 429 of the first limit that a request exceeds. Every limit counts the request.
    fn refusal(&self, key: &str, class: RateClass, path: &str) -> Option<InjectedAnswer> {
        let now = Instant::now();
        let mut refusal = None;
        for limiter in lock(&self.limiters).iter_mut() {
            if let Err(wait) = limiter.take(key, class, path, now) {
                let problem = Problem::too_many_requests();
                let mut answer = json(problem.status, problem.body().into());
                if let Some(value) = retry_after(limiter.retry_after(), wait) {
                    answer.headers.push((RETRY_AFTER.to_string(), value));
                }
                refusal = refusal.or(Some(answer));
            }
        }
        self.refused.fetch_add(u64::from(refusal.is_some()), Ordering::Relaxed);
        refusal
    }

    fn latency(&self, path: &str) -> Duration {
        let latencies = lock(&self.latencies);
        let matching = latencies.iter().filter(|(prefix, _)| path.starts_with(prefix));
        matching.max_by_key(|(prefix, _)| prefix.len()).map_or(Duration::ZERO, |(_, delay)| *delay)
    }
}

/// A request's log entry. Records the status however the request ends.
struct Entry<'a> {
    log: &'a Mutex<RequestLog>,
    place: Place,
    status: Option<u16>,
}

impl Entry<'_> {
    fn open(log: &Mutex<RequestLog>, request: LoggedRequest) -> Entry<'_> {
        let place = lock(log).open(request);
        Entry { log, place, status: None }
    }

    /// Reads a request's body; `None` if it is too large.
    async fn read(&self, body: Incoming) -> Result<Option<Bytes>, Cut> {
        match Limited::new(body, MAXIMUM_BODY).collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                lock(self.log).note_body(self.place, &body);
                Ok(Some(body))
            }
            Err(error) if error.is::<LengthLimitError>() => Ok(None),
            Err(_) => Err(Cut),
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        lock(self.log).close(self.place, self.status);
    }
}

impl InjectedAnswer {
    fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            // An invalid header cannot be sent.
            if let (Ok(name), Ok(value)) =
                (hyper::header::HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

fn json(status: u16, body: Bytes) -> InjectedAnswer {
    let headers = vec![(CONTENT_TYPE.to_string(), "application/json".to_owned())];
    InjectedAnswer { status, headers, body }
}

/// The key of `Authorization: Bearer <key>`; the scheme is case-insensitive.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

/// All headers but the one that carries the key.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let others = headers.iter().filter(|(name, _)| *name != AUTHORIZATION);
    others
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn retry_after(form: RetryAfter, wait: Duration) -> Option<String> {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    match form {
        RetryAfter::Absent => None,
        RetryAfter::Seconds => Some(seconds.to_string()),
        RetryAfter::Date => {
            // Dates have whole seconds: round up, so that clients do not return too early.
            let wait =
                SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(1));
            http_date(later(Timestamp::now(), wait))
        }
    }
}

fn http_date(at: Timestamp) -> Option<String> {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

#[cfg(test)]
mod tests;
