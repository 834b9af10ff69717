//! Orb, as a history has it: the account's answers, and the faults on their way.

mod answer;
mod strike;

use std::collections::HashMap;

pub(crate) use self::answer::{Answer, Flow, Outcome};
use self::strike::status;
use crate::fault::{Fault, Form, OUTAGE, Wait};
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
