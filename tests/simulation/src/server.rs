//! Orb, as a history has it: the account's answers, and the faults on their way.

use std::collections::HashMap;

use crate::fault::{Failure, Fault, Form, Garbled, OUTAGE, Wait};
use crate::history::Change;
use crate::subject::Subject;
use crate::world::{MILLISECOND, SECOND, Time};

/// The key that the connector is given.
pub(crate) const API_KEY: &str = "key-that-nobody-may-see-7f3a9c";

/// What a request says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) is_https: bool,
    pub(crate) authority: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Failed(Failure),
}

/// An answer, or what came instead.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: Option<usize>,
    /// Bytes of a piece, if the body trickles.
    pieces: Option<usize>,
}

/// What a read of a body gives.
pub(crate) enum Flow<'a> {
    /// Empty if nothing has arrived yet.
    Bytes(&'a [u8]),
    Ended,
    Cut,
}

/// The time between two pieces of a body that trickles.
const PIECE_EVERY: Time = 200 * MILLISECOND;

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { outcome: Outcome::Answered, status, headers, body: body.into(), cut: None, pieces: None }
    }

    pub(crate) fn delay(&self) -> Time {
        match self.outcome {
            Outcome::Answered => 0,
            Outcome::Failed(failure) => failure.takes(),
        }
    }

    pub(crate) fn ready_at(&self, head_at: Time, read: usize) -> Time {
        let Some(piece) = self.pieces else { return head_at };
        head_at + PIECE_EVERY * Time::try_from(read / piece + 1).unwrap_or(Time::MAX / PIECE_EVERY)
    }

    pub(crate) fn read(&self, head_at: Time, read: usize, most: usize, now: Time) -> Flow<'_> {
        let end = self.cut.unwrap_or(self.body.len());
        if read >= end {
            return if self.cut.is_some() { Flow::Cut } else { Flow::Ended };
        }
        if self.ready_at(head_at, read) > now {
            return Flow::Bytes(&[]);
        }
        let piece = self.pieces.unwrap_or(usize::MAX).min(most).min(end - read);
        Flow::Bytes(&self.body[read..read + piece])
    }
}

/// A fault that a history has planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    /// Before so many requests have arrived.
    pub(crate) at: u64,
    pub(crate) fault: Fault,
    pub(crate) count: u32,
}

/// The server of one sync.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) subject: Subject,
    /// The most records on a page, whatever is asked for.
    pub(crate) page: usize,
    /// Changes, with the number of requests before them.
    pub(crate) changes: Vec<(u64, Change)>,
    pub(crate) planned: Vec<Planned>,
    /// The most requests of a second.
    pub(crate) rate: Option<u32>,
    second: (Time, u32),
    arrived: u64,
    /// How many requests the account answered.
    pub(crate) served: u64,
    /// Faults on certain targets that are not over, and targets that have had theirs.
    active: HashMap<String, (Fault, u32)>,
    /// A fault of the whole sync.
    general: Option<Fault>,
    /// Until when Orb asks to wait, by target.
    waits: HashMap<String, Time>,
    /// A request that came before that.
    pub(crate) impatient: Option<String>,
    /// Which faults took place.
    pub(crate) happened: Vec<(Fault, u32)>,
    /// What Orb's documentation forbids.
    pub(crate) forbidden: Option<String>,
    /// Lines of what happens, if somebody wants them.
    pub(crate) transcript: Option<Vec<String>>,
    started: Time,
}

impl Server {
    pub(crate) fn new(subject: Subject, page: usize, now: Time) -> Self {
        Self {
            subject,
            page,
            changes: Vec::new(),
            planned: Vec::new(),
            rate: None,
            second: (0, 0),
            arrived: 0,
            served: 0,
            active: HashMap::new(),
            general: None,
            waits: HashMap::new(),
            impatient: None,
            happened: Vec::new(),
            forbidden: None,
            transcript: None,
            started: now,
        }
    }

    pub(crate) fn arrived(&self) -> u64 {
        self.arrived
    }

    pub(crate) fn log(&mut self, now: Time, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            let seconds = (now - self.started) / MILLISECOND;
            transcript.push(format!("  {:>9}.{:03} s  {}", seconds / 1_000, seconds % 1_000, line()));
        }
    }

    /// Makes the changes that are due.
    pub(crate) fn change(&mut self, now: Time) {
        let arrived = self.arrived;
        let (due, later) = std::mem::take(&mut self.changes).into_iter().partition(|(at, _)| *at <= arrived);
        self.changes = later;
        let due: Vec<(u64, Change)> = due;
        for (_, change) in due {
            let what = self.subject.apply(change, now);
            self.log(now, || format!("account  {what}"));
        }
    }

    pub(crate) fn answer(&mut self, request: &Request, now: Time) -> Answer {
        self.change(now);
        self.arrived += 1;
        if self.waits.get(&request.target).is_some_and(|until| now < *until) {
            self.impatient.get_or_insert_with(|| format!("{} comes before Retry-After", request.target));
        }
        let fault = self.fault(request);
        let answer = match fault {
            None if self.is_too_fast(now) => self.refusal(now),
            None => self.serve(request),
            Some(fault) => self.strike(fault, request, now),
        };
        let asked = answer.headers.iter().find(|(name, _)| name == "retry-after");
        if let Some(seconds) = asked.and_then(|(_, value)| value.parse::<Time>().ok()) {
            self.waits.insert(request.target.clone(), now + seconds * SECOND);
        }
        if answer.status == 200 && matches!(fault, None | Some(Fault::Slow(_))) {
            self.served += 1;
        }
        let number = self.arrived - 1;
        self.log(now, || {
            let outcome = match answer.outcome {
                Outcome::Failed(failure) => format!("{failure:?}"),
                Outcome::Answered => format!("{}, {} bytes", answer.status, answer.body.len()),
            };
            let fault = fault.map(|fault| format!("  <- {fault}")).unwrap_or_default();
            format!("{number} {} {}: {outcome}{fault}", request.method, readable(&request.target))
        });
        answer
    }

    /// The fault that happens to a request. No target has two of them, so that what a fault may do
    /// is known.
    fn fault(&mut self, request: &Request) -> Option<Fault> {
        if let Some(fault) = self.general {
            return Some(fault);
        }
        let arrived = self.arrived;
        let due = self.planned.iter().position(|planned| planned.at < arrived);
        if !self.active.contains_key(&request.target)
            && let Some(index) = due
        {
            let Planned { fault, count, .. } = self.planned[index];
            let fits = match fault {
                Fault::ExpiredToken | Fault::RepeatedToken => request.target.contains("cursor="),
                // Before anything was answered.
                Fault::FeatureOff => self.served == 0,
                _ => true,
            };
            if fits || fault == Fault::FeatureOff {
                self.planned.remove(index);
            }
            if fits {
                self.happened.push((fault, count));
                if matches!(fault, Fault::FeatureOff | Fault::TooLarge(_)) || count >= OUTAGE {
                    self.general = Some(fault);
                    return Some(fault);
                }
                self.active.insert(request.target.clone(), (fault, count));
            }
        }
        let (fault, count) = self.active.get_mut(&request.target)?;
        *count = count.checked_sub(1)?;
        Some(*fault)
    }

    fn is_too_fast(&mut self, now: Time) -> bool {
        let Some(rate) = self.rate else { return false };
        let second = now / SECOND;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        self.second.1 > rate
    }

    fn refusal(&self, now: Time) -> Answer {
        let wait = if self.arrived.is_multiple_of(3) { Wait::Seconds(1) } else { Wait::Absent };
        status(429, Form::Orb, wait, now)
    }

    /// The account's answer, with fewer records on a page than Orb would put there.
    fn serve(&mut self, request: &Request) -> Answer {
        let bearer = format!("Bearer {API_KEY}");
        let is_signed = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .collect::<Vec<_>>();
        let is_post = request.method == "POST" && request.target == "/v1/events/search";
        if !request.is_https || request.authority != "api.withorb.com" {
            self.forbid(request, "goes elsewhere");
        } else if !(is_post || request.method == "GET" && request.body.is_empty()) {
            self.forbid(request, "is neither a GET without a body nor a search");
        } else if !matches!(&is_signed[..], [(_, value)] if *value == bearer) {
            self.forbid(request, "does not have the key");
        }
        let target = smaller(&request.target, self.page);
        let (status, body) = self.subject.account.respond(&request.method, &target, &request.body);
        let is_refused = body.contains("400-request-validation-errors") || body.contains("404-url-not-found");
        if is_refused || matches!(status, 401 | 403) {
            self.forbid(request, &body);
        }
        Answer::new(status, body)
    }

    fn forbid(&mut self, request: &Request, why: &str) {
        let line = format!("{} {}: {why}", request.method, request.target);
        self.forbidden.get_or_insert(line);
    }

    fn strike(&mut self, fault: Fault, request: &Request, now: Time) -> Answer {
        let least = if request.target.starts_with("/v1/events/volume") { 5 } else { 1 };
        match fault {
            Fault::Status(code, form, wait) => status(code, form, wait, now),
            Fault::Failure(failure) => Answer { outcome: Outcome::Failed(failure), ..Answer::new(0, "") },
            Fault::Redirect => {
                let mut answer = Answer::new(302, "");
                answer
                    .headers
                    .push(("location".to_owned(), format!("https://login.example.com/?k={API_KEY}")));
                answer
            }
            Fault::FeatureOff => Answer::new(404, problem(404, "404-feature-not-available", "off")),
            Fault::ExpiredToken => {
                Answer::new(400, problem(400, "400-request-validation-errors", "cursor: expired"))
            }
            Fault::TooLarge(most) => match parameter(&request.target, "limit") {
                // A list that does not say whether there is more cannot be read one by one.
                Some(limit) if limit.parse::<u16>().is_ok_and(|limit| limit > most.max(least)) => {
                    Answer::new(413, problem(413, "413-too-many-results", "too many results"))
                }
                _ => self.serve(request),
            },
            Fault::Cut(percent) => {
                let answer = self.serve(request);
                let cut = answer.body.len() * usize::from(percent) / 100;
                Answer { cut: Some(cut), ..answer }
            }
            Fault::Slow(bytes) => {
                let answer = self.serve(request);
                // A large body takes a minute, too.
                let piece = usize::from(bytes.max(1)).max(answer.body.len() / 300);
                Answer { pieces: Some(piece), ..answer }
            }
            Fault::Garbled(garbled) => {
                let mut answer = self.serve(request);
                if answer.status != 200 {
                    return answer;
                }
                let end = answer.body.len().saturating_sub(1);
                // What is no list may be an object with anything in it.
                let is_list = answer.body.starts_with(b"{\"data\":");
                match garbled {
                    Garbled::Object | Garbled::TwoLists if !is_list => answer.body.truncate(end),
                    Garbled::Html => answer.body = b"<html><body>Please log in</body></html>".to_vec(),
                    Garbled::Empty => answer.body.clear(),
                    Garbled::Null => answer.body = b"null".to_vec(),
                    Garbled::Object => answer.body = b"{}".to_vec(),
                    Garbled::Shortened => answer.body.truncate(end),
                    Garbled::Bytes => answer.body.insert(end, 0xff),
                    Garbled::TwoLists => {
                        answer.body.truncate(end);
                        answer.body.extend_from_slice(b",\"data\":[]}");
                    }
                }
                answer
            }
            Fault::RepeatedToken | Fault::MissingToken => {
                let mut answer = self.serve(request);
                let token = parameter(&request.target, "cursor").filter(|_| fault == Fault::RepeatedToken);
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                if let Some(at) = body.rfind("\"pagination_metadata\":") {
                    let token =
                        token.map_or_else(|| "null".to_owned(), |token| format!("\"{}\"", decoded(&token)));
                    let metadata = format!("{{\"has_more\":true,\"next_cursor\":{token}}}}}");
                    answer.body = format!("{}\"pagination_metadata\":{metadata}", &body[..at]).into_bytes();
                }
                answer
            }
        }
    }
}

fn status(code: u16, form: Form, wait: Wait, now: Time) -> Answer {
    let kind = match code {
        400 => "400-constraint-violation".to_owned(),
        401 => "401-authentication-error".to_owned(),
        429 => "429-too-many-requests".to_owned(),
        500 => "500-internal-server-error".to_owned(),
        other => other.to_string(),
    };
    let mut answer = match form {
        Form::Orb => Answer::new(code, problem(code, &kind, "Something went wrong.")),
        Form::Echo => Answer::new(code, problem(code, &kind, &format!("The key {API_KEY} is odd."))),
        Form::Empty => Answer::new(code, ""),
        Form::Html => {
            let mut answer = Answer::new(code, format!("<html><h1>{code}</h1>Bearer {API_KEY}</html>"));
            answer.headers[0].1 = "text/html".to_owned();
            answer
        }
    };
    let value = match wait {
        Wait::Absent => None,
        Wait::Seconds(seconds) => Some(seconds.to_string()),
        Wait::Nonsense => Some("soon".to_owned()),
        Wait::Date(seconds) => {
            let at = jiff::Timestamp::from_second(now / SECOND + i64::from(seconds)).unwrap_or_default();
            let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
            printer.timestamp_to_rfc9110_string(&at).ok()
        }
    };
    answer.headers.extend(value.map(|value| ("retry-after".to_owned(), value)));
    answer
}

fn problem(status: u16, kind: &str, detail: &str) -> String {
    format!(
        "{{\"type\":\"https://docs.withorb.com/reference/error-responses#{kind}\",\"status\":{status},\
         \"title\":\"Refused\",\"detail\":\"{detail}\"}}"
    )
}

/// The value of a query parameter, as sent.
fn parameter(target: &str, name: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).next()
}

/// A target as people read it.
fn readable(target: &str) -> String {
    let target = target.replace("%5B", "[").replace("%5D", "]").replace("%3A", ":");
    target.replace("%2B00:00", "Z")
}

fn decoded(token: &str) -> String {
    token.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

/// The target with a smaller limit. One that Orb would refuse stays as it is.
fn smaller(target: &str, page: usize) -> String {
    let most = if target.contains("/ledger") { 1_000 } else { 100 };
    // A list that does not say whether there is more is as long as is asked for.
    if target.starts_with("/v1/events/volume") {
        return target.to_owned();
    }
    match parameter(target, "limit") {
        Some(limit) if limit.parse::<usize>().is_ok_and(|limit| limit > page && limit <= most) => {
            target.replacen(&format!("limit={limit}"), &format!("limit={page}"), 1)
        }
        _ => target.to_owned(),
    }
}
