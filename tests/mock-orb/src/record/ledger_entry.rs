//! Generates credits ledger entries of all seven types.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::instant::Spelling;
use crate::object::{Object, write_object};
use crate::record::ledger_step::Step;
use crate::record::{credit_block, customer, event, invoice, price};
use crate::timeline::{Timeline, later};

/// The number of entries in a customer's ledger.
pub(crate) fn count(blueprint: &Blueprint, customer: u64) -> u64 {
    if ordinal(blueprint, customer).is_some() {
        blueprint.settings.ledger_entries_per_customer as u64
    } else {
        0
    }
}

/// The index of a customer's ledger, by age; `None` for a customer without one.
fn ordinal(blueprint: &Blueprint, customer: u64) -> Option<u64> {
    let customers = blueprint.count(Collection::Customers);
    let ledgers = (blueprint.settings.ledger_customers as u64).min(customers);
    if customer >= customers {
        return None;
    }
    let up_to = |customers_seen: u64| {
        (u128::from(customers_seen) * u128::from(ledgers) / u128::from(customers)) as u64
    };
    (up_to(customer + 1) > up_to(customer)).then(|| up_to(customer))
}

/// When an entry was made: entries are spread evenly between the customer's creation and now, but
/// decrements that share an event also share an instant.
pub(crate) fn date(blueprint: &Blueprint, customer: u64, index: u64) -> Timestamp {
    let index = if blueprint.settings.ledger_event_ids { event::first_entry(index) } else { index };
    let created = blueprint.date(Collection::Customers, customer);
    Timeline::new(created, blueprint.timeline.last()).at(index, count(blueprint, customer))
}

pub(crate) fn id(blueprint: &Blueprint, customer: u64, index: u64) -> String {
    blueprint.dice.id(Salt::LedgerEntry, (customer << 32) + index)
}

/// In every other ledger the newest entry is pending; in every fourth, the newest two.
pub(crate) fn status(blueprint: &Blueprint, customer: u64, index: u64) -> &'static str {
    let pending = match ordinal(blueprint, customer).map(|ordinal| ordinal % 4) {
        Some(0) => 2,
        Some(2) => 1,
        _ => 0,
    };
    let count = count(blueprint, customer);
    if count >= 4 && index < count && index + pending >= count { "pending" } else { "committed" }
}

pub(crate) fn facet(blueprint: &Blueprint, customer: u64, index: u64, facet: Facet) -> Option<String> {
    match facet {
        Facet::Amount => Some(Step::at(index).amount.to_owned()),
        Facet::Currency => Some(Step::at(index).currency.to_owned()),
        Facet::EntryStatus => Some(status(blueprint, customer, index).to_owned()),
        Facet::EntryType => Some(Step::at(index).entry_type.to_owned()),
        _ => None,
    }
}

pub(crate) fn write(blueprint: &Blueprint, customer: u64, index: u64, at: Timestamp, out: &mut String) {
    let step = Step::at(index);
    let before = step.balance_before(index);
    write_object(out, |entry| {
        entry.text("id", &id(blueprint, customer, index)).number("ledger_sequence_number", index + 1);
        entry.text("entry_type", step.entry_type);
        entry.text("entry_status", status(blueprint, customer, index));
        entry.value("customer", |out| customer::write_minified(blueprint, customer, out));
        entry.number("starting_balance", before).number("ending_balance", step.apply(before));
        entry.raw("amount", step.amount).text("currency", step.currency);
        entry.instant("created_at", at, spelling(index));
        entry.optional_text("description", description(index));
        entry.value("credit_block", |out| write_block(blueprint, customer, index, at, out));
        entry.raw("metadata", if index % 4 == 1 { r#"{"rate":"1.10","note":"\u00bd"}"# } else { "{}" });
        write_particulars(blueprint, customer, index, at, entry);
    });
}

fn description(index: u64) -> Option<&'static str> {
    match index % 5 {
        0 => Some("Purchased 100 credits"),
        1 => Some("Dedução diária \"prepaid\""),
        2 => Some(""),
        _ => None,
    }
}

/// The block that an entry affects; each has a cost basis, and may expire.
fn write_block(blueprint: &Blueprint, customer: u64, index: u64, at: Timestamp, out: &mut String) {
    write_object(out, |affected| {
        affected.text("id", &credit_block::id(blueprint, customer, credit_block::of_entry(index)));
        let expires = !index.is_multiple_of(3);
        let expiry = expires.then(|| later(at, SignedDuration::from_hours(24 * 365)));
        affected.optional_instant("expiry_date", expiry);
        affected.optional_text("per_unit_cost_basis", credit_block::cost_basis(index / 6));
        affected.raw(
            "filters",
            if index % 4 == 2 {
                r#"[{"field":"item_id","operator":"includes","values":["0042"]}]"#
            } else {
                "[]"
            },
        );
    });
}

/// Writes the fields that only entries of one type have.
fn write_particulars(
    blueprint: &Blueprint,
    customer: u64,
    index: u64,
    at: Timestamp,
    entry: &mut Object<'_>,
) {
    let next_year = later(at, SignedDuration::from_hours(24 * 400));
    match Step::at(index).entry_type {
        "increment" => match index % 3 {
            0 => {
                entry.list("created_invoices", created_invoice(blueprint, customer), |out, index| {
                    invoice::write(blueprint, index, blueprint.date(Collection::Invoices, index), out);
                });
            }
            1 => {
                entry.raw("created_invoices", "null");
            }
            _ => {}
        },
        "decrement" => {
            let price = price::id(blueprint, customer % blueprint.count(Collection::Plans).max(1), 1);
            entry.optional_text("price_id", index.is_multiple_of(2).then_some(price.as_str()));
            let event = event::of_entry(blueprint, customer, index);
            entry.raw("invoice_id", "null").optional_text("event_id", event.as_deref());
        }
        "expiration_change" => {
            entry.optional_instant("new_block_expiry_date", (index % 2 == 1).then_some(next_year));
        }
        "void_initiated" => {
            entry.instant("new_block_expiry_date", next_year, Spelling::Offset);
            entry.raw("void_amount", "10.00").raw("void_reason", "null");
        }
        "void" => {
            entry.raw("void_amount", "10.00").text("void_reason", "refund");
        }
        _ => {}
    }
}

/// The invoice of a purchase, in every other ledger.
pub(crate) fn created_invoice(blueprint: &Blueprint, customer: u64) -> Option<u64> {
    let invoices = blueprint.count(Collection::Invoices);
    let wanted = invoices > 0 && ordinal(blueprint, customer).is_some_and(|ordinal| ordinal % 2 == 0);
    wanted.then(|| blueprint.dice.roll(Salt::Detail, customer) % invoices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn exactly_so_many_customers_have_a_ledger() {
        let settings = Settings { customers: 103, ledger_customers: 7, ..Settings::default() };
        let blueprint = Blueprint::new(settings);
        assert_eq!((0..103).filter(|&customer| count(&blueprint, customer) > 0).count(), 7);
        let pending =
            |customer| (0..24).filter(|&index| status(&blueprint, customer, index) == "pending").count();
        assert_eq!((0..103).map(pending).sum::<usize>(), 2 + 1 + 2 + 1);
    }
}
