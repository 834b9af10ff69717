//! The name of a run, by which all of its files sort by time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::instant::{Instant, Spelling};

/// When a run began, in milliseconds since 1970. As text: `20261125T223827123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RunId(i64);

impl RunId {
    /// A run that begins now, and after `last`, even if the clock was set back.
    pub(crate) fn now(last: Option<Self>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Self(i64::try_from(now.as_millis()).unwrap_or_default());
        last.map_or(now, |Self(last)| now.max(Self(last + 1)))
    }

    /// Parses what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once('T').filter(|(date, rest)| date.len() == 8 && rest.len() == 10)?;
        let (date, time) = (|range| date.get(range), |range| rest.get(range));
        let instant = format!(
            "{}-{}-{}T{}:{}:{}.{}",
            date(0..4)?,
            date(4..6)?,
            date(6..8)?,
            time(0..2)?,
            time(2..4)?,
            time(4..6)?,
            time(6..10)?
        );
        let run = Self(Instant::parse(&instant)?.micros / 1000);
        (run.to_string() == text).then_some(run)
    }

    /// When it began, in microseconds since 1970.
    pub(crate) fn micros(self) -> i64 {
        self.0 * 1000
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Spelling::millis().text(self.micros());
        f.write_str(&text.replace(['-', ':', '.'], ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_sort_by_time_and_no_two_are_the_same() {
        let first = RunId::now(None);
        let mut last = first;
        for _ in 0..100 {
            let next = RunId::now(Some(last));
            assert!(next > last && next.to_string() > last.to_string());
            last = next;
        }
        assert_eq!(RunId::parse(&first.to_string()), Some(first));
        assert_eq!(RunId(1_700_000_000_007).to_string(), "20231114T221320007Z");
        for text in ["", "20231114T221320007", "2023-114T221320007Z", "20231314T221320007Z", "x"] {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }
}
