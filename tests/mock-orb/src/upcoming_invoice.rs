//! Answers requests for the upcoming invoice of an active subscription, computed at each request.

use jiff::SignedDuration;

use crate::collection::Collection;
use crate::dice::Salt;
use crate::field::lookup;
use crate::instant::Spelling;
use crate::object::{Object, write_object};
use crate::owner::{Kind, OwnedBy};
use crate::parameter::{Parameters, Rule, ZERO_QUANTITIES, required};
use crate::problem::Problem;
use crate::record::line_item::{DISCOUNT, LineItems};
use crate::record::subscription;
use crate::resource::{Answer, Call, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "upcoming_invoices",
    path: "invoices/upcoming",
    owner: OwnedBy::Query(&[("subscription_id", Kind::Subscription)]),
    parameters: Parameters::of(&[required("subscription_id", Rule::Any), ZERO_QUANTITIES]),
    answer: Answer::Body(write_upcoming),
};

fn write_upcoming(call: &Call<'_>) -> Result<String, Problem> {
    let (account, owner) = (call.account, call.owner);
    let blueprint = &account.blueprint;
    let inactive = || Problem::constraint_violation("The subscription has no upcoming invoice.");
    let terms = account.terms(&owner.id).ok_or_else(inactive)?;
    let text = account.record(Collection::Subscriptions, &owner.id).ok_or_else(inactive)?;
    let target = terms.period.ok_or_else(inactive)?.end;
    let number = owner.number();
    // Invoices and their line items have smaller numbers.
    let items =
        LineItems::new(blueprint, (1 << 40) + number, Some(subscription::prices_plan(blueprint, number)));
    let mut body = String::new();
    write_object(&mut body, |invoice| {
        invoice.text("id", &blueprint.dice.id(Salt::UpcomingInvoice, number));
        invoice.text("invoice_number", &format!("RFOBWG-UP-{number:05}")).raw("metadata", "{}");
        invoice.instant("created_at", account.settings().last, Spelling::Offset);
        invoice.instant("target_date", target, Spelling::Zulu);
        let due = later(target, SignedDuration::from_hours(24 * 30));
        invoice.text("status", "draft").optional_instant("due_date", (number % 4 != 3).then_some(due));
        invoice.object("customer", |customer| {
            let field = |name| lookup(&text, &["customer", name]);
            customer.text("id", &field("id").unwrap_or_default());
            customer.optional_text("external_customer_id", field("external_customer_id").as_deref());
        });
        invoice.object("subscription", |object| {
            object.text("id", &owner.id);
        });
        invoice.text("invoice_source", "subscription").text("currency", "USD");
        invoice.money("subtotal", items.subtotal()).money("total", items.total());
        invoice.money("amount_due", items.total());
        write_state(number, invoice);
        let discount = items.discounted().then_some(DISCOUNT);
        invoice.list("discounts", discount, String::push_str).raw("discount", discount.unwrap_or("null"));
        invoice.value("line_items", |out| items.write(blueprint, target, out));
    });
    Ok(body)
}

/// Writes what is the same for all drafts.
fn write_state(number: u64, invoice: &mut Object<'_>) {
    invoice.nulls(&["issued_at", "paid_at", "voided_at", "eligible_to_issue_at", "scheduled_issue_at"]);
    invoice.nulls(&["issue_failed_at", "sync_failed_at", "payment_failed_at", "payment_started_at"]);
    invoice.flag("will_auto_issue", !number.is_multiple_of(3));
    invoice.object("auto_collection", |collection| {
        collection.flag("enabled", number % 4 != 1).raw("next_attempt_at", "null");
        collection.number("num_attempts", 0).raw("previously_attempted_at", "null");
    });
    invoice.raw("payment_attempts", "[]").raw("credit_notes", "[]");
    invoice.raw("customer_balance_transactions", "[]");
    invoice.optional_text("memo", (number % 6 == 2).then_some("Vorschau"));
    invoice.nulls(&["billing_address", "shipping_address", "customer_tax_id"]);
    invoice.nulls(&["invoice_pdf", "hosted_invoice_url"]);
    invoice.nulls(&["minimum", "minimum_amount", "maximum", "maximum_amount"]);
    // Newer than the published OpenAPI document, but required by newer official clients.
    invoice.raw("hidden_line_item_count", "0").raw("payment_received_at", "null");
}
