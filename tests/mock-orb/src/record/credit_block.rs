//! Generates documented `CustomerCreditBalance` objects: the blocks that a customer's ledger
//! entries affect. Lists the invoices of each.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::amount::Amount;
use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::field::lookup;
use crate::object::{Object, write_object};
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, Comparison, LIMIT, Parameters, Rule, parameter};
use crate::problem::Problem;
use crate::record::ledger_step::{CYCLE_LENGTH, Step};
use crate::record::{customer, invoice, item, ledger_entry, license_type};
use crate::resource::{Answer, Call, List, Resource};
use crate::shelf::{Key, Row};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "credit_blocks",
    path: "customers/{}/credits",
    owner: OwnedBy::Path(Kind::Customer),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        parameter("currency", Rule::Text(Facet::Currency)),
        parameter(ALL_BLOCKS, Rule::Ignored(&[])),
        parameter("effective_date[gte]", Rule::Moment(Facet::EffectiveDate, Comparison::AtLeast)),
        parameter("effective_date[gt]", Rule::Moment(Facet::EffectiveDate, Comparison::Above)),
        parameter("effective_date[lt]", Rule::Moment(Facet::EffectiveDate, Comparison::Below)),
        parameter("effective_date[lte]", Rule::Moment(Facet::EffectiveDate, Comparison::AtMost)),
    ]),
    answer: Answer::List(LIST),
};

const LIST: List = List {
    count: |blueprint, customer| {
        let entries = ledger_entry::count(blueprint, customer.number());
        credits_blocks(entries) + dollar_blocks(entries)
    },
    date: |blueprint, customer, index| {
        let entry = first_entry(number(blueprint, customer.number(), index));
        ledger_entry::date(blueprint, customer.number(), entry)
    },
    id: |blueprint, customer, index| {
        id(blueprint, customer.number(), number(blueprint, customer.number(), index))
    },
    write: |blueprint, customer, index, at, out| {
        write(blueprint, customer.number(), number(blueprint, customer.number(), index), at, out);
    },
    hidden: Some((ALL_BLOCKS, |block, now| {
        let balance = lookup(block, &["balance"]).and_then(|text| Amount::parse(&text));
        let expiry = lookup(block, &["expiry_date"]).and_then(|text| text.parse::<Timestamp>().ok());
        balance == Some(Amount::default()) || expiry.is_some_and(|expiry| expiry <= now)
    })),
    unrecorded: Some(|blueprint, customer, index, facet| {
        let entries = ledger_entry::count(blueprint, customer.number());
        (facet == Facet::Currency).then(|| currency(number_of(entries, index)).to_owned())
    }),
    default_facet: Some((Facet::Currency, "credits")),
    ..List::EMPTY
};

/// Marked as experimental in the published document.
pub(crate) static INVOICES: Resource = Resource {
    name: "credit_block_invoices",
    path: "credit_blocks/{}/invoices",
    owner: OwnedBy::Path(Kind::CreditBlock),
    parameters: Parameters::of(&[]),
    answer: Answer::Body(write_invoices),
};

const ALL_BLOCKS: &str = "include_all_blocks";

/// How many consecutive entries in credits affect one block.
const ENTRIES: u64 = 6;

/// The numbers of blocks in dollars start here. There is one for each cycle of entries.
const DOLLARS: u64 = 1 << 31;

/// The first entry in dollars of a cycle.
const FIRST_IN_DOLLARS: u64 = 7;

/// Balances as JSON numbers whose spelling clients must preserve.
const BALANCES: [&str; 7] = ["100.00", "0", "12345678901234567890.123456789", "0.1", "1e-7", "0.0", "25"];

fn credits_blocks(entries: u64) -> u64 {
    entries.div_ceil(ENTRIES)
}

fn dollar_blocks(entries: u64) -> u64 {
    (entries + CYCLE_LENGTH - 1).saturating_sub(FIRST_IN_DOLLARS) / CYCLE_LENGTH
}

/// The number of the block that is listed at an index: those in credits come first.
fn number_of(entries: u64, index: u64) -> u64 {
    match index.checked_sub(credits_blocks(entries)) {
        Some(cycle) => DOLLARS + cycle,
        None => index,
    }
}

fn number(blueprint: &Blueprint, customer: u64, index: u64) -> u64 {
    number_of(ledger_entry::count(blueprint, customer), index)
}

/// The number of the block that a ledger entry affects.
pub(crate) fn of_entry(entry: u64) -> u64 {
    if Step::at(entry).currency == "credits" { entry / ENTRIES } else { DOLLARS + entry / CYCLE_LENGTH }
}

fn first_entry(number: u64) -> u64 {
    match number.checked_sub(DOLLARS) {
        Some(cycle) => cycle * CYCLE_LENGTH + FIRST_IN_DOLLARS,
        None => number * ENTRIES,
    }
}

fn currency(number: u64) -> &'static str {
    if number < DOLLARS { "credits" } else { "USD" }
}

pub(crate) fn id(blueprint: &Blueprint, customer: u64, number: u64) -> String {
    blueprint.dice.id(Salt::Block, (customer << 32) + number)
}

pub(crate) fn cost_basis(group: u64) -> Option<&'static str> {
    [Some("0.20"), None, Some("1.50"), Some("0"), Some("1e5")][group as usize % 5]
}

fn write(blueprint: &Blueprint, customer: u64, number: u64, at: Timestamp, out: &mut String) {
    let variant = first_entry(number) / ENTRIES;
    write_object(out, |block| {
        block.raw("metadata", if variant.is_multiple_of(3) { r#"{"po":"0042"}"# } else { "{}" });
        block.text("id", &id(blueprint, customer, number));
        block.raw("balance", BALANCES[variant as usize % BALANCES.len()]);
        block.optional_instant("effective_date", (variant % 4 != 3).then_some(at));
        // Some have expired by now, and some never will.
        let days = [400, 20, 0, 700][variant as usize % 4];
        let expiry = (days > 0).then(|| later(at, SignedDuration::from_hours(24 * days)));
        block.optional_instant("expiry_date", expiry);
        block.optional_text("per_unit_cost_basis", cost_basis(variant));
        block.text("status", if variant % 5 == 2 { "pending_payment" } else { "active" });
        block.raw("maximum_initial_balance", if variant.is_multiple_of(2) { "1E+2" } else { "null" });
        let filters = r#"[{"field":"item_id","operator":"includes","values":["0042"]}]"#;
        block.raw("filters", if variant % 4 == 2 { filters } else { "[]" });
        write_source(blueprint, customer, number, variant, block);
    });
}

fn write_source(blueprint: &Blueprint, customer: u64, number: u64, variant: u64, block: &mut Object<'_>) {
    let subscriptions = blueprint.count(Collection::Subscriptions);
    let subscription = blueprint.owned(Collection::Customers, customer, subscriptions).next();
    match variant % 4 {
        0 => {
            block.text("credit_block_source", "manual");
        }
        1 => {
            block.text("credit_block_source", "top_up").nulls(&["credit_allocation", "credit_commitment"]);
        }
        2 => {
            block.text("credit_block_source", "commitment").raw("credit_allocation", "null");
            block.object("credit_commitment", |commitment| {
                commitment.text("id", &blueprint.dice.id(Salt::Commitment, (customer << 32) + number));
                let id = subscription.map(|it| blueprint.id(Collection::Subscriptions, it));
                match customer % 3 {
                    0 => {}
                    1 => {
                        commitment.raw("subscription_id", "null");
                    }
                    _ => {
                        commitment.optional_text("subscription_id", id.as_deref());
                    }
                }
            });
        }
        _ => {
            block.text("credit_block_source", "allocation");
            block.object("credit_allocation", |allocation| {
                allocation.text("currency", currency(number)).flag("allows_rollover", number % 2 == 1);
                match customer % 3 {
                    0 => {
                        allocation.raw("custom_expiration", "null");
                    }
                    1 => {
                        allocation.nulls(&["custom_expiration", "license_type_id"]);
                    }
                    _ => {
                        let expiration = r#"{"duration":1,"duration_unit":"month"}"#;
                        allocation.raw("custom_expiration", expiration).raw("filters", "[]");
                        allocation.text("license_type_id", &license_type::id(blueprint, 0));
                    }
                }
                allocation.text("item_id", &item::id(blueprint, 1));
            });
        }
    }
}

fn write_invoices(call: &Call<'_>) -> Result<String, Problem> {
    let (account, id) = (call.account, call.owner.id.as_str());
    let missing = || Problem::resource_not_found(Kind::CreditBlock.resource(), id);
    let (customer, key, row) = find(account, call.owner).ok_or_else(missing)?;
    let block = account.row_text(&LIST, &customer, key, &row);
    let mut body = String::new();
    write_object(&mut body, |answer| {
        answer.raw("block", &block);
        answer.list("invoices", purchased_by(account, &customer, id), |out, index| {
            write_object(out, |minified| {
                minified.text("id", &account.blueprint.id(Collection::Invoices, index));
                minified.text("invoice_number", &invoice::number(index));
                minified.text("status", invoice::status(index)).value("customer", |out| {
                    customer::write_minified(
                        &account.blueprint,
                        invoice::customer_index(&account.blueprint, index),
                        out,
                    );
                });
                match invoice::subscription_index(&account.blueprint, index) {
                    Some(it) => minified.object("subscription", |object| {
                        object.text("id", &account.blueprint.id(Collection::Subscriptions, it));
                    }),
                    None => minified.raw("subscription", "null"),
                };
            });
        });
    });
    Ok(body)
}

/// The text of a block.
pub(crate) fn text(account: &Account, block: &Owner) -> Option<String> {
    let (customer, key, row) = find(account, block)?;
    Some(account.row_text(&LIST, &customer, key, &row))
}

/// The customer of a block, and the block's row.
fn find(account: &Account, block: &Owner) -> Option<(Owner, Key, Row)> {
    let name = RESOURCE.name;
    let generated = block.index.map(|index| account.blueprint.id(Collection::Customers, index >> 32));
    let changed =
        account.lists.keys().filter(|(resource, _)| resource == name).map(|(_, owner)| owner.clone());
    generated.into_iter().chain(changed).find_map(|customer| {
        let customer = account.owner(Kind::Customer, &customer)?;
        let shelf = account.row_shelf(name, &LIST, &customer);
        let shelf = shelf.into_owned().indexed(|index| (LIST.id)(&account.blueprint, &customer, index));
        let (key, row) = shelf.find(&block.id)?;
        Some((customer, key, row.clone()))
    })
}

/// The invoices of the purchases in a block, as its ledger entries name them.
fn purchased_by(account: &Account, customer: &Owner, id: &str) -> Vec<u64> {
    let (blueprint, customer) = (&account.blueprint, customer.number());
    let in_block = |entry: &u64| self::id(blueprint, customer, of_entry(*entry)) == id;
    let bought = |entry: &u64| Step::at(*entry).entry_type == "increment" && entry.is_multiple_of(3);
    let entries = (0..ledger_entry::count(blueprint, customer)).filter(bought).filter(in_block);
    let mut invoices: Vec<u64> =
        entries.filter_map(|_| ledger_entry::created_invoice(blueprint, customer)).collect();
    invoices.dedup();
    invoices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_affects_a_block_that_is_listed() {
        for entries in 0..60 {
            let listed: Vec<u64> = (0..credits_blocks(entries) + dollar_blocks(entries))
                .map(|index| number_of(entries, index))
                .collect();
            for entry in 0..entries {
                let number = of_entry(entry);
                assert!(listed.contains(&number), "{entry} of {entries}");
                assert!(first_entry(number) <= entry);
                assert_eq!(currency(number), Step::at(entry).currency);
            }
        }
    }
}
