//! Generates documented `CreditNote` objects: for two of ten invoices, both paid.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::instant::Spelling;
use crate::object::{Object, write_object, write_text};
use crate::owner::OwnedBy;
use crate::parameter::{CREATED_GT, CREATED_GTE, CREATED_LT, CREATED_LTE, CURSOR, LIMIT, Parameters};
use crate::record::line_item::LineItems;
use crate::record::{customer, invoice, item, price, subscription};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "credit_notes",
    path: "credit_notes",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[LIMIT, CURSOR, CREATED_GTE, CREATED_GT, CREATED_LT, CREATED_LTE]),
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| date(blueprint, index),
        id: |blueprint, _, index| id(blueprint, index),
        write: |blueprint, _, index, at, out| write(blueprint, index, at, out),
        ..List::EMPTY
    }),
};

const REASONS: [Option<&str>; 5] =
    [Some("Duplicate"), Some("Fraudulent"), None, Some("Order change"), Some("Product unsatisfactory")];

/// The invoice that a note credits.
fn invoice_of(index: u64) -> u64 {
    index / 2 * 10 + if index.is_multiple_of(2) { 1 } else { 3 }
}

fn count(blueprint: &Blueprint) -> u64 {
    let invoices = blueprint.count(Collection::Invoices);
    let ending_in = |digit: u64| (invoices + 9).saturating_sub(digit) / 10;
    ending_in(1) + ending_in(3)
}

/// The note that credits an invoice, if any.
pub(crate) fn of_invoice(invoice: u64) -> Option<u64> {
    match invoice % 10 {
        1 => Some(invoice / 10 * 2),
        3 => Some(invoice / 10 * 2 + 1),
        _ => None,
    }
}

pub(crate) fn id(blueprint: &Blueprint, index: u64) -> String {
    blueprint.dice.id(Salt::CreditNote, index)
}

/// Three days after the invoice, but not in the future.
fn date(blueprint: &Blueprint, index: u64) -> Timestamp {
    let invoiced = blueprint.date(Collection::Invoices, invoice_of(index));
    later(invoiced, SignedDuration::from_hours(73)).min(blueprint.timeline.last())
}

/// An adjustment credits all of an invoice, a refund half of each line.
fn credited(index: u64, cents: u64) -> u64 {
    if is_refund(index) { cents / 2 } else { cents }
}

fn is_refund(index: u64) -> bool {
    index % 3 == 1
}

fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let invoice = invoice_of(index);
    let plan = invoice::subscription_index(blueprint, invoice);
    let plan = plan.map_or(0, |it| subscription::prices_plan(blueprint, it));
    let items = LineItems::new(blueprint, invoice, Some(plan));
    let subtotal = items.charges().map(|(_, cents)| credited(index, cents)).sum::<u64>();
    // A tenth, as of the invoice.
    let discount = if items.discounted() { subtotal / 10 } else { 0 };
    write_object(out, |note| {
        note.text("id", &id(blueprint, index)).instant("created_at", at, spelling(index));
        let voided = (index % 5 == 4).then(|| later(at, SignedDuration::from_hours(20)));
        note.optional_instant("voided_at", voided.map(|at| at.min(blueprint.timeline.last())));
        note.text("credit_note_number", &format!("RFOBWG-CN-{index:04}"));
        note.text("invoice_id", &blueprint.id(Collection::Invoices, invoice));
        note.optional_text("memo", (index % 3 != 2).then_some("Désolé ! — \"sorry\""));
        note.optional_text("reason", REASONS[index as usize % REASONS.len()]);
        note.text("type", if is_refund(index) { "refund" } else { "adjustment" });
        note.money("subtotal", subtotal).money("total", subtotal - discount);
        note.value("customer", |out| {
            customer::write_minified(blueprint, invoice::customer_index(blueprint, invoice), out);
        });
        let link = format!("https://assets.example.com/credit_note/{index}?token=a%2Bb");
        note.optional_text("credit_note_pdf", (index % 4 != 3).then_some(link.as_str()));
        note.optional_text("minimum_amount_refunded", index.is_multiple_of(6).then_some("1.10"));
        let percentage = |out: &mut String, variant: u64| {
            write_object(out, |object| write_discount(blueprint, plan, discount, variant, object));
        };
        if items.discounted() {
            note.list("discounts", [index], percentage);
        } else if index.is_multiple_of(2) {
            note.raw("discounts", "[]");
        }
        match index % 7 {
            3 => note.value("maximum_amount_adjustment", |out| percentage(out, index + 1)),
            _ => note.raw("maximum_amount_adjustment", "null"),
        };
        note.list("line_items", items.charges(), |out, (slot, cents)| {
            write_object(out, |line| write_line(blueprint, index, plan, slot, cents, line));
        });
    });
}

/// Writes a discount of a tenth, in one of three forms.
fn write_discount(blueprint: &Blueprint, plan: u64, cents: u64, variant: u64, discount: &mut Object<'_>) {
    discount.text("discount_type", "percentage").raw("percentage_discount", "0.10");
    discount.money("amount_applied", cents);
    match variant % 3 {
        0 => {}
        1 => {
            discount.nulls(&["reason", "applies_to_prices"]);
        }
        _ => {
            discount.text("reason", "Frühbucher").list("applies_to_prices", [0, 1], |out, slot| {
                write_object(out, |price| {
                    price.text("id", &price::id(blueprint, plan, slot)).text("name", price::name(plan, slot));
                });
            });
        }
    }
}

fn write_line(blueprint: &Blueprint, index: u64, plan: u64, slot: u64, cents: u64, line: &mut Object<'_>) {
    let amount = credited(index, cents);
    line.text("id", &blueprint.dice.id(Salt::CreditNoteItem, index * price::SLOTS + slot));
    line.text("name", price::name(plan, slot)).money("subtotal", amount).money("amount", amount);
    line.raw("quantity", if slot == 0 { "1" } else { ["null", "1e-7", "100.00"][index as usize % 3] });
    if slot == 1 && index.is_multiple_of(3) {
        line.list("discounts", [amount / 10], |out, cents| {
            write_object(out, |discount| {
                discount.text("id", &blueprint.dice.id(Salt::CreditNoteItem, (1 << 40) + index));
                discount.text("discount_type", if index % 4 == 3 { "amount" } else { "percentage" });
                discount.raw("percentage_discount", "0.10").money("amount_applied", cents);
                match index % 4 {
                    0 => {}
                    3 => {
                        discount.money("amount_discount", cents).text("reason", "Treue");
                    }
                    _ => {
                        discount.nulls(&["amount_discount", "reason"]);
                    }
                }
                let price = price::id(blueprint, plan, slot);
                discount.list("applies_to_price_ids", [price], |out, id| write_text(out, &id));
            });
        });
    } else if slot == 0 {
        line.raw("discounts", "[]");
    }
    let tax = r#"[{"tax_rate_description":"MwSt.","tax_rate_percentage":"19.00","amount":"0.00","tax_reason":null},{"tax_rate_description":"none","tax_rate_percentage":null,"amount":"0.00","tax_reason":null}]"#;
    line.raw("tax_amounts", if index.is_multiple_of(4) { tax } else { "[]" });
    line.text("item_id", &item::id(blueprint, plan * price::SLOTS + slot));
    match index % 3 {
        0 => {}
        1 => {
            line.nulls(&["start_time_inclusive", "end_time_exclusive"]);
        }
        _ => {
            let end = blueprint.date(Collection::Invoices, invoice_of(index));
            let start = later(end, SignedDuration::from_hours(-24 * 30));
            line.instant("start_time_inclusive", start, Spelling::Zulu);
            line.instant("end_time_exclusive", end, Spelling::Offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_note_credits_a_paid_invoice_and_that_names_it() {
        for invoices in 0..60 {
            let blueprint = Blueprint::new(Settings { invoices, ..Settings::default() });
            let credited: Vec<u64> =
                (0..invoices as u64).filter(|invoice| of_invoice(*invoice).is_some()).collect();
            let notes: Vec<u64> = (0..count(&blueprint)).map(invoice_of).collect();
            assert_eq!(notes, credited);
            assert!(notes.iter().all(|invoice| invoice::status(*invoice) == "paid"));
            assert!((0..count(&blueprint)).all(|note| of_invoice(invoice_of(note)) == Some(note)));
        }
    }
}
