//! Generates documented `Invoice` objects with their line items.

use jiff::{SignedDuration, Timestamp};

use crate::blueprint::{Blueprint, spelling};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::instant::{Spelling, midnight, utc_date, write_instant};
use crate::object::{Object, write_object};
use crate::record::line_item::{DISCOUNT, LineItems};
use crate::record::{customer, subscription};
use crate::timeline::later;

/// Days between the invoice date and the due date.
const NET_TERMS: i64 = 30;

pub(crate) fn status(index: u64) -> &'static str {
    match index % 10 {
        0 | 7 => "issued",
        4 => "synced",
        5 | 9 => "void",
        6 => "draft",
        _ => "paid",
    }
}

/// The billed subscription; one invoice in nine is a one-off without one.
pub(crate) fn subscription_index(blueprint: &Blueprint, index: u64) -> Option<u64> {
    let any = blueprint.count(Collection::Subscriptions) > 0 && index % 9 != 8;
    any.then(|| blueprint.owner(Collection::Subscriptions, index, blueprint.count(Collection::Invoices)))
}

pub(crate) fn customer_index(blueprint: &Blueprint, index: u64) -> u64 {
    match subscription_index(blueprint, index) {
        Some(subscription) => subscription::customer_index(blueprint, subscription),
        None => blueprint.owner(Collection::Customers, index, blueprint.count(Collection::Invoices)),
    }
}

/// Whether money is due: only once the invoice is not a draft.
fn due(index: u64, at: Timestamp) -> Option<Timestamp> {
    (status(index) != "draft")
        .then(|| midnight(utc_date(later(at, SignedDuration::from_hours(24 * NET_TERMS)))))
}

pub(crate) fn facet(blueprint: &Blueprint, index: u64, at: Timestamp, facet: Facet) -> Option<String> {
    match facet {
        Facet::Status => Some(status(index).to_owned()),
        Facet::CustomerId => Some(blueprint.id(Collection::Customers, customer_index(blueprint, index))),
        Facet::ExternalCustomerId => customer::external_id(customer_index(blueprint, index)),
        Facet::SubscriptionId => {
            subscription_index(blueprint, index).map(|it| blueprint.id(Collection::Subscriptions, it))
        }
        Facet::InvoiceSource => Some(source(blueprint, index).to_owned()),
        Facet::DueDate => due(index, at).map(|due| {
            let mut text = String::new();
            write_instant(&mut text, due, Spelling::Offset);
            text
        }),
        Facet::Total => {
            let total = LineItems::new(blueprint, index, None).total();
            Some(format!("{}.{:02}", total / 100, total % 100))
        }
        _ => None,
    }
}

pub(crate) fn number(index: u64) -> String {
    format!("RFOBWG-{index:05}")
}

/// The invoices of a customer's subscriptions, oldest first.
pub(crate) fn of_customer(blueprint: &Blueprint, customer: u64) -> impl Iterator<Item = u64> {
    let subscriptions =
        blueprint.owned(Collection::Customers, customer, blueprint.count(Collection::Subscriptions));
    let invoices = blueprint.count(Collection::Invoices);
    let billed = subscriptions.flat_map(move |it| blueprint.owned(Collection::Subscriptions, it, invoices));
    billed.filter(|index| subscription_index(blueprint, *index).is_some())
}

fn source(blueprint: &Blueprint, index: u64) -> &'static str {
    if subscription_index(blueprint, index).is_some() { "subscription" } else { "one_off" }
}

/// Writes an invoice dated `at`. It was created up to a month earlier or, in one case in eight,
/// hours later.
pub(crate) fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let subscription = subscription_index(blueprint, index);
    let plan = subscription.map_or(0, |it| subscription::prices_plan(blueprint, it));
    let items = LineItems::new(blueprint, index, Some(plan));
    let total = items.total();
    let hours = (blueprint.dice.roll(Salt::Instant, index) % (24 * 31)) as i64;
    let created = later(at, SignedDuration::from_hours(if index % 8 == 3 { 1 + hours % 12 } else { -hours }));
    write_object(out, |invoice| {
        let id = blueprint.id(Collection::Invoices, index);
        invoice.text("id", &id).text("invoice_number", &number(index));
        invoice
            .raw("metadata", if index.is_multiple_of(3) { r#"{"po":"0042","rate":"1.10"}"# } else { "{}" });
        invoice.instant("created_at", created, spelling(index)).instant("invoice_date", at, spelling(index));
        invoice.text("status", status(index)).optional_instant("due_date", due(index, at));
        invoice.value("customer", |out| {
            customer::write_minified(blueprint, customer_index(blueprint, index), out);
        });
        match subscription {
            Some(it) => invoice.object("subscription", |object| {
                object.text("id", &blueprint.id(Collection::Subscriptions, it));
            }),
            None => invoice.raw("subscription", "null"),
        };
        invoice.text("invoice_source", source(blueprint, index)).text("currency", "USD");
        invoice.money("subtotal", items.subtotal()).money("total", total);
        invoice.money("amount_due", if status(index) == "paid" { 0 } else { total });
        write_life(index, at, invoice);
        write_payments(blueprint, index, at, total, invoice);
        invoice.optional_text("memo", (index % 6 == 2).then_some("Merci ! \u{2014} 谢谢"));
        invoice.raw("billing_address", "null").raw("shipping_address", "null").raw("customer_tax_id", "null");
        let link = (status(index) != "draft").then(|| format!("https://assets.example.com/invoice/{id}/pdf"));
        invoice.optional_text("invoice_pdf", link.as_deref());
        invoice
            .optional_text("hosted_invoice_url", link.map(|link| format!("{link}?token=a%2Bb")).as_deref());
        invoice.value("line_items", |out| items.write(blueprint, at, out));
        let discount = items.discounted().then_some(DISCOUNT);
        invoice.list("discounts", discount, String::push_str);
        invoice.raw("discount", discount.unwrap_or("null"));
        invoice.nulls(&["minimum", "minimum_amount", "maximum", "maximum_amount"]);
        invoice.raw("credit_notes", "[]").raw("customer_balance_transactions", "[]");
        // Newer than the published OpenAPI document, but required by newer official clients.
        invoice.raw("hidden_line_item_count", "0").raw("payment_received_at", "null");
    });
}

/// The instants of the invoice's progress; those of states that it never reached are null.
fn write_life(index: u64, at: Timestamp, invoice: &mut Object<'_>) {
    let status = status(index);
    let issued = (status != "draft").then(|| later(at, SignedDuration::from_mins(6)));
    invoice.optional_instant("issued_at", issued);
    let paid = (status == "paid").then(|| later(at, SignedDuration::from_mins(9)));
    invoice.optional_instant("paid_at", paid);
    let voided = (status == "void").then(|| later(at, SignedDuration::from_hours(50)));
    invoice.optional_instant("voided_at", voided);
    // Orb waits for late events, by default for twelve hours.
    let eligible = (status == "draft").then(|| later(at, SignedDuration::from_hours(12)));
    invoice.optional_instant("eligible_to_issue_at", eligible);
    invoice.optional_instant("scheduled_issue_at", eligible).flag("will_auto_issue", eligible.is_some());
    invoice.nulls(&["issue_failed_at", "sync_failed_at", "payment_failed_at"]);
    invoice.optional_instant("payment_started_at", paid);
}

fn write_payments(blueprint: &Blueprint, index: u64, at: Timestamp, total: u64, invoice: &mut Object<'_>) {
    let paid = status(index) == "paid";
    let attempt = paid.then(|| later(at, SignedDuration::from_mins(8)));
    invoice.object("auto_collection", |collection| {
        collection.flag("enabled", index % 4 != 1).raw("next_attempt_at", "null");
        collection
            .number("num_attempts", u8::from(paid))
            .optional_instant("previously_attempted_at", attempt);
    });
    invoice.list("payment_attempts", attempt, |out, attempt| {
        write_object(out, |payment| {
            payment.text("id", &blueprint.dice.id(Salt::Payment, index));
            payment.text("payment_provider", "stripe").text("payment_provider_id", "pi_0042");
            payment.money("amount", total).flag("succeeded", true).raw("receipt_pdf", "null");
            payment.instant("created_at", attempt, Spelling::Offset);
        });
    });
}
