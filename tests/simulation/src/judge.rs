//! The oracles that compare what was written with the truth about the account.

use serde_json::Value;

use crate::history::{History, MOST_LATE, MOST_SKEW, Settings};
use crate::subject::{Backfill, Fact, Subject, Version, instant, nanoseconds};
use crate::union::Union;
use crate::world::{DAY, HOUR, MINUTE, Time};

/// Usage that changes later than this after its day began is not promised to be seen. The connector
/// reads two whole days again.
const LATE_USAGE: Time = 70 * HOUR;

/// A subscription is new for so long after it was created: all of its usage is read.
const NEW: Time = 46 * HOUR;

/// A day is over in every time zone.
const WHOLE_DAY: Time = 26 * HOUR;

/// The most windows that hold nothing, if the records of years are within seconds.
const WINDOWS: u64 = 6 * 33;

/// What is known about a read, or about a chain of reads that continue each other.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// When the first of them was opened, by Orb's clock.
    pub(crate) opened: Time,
    /// From where on everything is read again.
    pub(crate) lower: Time,
    /// From where on requests are made.
    pub(crate) begin: Time,
    /// The earliest end of these reads. What lies above it is left to the next read.
    pub(crate) end: Option<Time>,
    /// When the last read was opened that succeeded before.
    pub(crate) succeeded: Option<Time>,
    /// Whether all of them have the list of backfills.
    pub(crate) is_corrected: bool,
    /// Backfills that changed since then may be new to it.
    pub(crate) corrected: Time,
}

/// What a state says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub(crate) cursor: Option<Time>,
    /// The lists of parents created after this have been read.
    pub(crate) parents_after: Option<Time>,
    /// When the unfinished read was opened.
    pub(crate) opened: Option<Time>,
    /// It has the cursors of single parents.
    pub(crate) has_parents: bool,
    /// The next read goes on with this one.
    pub(crate) is_unfinished: bool,
    /// When the last read of everything was opened, by the connector's clock.
    pub(crate) swept: Option<Time>,
    /// How far a read of everything is that goes on.
    reached: Option<Time>,
    /// Where unread times begin and end, in turn. The last one has no end.
    unread: Vec<Time>,
}

impl Progress {
    pub(crate) fn parse(state: &str, cursor: Option<&str>) -> Option<Self> {
        let value: Value = serde_json::from_str(state).ok()?;
        let time = |value: Option<&Value>| -> Option<Time> {
            Some(nanoseconds(value?.as_str()?.parse::<jiff::Timestamp>().ok()?))
        };
        let object = value.as_object()?;
        let unfinished = value.get("unfinished");
        let known =
            ["unfinished", "unread", "parents", "swept", "sweep", "open", "corrections", "correcting"];
        let is_own =
            object.keys().all(|name| known.contains(&name.as_str()) || Some(name.as_str()) == cursor);
        let unread = value.get("unread");
        let edges = unread.and_then(|unread| unread.get("edges")?.as_array());
        let edges: Option<Vec<Time>> = edges.into_iter().flatten().map(|edge| time(Some(edge))).collect();
        let edges = edges.filter(|edges| unread.is_none() || edges.len() % 2 == 1)?;
        Some(Self {
            cursor: cursor.and_then(|cursor| time(value.get(cursor))),
            parents_after: unfinished.and_then(|unfinished| time(unfinished.get("parents_after"))),
            opened: unfinished.and_then(|unfinished| time(unfinished.get("opened"))),
            is_unfinished: unfinished.is_some() || unread.is_some(),
            swept: time(value.get("swept")).filter(|_| value.get("sweep").is_none()),
            reached: value.get("sweep").and_then(|sweep| time(sweep.get("reached"))),
            unread: edges,
            has_parents: !is_own || value.get("parents").is_some(),
        })
    }

    /// Whether parts of the list are unread.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Whether a state says of this time that it has been read. `None` if it says that by its
    /// cursor.
    fn has_read(&self, at: Time) -> Option<bool> {
        let parts = self.unread.chunks(2);
        let is_in = |part: &[Time]| at >= part[0] && part.get(1).is_none_or(|end| at < *end);
        let is_unread = parts.into_iter().any(is_in);
        (!self.unread.is_empty()).then_some(!is_unread)
    }

    /// From where on a read that continues from this state reads.
    pub(crate) fn lower(&self, history: &History, settings: &Settings, start: Time) -> Time {
        if self.has_parents {
            return Time::MAX;
        }
        let overlap = if history.row().has_grace() { 0 } else { MINUTE };
        let below = overlap + Time::from(settings.lookback_days) * DAY;
        self.cursor.map_or(start, |cursor| (cursor - below).max(start))
    }
}

/// Compares a history with the truth.
pub(crate) struct Judge<'a> {
    pub(crate) history: &'a History,
    pub(crate) subject: &'a Subject,
    pub(crate) union: &'a Union,
    pub(crate) start: Time,
    /// Whether backfills have been followed.
    pub(crate) is_corrected: bool,
}

impl Judge<'_> {
    /// What is missing or old after a read that succeeded at `now`: the oracle, and what it found.
    pub(crate) fn after_success(&self, reading: &Reading, now: Time) -> Option<(&'static str, String)> {
        self.subject.facts.iter().find_map(|fact| self.missing(fact, reading, now))
    }

    /// What is missing or old once everything has been read since `opened`, up to `end`.
    pub(crate) fn after_sweep(
        &self,
        opened: Time,
        end: Option<Time>,
        now: Time,
    ) -> Option<(&'static str, String)> {
        self.subject.facts.iter().find_map(|fact| {
            let versions = fact.between(opened, now);
            let is_shown = !versions.is_empty() && versions.iter().all(|version| version.is_shown);
            if !is_shown || fact.at < self.start || end.is_some_and(|end| fact.at > end) {
                return None;
            }
            let name = || format!("{}, of {}", fact.key, instant(fact.at));
            match self.union.version(&fact.key) {
                None => Some(("lost", format!("{}, although everything was read again", name()))),
                Some(written) if versions.iter().all(|version| version.text != written) => {
                    let detail = format!("{}: {written} is older than the read of everything", name());
                    Some(("stale", detail))
                }
                Some(_) => None,
            }
        })
    }

    /// The versions of a record that was there when a read was opened, and still is.
    fn shown<'b>(&self, fact: &'b Fact, reading: &Reading, now: Time) -> Option<&'b [Version]> {
        let versions = fact.between(reading.opened, now);
        let is_shown = !versions.is_empty() && versions.iter().all(|version| version.is_shown);
        let is_asked_for = fact.at >= self.start && reading.end.is_none_or(|end| fact.at <= end);
        let is_over = !self.history.row().has_grace() || fact.at + WHOLE_DAY + MOST_SKEW <= reading.opened;
        (is_shown && is_asked_for && is_over).then_some(versions)
    }

    fn missing(&self, fact: &Fact, reading: &Reading, now: Time) -> Option<(&'static str, String)> {
        let versions = self.shown(fact, reading, now)?;
        let is_read_again = fact.at >= reading.lower;
        let is_announced = self.is_corrected && fact.is_announced(reading.opened);
        if !is_read_again && !is_announced && !self.is_promised(fact, reading) {
            return None;
        }
        let name = || format!("{}, of {}", fact.key, instant(fact.at));
        let Some(written) = self.union.version(&fact.key) else { return Some(("lost", name())) };
        let fresh = if is_read_again { versions } else { self.fresh(fact, reading, now)? };
        if fresh.iter().any(|version| version.text == written) {
            return None;
        }
        let expected = fresh.last().map_or("", |version| &version.text);
        Some(("stale", format!("{}: it is {expected}, but {written} was written", name())))
    }

    /// Whether a record must have been read, although it is below where the read began.
    fn is_promised(&self, fact: &Fact, reading: &Reading) -> bool {
        let row = self.history.row();
        if fact.is_passed {
            return false;
        }
        if row.has_grace() {
            return fact.versions.first().is_some_and(|first| self.is_in_time(fact, first));
        }
        let Some(first) = fact.versions.iter().position(|version| version.is_listed) else { return false };
        let is_late = fact.versions[first].from - fact.at > MOST_LATE - MOST_SKEW;
        let waiting = fact.versions[first..].iter().take_while(|version| !version.is_shown);
        let (mut was_held, mut is_listed) = (false, true);
        for version in waiting {
            was_held = true;
            is_listed &= version.is_listed && !version.is_settled;
        }
        !is_late && is_listed && (!was_held || self.is_held(fact, reading))
    }

    /// Whether usage changed while the connector still looks.
    fn is_in_time(&self, fact: &Fact, version: &Version) -> bool {
        let is_announced = self.is_corrected && version.is_announced;
        // A new parent is read from the start, unless it has a cursor of its own.
        let is_new = fact.parent.is_some_and(|parent| {
            let parent = &self.subject.parents[parent];
            version.from - parent.at <= NEW && parent.cursor.is_none_or(|cursor| fact.at >= cursor)
        });
        is_announced || is_new || version.from - fact.at <= LATE_USAGE
    }

    /// Whether a record that can still change is read again.
    fn is_held(&self, fact: &Fact, reading: &Reading) -> bool {
        match self.history.row().holds_days() {
            None => false,
            Some(0) => true,
            Some(days) => fact.at >= reading.opened - (days - 1) * DAY,
        }
    }

    /// The versions of which one must have been written last. `None` if changes are not promised to
    /// be seen.
    fn fresh<'b>(&self, fact: &'b Fact, reading: &Reading, now: Time) -> Option<&'b [Version]> {
        let all = &fact.versions;
        if self.history.row().has_grace() {
            let last = all.iter().rposition(|version| version.from <= reading.opened)?;
            // Any later one may have been seen, too.
            let promised = all[..=last].iter().rposition(|version| self.is_in_time(fact, version))?;
            return Some(&all[promised..]);
        }
        if !self.is_held(fact, reading) || fact.is_passed {
            return None;
        }
        match all.iter().position(|version| version.is_settled) {
            // What settled before the last success may have been read then.
            Some(settled) => {
                let from = all[settled].from;
                let is_seen = reading.succeeded.is_none_or(|succeeded| from >= succeeded);
                (is_seen && from <= reading.opened).then_some(&all[settled..])
            }
            None => Some(fact.between(reading.opened, now)),
        }
    }

    /// What a state passes that was not written.
    pub(crate) fn passed(
        &self,
        (state, text): (&Progress, &str),
        reading: &Reading,
        previous: Option<Time>,
        now: Time,
    ) -> Option<String> {
        for fact in &self.subject.facts {
            let name = || format!("{}, of {}", fact.key, instant(fact.at));
            // What can still change holds the cursor.
            let open = fact.between(reading.opened, now);
            let is_open =
                !open.is_empty() && open.iter().all(|version| version.is_listed && !version.is_settled);
            if let Some(cursor) = state.cursor
                && is_open
                && self.history.row().holds_cursor()
                && !self.history.is_full
                && self.is_held(fact, reading)
                && reading.end.is_none_or(|end| fact.at <= end)
                && fact.at >= self.start
                && !fact.is_passed
                && (fact.at >= reading.lower || self.is_promised(fact, reading))
                && previous.is_none_or(|previous| fact.at > previous)
                && cursor > fact.at
            {
                return Some(format!(
                    "the cursor {} passes {}, which can still change",
                    instant(cursor),
                    name()
                ));
            }
            let Some(_) = self.shown(fact, reading, now) else { continue };
            if !self.is_promised(fact, reading) && fact.at < reading.lower {
                continue;
            }
            let is_passed = match (state.parents_after, fact.parent) {
                (Some(after), Some(parent)) => {
                    let root = self.subject.parents[parent].at;
                    root > after && state.opened.is_none_or(|opened| root <= opened && fact.at <= opened)
                }
                _ => state.has_read(fact.at).unwrap_or_else(|| {
                    let cursor = state.cursor.map(|cursor| state.reached.map_or(cursor, |at| at.min(cursor)));
                    cursor.is_some_and(|cursor| match self.history.row().has_grace() {
                        true => fact.at < cursor,
                        false => fact.at <= cursor,
                    })
                }),
            };
            if is_passed && self.union.version(&fact.key).is_none() && !fact.is_named(text) {
                return Some(format!("the state passes {}, which was not written", name()));
            }
        }
        None
    }

    /// The most requests that the account may have to answer.
    pub(crate) fn most_requests(&self, reading: &Reading, now: Time) -> u64 {
        let page = self.history.page.max(1) as u64;
        let is_there = |fact: &&Fact| {
            let is_above = reading.lower == Time::MAX || fact.at >= reading.begin;
            is_above && fact.was_listed(reading.opened, now)
        };
        let records = self.subject.facts.iter().filter(is_there).count() as u64;
        let parents = self.subject.parents.len() as u64;
        if self.history.row().is_reference() {
            return u64::MAX;
        }
        // A full page is followed by another request, even if that finds nothing. A window of time
        // that is dense is split in up to 32, several times if it is very dense.
        let list = |records: u64| if records < page { 1 } else { 3 * records.div_ceil(page) + WINDOWS };
        match (self.history.row().has_parents(), self.history.row().has_grace()) {
            // What is open is listed, too, and what no longer is is requested one by one.
            (false, _) if self.history.row().holds_days().is_some() => {
                let all = self.subject.facts.len() as u64;
                list(records) + list(all) + all
            }
            (false, _) => list(records),
            (true, false) => 2 + parents / page + parents + records.div_ceil(page),
            // A request answers a year, and neighbours overlap.
            // Each range of backfills is read on its own.
            (true, true) => {
                let new = |backfill: &&Backfill| backfill.changed >= reading.corrected;
                let new = self.subject.backfills.iter().filter(new).count() as u64;
                let backfills = self.subject.backfills.len() as u64;
                2 + parents / page + 2 * parents + backfills / page + new * 2 * parents
            }
        }
    }
}
