//! The table of streams. A new stream is a row in `streams/`, a schema in `schemas/`, and a row in
//! README's table.
//!
//! Paths, filters and limits are from Orb's API reference
//! (<https://docs.withorb.com/api-reference>).

mod admin;
mod billing;
mod catalog;
mod changes;
mod core;
mod costs;
mod invoices;

use elt_sdk::{
    record::Hoist,
    stream::{Ends, Parents, Partition, Stream, TimeFilter},
};

pub(crate) use self::admin::WEBHOOK_EVENTS;
use self::core::{CUSTOMERS, INVOICES, PLANS, SUBSCRIPTIONS, WHOLE_SUBSCRIPTIONS};
use crate::{config::Config, rates::READ};

/// All streams, in the order in which they are discovered: by group.
pub const STREAMS: &[&Stream<Config>] = &[
    &CUSTOMERS,
    &SUBSCRIPTIONS,
    &PLANS,
    &INVOICES,
    &core::CREDITS_LEDGER_ENTRIES,
    &core::SUBSCRIPTION_USAGE,
    &billing::CREDIT_NOTES,
    &billing::CREDIT_NOTE_LINE_ITEMS,
    &invoices::INVOICE_LINE_ITEMS,
    &invoices::INVOICE_PAYMENT_ATTEMPTS,
    &invoices::INVOICE_SUMMARIES,
    &invoices::UPCOMING_INVOICES,
    &billing::CREDIT_BLOCKS,
    &billing::CREDIT_BLOCK_INVOICES,
    &billing::CREDIT_TOP_UPS,
    &billing::CUSTOMER_BALANCE_TRANSACTIONS,
    &billing::SUBSCRIPTION_SUMMARIES,
    &billing::SUBSCRIPTION_SCHEDULES,
    &billing::SUBSCRIPTION_CHANGES,
    &billing::SUBSCRIPTION_PRICE_INTERVALS,
    &billing::SUBSCRIPTION_ADJUSTMENT_INTERVALS,
    &billing::COUPON_REDEMPTIONS,
    &billing::COUPON_SUBSCRIPTIONS,
    &billing::LICENSES,
    &costs::SUBSCRIPTION_COSTS,
    &costs::CUSTOMER_COSTS,
    &costs::LICENSE_USAGE,
    &costs::EVENT_VOLUMES,
    &catalog::ITEMS,
    &catalog::BILLABLE_METRICS,
    &catalog::PRICES,
    &catalog::PLAN_PRICES,
    &catalog::PLAN_VERSIONS,
    &catalog::PLAN_MIGRATIONS,
    &catalog::COUPONS,
    &catalog::DIMENSIONAL_PRICE_GROUPS,
    &catalog::DIMENSIONAL_PRICE_GROUP_PRICES,
    &catalog::LICENSE_TYPES,
    &admin::EVENT_BACKFILLS,
    &admin::CUSTOMER_ALERTS,
    &admin::SUBSCRIPTION_ALERTS,
    &admin::WEBHOOK_ENDPOINTS,
    &WEBHOOK_EVENTS,
];

const _: () = Stream::check(STREAMS);

/// The columns that most lists share. Orb allows at most 100 records per page, and rejects higher
/// limits.
const LIST: Stream<Config> = Stream {
    cursor: Some("created_at"),
    time: Some(TimeFilter::by_field("created_at")),
    partition: Partition::Windows,
    page_limit: Some(100),
    rate: &READ,
    ..Stream::LIST
};

/// The columns of a list that cannot be filtered by time, or whose records have no time. It is read
/// whole each time.
const WHOLE: Stream<Config> = Stream { page_limit: Some(100), rate: &READ, ..Stream::LIST };

/// For lists that are not in Orb's OpenAPI document, or that Orb marks as experimental.
const MAY_BE_UNKNOWN: Ends = Ends { may_be_unknown: true, ..Ends::USUAL };

/// One list per customer.
const OF_CUSTOMER: Parents<Config> =
    Parents { deleted: Some("deleted"), ..Parents::by_id(&CUSTOMERS, "customer_id") };

/// One list per subscription.
const OF_SUBSCRIPTION: Parents<Config> = Parents::by_id(&WHOLE_SUBSCRIPTIONS, "subscription_id");

/// One list per plan.
const OF_PLAN: Parents<Config> = Parents::by_id(&PLANS, "plan_id");

/// The ids of the objects of a price. The objects stay.
const ITEM: Hoist = Hoist { object: "item", fields: &[("id", "item_id")], keep: true };
const METRIC: Hoist =
    Hoist { object: "billable_metric", fields: &[("id", "billable_metric_id")], keep: true };

/// The ids of the price of a line or an interval.
const PRICE: Hoist = Hoist {
    object: "price",
    fields: &[("id", "price_id"), ("item.id", "item_id"), ("billable_metric.id", "billable_metric_id")],
    keep: true,
};

/// The ids of other objects that stay in a record.
const CUSTOMER_ID: Hoist = Hoist { object: "customer", fields: &[("id", "customer_id")], keep: true };
const SUBSCRIPTION_ID: Hoist =
    Hoist { object: "subscription", fields: &[("id", "subscription_id")], keep: true };
const PLAN_ID: Hoist = Hoist { object: "plan", fields: &[("id", "plan_id")], keep: true };

#[cfg(test)]
mod tests;
