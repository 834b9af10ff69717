//! Instants as microseconds, and how their text was spelled.
//!
//! A date-time of RFC 3339 becomes the microseconds since 1970 only if that loses nothing. Which
//! text it was follows from a [`Spelling`] that is learned from the first values of a column: an
//! API writes all its instants alike.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// The years that every reader can show.
const YEARS: std::ops::RangeInclusive<i64> = 1..=9999;
/// Digits of a fraction that are learned at most.
const LEARNED: usize = 9;

/// An instant that was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Microseconds since 1970, UTC.
    pub(crate) micros: i64,
    /// `None` if no [`Spelling`] stands for the text.
    shape: Option<(Zone, u8)>,
}

/// How UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Zone {
    #[serde(rename = "Z")]
    Letter,
    #[serde(rename = "+00:00")]
    Offset,
}

/// How the instants of a column are written: each part as it was in the first value that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spelling {
    /// How UTC is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
    /// Digits of a fraction that is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    zeros: Option<u8>,
    /// Digits of any other fraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<u8>,
}

impl Instant {
    /// Parses a date-time of RFC 3339. `None` if it is not one, or if it is not a whole number of
    /// microseconds within the years 1 to 9999.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let date = bytes.first_chunk::<19>()?;
        let number = |from: usize, to: usize| digits(&date[from..to]);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let separators = [date[4], date[7], date[13], date[16]] == *b"--::";
        let is_date = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if !separators || !is_date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let rest = &bytes[19..];
        let (fraction, zone) = match rest.strip_prefix(b".") {
            Some(rest) => {
                let end = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (Some(&rest[..end]).filter(|fraction| !fraction.is_empty())?, &rest[end..])
            }
            None => (&[][..], rest),
        };
        let (micros, beyond) = fraction.split_at(fraction.len().min(6));
        if beyond.iter().any(|digit| *digit != b'0') {
            return None;
        }
        let scale = 10_i64.pow(6 - u32::try_from(micros.len()).ok()?);
        let micros = digits(micros)? * scale;
        let (offset, zone) = offset(zone)?;
        let seconds = days_since_1970(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
        let micros = seconds * SECOND + micros;
        let is_plain = date[10] == b'T' && fraction.len() <= LEARNED;
        let length = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
        let shape = zone.filter(|_| is_plain).map(|zone| (zone, length));
        YEARS.contains(&civil(micros).0).then_some(Self { micros, shape })
    }
}

impl Spelling {
    /// UTC with milliseconds.
    pub(crate) fn millis() -> Self {
        Self { zone: Some(Zone::Letter), zeros: Some(3), digits: Some(3) }
    }

    /// UTC with microseconds.
    pub(crate) fn micros() -> Self {
        Self { zone: Some(Zone::Letter), zeros: Some(6), digits: Some(6) }
    }

    /// Whether the instant is spelled as those before it. What none of them had is learned.
    pub(crate) fn is_of(&mut self, instant: Instant) -> bool {
        let Some((zone, digits)) = instant.shape else { return false };
        let is_zero = instant.micros.rem_euclid(SECOND) == 0;
        let known = if is_zero { &mut self.zeros } else { &mut self.digits };
        let is_known = *known.get_or_insert(digits) == digits;
        *self.zone.get_or_insert(zone) == zone && is_known
    }

    /// The text of an instant that is spelled so.
    pub(crate) fn text(self, micros: i64) -> String {
        let ((year, month, day), seconds) = (civil(micros), micros.div_euclid(SECOND).rem_euclid(DAY));
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        let fraction = micros.rem_euclid(SECOND);
        let digits = if fraction == 0 { self.zeros.unwrap_or(0) } else { self.digits.unwrap_or(6) };
        if digits > 0 {
            let all = format!("{fraction:06}000");
            // Writing to a string cannot fail.
            let _ = write!(text, ".{}", all.get(..usize::from(digits)).unwrap_or(&all));
        }
        text.push_str(match self.zone {
            Some(Zone::Offset) => "+00:00",
            Some(Zone::Letter) | None => "Z",
        });
        text
    }
}

/// The year and the month of an instant, as `2026-01`.
pub(crate) fn month(micros: i64) -> String {
    let (year, month, _) = civil(micros);
    format!("{year:04}-{month:02}")
}

/// The seconds of an offset, and how UTC is written if it is that.
fn offset(zone: &[u8]) -> Option<(i64, Option<Zone>)> {
    match zone {
        b"Z" => Some((0, Some(Zone::Letter))),
        b"+00:00" => Some((0, Some(Zone::Offset))),
        b"z" => Some((0, None)),
        [sign @ (b'+' | b'-'), hours @ .., b':', tens, ones] if hours.len() == 2 => {
            let (hours, minutes) = (digits(hours)?, digits(&[*tens, *ones])?);
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some((if *sign == b'-' { -seconds } else { seconds }, None))
        }
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date, by Howard Hinnant's `days_from_civil`: years begin in March, so
/// that a leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of an instant in UTC, the inverse of the same.
fn civil(micros: i64) -> (i64, i64, i64) {
    let days = micros.div_euclid(SECOND * DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        Instant::parse(text).map(|instant| instant.micros)
    }

    #[test]
    fn every_day_of_every_year_is_what_jiff_says() {
        let mut day = jiff::civil::date(1, 1, 1);
        while day < jiff::civil::date(9999, 12, 20) {
            let text = format!("{day}T23:59:59.000001Z");
            let expected = text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
            assert_eq!(micros(&text), Some(expected), "{text}");
            assert_eq!(Spelling::default().text(expected), text);
            day = day.checked_add(jiff::Span::new().days(7)).unwrap();
        }
    }

    #[test]
    fn what_loses_nothing_is_an_instant() {
        assert_eq!(micros("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(micros("1970-01-01T00:00:00.5+00:00"), Some(500_000));
        assert_eq!(micros("1969-12-31T16:00:00-08:00"), Some(0));
        assert_eq!(micros("1970-01-01t00:00:00z"), Some(0));
        assert_eq!(micros("1970-01-01T00:00:00.0000010000Z"), Some(1));
        assert!(micros("0001-01-01T00:00:00Z").is_some() && micros("9999-12-31T23:59:59Z").is_some());
        for text in [
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2024-01-01T00:00:00.1234567Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+0000",
            "2024-01-01T00:00:00Zx",
            "0000-12-31T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2024-01-01T00:00:0\u{e9}",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    #[test]
    fn a_spelling_is_learned_and_gives_the_same_text() {
        let columns: [(&[&str], &[&str]); 4] = [
            (
                &["2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.123450+00:00"],
                &["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.12345+00:00", "2024-01-01T00:00:00-00:00"],
            ),
            (&["2024-01-01T00:00:00.000Z", "2024-01-01T00:00:00.120Z"], &["2024-01-01T00:00:00Z"]),
            (&["2024-01-01T00:00:00.123456000Z"], &["2024-01-01T00:00:00.123456Z"]),
            (&["2024-01-01T00:00:00Z"], &["2024-01-01T01:00:00+01:00", "2024-01-01 00:00:00Z"]),
        ];
        for (alike, others) in columns {
            let mut spelling = Spelling::default();
            for text in alike {
                let instant = Instant::parse(text).unwrap();
                assert!(spelling.is_of(instant), "{text}");
                assert_eq!(spelling.text(instant.micros), *text);
            }
            for text in others {
                assert!(!spelling.is_of(Instant::parse(text).unwrap()), "{text}");
            }
        }
    }

    #[test]
    fn a_month_is_that_of_utc() {
        assert_eq!(month(micros("2024-01-31T23:30:00-01:00").unwrap()), "2024-02");
    }
}
