//! Holds the records of one Orb account, and applies changes to them while clients read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug, Formatter};

use crate::blueprint::{Blueprint, Origin};
use crate::collection::Collection;
use crate::event::StoredEvent;
use crate::field::lookup;
use crate::mutation::{MutationOptions, Reflected};
use crate::record::ledger_entry;
use crate::rows::Unavailable;
use crate::settings::Settings;
use crate::shelf::{Key, Row, Shelf};
use crate::usage::UsageChanges;

/// The contents of one Orb account. The next request sees any change made through the running
/// server's [`account`](crate::MockOrb::account).
#[derive(Clone)]
pub struct Account {
    pub(crate) blueprint: Blueprint,
    pub(crate) shelves: HashMap<Collection, Shelf>,
    /// Ledgers that have been changed. The others are generated on each read.
    pub(crate) ledgers: HashMap<String, Ledger>,
    /// Events stored and removed by hand.
    pub(crate) events: HashMap<String, Option<StoredEvent>>,
    /// Usage changed by hand, by subscription and metric.
    pub(crate) usage: HashMap<(String, String), UsageChanges>,
    /// Lists of other resources that have been changed, by resource and owner.
    pub(crate) lists: HashMap<(String, String), Shelf>,
    /// Events added by hand, by the hour since 1970.
    pub(crate) volumes: BTreeMap<i64, u64>,
    /// Backfills that mutations reflected and did not revert, by identifier.
    pub(crate) backfills: BTreeMap<String, Reflected>,
    /// The texts by which the usage and the costs of subscriptions are computed whose plan has
    /// changed since.
    pub(crate) repriced: HashMap<String, String>,
    pub(crate) mutation_options: MutationOptions,
    /// How many mutations were applied.
    pub(crate) mutations: u64,
    /// How many events mutations have logged.
    pub(crate) events_logged: u64,
    pub(crate) unavailable: HashMap<&'static str, Unavailable>,
    /// The index of the next record created on demand, beyond all generated ones.
    pub(crate) next_index: u64,
    keys: Vec<String>,
}

/// A ledger that has been changed.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// The index of the customer from which the generated entries derive.
    pub(crate) customer: u64,
    pub(crate) shelf: Shelf,
}

/// A list to read: its rows, and how to write the generated ones.
#[derive(Clone, Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) shelf: Cow<'a, Shelf>,
    pub(crate) origin: Origin,
}

impl Account {
    /// Generates an account. Equal settings give equal accounts.
    #[must_use]
    pub fn generate(settings: &Settings) -> Account {
        let blueprint = Blueprint::new(settings.clone());
        let shelf = |collection: Collection| {
            let shelf =
                Shelf::generated(blueprint.count(collection), |index| blueprint.date(collection, index));
            (collection, shelf.indexed(|index| blueprint.id(collection, index)))
        };
        Account {
            shelves: Collection::ALL.into_iter().map(shelf).collect(),
            ledgers: HashMap::new(),
            events: HashMap::new(),
            usage: HashMap::new(),
            lists: HashMap::new(),
            volumes: BTreeMap::new(),
            backfills: BTreeMap::new(),
            repriced: HashMap::new(),
            mutation_options: MutationOptions::default(),
            mutations: 0,
            events_logged: 0,
            unavailable: HashMap::new(),
            next_index: Collection::ALL.into_iter().map(|it| blueprint.count(it)).max().unwrap_or(0),
            keys: vec![settings.api_key.clone()],
            blueprint,
        }
    }

    /// The settings from which the account was generated.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.blueprint.settings
    }

    /// How many records a collection has.
    #[must_use]
    pub fn len(&self, collection: Collection) -> usize {
        self.shelf(collection).len()
    }

    /// Whether a collection has no records.
    #[must_use]
    pub fn is_empty(&self, collection: Collection) -> bool {
        self.len(collection) == 0
    }

    /// The JSON texts of all records of a collection, newest first, exactly as they are served.
    #[must_use]
    pub fn records(&self, collection: Collection) -> Vec<String> {
        self.texts(&self.listing(collection))
    }

    /// The JSON text of one record.
    #[must_use]
    pub fn record(&self, collection: Collection, id: &str) -> Option<String> {
        let (key, row) = self.shelf(collection).find(id)?;
        Some(self.text(Origin::Collection(collection), key, row))
    }

    /// The identifiers of all records of a collection, newest first.
    #[must_use]
    pub fn ids(&self, collection: Collection) -> Vec<String> {
        let id = |(_, row): (Key, &Row)| match row {
            Row::Generated(index) => Some(self.blueprint.id(collection, *index)),
            Row::Written(text) => lookup(text, &["id"]),
        };
        self.shelf(collection).all().filter_map(id).collect()
    }

    /// The identifiers of all customers, newest first.
    #[must_use]
    pub fn customer_ids(&self) -> Vec<String> {
        self.ids(Collection::Customers)
    }

    /// The JSON texts of a customer's ledger entries, newest first; empty if the customer does not
    /// exist.
    #[must_use]
    pub fn ledger(&self, customer_id: &str) -> Vec<String> {
        self.ledger_listing(customer_id).map_or_else(Vec::new, |listing| self.texts(&listing))
    }

    /// The identifiers of a customer's uncommitted ledger entries, newest first.
    #[must_use]
    pub fn pending_ledger_entries(&self, customer_id: &str) -> Vec<String> {
        let pending = |entry: &String| lookup(entry, &["entry_status"]).as_deref() == Some("pending");
        let entries = self.ledger(customer_id);
        entries.iter().filter(|entry| pending(entry)).filter_map(|entry| lookup(entry, &["id"])).collect()
    }

    /// Accepts another API key in addition to that of the settings.
    pub fn allow_key(&mut self, key: impl Into<String>) {
        self.keys.push(key.into());
    }

    /// Rejects an API key from now on.
    pub fn revoke_key(&mut self, key: &str) {
        self.keys.retain(|known| known != key);
    }

    pub(crate) fn knows_key(&self, key: &str) -> bool {
        self.keys.iter().any(|known| known == key)
    }

    /// Whether a customer is being deleted: it exists, but only as a stub.
    pub(crate) fn is_deleted(&self, customer_id: &str) -> bool {
        self.shelf(Collection::Customers).find(customer_id).is_some_and(|(_, row)| row.is_stub())
    }

    /// Whether the generated record with this index still exists, changed or not.
    pub(crate) fn exists(&self, collection: Collection, index: u64) -> bool {
        self.shelf(collection).find(&self.blueprint.id(collection, index)).is_some()
    }

    pub(crate) fn shelf(&self, collection: Collection) -> &Shelf {
        &self.shelves[&collection]
    }

    pub(crate) fn listing(&self, collection: Collection) -> Listing<'_> {
        Listing { shelf: Cow::Borrowed(self.shelf(collection)), origin: Origin::Collection(collection) }
    }

    /// A customer's ledger, or `None` if the customer does not exist.
    pub(crate) fn ledger_listing(&self, customer_id: &str) -> Option<Listing<'_>> {
        let (key, _) = self.shelf(Collection::Customers).find(customer_id)?;
        if let Some(ledger) = self.ledgers.get(customer_id) {
            return Some(Listing {
                shelf: Cow::Borrowed(&ledger.shelf),
                origin: Origin::Ledger(ledger.customer),
            });
        }
        let customer = key.sequence - 1;
        // A generated customer's sequence number is its index; other customers have no ledger yet.
        let generated = self.blueprint.id(Collection::Customers, customer) == customer_id;
        let count = if generated { ledger_entry::count(&self.blueprint, customer) } else { 0 };
        let shelf = Shelf::generated(count, |index| ledger_entry::date(&self.blueprint, customer, index));
        Some(Listing { shelf: Cow::Owned(shelf), origin: Origin::Ledger(customer) })
    }

    pub(crate) fn text(&self, origin: Origin, key: Key, row: &Row) -> String {
        let mut text = String::new();
        self.write(origin, key, row, &mut text);
        text
    }

    pub(crate) fn write(&self, origin: Origin, key: Key, row: &Row, out: &mut String) {
        match row {
            Row::Generated(index) => self.blueprint.write(origin, *index, key.at, out),
            Row::Written(text) => out.push_str(text),
        }
    }

    fn texts(&self, listing: &Listing<'_>) -> Vec<String> {
        listing.shelf.all().map(|(key, row)| self.text(listing.origin, key, row)).collect()
    }
}

impl Debug for Account {
    /// Prints counts rather than records: an account may be large.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let mut account = formatter.debug_struct("Account");
        for collection in Collection::ALL {
            account.field(collection.segment(), &self.len(collection));
        }
        account.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn any_settings_make_an_account_of_whole_records() {
        let none = Settings::empty();
        for settings in [
            Settings { subscriptions: 12, invoices: 12, ..none.clone() },
            Settings { customers: 1, ledger_customers: 9, ledger_entries_per_customer: 70, ..none.clone() },
            Settings { plans: 7, customers: 300, invoices: 2, ledger_customers: 300, ..none.clone() },
            Settings { customers: 4, invoices: 9, last: none.first, ..none.clone() },
            Settings { customers: 4, subscriptions: 9, last: Timestamp::MIN, ..none },
        ] {
            let account = Account::generate(&settings);
            for collection in Collection::ALL {
                assert_eq!(account.len(collection) as u64, account.blueprint.count(collection));
                for (record, id) in account.records(collection).iter().zip(account.ids(collection)) {
                    assert_eq!(lookup(record, &["id"]), Some(id));
                }
            }
            let ledgers = account.customer_ids().into_iter().map(|id| account.ledger(&id));
            let ledgers: Vec<Vec<String>> = ledgers.filter(|ledger| !ledger.is_empty()).collect();
            assert_eq!(ledgers.len(), settings.ledger_customers.min(settings.customers));
            assert!(ledgers.iter().flatten().all(|entry| lookup(entry, &["id"]).is_some()));
        }
    }
}
