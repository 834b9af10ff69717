//! The account of a history, and the truth about it: which records there were, when, and in which
//! version.

mod backfill;
mod text;

use std::collections::HashMap;

use jiff::Timestamp;
use mock_orb::{Account, Collection, Settings};

use crate::history::Change;
use crate::stream::{Kind, View};
use crate::subject::backfill::Backfill;
use crate::world::{DAY, HOUR, MILLISECOND, SECOND, Time};

/// A version of a record, from an instant on.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) from: Time,
    pub(crate) text: String,
    /// Whether the list has it, if it is asked for as the stream does.
    pub(crate) is_listed: bool,
    /// Whether the stream emits it.
    pub(crate) is_shown: bool,
    /// Whether it will not change any more, as far as the stream knows.
    pub(crate) is_settled: bool,
    /// Whether a backfill says that it changed.
    pub(crate) is_announced: bool,
}

/// A record, through time.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) key: String,
    /// Its place in the stream.
    pub(crate) at: Time,
    pub(crate) parent: Option<usize>,
    pub(crate) versions: Vec<Version>,
    /// Another connector has passed it.
    pub(crate) is_passed: bool,
    id: String,
    number: u32,
    status: u8,
}

/// A record that has a list.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    pub(crate) id: String,
    pub(crate) at: Time,
    /// When it began: a subscription may have been entered days later.
    start: Time,
    is_alive: bool,
    is_stub: bool,
    zone: &'static str,
    /// Who has the subscription.
    customer: &'static str,
}

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

    pub(crate) fn create_parent(&mut self, at: Time, pick: u64) -> Option<String> {
        let (collection, prefix) = match self.kind {
            Kind::Ledger => (Collection::Customers, "c"),
            Kind::Usage => (Collection::Subscriptions, "s"),
            _ => return None,
        };
        let last = self.parents.last().map(|parent| parent.at).filter(|_| pick.is_multiple_of(4));
        let at =
            last.filter(|last| (at - last).abs() < 20 * SECOND).unwrap_or(at - at.rem_euclid(MILLISECOND));
        let number = self.next();
        let id = format!("{prefix}{number}");
        let zone = ZONES[usize::try_from(pick >> 3).unwrap_or(0) % ZONES.len()];
        let customer = CUSTOMERS[usize::try_from(number).unwrap_or(0) % CUSTOMERS.len()];
        let start = if pick.is_multiple_of(3) { at - 6 * DAY } else { at };
        let text = match self.kind {
            Kind::Ledger => text::plain(&id, instant(at), 0),
            _ => text::subscription(&id, instant(at), instant(start), (zone, customer), 0),
        };
        self.account.insert(collection, text).ok()?;
        let (is_alive, is_stub) = (true, false);
        self.parents.push(Parent { id: id.clone(), at, start, is_alive, is_stub, zone, customer });
        Some(format!("{id} appears"))
    }

    fn delete_parent(&mut self, pick: u64, now: Time) -> Option<String> {
        let index = self.alive(pick)?;
        let id = self.parents[index].id.clone();
        if self.kind == Kind::Ledger {
            self.account.begin_customer_deletion(&id).ok()?;
            self.parents[index].is_stub = true;
        } else {
            self.account.remove(Collection::Subscriptions, &id);
        }
        self.parents[index].is_alive = false;
        for fact in 0..self.facts.len() {
            if self.facts[fact].parent == Some(index) && self.facts[fact].number != u32::MAX {
                self.end(fact, now);
            }
        }
        Some(format!("{id} is deleted"))
    }

    fn erase_parent(&mut self, pick: u64) -> Option<String> {
        let stubs: Vec<usize> =
            (0..self.parents.len()).filter(|index| self.parents[*index].is_stub).collect();
        let index = *stubs.get(usize::try_from(pick).ok()? % stubs.len().max(1))?;
        self.parents[index].is_stub = false;
        let id = self.parents[index].id.clone();
        self.account.remove(Collection::Customers, &id);
        Some(format!("{id} vanishes"))
    }

    /// Adds usage on the day of an instant, or changes it, as late events do.
    fn use_metric(&mut self, at: Time, pick: u64, now: Time) -> Option<String> {
        let index = self.alive(pick >> 8)?;
        self.set_usage(index, at, now, false)
    }

    /// Changes the usage of a parent on the day of an instant.
    fn set_usage(&mut self, index: usize, at: Time, now: Time, is_announced: bool) -> Option<String> {
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
fn day_of(at: Time, zone: &str) -> Option<(jiff::civil::Date, Time)> {
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

pub(crate) fn instant(time: Time) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(time)).unwrap_or_default()
}

pub(crate) fn nanoseconds(instant: Timestamp) -> Time {
    Time::try_from(instant.as_nanosecond()).unwrap_or(Time::MAX)
}

impl Fact {
    /// The versions between two instants, both included.
    pub(crate) fn between(&self, from: Time, until: Time) -> &[Version] {
        let first = self.versions.iter().rposition(|version| version.from <= from);
        let end = self.versions.partition_point(|version| version.from <= until);
        first.filter(|first| *first < end).map_or(&[], |first| &self.versions[first..end])
    }

    /// Whether a state names it, as one that will be looked at.
    pub(crate) fn is_named(&self, state: &str) -> bool {
        state.contains(&format!("\"{}\":", self.id))
    }

    /// How often it changed between two instants. To appear is no change.
    pub(crate) fn changes(&self, from: Time, until: Time) -> usize {
        let later = self.versions.iter().skip(1);
        later.filter(|version| version.from > from && version.from <= until).count()
    }

    /// Whether a backfill has changed it by then.
    pub(crate) fn is_announced(&self, by: Time) -> bool {
        self.versions.iter().any(|version| version.is_announced && version.from <= by)
    }

    /// Whether it is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.number == u32::MAX
    }

    /// Whether the list had the record at any moment between two instants.
    pub(crate) fn was_listed(&self, from: Time, until: Time) -> bool {
        let ends = self.versions.iter().skip(1).map(|next| next.from).chain([Time::MAX]);
        let mut versions = self.versions.iter().zip(ends);
        versions.any(|(version, end)| version.is_listed && version.from <= until && end >= from)
    }
}
