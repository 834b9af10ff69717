//! Derives the expected records of a stream from the server's, independently of the connector.

use std::collections::{BTreeMap, BTreeSet};

use mock_orb::{Account, Collection};
use serde_json::value::RawValue;

type Fields = BTreeMap<String, Box<RawValue>>;

/// The fields hoisted from the customer that a record names.
const CUSTOMER: [(&str, &str); 2] = [("id", "customer_id"), ("external_customer_id", "external_customer_id")];

/// A record as names and the exact texts of their values.
pub(crate) fn fields(json: &str) -> BTreeMap<String, String> {
    let fields: Fields = serde_json::from_str(json).unwrap();
    fields.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
}

/// The records that a full read of a stream returns, each as its fields.
pub(crate) fn expected(account: &Account, stream: &str) -> BTreeSet<BTreeMap<String, String>> {
    match stream {
        "customers" => plain(&account.records(Collection::Customers)),
        "plans" => plain(&account.records(Collection::Plans)),
        "invoices" => {
            let invoices = plain(&account.records(Collection::Invoices));
            invoices.into_iter().filter(|invoice| invoice["status"] != "\"draft\"").collect()
        }
        "subscriptions" => {
            let lift = |mut record: BTreeMap<String, String>| {
                lift(&mut record, "customer", &CUSTOMER);
                let plan = [
                    ("id", "plan_id"),
                    ("version", "plan_version"),
                    ("name", "plan_name"),
                    ("external_plan_id", "external_plan_id"),
                ];
                lift(&mut record, "plan", &plan);
                record
            };
            plain(&account.records(Collection::Subscriptions)).into_iter().map(lift).collect()
        }
        "credits_ledger_entries" => {
            let ledgers = account.customer_ids().into_iter().flat_map(|id| account.ledger(&id));
            let committed = plain(&ledgers.collect::<Vec<_>>())
                .into_iter()
                .filter(|entry| entry["entry_status"] == "\"committed\"");
            let shaped = committed.map(|mut entry| {
                let block = [
                    ("expiry_date", "block_expiry_date"),
                    ("id", "credit_block_id"),
                    ("per_unit_cost_basis", "credit_block_per_unit_cost_basis"),
                    ("filters", "credit_block_filters"),
                ];
                lift(&mut entry, "credit_block", &block);
                lift(&mut entry, "customer", &CUSTOMER);
                entry
            });
            shaped.collect()
        }
        other => panic!("{other} is not a stream"),
    }
}

fn plain(records: &[String]) -> BTreeSet<BTreeMap<String, String>> {
    records.iter().map(|record| fields(record)).collect()
}

fn lift(record: &mut BTreeMap<String, String>, object: &str, names: &[(&str, &str)]) {
    let nested = record.remove(object).filter(|nested| nested != "null");
    let nested = nested.map(|nested| fields(&nested)).unwrap_or_default();
    for (from, to) in names {
        record.insert((*to).to_owned(), nested.get(*from).cloned().unwrap_or_else(|| "null".to_owned()));
    }
}
