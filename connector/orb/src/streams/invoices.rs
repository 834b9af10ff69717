//! Invoices in other forms than that of Airbyte's connector.

use super::{CUSTOMER_ID, INVOICES, OF_SUBSCRIPTION, PRICE, SUBSCRIPTION_ID, billing::BILLING};
use crate::{config::Config, subscription};
use elt_sdk::{
    record::Hoist,
    rows::{Nested, Rows},
    stream::{Absent, Answer, Carry, Ends, Parents, Partition, Place, Stream},
};

/// Invoices in other forms.
const ALL_INVOICES: Stream<Config> =
    Stream { group: "billing", withheld: |_| &["draft"], query: |_, _| Vec::new(), ..INVOICES };

pub(super) static INVOICE_LINE_ITEMS: Stream<Config> = Stream {
    name: "invoice_line_items",
    schema: "invoice_line_items.json",
    rows: Rows::Nested(Nested {
        list: "line_items",
        copied: &[
            ("id", "invoice_id"),
            ("invoice_date", "invoice_date"),
            ("status", "invoice_status"),
            ("customer.id", "customer_id"),
            ("subscription.id", "subscription_id"),
            ("currency", "currency"),
        ],
    }),
    carry: Carry { hoists: &[PRICE], ..Carry::NOTHING },
    // The lines of drafts are left out: Orb computes them anew, with other ids.
    ..ALL_INVOICES
};

pub(super) static INVOICE_PAYMENT_ATTEMPTS: Stream<Config> = Stream {
    name: "invoice_payment_attempts",
    schema: "invoice_payment_attempts.json",
    rows: Rows::Nested(Nested {
        list: "payment_attempts",
        copied: &[("id", "invoice_id"), ("invoice_date", "invoice_date"), ("customer.id", "customer_id")],
    }),
    ..ALL_INVOICES
};

pub(super) static INVOICE_SUMMARIES: Stream<Config> = Stream {
    name: "invoice_summaries",
    path: "invoices/summary",
    schema: "invoice_summaries.json",
    carry: Carry { hoists: OF_SUMMARY, ..Carry::NOTHING },
    query: INVOICES.query,
    withheld: INVOICES.withheld,
    ..ALL_INVOICES
};

/// A single invoice is never a summary. These fields make the difference.
const OF_SUMMARY: &[Hoist] = &[
    CUSTOMER_ID,
    SUBSCRIPTION_ID,
    left_out("line_items"),
    left_out("subtotal"),
    left_out("discount"),
    left_out("discounts"),
    left_out("minimum"),
    left_out("minimum_amount"),
    left_out("maximum"),
    left_out("maximum_amount"),
    left_out("hidden_line_item_count"),
];

const fn left_out(object: &'static str) -> Hoist {
    Hoist { object, fields: &[], keep: false }
}

pub(super) static UPCOMING_INVOICES: Stream<Config> = Stream {
    name: "upcoming_invoices",
    requests: "1 per active subscription",
    path: "invoices/upcoming",
    schema: "upcoming_invoices.json",
    primary_key: &["subscription_id"],
    answer: Answer::Object,
    carry: Carry { hoists: &[CUSTOMER_ID], parent_as: Some("subscription_id"), ..Carry::NOTHING },
    partition: Partition::Parents(Parents {
        place: Place::Query("subscription_id"),
        slices: subscription::if_active,
        ..OF_SUBSCRIPTION
    }),
    page_limit: None,
    ends: Ends { absent: Absent::Nothing, ..Ends::USUAL },
    ..BILLING
};
