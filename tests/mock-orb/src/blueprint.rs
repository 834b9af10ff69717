//! Derives the identifiers, dates and JSON text of generated records from the settings.
//!
//! Generated records are not stored. Each is a function of the settings and its index, so an
//! account of a hundred thousand customers costs only a list of dates, and each page is written on
//! request.

use std::ops::Range;

use jiff::Timestamp;

use crate::collection::Collection;
use crate::dice::{Dice, Salt};
use crate::facet::Facet;
use crate::instant::Spelling;
use crate::record::{customer, invoice, ledger_entry, plan, subscription};
use crate::settings::Settings;
use crate::timeline::Timeline;

/// What generated records look like.
#[derive(Clone, Debug)]
pub(crate) struct Blueprint {
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    pub(crate) timeline: Timeline,
}

/// Selects the list that a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Collection(Collection),
    /// The ledger of the customer with this index.
    Ledger(u64),
}

impl Blueprint {
    pub(crate) fn new(settings: Settings) -> Blueprint {
        let dice = Dice::new(settings.seed);
        let timeline = Timeline::new(settings.first, settings.last);
        Blueprint { settings, dice, timeline }
    }

    /// How many records of a collection are generated.
    pub(crate) fn count(&self, collection: Collection) -> u64 {
        let count = match collection {
            Collection::Customers => self.settings.customers,
            Collection::Plans => self.settings.plans,
            Collection::Subscriptions => self.settings.subscriptions,
            Collection::Invoices => self.settings.invoices,
        };
        count as u64
    }

    /// The date by which the list is ordered.
    pub(crate) fn date(&self, collection: Collection, index: u64) -> Timestamp {
        self.timeline.at(index, self.count(collection))
    }

    pub(crate) fn id(&self, collection: Collection, index: u64) -> String {
        let salt = match collection {
            Collection::Customers => Salt::Customer,
            Collection::Plans => Salt::Plan,
            Collection::Subscriptions => Salt::Subscription,
            Collection::Invoices => Salt::Invoice,
        };
        self.dice.id(salt, index)
    }

    /// Writes a record dated `at`. Generated records use [`Blueprint::date`]; created ones may
    /// differ.
    pub(crate) fn write(&self, origin: Origin, index: u64, at: Timestamp, out: &mut String) {
        match origin {
            Origin::Collection(Collection::Customers) => customer::write(self, index, at, out),
            Origin::Collection(Collection::Plans) => plan::write(self, index, at, out),
            Origin::Collection(Collection::Subscriptions) => subscription::write(self, index, at, out),
            Origin::Collection(Collection::Invoices) => invoice::write(self, index, at, out),
            Origin::Ledger(customer) => ledger_entry::write(self, customer, index, at, out),
        }
    }

    /// The values that filters compare, computed without writing the record; they equal those in
    /// its text.
    pub(crate) fn facet(&self, origin: Origin, index: u64, at: Timestamp, facet: Facet) -> Option<String> {
        match origin {
            Origin::Collection(Collection::Customers) => None,
            Origin::Collection(Collection::Plans) => plan::facet(index, facet),
            Origin::Collection(Collection::Subscriptions) => subscription::facet(self, index, facet),
            Origin::Collection(Collection::Invoices) => invoice::facet(self, index, at, facet),
            Origin::Ledger(customer) => ledger_entry::facet(self, customer, index, facet),
        }
    }

    /// Maps record `index` of `count` to the record that owns it. Owners are spread evenly and are
    /// older than what they own.
    pub(crate) fn owner(&self, collection: Collection, index: u64, count: u64) -> u64 {
        let owners = self.count(collection).max(1);
        if index >= count {
            return index % owners;
        }
        (u128::from(index) * u128::from(owners - 1) / u128::from(count.max(2) - 1)) as u64
    }

    /// The records among the first `count` that an owner has: the inverse of [`Blueprint::owner`].
    pub(crate) fn owned(&self, collection: Collection, owner: u64, count: u64) -> Range<u64> {
        let owners = self.count(collection).max(1);
        if owners == 1 || count == 0 {
            return 0..if owner == 0 { count } else { 0 };
        }
        let first = |owner: u64| {
            (u128::from(owner) * u128::from(count.max(2) - 1)).div_ceil(u128::from(owners - 1)) as u64
        };
        first(owner).min(count)..first(owner + 1).min(count)
    }
}

/// Chooses how a record spells its timestamps: most with an offset, one record in eleven with a
/// `Z`.
pub(crate) fn spelling(index: u64) -> Spelling {
    if index % 11 == 4 { Spelling::Zulu } else { Spelling::Offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owned_is_what_has_that_owner() {
        for (customers, count) in [(1, 5), (2, 1), (7, 3), (25, 30), (30, 25), (10, 10), (4, 0)] {
            let blueprint = Blueprint::new(Settings { customers, ..Settings::default() });
            for owner in 0..customers as u64 {
                let owned = |index: &u64| blueprint.owner(Collection::Customers, *index, count) == owner;
                let expected: Vec<u64> = (0..count).filter(owned).collect();
                let found: Vec<u64> = blueprint.owned(Collection::Customers, owner, count).collect();
                assert_eq!(found, expected, "{owner} of {customers}, {count}");
            }
        }
    }
}
