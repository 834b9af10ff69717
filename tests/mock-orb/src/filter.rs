//! Parses and validates the query parameters of a list request.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::amount::Amount;
use crate::facet::Facet;
use crate::instant::{parse_date, parse_date_time, utc_date};
use crate::page_token::{Scope, parse_token};
use crate::parameter::{Comparison, Parameter, Parameters, Rule};
use crate::problem::Problem;
use crate::shelf::Key;

/// The default of `limit`.
const DEFAULT_LIMIT: usize = 20;

/// Which records of a list a request selects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub(crate) limit: usize,
    /// The oldest and the newest place requested, both inclusive.
    pub(crate) oldest: Key,
    pub(crate) newest: Key,
    pub(crate) tests: Vec<Test>,
    pub(crate) scope: Scope,
    /// The page token sent, if any.
    pub(crate) token: Option<String>,
}

/// One condition on one facet; a record without the facet meets none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// All values given for one parameter.
    OneOf(&'static str, Facet, Vec<String>),
    Flag(Facet, String, bool),
    Number(Facet, Comparison, Amount),
    Date(Facet, Comparison, Date),
    Instant(Facet, Comparison, Timestamp),
}

impl Filter {
    /// Parses the query of a request to `path`. `now` is the instant from which relative windows
    /// count back.
    pub(crate) fn parse(
        path: &str,
        query: &[(String, String)],
        parameters: Parameters,
        now: Timestamp,
    ) -> Result<Filter, Problem> {
        let filters = query.iter().filter(|(name, _)| name != "limit" && name != "cursor");
        let mut filter = Filter {
            limit: DEFAULT_LIMIT,
            oldest: Key::OLDEST,
            newest: Key::NEWEST,
            tests: Vec::new(),
            scope: Scope::new(path, filters.map(|(name, value)| (name.as_str(), value.as_str()))),
            token: None,
        };
        let mut errors = Vec::new();
        for (position, (name, value)) in query.iter().enumerate() {
            let Some(parameter) = parameters.table.iter().find(|parameter| parameter.name == name) else {
                errors.push(format!("{name}: unknown parameter"));
                continue;
            };
            let repeated = query[..position].iter().any(|(earlier, _)| earlier == name);
            if repeated && !parameter.is_repeatable() {
                errors.push(format!("{name}: may be given once only"));
            } else if let Err(expected) = filter.add(parameter, value, parameters.maximum_limit, now) {
                errors.push(format!("{name}: {value:?} is not {expected}"));
            }
        }
        for parameter in parameters.table.iter().filter(|parameter| parameter.required) {
            if !query.iter().any(|(name, _)| name == parameter.name) {
                errors.push(format!("{}: is required", parameter.name));
            }
        }
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        if let Some(statuses) = parameters.default_statuses
            && !query.iter().any(|(name, _)| name == "status" || name == "status[]")
        {
            let statuses = statuses.iter().map(ToString::to_string).collect();
            filter.tests.push(Test::OneOf("status[]", Facet::Status, statuses));
        }
        Ok(filter)
    }

    /// Applies one parameter, or returns a sentence about what its value should be.
    fn add(
        &mut self,
        parameter: &Parameter,
        value: &str,
        maximum: usize,
        now: Timestamp,
    ) -> Result<(), String> {
        match parameter.rule {
            Rule::Limit => {
                let limit = value.parse().ok().filter(|limit| (1..=maximum).contains(limit));
                self.limit = limit.ok_or_else(|| format!("an integer from 1 to {maximum}"))?;
            }
            Rule::Token => {
                let last =
                    parse_token(value, self.scope).ok_or("a cursor of this list with these filters")?;
                // Sequences start at 1, so no row lies at (at, 0), and every row before (at, 1) is
                // at or below it.
                self.newest = self.newest.min(Key { sequence: last.sequence.saturating_sub(1), ..last });
                self.token = Some(value.to_owned());
            }
            Rule::Instant(comparison) => {
                let at = parse_date_time(value).ok_or("a date-time with an offset")?;
                self.limit_dates(comparison, at);
            }
            Rule::Text(facet) => self.allow(facet, parameter, value),
            Rule::Word(facet, words) => {
                one_of(value, words)?;
                self.allow(facet, parameter, value);
            }
            Rule::Number(facet, comparison) => {
                let amount = Amount::parse(value).ok_or("a decimal number")?;
                self.tests.push(Test::Number(facet, comparison, amount));
            }
            Rule::Date(facet, comparison) => {
                let date = parse_date(value).ok_or("a date")?;
                self.tests.push(Test::Date(facet, comparison, date));
            }
            Rule::Window(facet) => {
                let start = window_start(value, utc_date(now)).ok_or("a number followed by d or m")?;
                self.tests.push(Test::Date(facet, Comparison::AtLeast, start));
                self.tests.push(Test::Date(facet, Comparison::AtMost, utc_date(now)));
            }
            Rule::Flag(facet, text) => {
                one_of(value, &[])?;
                self.tests.push(Test::Flag(facet, text.to_owned(), value == "true"));
            }
            Rule::WordOrAll(facet, words, all) => {
                if value != all {
                    one_of(value, words)?;
                    self.allow(facet, parameter, value);
                }
            }
            Rule::Moment(facet, comparison) => {
                let at = parse_date_time(value).ok_or("a date-time with an offset")?;
                self.tests.push(Test::Instant(facet, comparison, at));
            }
            Rule::DateTime => {
                parse_date_time(value).ok_or("a date-time with an offset")?;
            }
            Rule::Day => {
                parse_date(value).ok_or("a date")?;
            }
            Rule::Any => {}
            Rule::Ignored(words) => one_of(value, words)?,
        }
        Ok(())
    }

    fn limit_dates(&mut self, comparison: Comparison, at: Timestamp) {
        let first = Key { at, sequence: 0 };
        let last = Key { at, sequence: u64::MAX };
        match comparison {
            Comparison::Below => self.newest = self.newest.min(first),
            Comparison::AtMost => self.newest = self.newest.min(last),
            Comparison::AtLeast => self.oldest = self.oldest.max(first),
            Comparison::Above => self.oldest = self.oldest.max(last),
            Comparison::Equal => {
                self.newest = self.newest.min(last);
                self.oldest = self.oldest.max(first);
            }
        }
    }

    /// The values of one array parameter are alternatives; conditions of different parameters must
    /// all hold.
    fn allow(&mut self, facet: Facet, parameter: &Parameter, value: &str) {
        let alternatives = self.tests.iter_mut().find_map(|test| match test {
            Test::OneOf(name, _, values) if *name == parameter.name => Some(values),
            _ => None,
        });
        match alternatives {
            Some(values) => values.push(value.to_owned()),
            None => self.tests.push(Test::OneOf(parameter.name, facet, vec![value.to_owned()])),
        }
    }
}

impl Test {
    pub(crate) fn facet(&self) -> Facet {
        match self {
            Test::OneOf(_, facet, _)
            | Test::Flag(facet, ..)
            | Test::Number(facet, ..)
            | Test::Date(facet, ..)
            | Test::Instant(facet, ..) => *facet,
        }
    }

    pub(crate) fn accepts(&self, value: &str) -> bool {
        match self {
            Test::OneOf(_, _, values) => values.iter().any(|allowed| allowed == value),
            Test::Flag(_, text, wanted) => (value == text) == *wanted,
            Test::Number(_, comparison, limit) => {
                Amount::parse(value).is_some_and(|amount| comparison.holds(&amount, limit))
            }
            Test::Date(_, comparison, limit) => {
                let date = value.parse().ok().map(utc_date).or_else(|| parse_date(value));
                date.is_some_and(|date| comparison.holds(&date, limit))
            }
            Test::Instant(_, comparison, limit) => {
                value.parse().is_ok_and(|at: Timestamp| comparison.holds(&at, limit))
            }
        }
    }
}

impl Comparison {
    fn holds<T: Ord>(self, value: &T, limit: &T) -> bool {
        match self {
            Comparison::Below => value < limit,
            Comparison::AtMost => value <= limit,
            Comparison::Equal => value == limit,
            Comparison::AtLeast => value >= limit,
            Comparison::Above => value > limit,
        }
    }
}

/// Accepts one of the words, or a boolean if there are none.
fn one_of(value: &str, words: &[&str]) -> Result<(), String> {
    let words = if words.is_empty() { &["true", "false"] } else { words };
    if words.contains(&value) { Ok(()) } else { Err(format!("one of {}", words.join(", "))) }
}

fn window_start(window: &str, today: Date) -> Option<Date> {
    let (count, unit) = window.split_at_checked(window.len().checked_sub(1)?)?;
    let count: i32 = count.parse().ok().filter(|count| *count >= 0)?;
    let span = match unit {
        "d" => count.days(),
        "m" => count.months(),
        _ => return None,
    };
    today.checked_sub(span).ok()
}

#[cfg(test)]
mod tests;
