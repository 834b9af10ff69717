//! Converts between instants and the local dates of customers.
//!
//! Each zone uses its current rule for all years; no time zone database is needed.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The known zones, with their rules in POSIX notation. Other names mean UTC.
const RULES: [(&str, &str); 9] = [
    ("America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0"),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("Asia/Kathmandu", "<+0545>-5:45"),
    ("Asia/Tokyo", "JST-9"),
    ("Etc/UTC", "UTC0"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
    ("Pacific/Chatham", "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45"),
    ("UTC", "UTC0"),
];

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    pub(crate) fn named(name: &str) -> Zone {
        let rule = RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule);
        Zone(rule.and_then(|rule| TimeZone::posix(rule).ok()).unwrap_or(TimeZone::UTC))
    }

    /// The local date at an instant.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.0.to_datetime(at).date()
    }

    /// The first moment of a date, or the last one for jiff's last day.
    pub(crate) fn midnight(&self, date: Date) -> Timestamp {
        self.0.to_timestamp(date.to_datetime(Time::midnight())).unwrap_or(Timestamp::MAX)
    }

    /// The end of the day that an instant is in, or the instant itself if it starts a day.
    pub(crate) fn day_end(&self, at: Timestamp) -> Timestamp {
        let date = self.date(at);
        if self.midnight(date) == at { at } else { self.next_midnight(date) }
    }

    /// The first moment of the next date.
    pub(crate) fn next_midnight(&self, date: Date) -> Timestamp {
        date.tomorrow().map_or(Timestamp::MAX, |tomorrow| self.midnight(tomorrow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn midnight(zone: &str, date: &str) -> String {
        Zone::named(zone).midnight(date.parse().unwrap()).to_string()
    }

    #[test]
    fn every_rule_is_understood() {
        for (name, rule) in RULES {
            assert!(TimeZone::posix(rule).is_ok(), "{name}");
        }
    }

    #[test]
    fn midnight_moves_with_the_clocks() {
        assert_eq!(midnight("America/Los_Angeles", "2024-03-10"), "2024-03-10T08:00:00Z");
        assert_eq!(midnight("America/Los_Angeles", "2024-03-11"), "2024-03-11T07:00:00Z");
        assert_eq!(midnight("Europe/Berlin", "2024-10-27"), "2024-10-26T22:00:00Z");
        assert_eq!(midnight("Europe/Berlin", "2024-10-28"), "2024-10-27T23:00:00Z");
        assert_eq!(midnight("Asia/Kathmandu", "2024-07-01"), "2024-06-30T18:15:00Z");
        assert_eq!(midnight("Pacific/Chatham", "2024-01-01"), "2023-12-31T10:15:00Z");
        assert_eq!(midnight("Pacific/Chatham", "2024-07-01"), "2024-06-30T11:15:00Z");
        assert_eq!(midnight("Nowhere/At_All", "2024-07-01"), "2024-07-01T00:00:00Z");
    }

    #[test]
    fn dates_are_local() {
        let at: Timestamp = "2024-03-10T07:59:59Z".parse().unwrap();
        assert_eq!(Zone::named("America/Los_Angeles").date(at).to_string(), "2024-03-09");
        assert_eq!(Zone::named("Pacific/Chatham").date(at).to_string(), "2024-03-10");
        assert_eq!(Zone::named("UTC").next_midnight(Date::MAX), Timestamp::MAX);
    }
}
