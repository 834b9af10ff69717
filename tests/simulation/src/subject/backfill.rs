//! Backfills: they change the usage of past days, and Orb lists them.

use super::usage::day_of;
use super::{CUSTOMERS, Subject, instant};
use crate::world::{DAY, HOUR, Time};

/// What is listed of a backfill.
#[derive(Clone, Debug)]
pub(crate) struct Backfill {
    id: String,
    from: Time,
    until: Time,
    /// `None` for all customers.
    customer: Option<&'static str>,
    status: &'static str,
    /// When it got that status.
    pub(crate) changed: Time,
}

/// What lists of backfills are called.
const RESOURCE: &str = "event_backfills";

impl Subject {
    /// A backfill appears, or one that there is goes a step further.
    pub(super) fn backfill(&mut self, pick: u64, now: Time) -> Option<String> {
        let index = match pick % 4 {
            0 => self.advance_backfill(pick >> 2, now)?,
            step => self.add_backfill(pick >> 2, if step == 1 { "pending" } else { "reflected" }, now)?,
        };
        let backfill = self.backfills[index].clone();
        if backfill.status != "pending" {
            self.change_usage(&backfill, now);
        }
        let Backfill { id, from, until, customer, status, .. } = backfill;
        let customer = customer.unwrap_or("all");
        Some(format!("{id} of {customer} is {status}, {} to {}", instant(from), instant(until)))
    }

    fn add_backfill(&mut self, pick: u64, status: &'static str, now: Time) -> Option<usize> {
        // Most concern days that are read anyway, or that are next to them.
        let ago = if pick.is_multiple_of(3) { (pick >> 2) % 60 } else { (pick >> 2) % 4 };
        let days = 1 + (pick >> 8) % 5;
        // Some begin and end within a day.
        let shift = if (pick >> 12).is_multiple_of(4) { (pick >> 14) % 24 } else { 0 };
        let time = |count: u64, unit: Time| Time::try_from(count).unwrap_or(0) * unit;
        let until = now - now.rem_euclid(DAY) - time(ago, DAY) - time(shift, HOUR);
        let from = until - time(days, DAY);
        let customer = CUSTOMERS.get(usize::try_from((pick >> 20) % 3).unwrap_or(0)).copied();
        let id = format!("b{}", self.next());
        let name = customer.map_or("null".to_owned(), |customer| format!("\"{customer}\""));
        let text = format!(
            "{{\"id\":\"{id}\",\"status\":\"{status}\",\"created_at\":\"{}\",\"timeframe_start\":\"{}\",\
             \"timeframe_end\":\"{}\",\"events_ingested\":1,\"close_time\":null,\"reverted_at\":null,\
             \"customer_id\":{name},\"deprecation_filter\":null,\"replace_existing_events\":false}}",
            instant(now),
            instant(from),
            instant(until)
        );
        self.account.insert_row(RESOURCE, "", instant(now), text).ok()?;
        self.backfills.push(Backfill { id, from, until, customer, status, changed: now });
        Some(self.backfills.len() - 1)
    }

    fn advance_backfill(&mut self, pick: u64, now: Time) -> Option<usize> {
        let open = |index: &usize| self.backfills[*index].status != "reverted";
        let open: Vec<usize> = (0..self.backfills.len()).filter(open).collect();
        let index = *open.get(usize::try_from(pick).ok()? % open.len().max(1))?;
        let (status, field) = match self.backfills[index].status {
            "pending" => ("reflected", "close_time"),
            _ => ("reverted", "reverted_at"),
        };
        let id = &self.backfills[index].id;
        for (field, text) in [("status", status.to_owned()), (field, instant(now).to_string())] {
            self.account.set_row_field(RESOURCE, "", id, field, &format!("\"{text}\"")).ok()?;
        }
        (self.backfills[index].status, self.backfills[index].changed) = (status, now);
        Some(index)
    }

    /// Changes the usage of every day of which the backfill has a part.
    fn change_usage(&mut self, backfill: &Backfill, now: Time) {
        for index in 0..self.parents.len() {
            let parent = &self.parents[index];
            let (is_alive, zone) = (parent.is_alive, parent.zone);
            if !is_alive || backfill.customer.is_some_and(|customer| customer != parent.customer) {
                continue;
            }
            let mut before = None;
            let mut at = backfill.from;
            while at < backfill.until {
                let day = day_of(at, zone).map(|(day, _)| day);
                if day != before {
                    self.set_usage(index, at, now, true);
                }
                before = day;
                at += HOUR;
            }
        }
    }
}
