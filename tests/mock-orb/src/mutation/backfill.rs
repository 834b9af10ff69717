//! What happens to backfills, and so to the usage, costs and volumes of past days.

use jiff::{SignedDuration, Timestamp};

use super::edited::{Edited, spelled};
use super::target::ALL_CUSTOMERS;
use super::{Change, Outcome};
use crate::account::Account;
use crate::dice::{Salt, hash};
use crate::edit::RecordError;
use crate::field::lookup;
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::write_object;
use crate::record::event_backfill;
use crate::record::usage_point::UsagePoint;
use crate::terms::Terms;
use crate::timeframe::Timeframe;
use crate::timeline::later;
use crate::webhook_log::{Event, Subject};

/// How many events a backfill adds to the account's volume on each day, at noon in UTC.
const DAILY_EVENTS: u64 = 7;

/// A backfill whose events count.
#[derive(Clone, Debug)]
pub(crate) struct Reflected {
    id: String,
    timeframe: Timeframe,
    /// `None` for all customers.
    customer: Option<String>,
    /// Whether the events of before no longer count.
    replaces: bool,
}

impl Reflected {
    /// Whether the usage of a subscription changes.
    pub(crate) fn concerns(&self, terms: &Terms) -> bool {
        self.customer.is_none() || self.customer == terms.customer_id
    }

    /// Changes the usage of a metric within a timeframe.
    pub(crate) fn change(
        &self,
        terms: &Terms,
        metric_id: &str,
        within: Timeframe,
        points: &mut Vec<UsagePoint>,
    ) {
        if self.replaces {
            points.retain(|point| !self.timeframe.contains(point.at));
        }
        for day in self.timeframe.days(&terms.zone) {
            let Some(day) = day.overlap(self.timeframe) else { continue };
            let half = day.end.duration_since(day.start).as_secs() / 2;
            let at = later(day.start, SignedDuration::from_secs(half));
            if within.contains(at) {
                let quantity = 1 + (hash(&self.id) ^ hash(metric_id)) % 1_000;
                points.push(UsagePoint {
                    at,
                    quantity: format!("{quantity}.5"),
                    properties: vec![("region".to_owned(), "us-east-1".to_owned())],
                });
            }
        }
    }

    /// The events added to the hour that starts at an instant.
    pub(crate) fn volume(&self, hour: Timestamp) -> u64 {
        let is_noon = hour.as_second().rem_euclid(24 * 60 * 60) == 12 * 60 * 60;
        if is_noon && self.timeframe.contains(hour) { DAILY_EVENTS } else { 0 }
    }

    pub(crate) fn start(&self) -> Timestamp {
        self.timeframe.start
    }
}

/// Whether a mutation has reflected the backfill of a row, and none has reverted it.
pub(super) fn is_reflected(account: &Account, row: &str) -> bool {
    lookup(row, &["id"]).is_some_and(|id| account.backfills.contains_key(&id))
}

pub(super) fn start(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let timeframe = match change.value {
        Some(text) => {
            let (start, end) = text.split_once('/').unwrap_or((text, ""));
            let instants = start.parse().ok().zip(end.parse().ok());
            let timeframe = instants.and_then(|(start, end)| Timeframe::new(start, end));
            timeframe.ok_or_else(|| change.refused("start_backfill", "the value is not START/END"))?
        }
        None => {
            // One to five whole days in the last two months.
            let today = midnight(utc_date(account.settings().last));
            let end = later(today, SignedDuration::from_hours(-24 * change.pick(60) as i64));
            let days = 1 + (change.number % 5) as i64;
            Timeframe { start: later(end, SignedDuration::from_hours(-24 * days)), end }
        }
    };
    let id = account.blueprint.dice.id(Salt::Backfill, change.fresh());
    let mut row = String::new();
    write_object(&mut row, |backfill| {
        backfill.text("id", &id).text("status", "pending");
        backfill.instant("created_at", change.at, Spelling::Offset);
        backfill.instant("timeframe_start", timeframe.start, Spelling::Offset);
        backfill.instant("timeframe_end", timeframe.end, Spelling::Offset);
        backfill.number("events_ingested", 0);
        let close = later(change.at, SignedDuration::from_hours(24));
        backfill.instant("close_time", close, Spelling::Offset).raw("reverted_at", "null");
        backfill.optional_text("customer_id", Some(change.id).filter(|id| *id != ALL_CUSTOMERS));
        backfill.raw("deprecation_filter", "null").flag("replace_existing_events", change.number % 2 == 1);
    });
    account.insert_row(event_backfill::RESOURCE.name, "", change.at, row)?;
    Ok(Outcome { events: Vec::new(), id: Some(id) })
}

pub(super) fn reflect(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut row = row(account, change)?;
    let instant = |field| row.get(&[field]).and_then(|text| text.parse::<Timestamp>().ok());
    let timeframe = instant("timeframe_start").zip(instant("timeframe_end"));
    let timeframe = timeframe.and_then(|(start, end)| Timeframe::new(start, end));
    let timeframe = timeframe.ok_or_else(|| change.refused("reflect_backfill", "it has no timeframe"))?;
    let reflected = Reflected {
        id: change.id.to_owned(),
        timeframe,
        customer: row.get(&["customer_id"]),
        replaces: row.get(&["replace_existing_events"]).as_deref() == Some("true"),
    };
    row.text("status", "reflected").instant("close_time", change.at).set("events_ingested", "42");
    store(account, change.id, &row)?;
    account.backfills.insert(change.id.to_owned(), reflected);
    Ok(vec![Event::new("backfill.reflected", Subject::Other("backfill", row.0))].into())
}

pub(super) fn begin_revert(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut row = row(account, change)?;
    row.text("status", "pending_revert");
    store(account, change.id, &row)?;
    Ok(Outcome::default())
}

pub(super) fn revert(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut row = row(account, change)?;
    row.text("status", "reverted").set("reverted_at", &spelled(change.at));
    store(account, change.id, &row)?;
    account.backfills.remove(change.id);
    Ok(vec![Event::new("backfill.reverted", Subject::Other("backfill", row.0))].into())
}

fn row(account: &Account, change: &Change<'_>) -> Result<Edited, RecordError> {
    let unknown = || RecordError::Unknown { resource: "Backfill", id: change.id.to_owned() };
    account.backfill(change.id).map(Edited).ok_or_else(unknown)
}

fn store(account: &mut Account, id: &str, row: &Edited) -> Result<(), RecordError> {
    for field in ["status", "close_time", "reverted_at", "events_ingested"] {
        account.set_row_field(event_backfill::RESOURCE.name, "", id, field, row.json(&[field]))?;
    }
    Ok(())
}
