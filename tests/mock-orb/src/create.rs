//! Adds new, realistic records to an account at a given instant.

use jiff::Timestamp;

use crate::account::Account;
use crate::amount::Amount;
use crate::blueprint::Origin;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::edit::RecordError;
use crate::field::{lookup, replaced};
use crate::instant::Spelling;
use crate::object::write_object;
use crate::record::subscription;

impl Account {
    /// Creates a customer. It has no ledger entries.
    pub fn create_customer(&mut self, at: Timestamp) -> String {
        self.create(Collection::Customers, at)
    }

    /// Creates a plan.
    pub fn create_plan(&mut self, at: Timestamp) -> String {
        self.create(Collection::Plans, at)
    }

    /// Creates a subscription of one of the generated customers.
    pub fn create_subscription(&mut self, at: Timestamp) -> String {
        self.create(Collection::Subscriptions, at)
    }

    /// Creates an invoice with this `invoice_date`. Its status cycles through all five;
    /// [`Account::set_field`] changes it.
    pub fn create_invoice(&mut self, invoice_date: Timestamp) -> String {
        self.create(Collection::Invoices, invoice_date)
    }

    /// Creates a subscription of a customer, and embeds that customer's current record.
    ///
    /// # Errors
    ///
    /// If there is no such customer.
    pub fn create_subscription_for(
        &mut self,
        customer_id: &str,
        at: Timestamp,
    ) -> Result<String, RecordError> {
        let customer = self.record(Collection::Customers, customer_id).ok_or_else(|| {
            RecordError::Unknown { resource: Collection::Customers.resource(), id: customer_id.to_owned() }
        })?;
        let index = self.fresh_index();
        let mut text = String::new();
        subscription::write_for(&self.blueprint, index, at, &mut text, |out| out.push_str(&customer));
        Ok(self.shelve(Collection::Subscriptions, index, at, text))
    }

    /// Creates a committed decrement of `1.10` credits as the newest entry at that instant in a
    /// customer's ledger.
    ///
    /// # Errors
    ///
    /// If there is no such customer.
    pub fn create_ledger_entry(&mut self, customer_id: &str, at: Timestamp) -> Result<String, RecordError> {
        let text = self.decrement(customer_id, at)?;
        self.insert_ledger_entry(customer_id, text)
    }

    /// Creates a decrement like [`Account::create_ledger_entry`], but pending.
    ///
    /// # Errors
    ///
    /// If there is no such customer.
    pub fn create_pending_ledger_entry(
        &mut self,
        customer_id: &str,
        at: Timestamp,
    ) -> Result<String, RecordError> {
        let text = self.decrement(customer_id, at)?;
        let pending = replaced(&text, "entry_status", "\"pending\"").ok_or(RecordError::NotAnObject)?;
        self.insert_ledger_entry(customer_id, pending)
    }

    fn create(&mut self, collection: Collection, at: Timestamp) -> String {
        let index = self.fresh_index();
        let mut text = String::new();
        self.blueprint.write(Origin::Collection(collection), index, at, &mut text);
        self.shelve(collection, index, at, text)
    }

    fn fresh_index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }

    fn shelve(&mut self, collection: Collection, index: u64, at: Timestamp, text: String) -> String {
        let id = self.blueprint.id(collection, index);
        self.changeable(collection).insert(&id, at, None, text);
        id
    }

    /// A decrement that starts from the balance after the newest entry in credits.
    fn decrement(&mut self, customer_id: &str, at: Timestamp) -> Result<String, RecordError> {
        const AMOUNT: &str = "1.10";
        let sequence = self.changeable_ledger(customer_id)?.newest_sequence() + 1;
        let ledger = self.ledger(customer_id);
        let newest = ledger.iter().find(|entry| lookup(entry, &["currency"]).as_deref() == Some("credits"));
        let before =
            newest.and_then(|entry| Amount::parse(&lookup(entry, &["ending_balance"])?)).unwrap_or_default();
        let after = before.minus(Amount::parse(AMOUNT).unwrap_or_default());
        let customer = self.record(Collection::Customers, customer_id).unwrap_or_default();
        let external_id = lookup(&customer, &["external_customer_id"]);
        let index = self.fresh_index();
        let mut text = String::new();
        write_object(&mut text, |entry| {
            entry.text("id", &self.blueprint.dice.id(Salt::LedgerEntry, (1 << 60) + index));
            entry.number("ledger_sequence_number", sequence);
            entry.text("entry_type", "decrement").text("entry_status", "committed");
            entry.object("customer", |customer| {
                customer
                    .text("id", customer_id)
                    .optional_text("external_customer_id", external_id.as_deref());
            });
            entry.number("starting_balance", before).number("ending_balance", after).raw("amount", AMOUNT);
            entry.text("currency", "credits").raw("description", "null").raw("metadata", "{}");
            entry.instant("created_at", at, Spelling::Offset);
            entry.object("credit_block", |block| {
                block.text("id", &self.blueprint.dice.id(Salt::Block, (1 << 60) + index));
                block.raw("expiry_date", "null").text("per_unit_cost_basis", "0.20").raw("filters", "[]");
            });
            entry.nulls(&["price_id", "invoice_id", "event_id"]);
        });
        Ok(text)
    }
}
