//! What happens to credit notes, and so to the invoices that they credit.

use super::edited::{Edited, pair, spelled};
use super::invoice::add_money;
use super::{Change, Outcome};
use crate::account::Account;
use crate::amount::{Amount, money};
use crate::collection::Collection;
use crate::dice::Salt;
use crate::edit::RecordError;
use crate::field::{find, items, lookup};
use crate::instant::Spelling;
use crate::object::write_object;
use crate::record::credit_note;
use crate::webhook_log::{Event, Subject};

const INVOICES: Collection = Collection::Invoices;

/// The most that a note credits, in hundredths.
const CREDIT: i64 = 100;

pub(super) fn issue(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut invoice = account.edited(INVOICES, change.id)?;
    let line = items(&invoice.0, &["line_items"]).first().map(|item| (*item).to_owned());
    let line = line.ok_or_else(|| change.refused("issue_credit_note", "it has no line items"))?;
    let total = invoice.get(&["total"]).and_then(|text| Amount::parse(&text)).unwrap_or_default();
    let credit = total.cents().clamp(0, CREDIT);
    let kind = if invoice.get(&["status"]).as_deref() == Some("paid") { "refund" } else { "adjustment" };
    let id = account.blueprint.dice.id(Salt::CreditNote, change.fresh());
    let number = format!("RFOBWG-CN-M{:04}", change.number);
    let amount = money(credit);
    let mut note = String::new();
    write_object(&mut note, |object| {
        object.text("id", &id).instant("created_at", change.at, Spelling::Offset).raw("voided_at", "null");
        object.text("credit_note_number", &number).text("invoice_id", change.id).raw("memo", "null");
        object.text("reason", "Duplicate").text("type", kind);
        object.text("subtotal", &amount).text("total", &amount).raw("customer", invoice.json(&["customer"]));
        object.nulls(&["credit_note_pdf", "minimum_amount_refunded", "maximum_amount_adjustment"]);
        object.raw("discounts", "[]");
        object.list("line_items", [&line], |out, line| {
            write_object(out, |item| {
                item.text("id", &account.blueprint.dice.id(Salt::CreditNoteItem, change.fresh()));
                item.raw("name", find(line, &["name"]).unwrap_or("\"\""));
                item.text("subtotal", &amount).text("amount", &amount).raw("quantity", "null");
                item.raw("discounts", "[]").raw("tax_amounts", "[]");
                item.text("item_id", &lookup(line, &["price", "item", "id"]).unwrap_or_default());
            });
        });
    });
    let mut summary = String::new();
    write_object(&mut summary, |object| {
        object.text("id", &id).text("credit_note_number", &number).raw("memo", "null");
        object.text("reason", "Duplicate").text("total", &amount).text("type", kind).raw("voided_at", "null");
    });
    invoice.push("credit_notes", &summary);
    if kind == "adjustment" {
        add_money(&mut invoice, "amount_due", -credit);
    }
    account.store(INVOICES, change.id, invoice)?;
    account.insert_row(credit_note::RESOURCE.name, "", change.at, note.clone())?;
    let event = Event::new("credit_note.issued", Subject::Other("credit_note", note));
    Ok(Outcome { events: vec![event.with(pair("source", "api"))], id: Some(id) })
}

pub(super) fn void(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let name = credit_note::RESOURCE.name;
    let unknown = || RecordError::Unknown { resource: "CreditNote", id: change.id.to_owned() };
    let mut note = Edited(account.listed(name, change.id).ok_or_else(unknown)?);
    let at = spelled(change.at);
    account.set_row_field(name, "", change.id, "voided_at", &at)?;
    note.set("voided_at", &at);
    let invoice_id = note.get(&["invoice_id"]).unwrap_or_default();
    if let Ok(mut invoice) = account.edited(INVOICES, &invoice_id) {
        let notes: Vec<Edited> =
            items(&invoice.0, &["credit_notes"]).into_iter().map(|it| Edited(it.to_owned())).collect();
        let of_note = |it: &Edited| it.get(&["id"]).as_deref() == Some(change.id);
        if let Some(entry) = notes.iter().find(|it| of_note(it)) {
            let credit = entry.get(&["total"]).and_then(|text| Amount::parse(&text)).unwrap_or_default();
            if entry.get(&["type"]).as_deref() == Some("adjustment")
                && invoice.get(&["status"]).as_deref() != Some("paid")
            {
                add_money(&mut invoice, "amount_due", credit.cents());
            }
            let notes = notes.into_iter().map(|mut entry| {
                if of_note(&entry) {
                    entry.set("voided_at", &at);
                }
                entry.0
            });
            invoice.set("credit_notes", &format!("[{}]", notes.collect::<Vec<_>>().join(",")));
            account.store(INVOICES, &invoice_id, invoice)?;
        }
    }
    let event = Event::new("credit_note.marked_as_void", Subject::Other("credit_note", note.0));
    Ok(vec![event].into())
}
