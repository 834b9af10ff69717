//! What a request gets that a fault strikes.

use super::answer::{Answer, Outcome};
use super::{API_KEY, Request, Server, parameter};
use crate::fault::{Fault, Form, Garbled, Wait};
use crate::world::{SECOND, Time};

impl Server {
    pub(super) fn strike(&mut self, fault: Fault, request: &Request, now: Time) -> Answer {
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

/// An answer of an error.
pub(super) fn status(code: u16, form: Form, wait: Wait, now: Time) -> Answer {
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

fn decoded(token: &str) -> String {
    token.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}
