//! Credits, credit notes, and what subscriptions are made of.

use elt_sdk::{
    record::Hoist,
    rows::{Nested, Rows},
    stream::{Answer, Carry, Parents, Partition, Parts, Place, Stream, TimeFilter},
};
use time::SignedDuration;

use super::{
    CUSTOMER_ID, LIST, MAY_BE_UNKNOWN, OF_CUSTOMER, OF_SUBSCRIPTION, PLAN_ID, PRICE, SUBSCRIPTION_ID,
    SUBSCRIPTIONS, WHOLE,
    catalog::COUPONS,
    changes::{self, object},
};
use crate::{config::Config, coupons, ledger, licenses, rates::CREDIT_BALANCE};

const BY_TIME: Stream<Config> = Stream { group: "billing", ..LIST };

/// The columns of records that change without a trace.
const CHANGING: Stream<Config> = Stream { sweep: Config::sweep, ..BY_TIME };

pub(super) const BILLING: Stream<Config> = Stream { group: "billing", ..WHOLE };

pub(super) static CREDIT_NOTES: Stream<Config> = Stream {
    name: "credit_notes",
    requests: "1 per 100 credit notes",
    path: "credit_notes",
    schema: "credit_notes.json",
    carry: Carry { hoists: &[CUSTOMER_ID], ..Carry::NOTHING },
    object: Some(object("credit_notes/{id}")),
    feed: Some(&changes::CREDIT_NOTES),
    ..CHANGING
};

pub(super) static CREDIT_NOTE_LINE_ITEMS: Stream<Config> = Stream {
    name: "credit_note_line_items",
    schema: "credit_note_line_items.json",
    primary_key: &["credit_note_id", "id"],
    rows: Rows::Nested(Nested {
        list: "line_items",
        copied: &[
            ("id", "credit_note_id"),
            ("created_at", "created_at"),
            ("invoice_id", "invoice_id"),
            ("customer.id", "customer_id"),
        ],
    }),
    carry: Carry::NOTHING,
    ..CREDIT_NOTES
};

pub(super) static CREDIT_BLOCKS: Stream<Config> = Stream {
    name: "credit_blocks",
    requests: "1 per customer and currency, at 10 per second",
    path: "customers/{parent}/credits",
    schema: "credit_blocks.json",
    carry: Carry { parent_as: Some("customer_id"), part_as: Some("currency"), ..Carry::NOTHING },
    partition: Partition::Parents(OF_CUSTOMER),
    parts: Some(Parts { place: Place::Query("currency"), values: ledger::block_currencies }),
    // Orb omits expired and depleted blocks by default.
    filters: &[("include_all_blocks", "true")],
    rate: &CREDIT_BALANCE,
    ..BILLING
};

pub(super) static CREDIT_BLOCK_INVOICES: Stream<Config> = Stream {
    name: "credit_block_invoices",
    requests: "1 per credit block, and those of credit_blocks",
    path: "credit_blocks/{parent}/invoices",
    schema: "credit_block_invoices.json",
    primary_key: &["credit_block_id", "id"],
    answer: Answer::Object,
    rows: Rows::Nested(Nested { list: "invoices", copied: &[] }),
    carry: Carry {
        hoists: &[CUSTOMER_ID, SUBSCRIPTION_ID],
        parent_as: Some("credit_block_id"),
        ..Carry::NOTHING
    },
    partition: Partition::Parents(Parents::by_id(&CREDIT_BLOCKS, "credit_block_id")),
    page_limit: None,
    // Orb marks it as experimental.
    ends: MAY_BE_UNKNOWN,
    ..BILLING
};

pub(super) static CREDIT_TOP_UPS: Stream<Config> = Stream {
    name: "credit_top_ups",
    requests: "1 per customer",
    path: "customers/{parent}/credits/top_ups",
    schema: "credit_top_ups.json",
    carry: Carry { parent_as: Some("customer_id"), ..Carry::NOTHING },
    partition: Partition::Parents(OF_CUSTOMER),
    ..BILLING
};

pub(super) static CUSTOMER_BALANCE_TRANSACTIONS: Stream<Config> = Stream {
    name: "customer_balance_transactions",
    requests: "1 per customer",
    path: "customers/{parent}/balance_transactions",
    schema: "customer_balance_transactions.json",
    carry: Carry {
        hoists: &[
            Hoist { object: "invoice", fields: &[("id", "invoice_id")], keep: true },
            Hoist { object: "credit_note", fields: &[("id", "credit_note_id")], keep: true },
        ],
        parent_as: Some("customer_id"),
        ..Carry::NOTHING
    },
    time: Some(TimeFilter {
        // A transaction does not show its operation time, and Orb does not say how far it is from
        // `created_at`.
        slack: SignedDuration::hours(24),
        ..TimeFilter::by_field("operation_time")
    }),
    partition: Partition::Parents(OF_CUSTOMER),
    ..BY_TIME
};

pub(super) static SUBSCRIPTION_SUMMARIES: Stream<Config> = Stream {
    name: "subscription_summaries",
    requests: "1 per 100 subscriptions",
    path: "subscriptions/summary",
    schema: "subscription_summaries.json",
    carry: Carry { hoists: &[CUSTOMER_ID, PLAN_ID], ..Carry::NOTHING },
    ends: MAY_BE_UNKNOWN,
    ..CHANGING
};

pub(super) static SUBSCRIPTION_SCHEDULES: Stream<Config> = Stream {
    name: "subscription_schedules",
    requests: "1 per subscription",
    path: "subscriptions/{parent}/schedule",
    schema: "subscription_schedules.json",
    primary_key: &["subscription_id", "start_date"],
    carry: Carry { hoists: &[PLAN_ID], parent_as: Some("subscription_id"), ..Carry::NOTHING },
    partition: Partition::Parents(OF_SUBSCRIPTION),
    ..BILLING
};

pub(super) static SUBSCRIPTION_CHANGES: Stream<Config> = Stream {
    name: "subscription_changes",
    requests: "1 per status and 100 changes",
    path: "subscription_changes",
    schema: "subscription_changes.json",
    parts: Some(Parts {
        place: Place::Query("status"),
        values: |config, _| Config::parts(&config.subscription_change_statuses),
    }),
    ..BILLING
};

pub(super) static SUBSCRIPTION_PRICE_INTERVALS: Stream<Config> = Stream {
    name: "subscription_price_intervals",
    schema: "subscription_price_intervals.json",
    rows: Rows::Nested(Nested { list: "price_intervals", copied: OF_ITS_SUBSCRIPTION }),
    carry: Carry { hoists: &[PRICE], ..Carry::NOTHING },
    ..IN_SUBSCRIPTIONS
};

pub(super) static SUBSCRIPTION_ADJUSTMENT_INTERVALS: Stream<Config> = Stream {
    name: "subscription_adjustment_intervals",
    schema: "subscription_adjustment_intervals.json",
    rows: Rows::Nested(Nested { list: "adjustment_intervals", copied: OF_ITS_SUBSCRIPTION }),
    ..IN_SUBSCRIPTIONS
};

/// Records within subscriptions.
const IN_SUBSCRIPTIONS: Stream<Config> = Stream { group: "billing", carry: Carry::NOTHING, ..SUBSCRIPTIONS };

const OF_ITS_SUBSCRIPTION: &[(&str, &str)] =
    &[("id", "subscription_id"), ("created_at", "created_at"), ("customer.id", "customer_id")];

pub(super) static COUPON_REDEMPTIONS: Stream<Config> = Stream {
    name: "coupon_redemptions",
    requests: "1 per 100 subscriptions",
    path: "subscriptions",
    schema: "coupon_redemptions.json",
    primary_key: &["subscription_id", "coupon_id", "start_date"],
    rows: Rows::Nested(Nested {
        list: "redeemed_coupon",
        copied: &[("id", "subscription_id"), ("customer.id", "customer_id")],
    }),
    ..BILLING
};

pub(super) static COUPON_SUBSCRIPTIONS: Stream<Config> = Stream {
    name: "coupon_subscriptions",
    requests: "1 per coupon and 100 subscriptions",
    path: "coupons/{parent}/subscriptions",
    schema: "coupon_subscriptions.json",
    primary_key: &["coupon_id", "subscription_id"],
    rows: Rows::Made(coupons::subscriptions),
    partition: Partition::Parents(Parents::by_id(&COUPONS, "coupon_id")),
    ..BILLING
};

pub(super) static LICENSES: Stream<Config> = Stream {
    name: "licenses",
    requests: "1 per subscription with licenses",
    path: "licenses",
    schema: "licenses.json",
    partition: Partition::Parents(Parents {
        place: Place::Query("subscription_id"),
        slices: licenses::slices,
        ..OF_SUBSCRIPTION
    }),
    ..BILLING
};
