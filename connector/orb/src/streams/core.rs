//! The streams that Airbyte's connector has, too. Names, primary keys, cursor fields and hoisted
//! fields are the same.

use elt_sdk::{
    record::{Hoist, Unsettled},
    rows::Rows,
    stream::{Carry, Ends, Parents, Partition, Parts, Place, Stream, TimeFilter},
};

use super::{LIST, OF_CUSTOMER, OF_SUBSCRIPTION, changes, changes::object};
use crate::{config::Config, events, ledger, rates::ANALYTICS, timeframe, usage};

const CORE: Stream<Config> = Stream { group: "core", ..LIST };

/// The columns of records that change without a trace.
const CHANGING: Stream<Config> = Stream { sweep: Config::sweep, ..CORE };

pub(super) static CUSTOMERS: Stream<Config> = Stream {
    name: "customers",
    requests: "1 per 100 customers",
    path: "customers",
    schema: "customers.json",
    object: Some(object("customers/{id}")),
    feed: Some(&changes::CUSTOMERS),
    ..CHANGING
};

/// The fields of the customer that a subscription or a ledger entry belongs to.
pub(super) const CUSTOMER: Hoist = Hoist {
    object: "customer",
    fields: &[("id", "customer_id"), ("external_customer_id", "external_customer_id")],
    keep: false,
};

pub(super) static SUBSCRIPTIONS: Stream<Config> = Stream {
    name: "subscriptions",
    requests: "1 per 100 subscriptions",
    path: "subscriptions",
    schema: "subscriptions.json",
    carry: Carry {
        hoists: &[
            CUSTOMER,
            // Airbyte's connector has only the id. A subscription has the other fields nowhere
            // else.
            Hoist {
                object: "plan",
                fields: &[
                    ("id", "plan_id"),
                    ("version", "plan_version"),
                    ("name", "plan_name"),
                    ("external_plan_id", "external_plan_id"),
                ],
                keep: false,
            },
        ],
        ..Carry::NOTHING
    },
    object: Some(object("subscriptions/{id}")),
    feed: Some(&changes::SUBSCRIPTIONS),
    ..CHANGING
};

/// Subscriptions as parents. They keep the plan, by which usage is filtered.
pub(super) static WHOLE_SUBSCRIPTIONS: Stream<Config> = Stream { carry: Carry::NOTHING, ..SUBSCRIPTIONS };

pub(super) static PLANS: Stream<Config> = Stream {
    name: "plans",
    requests: "1 per 100 plans",
    path: "plans",
    schema: "plans.json",
    object: Some(object("plans/{id}")),
    feed: Some(&changes::PLANS),
    ..CHANGING
};

pub(super) static INVOICES: Stream<Config> = Stream {
    name: "invoices",
    requests: "1 per 100 invoices",
    path: "invoices",
    schema: "invoices.json",
    cursor: Some("invoice_date"),
    time: Some(TimeFilter::by_field("invoice_date")),
    // Orb omits void invoices by default.
    filters: &[("status[]", "void"), ("status[]", "paid"), ("status[]", "issued"), ("status[]", "synced")],
    query: |config, _| config.draft_filter(),
    // Drafts are always looked at.
    withheld: |config| if config.draft_invoices { &[] } else { &["draft"] },
    object: Some(object("invoices/{id}")),
    open: Some(&changes::OPEN_INVOICES),
    feed: Some(&changes::INVOICES),
    ..CHANGING
};

pub(super) static CREDITS_LEDGER_ENTRIES: Stream<Config> = Stream {
    name: "credits_ledger_entries",
    requests: "1 per customer and 1,000 entries",
    path: "customers/{parent}/credits/ledger",
    schema: "credits_ledger_entries.json",
    properties: events::properties,
    carry: Carry {
        hoists: &[
            // Airbyte's connector lacks `external_customer_id` and `filters`. An entry has
            // them nowhere else.
            CUSTOMER,
            Hoist {
                object: "credit_block",
                fields: &[
                    ("expiry_date", "block_expiry_date"),
                    ("id", "credit_block_id"),
                    ("per_unit_cost_basis", "credit_block_per_unit_cost_basis"),
                    ("filters", "credit_block_filters"),
                ],
                keep: false,
            },
        ],
        ..Carry::NOTHING
    },
    // Pending entries are requested but not emitted. They hold the cursor, because an entry that is
    // committed later keeps its old `created_at`.
    unsettled: Some(Unsettled { field: "entry_status", values: &["pending"], at_most: None }),
    withheld: |_| &["pending"],
    enrich: Some(events::enrich),
    partition: Partition::Parents(OF_CUSTOMER),
    // A customer has one ledger per currency.
    parts: Some(Parts { place: Place::Query("currency"), values: ledger::currencies }),
    // Since July 2026; 500 before.
    page_limit: Some(1000),
    ..CORE
};

pub(super) static SUBSCRIPTION_USAGE: Stream<Config> = Stream {
    name: "subscription_usage",
    requests: "1 per subscription and year",
    path: "subscriptions/{parent}/usage",
    schema: "subscription_usage.json",
    properties: usage::properties,
    primary_key: &["subscription_id", "billable_metric_id", "timeframe_start"],
    key_fields: usage::key_fields,
    rows: Rows::Made(usage::records),
    cursor: Some("timeframe_start"),
    time: Some(TimeFilter::by_ends("timeframe_start", "timeframe_end")),
    grace: Some(usage::GRACE),
    corrections: Some(&changes::BACKFILLS),
    partition: Partition::Parents(Parents { slices: usage::slices, ..OF_SUBSCRIPTION }),
    parts: Some(Parts { place: Place::Query("billable_metric_id"), values: usage::metrics }),
    filters: &[("granularity", "day"), ("view_mode", "periodic")],
    query: usage::query,
    page_limit: None,
    ends: Ends { too_large: timeframe::halves, ..Ends::USUAL },
    rate: &ANALYTICS,
    ..CORE
};
