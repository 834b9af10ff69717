//! Edits an account's records as JSON text, without changing any other digit.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::account::{Account, Ledger};
use crate::collection::Collection;
use crate::field::{is_object, lookup, replaced};
use crate::object::write_object;
use crate::record::ledger_entry;
use crate::shelf::Shelf;

/// Why a record could not be stored or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The text is not a single JSON object.
    NotAnObject,
    /// A field that determines the record's place in its list is missing or null.
    FieldMissing(&'static str),
    /// The field that orders the list is not an instant with an offset.
    NotAnInstant(&'static str),
    /// A quantity is not a JSON number, or has too many digits.
    NotANumber(String),
    /// The subscription had not begun or had already ended on that day.
    OutsideLife(Date),
    /// A text is not a mutation, or not a moment for one.
    NotAMutation(String),
    /// A mutation is not possible in the state of the object.
    Refused {
        /// The mutation, as scripts name it.
        action: &'static str,
        /// The object; empty if none was named and none allows it.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The record does not exist.
    Unknown {
        /// The kind of record, as Orb's errors name it.
        resource: &'static str,
        /// The identifier that was looked up.
        id: String,
    },
}

impl Display for RecordError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::NotAnObject => formatter.write_str("record is not a JSON object"),
            RecordError::FieldMissing(field) => write!(formatter, "record has no `{field}`"),
            RecordError::NotAnInstant(field) => {
                write!(formatter, "`{field}` is not an instant with an offset")
            }
            RecordError::NotANumber(text) => write!(formatter, "{text:?} is not a JSON number"),
            RecordError::OutsideLife(day) => write!(formatter, "the subscription does not live on {day}"),
            RecordError::NotAMutation(text) => write!(formatter, "{text:?} is not a mutation"),
            RecordError::Refused { action, id, reason } => write!(formatter, "{action} {id}: {reason}"),
            RecordError::Unknown { resource, id } => write!(formatter, "no {resource} with identifier {id}"),
        }
    }
}

impl Error for RecordError {}

impl Account {
    /// Stores a record, to be served exactly as this text, and returns its `id`. Replaces any
    /// record with the same `id`. The text needs an `id` and the collection's [date
    /// field](Collection::date_field); nothing else is validated, so tests can store malformed
    /// records.
    ///
    /// # Errors
    ///
    /// If the text is not a JSON object, or lacks one of the two fields.
    pub fn insert(
        &mut self,
        collection: Collection,
        record: impl Into<String>,
    ) -> Result<String, RecordError> {
        let record = record.into();
        let id = parse_id(&record)?;
        let at = parse_instant(&record, collection.date_field())?;
        if collection == Collection::Customers && self.shelf(collection).find(&id).is_some() {
            // Store the ledger first: a generated customer's ledger is found through the row
            // replaced below.
            self.changeable_ledger(&id)?;
        }
        self.changeable(collection).insert(&id, at, None, record);
        Ok(id)
    }

    /// Stores an entry in a customer's ledger, to be served exactly as this text, and returns its
    /// `id`. The text needs an `id` and a `created_at`; `ledger_sequence_number` orders entries
    /// with the same instant.
    ///
    /// # Errors
    ///
    /// If there is no such customer, the text is not a JSON object, or it lacks one of the two
    /// fields.
    pub fn insert_ledger_entry(
        &mut self,
        customer_id: &str,
        entry: impl Into<String>,
    ) -> Result<String, RecordError> {
        let entry = entry.into();
        let id = parse_id(&entry)?;
        let at = parse_instant(&entry, "created_at")?;
        let sequence =
            lookup(&entry, &["ledger_sequence_number"]).and_then(|number| number.parse::<u32>().ok());
        self.changeable_ledger(customer_id)?.insert(&id, at, sequence.map(u64::from), entry);
        Ok(id)
    }

    /// Removes a record, and a customer's ledger with the customer. References from other records
    /// stay. Returns whether the record existed.
    pub fn remove(&mut self, collection: Collection, id: &str) -> bool {
        if collection == Collection::Customers {
            self.ledgers.remove(id);
        }
        self.changeable(collection).remove(id)
    }

    /// Removes a ledger entry, as Orb does when it replays a ledger without a deleted block.
    /// Returns whether the entry existed.
    pub fn remove_ledger_entry(&mut self, customer_id: &str, entry_id: &str) -> bool {
        self.changeable_ledger(customer_id).is_ok_and(|ledger| ledger.remove(entry_id))
    }

    /// Replaces or adds one top-level field of a record; the rest of the text does not change. A
    /// record whose date field changes moves to its new place; one whose `id` changes becomes a new
    /// record.
    ///
    /// # Errors
    ///
    /// If there is no such record, or the result could not be stored.
    pub fn set_field(
        &mut self,
        collection: Collection,
        id: &str,
        field: &str,
        json: &str,
    ) -> Result<(), RecordError> {
        let unknown = || RecordError::Unknown { resource: collection.resource(), id: id.to_owned() };
        let (key, _) = self.shelf(collection).find(id).ok_or_else(unknown)?;
        let record = self.record(collection, id).ok_or_else(unknown)?;
        let record = replaced(&record, field, json).ok_or(RecordError::NotAnObject)?;
        if field != collection.date_field() && field != "id" {
            self.changeable(collection).rewrite(key, record);
        } else if self.insert(collection, record)? != id {
            self.remove(collection, id);
        }
        Ok(())
    }

    /// Replaces or adds one top-level field of a ledger entry.
    ///
    /// # Errors
    ///
    /// If there is no such customer or entry, or the result could not be stored.
    pub fn set_ledger_field(
        &mut self,
        customer_id: &str,
        entry_id: &str,
        field: &str,
        json: &str,
    ) -> Result<(), RecordError> {
        self.changeable_ledger(customer_id)?;
        let unknown = || RecordError::Unknown { resource: "LedgerEntry", id: entry_id.to_owned() };
        let listing = self.ledger_listing(customer_id).ok_or_else(unknown)?;
        let (key, row) = listing.shelf.find(entry_id).ok_or_else(unknown)?;
        let entry = self.text(listing.origin, key, row);
        let entry = replaced(&entry, field, json).ok_or(RecordError::NotAnObject)?;
        if field != "created_at" && field != "id" {
            self.changeable_ledger(customer_id)?.rewrite(key, entry);
        } else if self.insert_ledger_entry(customer_id, entry)? != entry_id {
            self.remove_ledger_entry(customer_id, entry_id);
        }
        Ok(())
    }

    /// Commits a pending ledger entry, as Orb does after the grace period; `created_at` does not
    /// change.
    ///
    /// # Errors
    ///
    /// If there is no such customer or entry.
    pub fn commit_ledger_entry(&mut self, customer_id: &str, entry_id: &str) -> Result<(), RecordError> {
        self.set_ledger_field(customer_id, entry_id, "entry_status", "\"committed\"")
    }

    /// Reduces a customer to `{"id": …, "deleted": true}` at the same place in the list, as Orb
    /// does during a deletion. [`Account::remove`] completes the deletion.
    ///
    /// # Errors
    ///
    /// If there is no such customer.
    pub fn begin_customer_deletion(&mut self, customer_id: &str) -> Result<(), RecordError> {
        let unknown = || RecordError::Unknown { resource: "Customer", id: customer_id.to_owned() };
        let (key, _) = self.shelf(Collection::Customers).find(customer_id).ok_or_else(unknown)?;
        let mut stub = String::new();
        write_object(&mut stub, |stub| {
            stub.text("id", customer_id).flag("deleted", true);
        });
        self.changeable(Collection::Customers).rewrite(key, stub);
        Ok(())
    }

    pub(crate) fn changeable(&mut self, collection: Collection) -> &mut Shelf {
        self.shelves.entry(collection).or_default()
    }

    /// A customer's ledger, stored from now on instead of generated.
    pub(crate) fn changeable_ledger(&mut self, customer_id: &str) -> Result<&mut Shelf, RecordError> {
        let unknown = || RecordError::Unknown { resource: "Customer", id: customer_id.to_owned() };
        let (key, _) = self.shelf(Collection::Customers).find(customer_id).ok_or_else(unknown)?;
        if !self.ledgers.contains_key(customer_id) {
            let customer = key.sequence - 1;
            let derived = self.ledger_listing(customer_id).ok_or_else(unknown)?.shelf.into_owned();
            let shelf = derived.indexed(|index| ledger_entry::id(&self.blueprint, customer, index));
            self.ledgers.insert(customer_id.to_owned(), Ledger { customer, shelf });
        }
        self.ledgers.get_mut(customer_id).map(|ledger| &mut ledger.shelf).ok_or_else(unknown)
    }
}

pub(crate) fn parse_id(record: &str) -> Result<String, RecordError> {
    if !is_object(record) {
        return Err(RecordError::NotAnObject);
    }
    lookup(record, &["id"]).ok_or(RecordError::FieldMissing("id"))
}

pub(crate) fn parse_instant(record: &str, field: &'static str) -> Result<Timestamp, RecordError> {
    let text = lookup(record, &[field]).ok_or(RecordError::FieldMissing(field))?;
    text.parse().map_err(|_| RecordError::NotAnInstant(field))
}
