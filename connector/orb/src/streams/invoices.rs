//! Invoices in other forms than that of Airbyte's connector.

use elt_sdk::{
    record::Unsettled,
    rows::{Nested, Rows},
    stream::{Absent, Answer, Carry, Ends, Parents, Partition, Place, Stream},
};
use time::SignedDuration;

use super::{CUSTOMER_ID, INVOICES, OF_SUBSCRIPTION, PRICE, SUBSCRIPTION_ID, billing::BILLING};
use crate::{config::Config, subscription};

/// The longest time that an unpaid invoice holds the cursor. An older one rarely changes, and would
/// otherwise make each read begin at it.
const UNPAID: SignedDuration = SignedDuration::hours(90 * 24);

/// All statuses of an invoice. Drafts hold the cursor, because they keep their `invoice_date` when
/// they are issued.
const ALL_STATUSES: &[(&str, &str)] = &[
    ("status[]", "void"),
    ("status[]", "paid"),
    ("status[]", "issued"),
    ("status[]", "synced"),
    ("status[]", "draft"),
];

/// An invoice changes until it is paid or void.
const UNTIL_PAID: Unsettled =
    Unsettled { field: "status", values: &["draft", "issued", "synced"], at_most: Some(UNPAID) };

/// Invoices of all statuses, which hold the cursor until they are paid or void.
const ALL_INVOICES: Stream<Config> = Stream {
    group: "billing",
    filters: ALL_STATUSES,
    query: |_, _| Vec::new(),
    unsettled: Some(UNTIL_PAID),
    ..INVOICES
};

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
    // Orb computes the lines of a draft anew, with other ids.
    withheld: |_| &["draft"],
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
    carry: Carry { hoists: &[CUSTOMER_ID, SUBSCRIPTION_ID], ..Carry::NOTHING },
    withheld: |config| if config.draft_invoices { &[] } else { &["draft"] },
    ..ALL_INVOICES
};

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
