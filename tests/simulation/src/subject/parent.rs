//! Parents: they appear, become stubs and vanish.

use mock_orb::Collection;

use super::{CUSTOMERS, Subject, ZONES, instant, text};
use crate::stream::Kind;
use crate::world::{DAY, MILLISECOND, SECOND, Time};

/// A record that has a list.
#[derive(Clone, Debug)]
pub(crate) struct Parent {
    pub(crate) id: String,
    pub(crate) at: Time,
    /// The cursor that another connector has of it.
    pub(crate) cursor: Option<Time>,
    /// When it began: a subscription may have been entered days later.
    pub(super) start: Time,
    pub(super) is_alive: bool,
    pub(super) is_stub: bool,
    pub(super) zone: &'static str,
    /// Who has the subscription.
    pub(super) customer: &'static str,
}

impl Subject {
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
        self.parents.push(Parent {
            id: id.clone(),
            at,
            cursor: None,
            start,
            is_alive,
            is_stub,
            zone,
            customer,
        });
        Some(format!("{id} appears"))
    }

    pub(super) fn delete_parent(&mut self, pick: u64, now: Time) -> Option<String> {
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

    pub(super) fn erase_parent(&mut self, pick: u64) -> Option<String> {
        let stubs: Vec<usize> =
            (0..self.parents.len()).filter(|index| self.parents[*index].is_stub).collect();
        let index = *stubs.get(usize::try_from(pick).ok()? % stubs.len().max(1))?;
        self.parents[index].is_stub = false;
        let id = self.parents[index].id.clone();
        self.account.remove(Collection::Customers, &id);
        Some(format!("{id} vanishes"))
    }
}
