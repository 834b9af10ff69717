//! Formats instants as Orb does, and strictly parses those in queries.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// How to write an instant in UTC. Orb's answers use both forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `2024-11-08T12:07:13+00:00`
    Offset,
    /// `2024-11-08T12:07:13Z`
    Zulu,
}

/// Writes an instant, with six digits of microseconds if it has any, as Orb does.
pub(crate) fn write_instant(out: &mut String, at: Timestamp, spelling: Spelling) {
    let at = Offset::UTC.to_datetime(at);
    write_date(out, at.date());
    // Writing into a string does not fail.
    let _ = write!(out, "T{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    let microseconds = at.subsec_nanosecond() / 1_000;
    if microseconds != 0 {
        let _ = write!(out, ".{microseconds:06}");
    }
    out.push_str(match spelling {
        Spelling::Offset => "+00:00",
        Spelling::Zulu => "Z",
    });
}

/// Writes a plain date, `2024-11-08`.
pub(crate) fn write_date(out: &mut String, date: Date) {
    let _ = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
}

/// The UTC date of an instant.
pub(crate) fn utc_date(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

/// The first moment of a date in UTC.
pub(crate) fn midnight(date: Date) -> Timestamp {
    // Only dates at the limits of jiff's range have no such moment.
    Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).unwrap_or(Timestamp::MIN)
}

/// Parses OpenAPI's `date-time`, which is RFC 3339: a date, a `T`, a time with seconds, and an
/// offset.
pub(crate) fn parse_date_time(text: &str) -> Option<Timestamp> {
    const LENGTH_TO_SECONDS: usize = "2024-01-01T00:00:00".len();
    let (civil, rest) = text.split_at_checked(LENGTH_TO_SECONDS)?;
    if !fits(civil, "dddd-dd-ddTdd:dd:dd") {
        return None;
    }
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
            if offset.len() == fraction.len() {
                return None;
            }
            offset
        }
        None => rest,
    };
    if offset != "Z" && !fits(offset, "+dd:dd") && !fits(offset, "-dd:dd") {
        return None;
    }
    text.parse().ok()
}

/// Parses OpenAPI's `date`: exactly `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    if fits(text, "dddd-dd-dd") { text.parse().ok() } else { None }
}

/// Whether a text has this form: `d` stands for a digit, and any other character for itself.
fn fits(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            letter => byte == letter,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str, spelling: Spelling) -> String {
        let mut out = String::new();
        write_instant(&mut out, text.parse().unwrap(), spelling);
        out
    }

    #[test]
    fn microseconds_are_written_only_where_there_are_any() {
        assert_eq!(spelled("2024-03-01T02:03:04Z", Spelling::Offset), "2024-03-01T02:03:04+00:00");
        assert_eq!(
            spelled("2024-03-01T02:03:04.0915Z", Spelling::Offset),
            "2024-03-01T02:03:04.091500+00:00"
        );
        assert_eq!(spelled("2024-03-01T02:03:04Z", Spelling::Zulu), "2024-03-01T02:03:04Z");
    }

    #[test]
    fn offsets_of_the_same_instant_are_equal() {
        let zulu = parse_date_time("2024-01-01T00:00:00Z").unwrap();
        for text in
            ["2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.000+00:00", "2024-01-01T05:30:00+05:30"]
        {
            assert_eq!(parse_date_time(text), Some(zulu), "{text}");
        }
    }

    #[test]
    fn anything_but_a_full_date_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00 00:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-01-01T00:00:00+0000",
            "1704067200",
            "２024-01-01T00:00:0Z",
        ] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
        assert_eq!(parse_date("2024-1-1"), None);
        assert_eq!(parse_date("2024-13-01"), None);
    }
}
