//! Generates documented `CustomerBalanceTransaction` objects: a chain of balances per customer.

use jiff::{SignedDuration, Timestamp};

use crate::amount::money;
use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::object::write_object;
use crate::owner::{Kind, OwnedBy, Owner};
use crate::parameter::{CURSOR, Comparison, LIMIT, Parameters, Rule, parameter};
use crate::record::{credit_note, invoice};
use crate::resource::{Answer, List, Resource};
use crate::timeline::{Timeline, later};

pub(crate) static RESOURCE: Resource = Resource {
    name: "customer_balance_transactions",
    path: "customers/{}/balance_transactions",
    owner: OwnedBy::Path(Kind::Customer),
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        parameter("operation_time[gte]", Rule::Instant(Comparison::AtLeast)),
        parameter("operation_time[gt]", Rule::Instant(Comparison::Above)),
        parameter("operation_time[lt]", Rule::Instant(Comparison::Below)),
        parameter("operation_time[lte]", Rule::Instant(Comparison::AtMost)),
    ]),
    answer: Answer::List(List {
        count: |_, customer| count(customer),
        date: |blueprint, customer, index| {
            Timeline::new(customer.at, blueprint.timeline.last()).at(index, count(customer))
        },
        id: |blueprint, customer, index| id(blueprint, customer, index),
        write,
        ..List::EMPTY
    }),
};

/// What a transaction does: action, amount in hundredths, and whether it is of an invoice or of a
/// credit note. The sum of a cycle is positive.
const CYCLE: [(&str, i64, Reference); 11] = [
    ("manual_adjustment", 5_000, Reference::None),
    ("applied_to_invoice", -1_250, Reference::Invoice),
    ("prorated_refund", 310, Reference::None),
    ("revert_prorated_refund", -310, Reference::None),
    ("return_from_voiding", 1_250, Reference::Invoice),
    ("credit_note_applied", 2_500, Reference::CreditNote),
    ("credit_note_voided", -2_500, Reference::CreditNote),
    ("overpayment_refund", 1, Reference::Invoice),
    ("external_payment", 10_000, Reference::None),
    // Negative: a customer may owe.
    ("small_invoice_carryover", -14_999, Reference::Invoice),
    ("manual_adjustment", 0, Reference::None),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    None,
    Invoice,
    CreditNote,
}

/// None for two customers in five, and more than a page of twenty for one.
fn count(customer: &Owner) -> u64 {
    [0, 3, 0, 1, 25][(customer.number() % 5) as usize]
}

fn id(blueprint: &Blueprint, customer: &Owner, index: u64) -> String {
    blueprint.dice.id(Salt::BalanceTransaction, (customer.number() << 32) + index)
}

fn balance_before(index: u64) -> i64 {
    let amounts = CYCLE.iter().map(|(_, amount, _)| amount).cycle();
    amounts.take(index as usize).sum()
}

fn write(blueprint: &Blueprint, customer: &Owner, index: u64, at: Timestamp, out: &mut String) {
    let (action, amount, reference) = CYCLE[index as usize % CYCLE.len()];
    let invoices = || invoice::of_customer(blueprint, customer.number());
    let billed = match reference {
        Reference::None => None,
        Reference::Invoice => invoices().next(),
        Reference::CreditNote => invoices().find(|it| credit_note::of_invoice(*it).is_some()),
    };
    // Customers without such an invoice have other transactions.
    let adjusted = reference != Reference::None && billed.is_none();
    // Recorded minutes after the operation, in one case in five.
    let created = if index % 5 == 2 { later(at, SignedDuration::from_mins(5)) } else { at };
    write_object(out, |transaction| {
        transaction.text("id", &id(blueprint, customer, index));
        transaction.instant("created_at", created, spelling(index));
        transaction.text("starting_balance", &money(balance_before(index)));
        transaction.text("ending_balance", &money(balance_before(index + 1)));
        transaction.text("amount", &money(amount));
        transaction.text("action", if adjusted { "manual_adjustment" } else { action });
        transaction.optional_text("description", (index % 4 == 1).then_some("Störung am 1.\t\"SLA\""));
        match billed {
            Some(it) => transaction.object("invoice", |object| {
                object.text("id", &blueprint.id(Collection::Invoices, it));
            }),
            None => transaction.raw("invoice", "null"),
        };
        transaction.text("type", if amount < 0 { "decrement" } else { "increment" });
        match billed.and_then(credit_note::of_invoice).filter(|_| reference == Reference::CreditNote) {
            Some(note) => transaction.object("credit_note", |object| {
                object.text("id", &credit_note::id(blueprint, note));
            }),
            None => transaction.raw("credit_note", "null"),
        };
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_leaves_a_customer_with_a_little_more() {
        assert_eq!(balance_before(CYCLE.len() as u64), 2);
    }
}
