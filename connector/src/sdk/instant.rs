//! Instants in the text forms that APIs and state files use.
//!
//! In: any form of RFC 3339 (`Z` or an offset, any fraction, a space instead of `T`). Out: an instant to compare, and
//! one canonical text for queries and states.

use jiff::{Timestamp, tz::Offset};

/// Parses a timestamp with a time zone offset. The last day of the year 9999, which some write for "never", lies beyond what
/// an instant can be, so it is the last one there is.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let last_day = || text.strip_prefix("9999-12-31").map(|rest| format!("9999-12-29{rest}"));
    let at_last = || last_day()?.parse::<Timestamp>().ok().map(|_| Timestamp::MAX);
    text.parse().ok().or_else(at_last)
}

/// `2024-01-03T10:00:00+00:00`, with a fraction only if there is one: the form Airbyte's connectors write in their
/// states.
pub fn format_instant(instant: Timestamp) -> String {
    instant.display_with_offset(Offset::UTC).to_string()
}

/// The whole second at or before `instant`. Slices begin and end on whole seconds, so that a server that cuts
/// fractions off the times it shows still agrees with us about which slice a record is in.
pub fn floor_to_second(instant: Timestamp) -> Timestamp {
    let second = instant.as_nanosecond().div_euclid(1_000_000_000);
    i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_rfc_3339_is_the_same_instant() {
        let expected = parse_instant("2024-01-03T10:00:00Z").unwrap();
        for text in [
            "2024-01-03T10:00:00+00:00",
            "2024-01-03 10:00:00+00:00",
            "2024-01-03T10:00:00.000000+00:00",
            "2024-01-03T11:30:00.000+01:30",
        ] {
            assert_eq!(parse_instant(text), Some(expected), "{text}");
        }
        assert_ne!(parse_instant("2024-01-03T10:00:00.000001Z"), Some(expected));
    }

    #[test]
    fn the_end_of_time_is_an_instant() {
        assert_eq!(parse_instant("9999-12-31T23:59:59+00:00"), Some(Timestamp::MAX));
        assert_eq!(parse_instant("9999-12-31T25:59:59+00:00"), None);
    }

    #[test]
    fn what_has_no_offset_is_not_an_instant() {
        for text in ["2024-01-03T10:00:00", "2024-01-03", "", "yesterday"] {
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
