//! Parses and validates event searches, and writes their answers.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::account::Account;
use crate::instant::parse_date_time;
use crate::object::write_object;
use crate::problem::Problem;
use crate::timeframe::Timeframe;
use crate::timeline::later;

/// The most identifiers in one search.
const MAXIMUM_IDS: usize = 500;

/// The longest timeframe of a search, and how far back a search reaches by default.
const MAXIMUM_TIME: SignedDuration = SignedDuration::from_hours(30 * 24);
const DEFAULT_TIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The criteria of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventSearch {
    event_ids: Vec<String>,
    timeframe: Timeframe,
}

impl EventSearch {
    /// Parses a body. The timeframe ends at `now` by default, and its default start counts back
    /// from `now`.
    pub(crate) fn parse(body: &[u8], now: Timestamp) -> Result<EventSearch, Problem> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(Problem::validation(vec!["body: is not a JSON object".to_owned()]));
        };
        let known = ["event_ids", "timeframe_start", "timeframe_end"];
        let unknown = fields.keys().filter(|name| !known.contains(&name.as_str()));
        let mut errors: Vec<String> = unknown.map(|name| format!("{name}: unknown field")).collect();
        let event_ids = parse_ids(fields.get("event_ids"));
        if event_ids.is_none() {
            errors.push(format!("event_ids: is not a list of 1 to {MAXIMUM_IDS} strings"));
        }
        let mut instant = |name, default| match fields.get(name) {
            None | Some(Value::Null) => default,
            Some(value) => value.as_str().and_then(parse_date_time).unwrap_or_else(|| {
                errors.push(format!("{name}: {value} is not a date-time with an offset"));
                default
            }),
        };
        let start = instant("timeframe_start", later(now, -DEFAULT_TIME));
        let end = instant("timeframe_end", now);
        let timeframe = Timeframe::new(start, end);
        if timeframe.is_none() {
            errors.push("timeframe_end: is not after timeframe_start".to_owned());
        }
        match (event_ids, timeframe) {
            (Some(_), Some(_)) if start.duration_until(end) > MAXIMUM_TIME => {
                Err(Problem::constraint_violation(
                    "Cannot search for events in a time range greater than 30 days.",
                ))
            }
            (Some(event_ids), Some(timeframe)) if errors.is_empty() => {
                Ok(EventSearch { event_ids, timeframe })
            }
            _ => Err(Problem::validation(errors)),
        }
    }

    /// The body of the answer. Omits identifiers that are not found; there is no next page.
    pub(crate) fn answer(&self, account: &Account) -> String {
        let mut body = String::new();
        write_object(&mut body, |answer| {
            let events = account.events_within(&self.event_ids, self.timeframe);
            answer.list("data", events, |out, event| out.push_str(&event));
        });
        body
    }
}

fn parse_ids(value: Option<&Value>) -> Option<Vec<String>> {
    let ids = value?.as_array().filter(|ids| (1..=MAXIMUM_IDS).contains(&ids.len()))?;
    ids.iter().map(|id| id.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<EventSearch, String> {
        let now = "2024-12-31T12:00:00Z".parse().unwrap();
        EventSearch::parse(body.as_bytes(), now).map_err(|problem| problem.body())
    }

    fn error(body: &str) -> String {
        parse(body).expect_err(body)
    }

    #[test]
    fn a_search_without_a_timeframe_is_of_the_last_week() {
        for body in
            [r#"{"event_ids":["a"]}"#, r#"{"event_ids":["a"],"timeframe_start":null,"timeframe_end":null}"#]
        {
            let search = parse(body).unwrap();
            assert_eq!(search.timeframe.start.to_string(), "2024-12-24T12:00:00Z");
            assert_eq!(search.timeframe.end.to_string(), "2024-12-31T12:00:00Z");
        }
    }

    #[test]
    fn one_to_five_hundred_strings_may_be_searched_for() {
        let ids = |count| format!(r#"{{"event_ids":{}}}"#, Value::from(vec!["x"; count]));
        assert_eq!(parse(&ids(500)).unwrap().event_ids.len(), 500);
        for body in [
            ids(0),
            ids(501),
            "{}".to_owned(),
            r#"{"event_ids":"x"}"#.to_owned(),
            r#"{"event_ids":[1]}"#.to_owned(),
        ] {
            assert!(error(&body).contains("1 to 500 strings"), "{body}");
        }
    }

    #[test]
    fn thirty_days_may_be_searched() {
        let search = |start, end| {
            parse(&format!(r#"{{"event_ids":["a"],"timeframe_start":"{start}","timeframe_end":"{end}"}}"#))
        };
        assert!(search("2024-02-01T00:00:00Z", "2024-03-02T00:00:00+00:00").is_ok());
        let error = search("2024-02-01T00:00:00Z", "2024-03-02T00:00:01Z").unwrap_err();
        assert!(error.contains("Cannot search for events in a time range greater than 30 days."), "{error}");
        assert!(search("2024-02-01T00:00:00Z", "2024-02-01T00:00:00Z").unwrap_err().contains("not after"));
        assert!(search("2024-02-01", "2024-02-02T00:00:00Z").unwrap_err().contains("date-time"));
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for (body, part) in [
            ("", "not a JSON object"),
            ("[]", "not a JSON object"),
            ("event_ids=a", "not a JSON object"),
            (r#"{"event_ids":["a"],"invoice_id":"x"}"#, "invoice_id: unknown field"),
            (r#"{"event_ids":["a"],"timeframe_end":1}"#, "timeframe_end: 1 is not"),
        ] {
            assert!(error(body).contains(part), "{part} in {}", error(body));
        }
    }
}
