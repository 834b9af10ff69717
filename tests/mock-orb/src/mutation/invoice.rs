//! What happens to invoices.

use jiff::{SignedDuration, Timestamp};

use super::edited::{Edited, pair, previous, quoted, spelled};
use super::{Change, Outcome};
use crate::account::Account;
use crate::amount::{Amount, money};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::edit::RecordError;
use crate::field::items;
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::write_object;
use crate::timeline::later;

const INVOICES: Collection = Collection::Invoices;

/// The charge of an added line item, in hundredths.
const CHARGE: i64 = 1_100;

pub(super) fn pay(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    settle(&mut invoice, change.at);
    add_attempt(account, &mut invoice, change, true);
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(
        account,
        "invoice.payment_succeeded",
        change,
        r#"{"payment_provider":"stripe","payment_provider_id":"pi_0042"}"#,
    ))
}

pub(super) fn mark_paid(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    settle(&mut invoice, change.at);
    account.store(INVOICES, change.id, invoice)?;
    let mut properties = String::new();
    write_object(&mut properties, |object| {
        object.text("external_id", "0042").raw("notes", "null");
        object.instant("payment_received_date", change.at, Spelling::Offset);
    });
    Ok(told(account, "invoice.manually_marked_as_paid", change, &properties))
}

pub(super) fn undo_payment(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    let total = invoice.json(&["total"]).to_owned();
    invoice.text("status", "issued").set("amount_due", &total);
    invoice.nulls(&["paid_at", "payment_received_at"]);
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.undo_mark_as_paid", change, "{}"))
}

pub(super) fn fail_payment(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    invoice.instant("payment_failed_at", change.at).instant("payment_started_at", change.at);
    add_attempt(account, &mut invoice, change, false);
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.payment_failed", change, r#"{"payment_provider":"stripe"}"#))
}

pub(super) fn void(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    invoice.text("status", "void").instant("voided_at", change.at);
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.manually_marked_as_void", change, "{}"))
}

pub(super) fn issue(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    invoice.text("status", "issued").instant("issued_at", change.at);
    let due = later(change.at, SignedDuration::from_hours(24 * 30));
    invoice.instant("due_date", midnight(utc_date(due)));
    invoice.nulls(&["eligible_to_issue_at", "scheduled_issue_at"]).set("will_auto_issue", "false");
    let link = format!("https://assets.example.com/invoice/{}/pdf", change.id);
    invoice.text("invoice_pdf", &link).text("hosted_invoice_url", &format!("{link}?token=a%2Bb"));
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.issued", change, r#"{"automatically_marked_as_paid":false}"#))
}

pub(super) fn sync(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    invoice.text("status", "synced");
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.sync_succeeded", change, r#"{"payment_provider":"netsuite"}"#))
}

pub(super) fn move_date(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    let refused = |reason: &str| change.refused("move_invoice_date", reason);
    let old = invoice.get(&["invoice_date"]).and_then(|text| text.parse::<Timestamp>().ok());
    let old = old.ok_or(RecordError::NotAnInstant("invoice_date"))?;
    let date = match change.value {
        Some(text) => text.parse().map_err(|_| refused("the value is not an instant with an offset"))?,
        None => {
            // Up to 40 days either way, but not nowhere.
            let days = [-1, 1][change.pick(2) as usize] * (1 + (change.pick(40 * 2) / 2) as i64);
            later(old, SignedDuration::from_hours(24 * days))
        }
    };
    let properties = previous(&invoice, &["invoice_date"]);
    invoice.instant("invoice_date", date);
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.edited", change, &properties))
}

pub(super) fn add_line_item(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    let last = items(&invoice.0, &["line_items"]).last().map(|item| Edited((*item).to_owned()));
    let mut item =
        last.ok_or_else(|| change.refused("add_line_item", "it has no line item to go on from"))?;
    let properties = previous(&invoice, &["subtotal", "total", "amount_due"]);
    item.text("id", &account.blueprint.dice.id(Salt::LineItem, change.fresh()));
    item.text("name", &format!("Added №{}", change.number)).set("quantity", "1").set("sub_line_items", "[]");
    for field in ["amount", "subtotal", "adjusted_subtotal"] {
        item.text(field, &money(CHARGE));
    }
    invoice.push("line_items", &item.0);
    for field in ["subtotal", "total", "amount_due"] {
        add_money(&mut invoice, field, CHARGE);
    }
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.edited", change, &properties))
}

pub(super) fn edit(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    let properties = previous(&invoice, &["metadata", "memo"]);
    invoice.set("metadata", &pair("edit", &change.number.to_string()));
    invoice.set("memo", &quoted(&format!("Geändert №{}", change.number)));
    account.store(INVOICES, change.id, invoice)?;
    Ok(told(account, "invoice.edited", change, &properties))
}

/// Adds hundredths to an amount of money; what is no amount stays.
pub(super) fn add_money(record: &mut Edited, field: &str, cents: i64) {
    if let Some(amount) = record.get(&[field]).and_then(|text| Amount::parse(&text)) {
        record.text(field, &money(amount.cents().saturating_add(cents)));
    }
}

fn settle(invoice: &mut Edited, at: Timestamp) {
    invoice.text("status", "paid").text("amount_due", "0.00").instant("paid_at", at);
    invoice.set("payment_received_at", &spelled(at));
}

fn add_attempt(account: &Account, invoice: &mut Edited, change: &Change<'_>, succeeded: bool) {
    let mut attempt = String::new();
    write_object(&mut attempt, |payment| {
        payment.text("id", &account.blueprint.dice.id(Salt::Payment, change.fresh()));
        payment.text("payment_provider", "stripe").text("payment_provider_id", "pi_0042");
        payment.raw("amount", invoice.json(&["total"])).flag("succeeded", succeeded);
        payment.instant("created_at", change.at, Spelling::Offset).raw("receipt_pdf", "null");
    });
    invoice.push("payment_attempts", &attempt);
    let mut collection = Edited(invoice.json(&["auto_collection"]).to_owned());
    let attempts = items(&invoice.0, &["payment_attempts"]).len();
    collection.set("num_attempts", &attempts.to_string()).instant("previously_attempted_at", change.at);
    invoice.set("auto_collection", &collection.0).instant("payment_started_at", change.at);
}

fn told(account: &Account, kind: &'static str, change: &Change<'_>, properties: &str) -> Outcome {
    vec![account.event_of(kind, INVOICES, change.id).with(properties.to_owned())].into()
}
