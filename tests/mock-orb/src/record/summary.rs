//! Reduces invoices and subscriptions to their documented summaries.

use crate::collection::Collection;
use crate::facet::Facet;
use crate::field::{Fields, fields, without};
use crate::object::{Object, write_object};
use crate::owner::OwnedBy;
use crate::parameter::{
    CREATED_GT, CREATED_GTE, CREATED_LT, CREATED_LTE, CURSOR, Comparison, DEFAULT_INVOICE_STATUSES,
    INVOICE_STATUSES, LIMIT, Parameters, Rule, SUBSCRIPTION_STATUSES, parameter,
};
use crate::resource::{Answer, Resource, View};

pub(crate) static INVOICES: Resource = Resource {
    name: "invoice_summaries",
    path: "invoices/summary",
    owner: OwnedBy::Account,
    parameters: Parameters {
        table: &[
            LIMIT,
            CURSOR,
            parameter("invoice_date[gte]", Rule::Instant(Comparison::AtLeast)),
            parameter("invoice_date[gt]", Rule::Instant(Comparison::Above)),
            parameter("invoice_date[lt]", Rule::Instant(Comparison::Below)),
            parameter("invoice_date[lte]", Rule::Instant(Comparison::AtMost)),
            parameter("status", Rule::Word(Facet::Status, INVOICE_STATUSES)),
            parameter("status[]", Rule::Word(Facet::Status, INVOICE_STATUSES)),
            parameter("customer_id", Rule::Text(Facet::CustomerId)),
            parameter("external_customer_id", Rule::Text(Facet::ExternalCustomerId)),
            parameter("subscription_id", Rule::Text(Facet::SubscriptionId)),
            parameter("due_date", Rule::Date(Facet::DueDate, Comparison::Equal)),
            parameter("due_date[gt]", Rule::Date(Facet::DueDate, Comparison::Above)),
            parameter("due_date[lt]", Rule::Date(Facet::DueDate, Comparison::Below)),
            parameter("due_date_window", Rule::Window(Facet::DueDate)),
            parameter("date_type", Rule::Ignored(&["due_date", "invoice_date"])),
            parameter("amount", Rule::Number(Facet::Total, Comparison::Equal)),
            parameter("amount[gt]", Rule::Number(Facet::Total, Comparison::Above)),
            parameter("amount[lt]", Rule::Number(Facet::Total, Comparison::Below)),
            parameter("is_recurring", Rule::Flag(Facet::InvoiceSource, "subscription")),
        ],
        maximum_limit: 100,
        default_statuses: Some(&DEFAULT_INVOICE_STATUSES),
    },
    answer: Answer::View(View { of: Collection::Invoices, keep: |_, _, _| true, form: of_invoice }),
};

/// Known to newer clients, but absent from the published document.
pub(crate) static SUBSCRIPTIONS: Resource = Resource {
    name: "subscription_summaries",
    path: "subscriptions/summary",
    owner: OwnedBy::Account,
    parameters: Parameters::of(&[
        LIMIT,
        CURSOR,
        CREATED_GTE,
        CREATED_GT,
        CREATED_LT,
        CREATED_LTE,
        parameter("customer_id", Rule::Text(Facet::CustomerId)),
        parameter("external_customer_id", Rule::Text(Facet::ExternalCustomerId)),
        parameter("plan_id", Rule::Text(Facet::PlanId)),
        parameter("external_plan_id", Rule::Text(Facet::ExternalPlanId)),
        parameter("status", Rule::Word(Facet::Status, SUBSCRIPTION_STATUSES)),
    ]),
    answer: Answer::View(View { of: Collection::Subscriptions, keep: |_, _, _| true, form: of_subscription }),
};

/// The fields of an invoice that its summary omits.
const DETAILS: [&str; 9] = [
    "discount",
    "discounts",
    "hidden_line_item_count",
    "line_items",
    "maximum",
    "maximum_amount",
    "minimum",
    "minimum_amount",
    "subtotal",
];

/// The summary of an invoice.
pub(crate) fn of_invoice(invoice: &str) -> String {
    without(invoice, &DETAILS)
}

/// The summary of a subscription.
pub(crate) fn of_subscription(subscription: &str) -> String {
    let whole = fields(subscription);
    let nested = |name: &str| whole.get(name).map_or_else(Fields::new, |value| fields(value.get()));
    let mut out = String::new();
    write_object(&mut out, |summary| {
        copy(&whole, &["id", "created_at"], summary);
        summary.object("customer", |customer| {
            copy(&nested("customer"), &["id", "external_customer_id"], customer);
        });
        match nested("plan") {
            none if none.is_empty() => summary.raw("plan", "null"),
            plan => summary.object("plan", |minified| {
                copy(&plan, &["id", "external_plan_id", "name"], minified);
            }),
        };
        copy(&whole, &["name", "metadata", "start_date", "end_date", "status"], summary);
    });
    out
}

/// Copies fields of an object, byte for byte.
fn copy(fields: &Fields<'_>, names: &[&'static str], target: &mut Object<'_>) {
    for name in names {
        if let Some(value) = fields.get(*name) {
            target.raw(name, value.get());
        }
    }
}
