//! Reduces invoices and subscriptions to their documented summaries.

use crate::collection::Collection;
use crate::facet::Facet;
use crate::field::{find, without};
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
    answer: Answer::View(View {
        of: Collection::Invoices,
        keep: |_, _, _| true,
        form: |invoice| without(invoice, &DETAILS),
    }),
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
    answer: Answer::View(View { of: Collection::Subscriptions, keep: |_, _, _| true, form: summarize }),
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

fn summarize(subscription: &str) -> String {
    let mut out = String::new();
    write_object(&mut out, |summary| {
        copy(subscription, &[], &["id", "created_at"], summary);
        summary.object("customer", |customer| {
            copy(subscription, &["customer"], &["id", "external_customer_id"], customer);
        });
        if find(subscription, &["plan"]).is_some_and(|plan| plan != "null") {
            summary.object("plan", |plan| {
                copy(subscription, &["plan"], &["id", "external_plan_id", "name"], plan);
            });
        } else {
            summary.raw("plan", "null");
        }
        copy(subscription, &[], &["name", "metadata", "start_date", "end_date", "status"], summary);
    });
    out
}

/// Copies fields of an object inside a record, byte for byte.
fn copy(record: &str, path: &[&str], names: &[&'static str], target: &mut Object<'_>) {
    let fields = find(record, path).unwrap_or("{}");
    for name in names {
        if let Some(value) = find(fields, &[name]) {
            target.raw(name, value);
        }
    }
}
