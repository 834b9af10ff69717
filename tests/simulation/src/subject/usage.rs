//! Usage: a record for each local day of a subscription.

use super::{Fact, METRIC, Subject, Version, instant, nanoseconds};
use crate::world::Time;

impl Subject {
    /// Adds usage on the day of an instant, or changes it, as late events do.
    pub(super) fn use_metric(&mut self, at: Time, pick: u64, now: Time) -> Option<String> {
        let index = self.alive(pick >> 8)?;
        self.set_usage(index, at, now, false)
    }

    /// Changes the usage of a parent on the day of an instant.
    pub(super) fn set_usage(
        &mut self,
        index: usize,
        at: Time,
        now: Time,
        is_announced: bool,
    ) -> Option<String> {
        let parent = self.parents[index].clone();
        let (day, start) = day_of(at, parent.zone)?;
        // The first day of a subscription begins with it, and not at midnight.
        if start <= parent.start {
            return None;
        }
        let number = self.next();
        let quantity = number.to_string();
        self.account.set_usage(&parent.id, METRIC, day, &quantity).ok()?;
        let key = format!("{}/{METRIC}/{start}", parent.id);
        let fact = *self.by_key.entry(key.clone()).or_insert(self.facts.len());
        if fact == self.facts.len() {
            self.facts.push(Fact {
                key,
                at: start,
                parent: Some(index),
                versions: Vec::new(),
                is_passed: false,
                id: parent.id.clone(),
                number,
                status: 0,
            });
        }
        self.facts[fact].versions.push(Version {
            from: now,
            text: quantity,
            is_listed: true,
            is_shown: true,
            is_settled: true,
            is_announced,
        });
        Some(format!("{} uses {number} on {day}", parent.id))
    }
}

/// The local day of an instant, and when it begins.
pub(super) fn day_of(at: Time, zone: &str) -> Option<(jiff::civil::Date, Time)> {
    // The rules of 2025, in winter and summer.
    let rule = match zone {
        "America/Los_Angeles" => "PST8PDT,M3.2.0,M11.1.0",
        "Europe/Berlin" => "CET-1CEST,M3.5.0,M10.5.0/3",
        "Asia/Kathmandu" => "<+0545>-5:45",
        _ => "UTC0",
    };
    let zone = jiff::tz::TimeZone::posix(rule).ok()?;
    let day = zone.to_datetime(instant(at)).date();
    let start = zone.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).ok()?;
    Some((day, nanoseconds(start)))
}
