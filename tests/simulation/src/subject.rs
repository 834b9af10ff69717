//! The account of a history, and the truth about it: which records there were, when, and in which
//! version.

mod backfill;
mod fact;
mod parent;
mod text;
mod usage;

use std::collections::HashMap;

use jiff::Timestamp;
use mock_orb::{Account, Collection, Settings};

pub(crate) use self::backfill::Backfill;
pub(crate) use self::fact::{Fact, Version};
pub(crate) use self::parent::Parent;
use crate::history::Change;
use crate::stream::{Kind, View};
use crate::world::{DAY, HOUR, MILLISECOND, SECOND, Time};

/// The account, and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) account: Account,
    kind: Kind,
    has_drafts: bool,
    pub(crate) facts: Vec<Fact>,
    pub(crate) by_key: HashMap<String, usize>,
    pub(crate) parents: Vec<Parent>,
    pub(crate) backfills: Vec<Backfill>,
    counter: u32,
}

/// The statuses of an invoice, in their order.
const STATUSES: [&str; 3] = ["draft", "issued", "paid"];

/// The metric of every subscription.
pub(crate) const METRIC: &str = "metric_1";

/// The customers of subscriptions.
const CUSTOMERS: [&str; 2] = ["c1", "c2"];

const ZONES: [&str; 4] = ["UTC", "America/Los_Angeles", "Europe/Berlin", "Asia/Kathmandu"];

impl Subject {
    pub(crate) fn new(kind: Kind, has_drafts: bool, beginning: Time) -> Self {
        let settings = match kind {
            Kind::Reference => Settings {
                customers: 5,
                plans: 2,
                subscriptions: 5,
                invoices: 8,
                ledger_customers: 2,
                ledger_entries_per_customer: 4,
                first: instant(beginning - 200 * DAY),
                last: instant(beginning),
                ..Settings::default()
            },
            // Nothing but what a history adds.
            _ => Settings { first: Timestamp::UNIX_EPOCH, last: Timestamp::UNIX_EPOCH, ..Settings::empty() },
        };
        let account = Account::generate(&settings);
        Self {
            account,
            kind,
            has_drafts,
            facts: Vec::new(),
            by_key: HashMap::new(),
            parents: Vec::new(),
            backfills: Vec::new(),
            counter: 0,
        }
    }

    /// Makes a change, and says what it was.
    pub(crate) fn apply(&mut self, change: Change, now: Time) -> String {
        let done = match (self.kind, change) {
            (Kind::Reference, change) => self.mutate(change),
            (Kind::Usage, Change::Create { ago, pick }) => self.use_metric(now - ago, pick, now),
            (Kind::Usage, Change::Edit(pick) | Change::Settle(pick)) => {
                let ago = i64::try_from(pick % 69).unwrap_or(0) * HOUR;
                self.use_metric(now - ago, pick, now)
            }
            (_, Change::Create { ago, pick }) => self.create(ago, pick, now),
            (_, Change::Edit(pick)) => self.edit(pick, now),
            (_, Change::Settle(pick)) => self.settle(pick, now),
            (_, Change::Backfill(pick)) => self.backfill(pick, now),
            (Kind::Usage, Change::Delete(_)) => None,
            (_, Change::Delete(pick)) => self.delete(pick, now),
            (_, Change::CreateParent(pick)) => self.create_parent(now, pick),
            (_, Change::DeleteParent(pick)) => self.delete_parent(pick, now),
            (_, Change::EraseParent(pick)) => self.erase_parent(pick),
        };
        done.unwrap_or_else(|| format!("nothing allows that {change}"))
    }

    fn mutate(&mut self, change: Change) -> Option<String> {
        let (Change::Create { pick, .. }
        | Change::Edit(pick)
        | Change::Settle(pick)
        | Change::Delete(pick)
        | Change::CreateParent(pick)
        | Change::DeleteParent(pick)
        | Change::EraseParent(pick)
        | Change::Backfill(pick)) = change;
        self.account.mutate_at_random(pick, 1).first().map(ToString::to_string)
    }

    fn next(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    fn alive(&self, pick: u64) -> Option<usize> {
        let alive: Vec<usize> =
            (0..self.parents.len()).filter(|index| self.parents[*index].is_alive).collect();
        alive.get(usize::try_from(pick).ok()? % alive.len().max(1)).copied()
    }

    /// A record that can be changed.
    fn present(&self, pick: u64, is_it: impl Fn(&Fact) -> bool) -> Option<usize> {
        let present = |fact: &Fact| fact.number != u32::MAX && is_it(fact);
        let present: Vec<usize> =
            (0..self.facts.len()).filter(|index| present(&self.facts[*index])).collect();
        present.get(usize::try_from(pick).ok()? % present.len().max(1)).copied()
    }

    fn create(&mut self, ago: Time, pick: u64, now: Time) -> Option<String> {
        let mut at = now - ago;
        // Whole seconds, milliseconds, or the very instant of another record.
        if !pick.is_multiple_of(3) {
            at -= at.rem_euclid(SECOND);
        }
        let last = self.facts.last().map(|fact| fact.at);
        if pick.is_multiple_of(5) {
            at = last.filter(|last| (at - last).abs() < 20 * SECOND).unwrap_or(at);
        }
        at -= at.rem_euclid(MILLISECOND);
        let parent = match self.kind {
            Kind::Ledger => Some(self.alive(pick >> 8)?),
            _ => None,
        };
        let number = self.next();
        let id = format!("r{number}");
        let status = match self.kind {
            Kind::Ledger => u8::from(!(pick >> 4).is_multiple_of(3)),
            _ => u8::try_from((pick >> 4) % 3).unwrap_or(0),
        };
        let key = match self.kind {
            Kind::Invoices(View::Lines) => format!("{id}-line"),
            Kind::Invoices(View::Attempts) => format!("{id}-attempt"),
            _ => id.clone(),
        };
        let fact =
            Fact { key: key.clone(), at, parent, versions: Vec::new(), is_passed: false, id, number, status };
        let text = self.text(&fact, 0);
        match self.kind {
            Kind::List(collection) => self.account.insert(collection, text),
            Kind::Invoices(_) => self.account.insert(Collection::Invoices, text),
            Kind::Ledger => self.account.insert_ledger_entry(&self.parents[parent?].id, text),
            Kind::Usage | Kind::Reference => return None,
        }
        .ok()?;
        self.by_key.insert(key, self.facts.len());
        self.facts.push(fact);
        let index = self.facts.len() - 1;
        self.note(index, now);
        let fact = &self.facts[index];
        Some(format!("{} appears, dated {}", fact.id, instant(at)))
    }

    /// Notes the present version of a record.
    fn note(&mut self, index: usize, now: Time) {
        let (is_listed, is_shown, is_settled) = self.visibility(self.facts[index].status);
        let fact = &mut self.facts[index];
        let text = format!("v{}", fact.versions.len());
        let is_announced = false;
        fact.versions.push(Version { from: now, text, is_listed, is_shown, is_settled, is_announced });
    }

    fn visibility(&self, status: u8) -> (bool, bool, bool) {
        match self.kind {
            // Drafts are looked at, so that it is seen when they are issued.
            Kind::Invoices(View::Whole | View::Summary) => (true, status > 0 || self.has_drafts, status == 2),
            Kind::Invoices(_) => (true, status > 0, status == 2),
            Kind::Ledger => (true, status > 0, status > 0),
            _ => (true, true, true),
        }
    }

    /// The text of a record in a version.
    fn text(&self, fact: &Fact, version: usize) -> String {
        let at = instant(fact.at);
        match self.kind {
            Kind::List(Collection::Subscriptions) => {
                text::subscription(&fact.id, at, at, ("UTC", CUSTOMERS[0]), version)
            }
            Kind::List(_) => text::plain(&fact.id, at, version),
            Kind::Invoices(_) => text::invoice(&fact.id, at, STATUSES[usize::from(fact.status)], version),
            Kind::Ledger => {
                let customer = fact.parent.map(|parent| self.parents[parent].id.as_str());
                text::entry(&fact.id, at, customer.unwrap_or_default(), fact.number, fact.status > 0, version)
            }
            Kind::Usage | Kind::Reference => String::new(),
        }
    }

    fn edit(&mut self, pick: u64, now: Time) -> Option<String> {
        let index = self.present(pick, |_| true)?;
        let fact = self.facts[index].clone();
        let version = fact.versions.len();
        let fields = match self.kind {
            Kind::Invoices(_) => text::invoice_fields(&fact.id, STATUSES[usize::from(fact.status)], version),
            Kind::Ledger => text::entry_fields(fact.status > 0, version),
            _ => vec![("metadata", text::metadata(version))],
        };
        for (name, json) in fields {
            match self.kind {
                Kind::List(collection) => self.account.set_field(collection, &fact.id, name, &json),
                Kind::Invoices(_) => self.account.set_field(Collection::Invoices, &fact.id, name, &json),
                _ => {
                    let customer = &self.parents[fact.parent?].id;
                    self.account.set_ledger_field(customer, &fact.id, name, &json)
                }
            }
            .ok()?;
        }
        self.note(index, now);
        Some(format!("{} is edited", fact.id))
    }

    fn settle(&mut self, pick: u64, now: Time) -> Option<String> {
        let last = if self.kind == Kind::Ledger { 1 } else { 2 };
        let may_settle = matches!(self.kind, Kind::Invoices(_) | Kind::Ledger);
        let index = self.present(pick, |fact| may_settle && fact.status < last)?;
        self.facts[index].status += 1;
        let id = self.facts[index].id.clone();
        let position = (0..self.facts.len()).filter(|other| self.facts[*other].number != u32::MAX);
        let position = position.take_while(|other| *other != index).count();
        self.edit(position as u64, now);
        Some(format!("{id} settles"))
    }

    fn delete(&mut self, pick: u64, now: Time) -> Option<String> {
        let index = self.present(pick, |_| true)?;
        let fact = self.facts[index].clone();
        match self.kind {
            Kind::List(collection) => self.account.remove(collection, &fact.id),
            Kind::Invoices(_) => self.account.remove(Collection::Invoices, &fact.id),
            _ => self.account.remove_ledger_entry(&self.parents[fact.parent?].id, &fact.id),
        };
        self.end(index, now);
        Some(format!("{} is deleted", fact.id))
    }

    fn end(&mut self, index: usize, now: Time) {
        let fact = &mut self.facts[index];
        fact.number = u32::MAX;
        let text = String::new();
        fact.versions.push(Version {
            from: now,
            text,
            is_listed: false,
            is_shown: false,
            is_settled: true,
            is_announced: false,
        });
    }
}

pub(crate) fn instant(time: Time) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(time)).unwrap_or_default()
}

pub(crate) fn nanoseconds(instant: Timestamp) -> Time {
    Time::try_from(instant.as_nanosecond()).unwrap_or(Time::MAX)
}
