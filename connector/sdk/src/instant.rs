//! Parses and formats timestamps.
//!
//! Accepts every form of RFC 3339 (`Z` or an offset, any fraction, a space instead of `T`), and
//! also offsets without a colon. Queries and states get one canonical form.

use std::time::SystemTime;

use time::{OffsetDateTime, Timestamp, format_description::well_known::Rfc3339};

/// Parses a timestamp with a time zone offset. The last hours of the year 9999, which some write
/// for "never", are out of range if the offset is negative, and become the largest timestamp.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let local = parse_rfc_3339(text).or_else(|| {
        // An offset without a colon, as Python writes it.
        let (text, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        parse_rfc_3339(&format!("{text}:{minutes}"))
    })?;
    Some(local.checked_to_utc().map_or(Timestamp::MAX, Timestamp::from))
}

/// Parses a date such as `2024-01-03`. Returns the beginning of that day in UTC.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    (text.len() == "2024-01-03".len()).then(|| parse_instant(&format!("{text}T00:00:00Z")))?
}

fn parse_rfc_3339(text: &str) -> Option<OffsetDateTime> {
    // The crate accepts any character as the separator.
    let is_separated = matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '));
    OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| is_separated)
}

/// Formats an instant as Airbyte's connectors do in their states: `2024-01-03T10:00:00+00:00`, with
/// a fraction only if it is not zero.
pub fn format_instant(instant: Timestamp) -> String {
    let (year, month, day) = instant.to_calendar_date();
    let (hour, minute, second, nanosecond) = instant.as_hms_nano();
    let mut text = format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month));
    if nanosecond > 0 {
        text.push_str(format!(".{nanosecond:09}").trim_end_matches('0'));
    }
    text.push_str("+00:00");
    text
}

/// Formats the date of an instant in UTC: `2024-01-03`.
pub fn format_date(instant: Timestamp) -> String {
    let (year, month, day) = instant.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// Converts a system time. Times before 1970 become the epoch.
pub fn instant_of(time: SystemTime) -> Timestamp {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    Timestamp::new(seconds, since_epoch.subsec_nanos()).unwrap_or(Timestamp::MAX)
}

/// Returns the whole second at or before `instant`. Slices begin and end on whole seconds, so that
/// they work with a server that truncates the times it returns.
pub fn floor_to_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_seconds(instant.as_seconds()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_system_is_read_to_the_nanosecond() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_nanos(1_500_000_001);
        assert_eq!(format_instant(instant_of(time)), "1970-01-01T00:00:01.500000001+00:00");
        let earlier = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(instant_of(earlier), parse_instant("1970-01-01T00:00:00Z").unwrap());
    }

    #[test]
    fn every_form_of_rfc_3339_is_the_same_instant() {
        let expected = parse_instant("2024-01-03T10:00:00Z").unwrap();
        for text in [
            "2024-01-03T10:00:00+00:00",
            "2024-01-03 10:00:00+00:00",
            "2024-01-03T10:00:00.000000+00:00",
            "2024-01-03T11:30:00.000+01:30",
            "2024-01-03T11:30:00.000+0130",
        ] {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
        assert_ne!(parse_instant("2024-01-03T10:00:00.000001Z"), Some(expected));
    }

    #[test]
    fn the_end_of_time_is_an_instant() {
        let last = parse_instant("9999-12-31T23:59:59+00:00").unwrap();
        assert_eq!(format_instant(last), "9999-12-31T23:59:59+00:00");
        assert_eq!(parse_instant("9999-12-31T23:59:59-01:00"), Some(Timestamp::MAX));
        assert_eq!(parse_instant("9999-12-31T25:59:59+00:00"), None);
        for first in [parse_instant("0000-01-01T00:00:00+23:59").unwrap(), Timestamp::MIN] {
            assert!(format_instant(first).starts_with('-'));
        }
    }

    #[test]
    fn what_has_no_offset_is_not_an_instant() {
        for text in ["2024-01-03T10:00:00", "2024-01-03", "", "yesterday"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_the_beginning_of_its_day_in_utc() {
        assert_eq!(parse_date("2024-01-03"), parse_instant("2024-01-03T00:00:00Z"));
        for text in ["2024-02-30", "2024-1-3", "2024-01-03T", "20240103", "", "0000000000"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn what_no_calendar_or_clock_has_is_not_an_instant() {
        for text in [
            "2024-02-30T10:00:00Z",
            "2024-01-03T24:00:00Z",
            "2024-01-03T10:60:00Z",
            "2024-01-03T10:00:00+25:00",
            "2024-01-03T10:00:00+01",
            "2024-01-03T10:0000Z",
            "2024-01-03x10:00:00Z",
            "2024-01-03é10:00:00Z",
            "12024-01-03T10:00:00Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn the_canonical_text_has_an_offset_and_a_fraction_only_if_needed() {
        for text in ["2024-01-03T10:00:00+00:00", "2024-01-03T10:00:00.000123+00:00"] {
            assert_eq!(format_instant(parse_instant(text).unwrap()), text);
        }
    }

    #[test]
    fn flooring_goes_down_before_the_epoch_too() {
        let before = parse_instant("1969-12-31T23:59:58.5Z").unwrap();
        assert_eq!(format_instant(floor_to_second(before)), "1969-12-31T23:59:58+00:00");
    }
}
