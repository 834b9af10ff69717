//! Answers requests for the number of events in each hour.
//!
//! The answer has no page tokens, although the parameters `limit` and `cursor` are documented: it
//! ends after `limit` hours, without a sign. Hours without events have no row.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::dice::Salt;
use crate::instant::{Spelling, parse_date_time};
use crate::object::write_object;
use crate::owner::OwnedBy;
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter, required};
use crate::problem::Problem;
use crate::resource::{Answer, Call, Resource};

pub(crate) static RESOURCE: Resource = Resource {
    name: "event_volumes",
    path: "events/volume",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        required("timeframe_start", Rule::DateTime),
        parameter("timeframe_end", Rule::DateTime),
    ]),
    answer: Answer::Body(write_volumes),
};

const HOUR: i64 = 60 * 60;

impl Account {
    /// Adds events to the hour of an instant, as late events do.
    pub fn add_event_volume(&mut self, at: Timestamp, count: u64) {
        *self.volumes.entry(at.as_second().div_euclid(HOUR)).or_default() += count;
    }

    /// The number of events in an hour, counted since 1970.
    fn event_volume(&self, hour: i64) -> u64 {
        let at = Timestamp::from_second(hour * HOUR).unwrap_or(Timestamp::MIN);
        let has_events = at >= self.settings().first && at <= self.settings().last && hour % 9 != 4;
        let generated = self.blueprint.dice.roll(Salt::Volume, hour as u64) % 5_000;
        let generated = if has_events { 1 + generated } else { 0 };
        let backfilled: u64 = self.backfills.values().map(|it| it.volume(at)).sum();
        generated + backfilled + self.volumes.get(&hour).copied().unwrap_or(0)
    }
}

fn write_volumes(call: &Call<'_>) -> Result<String, Problem> {
    let now = call.account.settings().last;
    let instant = |name| call.value(name).and_then(parse_date_time);
    let (start, end) = (instant("timeframe_start").unwrap_or(now), instant("timeframe_end").unwrap_or(now));
    if call.value("timeframe_end").is_some() && end <= start {
        let error = "timeframe_end: is not after timeframe_start".to_owned();
        return Err(Problem::validation(vec![error]));
    }
    // The hours in which the instants fall are part of the answer, but no hour starts at the end.
    let first = start.as_second().div_euclid(HOUR);
    let last = (end - SignedDuration::from_nanos(1)).as_second().div_euclid(HOUR);
    let known = |first_known: i64| first.max(first_known.min(last + 1));
    let added = call.account.volumes.keys().next().copied().unwrap_or(i64::MAX);
    let backfilled = call.account.backfills.values().map(|it| it.start().as_second().div_euclid(HOUR));
    let added = backfilled.fold(added, i64::min);
    let generated = call.account.settings().first.as_second().div_euclid(HOUR);
    let hours = (known(generated.min(added))..=last).map(|hour| (hour, call.account.event_volume(hour)));
    let mut body = String::new();
    write_object(&mut body, |answer| {
        let hours = hours.filter(|(_, count)| *count > 0).take(call.filter.limit);
        answer.list("data", hours, |out, (hour, count)| {
            let at = |hour: i64| Timestamp::from_second(hour * HOUR).unwrap_or(now);
            write_object(out, |volume| {
                volume.instant("timeframe_start", at(hour), Spelling::Offset);
                volume.instant("timeframe_end", at(hour + 1), Spelling::Offset).number("count", count);
            });
        });
    });
    Ok(body)
}
