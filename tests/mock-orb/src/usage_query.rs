//! Parses and validates the query parameters of a usage request.
//!
//! Orb's documentation contradicts itself about the default of `granularity`: a table says `day`,
//! the text says a single window. The emulator uses a single window, so clients that want days must
//! say so.

use jiff::Timestamp;

use crate::instant::parse_date_time;
use crate::problem::Problem;
use crate::timeframe::{Timeframe, fits_a_year};

/// All documented parameters. There is no `limit` and no `cursor`.
const NAMES: [&str; 10] = [
    "billable_metric_id",
    "first_dimension_key",
    "first_dimension_value",
    "granularity",
    "group_by",
    "second_dimension_key",
    "second_dimension_value",
    "timeframe_end",
    "timeframe_start",
    "view_mode",
];

/// A request for a subscription's usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsageQuery {
    /// By default, the current billing period.
    pub(crate) timeframe: Option<Timeframe>,
    pub(crate) by_day: bool,
    pub(crate) cumulative: bool,
    /// The only metric to return, and the property to group it by.
    pub(crate) group: Option<(String, String)>,
}

impl UsageQuery {
    pub(crate) fn parse(query: &[(String, String)]) -> Result<UsageQuery, Problem> {
        let mut errors = Vec::new();
        for (position, (name, _)) in query.iter().enumerate() {
            if !NAMES.contains(&name.as_str()) {
                errors.push(format!("{name}: unknown parameter"));
            } else if query[..position].iter().any(|(earlier, _)| earlier == name) {
                errors.push(format!("{name}: may be given once only"));
            }
        }
        let value = |name| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let mut word = |name, words: &[&'static str]| {
            let value = value(name)?;
            let word = words.iter().find(|word| **word == value).copied();
            if word.is_none() {
                errors.push(format!("{name}: {value:?} is not one of {}", words.join(", ")));
            }
            word
        };
        let granularity = word("granularity", &["day"]);
        let view_mode = word("view_mode", &["periodic", "cumulative"]);
        let mut instant = |name| {
            let value = value(name)?;
            let at = parse_utc(value);
            if at.is_none() {
                errors.push(format!("{name}: {value:?} is not a date-time in UTC"));
            }
            at
        };
        let bounds = (instant("timeframe_start"), instant("timeframe_end"));
        let timeframe = match bounds {
            (Some(start), Some(end)) => Timeframe::new(start, end),
            _ => None,
        };
        if value("timeframe_start").is_some() != value("timeframe_end").is_some() {
            errors.push("timeframe_start, timeframe_end: both must be given, or neither".to_owned());
        } else if matches!(bounds, (Some(start), Some(end)) if start >= end) {
            errors.push("timeframe_end: is not after timeframe_start".to_owned());
        } else if timeframe.is_some_and(|timeframe| !fits_a_year(timeframe)) {
            errors.push("timeframe_end: is more than one year after timeframe_start".to_owned());
        }
        let group = value("billable_metric_id").zip(value("group_by"));
        if group.is_none() && (value("billable_metric_id").is_some() || value("group_by").is_some()) {
            errors.push("billable_metric_id, group_by: both must be given, or neither".to_owned());
        }
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        Ok(UsageQuery {
            timeframe,
            by_day: granularity.is_some(),
            // "It's strongly recommended that you use the default cumulative behavior."
            cumulative: view_mode != Some("periodic"),
            group: group.map(|(metric, key)| (metric.to_owned(), key.to_owned())),
        })
    }
}

/// "These timestamps must be specified in ISO 8601 format and UTC timezone."
fn parse_utc(text: &str) -> Option<Timestamp> {
    parse_date_time(text).filter(|_| text.ends_with('Z') || text.ends_with("+00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::decode_query;

    fn parse(query: &str) -> Result<UsageQuery, String> {
        UsageQuery::parse(&decode_query(query)).map_err(|problem| problem.body())
    }

    fn error(query: &str) -> String {
        parse(query).expect_err(query)
    }

    #[test]
    fn nothing_asked_is_the_period_in_one_cumulative_window() {
        let expected = UsageQuery { timeframe: None, by_day: false, cumulative: true, group: None };
        assert_eq!(parse(""), Ok(expected));
    }

    #[test]
    fn a_timeframe_has_two_ends_in_utc_and_is_a_year_at_most() {
        let year = |start, end| parse(&format!("timeframe_start={start}&timeframe_end={end}"));
        assert!(year("2024-01-01T00:00:00Z", "2025-01-01T00:00:00%2B00:00").is_ok());
        assert!(year("2023-01-01T00:00:00Z", "2024-01-01T00:00:00Z").is_ok());
        for (start, end, part) in [
            ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00.000001Z", "more than one year"),
            ("2023-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "more than one year"),
            ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "not after"),
            ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00%2B01:00", "in UTC"),
            ("2024-01-01", "2024-01-02T00:00:00Z", "in UTC"),
        ] {
            let error = year(start, end).unwrap_err();
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(error("timeframe_start=2024-01-01T00:00:00Z").contains("or neither"));
        assert!(error("timeframe_end=2024-01-01T00:00:00Z").contains("or neither"));
    }

    #[test]
    fn what_is_not_documented_is_refused() {
        for query in ["limit=20", "cursor=x", "granularity=hour", "granularity=", "view_mode=daily"] {
            assert!(parse(query).is_err(), "{query}");
        }
        assert!(error("granularity=day&granularity=day").contains("once only"));
        let documented = "granularity=day&view_mode=periodic&first_dimension_key=a&first_dimension_value=b";
        assert!(parse(&format!("{documented}&second_dimension_key=c&second_dimension_value=")).is_ok());
    }

    #[test]
    fn grouping_takes_a_metric_and_a_key() {
        let grouped = parse("billable_metric_id=m&group_by=region").unwrap();
        assert_eq!(grouped.group, Some(("m".to_owned(), "region".to_owned())));
        assert!(error("group_by=region").contains("both must be given"));
        assert!(error("billable_metric_id=m").contains("both must be given"));
    }
}
