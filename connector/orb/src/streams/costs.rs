//! Costs and other figures by day or hour.

use elt_sdk::{
    ranges::Ranges,
    record::Hoist,
    rows::{Nested, Rows},
    stream::{Carry, Ends, Parents, Partition, Parts, Place, Stream, TimeFilter, TimeForm},
};
use time::SignedDuration;

use super::{LIST, OF_CUSTOMER, OF_SUBSCRIPTION, changes::BACKFILLS};
use crate::{config::Config, costs, licenses, rates::ANALYTICS, timeframe, usage};

const COSTS: Stream<Config> = Stream { group: "costs", ..LIST };

/// The columns of costs per parent. A response has an element per day, and in it one per price.
const BY_DAY: Stream<Config> = Stream {
    rows: Rows::Nested(Nested {
        list: "per_price_costs",
        copied: &[("timeframe_start", "timeframe_start"), ("timeframe_end", "timeframe_end")],
    }),
    cursor: Some("timeframe_start"),
    time: Some(TIMEFRAME),
    grace: Some(usage::GRACE),
    corrections: Some(&BACKFILLS),
    parts: Some(Parts {
        place: Place::Query("currency"),
        values: |config, _| Config::parts(&config.cost_currencies),
    }),
    properties: costs::properties,
    key_fields: costs::key_fields,
    // By default, Orb returns sums since the start of the billing period.
    filters: &[("view_mode", "periodic")],
    page_limit: None,
    ends: Ends { too_large: timeframe::halves, ..Ends::USUAL },
    rate: &ANALYTICS,
    ..COSTS
};

const TIMEFRAME: TimeFilter = TimeFilter::by_ends("timeframe_start", "timeframe_end");

/// The price of a cost. Orb repeats the whole price, 1 to 2 kB, for each day.
const PRICE: Hoist = Hoist {
    object: "price",
    fields: &[
        ("name", "price_name"),
        ("currency", "price_currency"),
        ("item.id", "item_id"),
        ("billable_metric.id", "billable_metric_id"),
    ],
    keep: false,
};

pub(super) static SUBSCRIPTION_COSTS: Stream<Config> = Stream {
    name: "subscription_costs",
    requests: "1 per subscription and 31 days, at 10 per second",
    path: "subscriptions/{parent}/costs",
    schema: "subscription_costs.json",
    primary_key: &["subscription_id", "price_id", "timeframe_start", "timeframe_end"],
    carry: Carry { hoists: &[PRICE], parent_as: Some("subscription_id"), part_as: Some("currency") },
    partition: Partition::Parents(Parents { slices: costs::of_subscription, ..OF_SUBSCRIPTION }),
    ..BY_DAY
};

pub(super) static CUSTOMER_COSTS: Stream<Config> = Stream {
    name: "customer_costs",
    requests: "1 per customer and 31 days, at 10 per second",
    path: "customers/{parent}/costs",
    schema: "customer_costs.json",
    primary_key: &["customer_id", "price_id", "timeframe_start", "timeframe_end"],
    carry: Carry { hoists: &[PRICE], parent_as: Some("customer_id"), part_as: Some("currency") },
    partition: Partition::Parents(Parents { slices: costs::of_customer, ..OF_CUSTOMER }),
    ..BY_DAY
};

pub(super) static LICENSE_USAGE: Stream<Config> = Stream {
    name: "license_usage",
    requests: "1 per subscription with licenses, license type and 31 days",
    path: "licenses/usage",
    schema: "license_usage.json",
    primary_key: &["license_id", "start_date"],
    cursor: Some("start_date"),
    time: Some(TimeFilter { form: TimeForm::Date, ..TimeFilter::by_ends("start_date", "end_date") }),
    grace: Some(usage::GRACE),
    partition: Partition::Parents(Parents {
        place: Place::Query("subscription_id"),
        slices: licenses::days,
        ..OF_SUBSCRIPTION
    }),
    parts: Some(Parts { place: Place::Query("license_type_id"), values: licenses::types }),
    filters: &[("group_by", "license,day")],
    ..COSTS
};

pub(super) static EVENT_VOLUMES: Stream<Config> = Stream {
    name: "event_volumes",
    requests: "1 per 4 days",
    path: "events/volume",
    schema: "event_volumes.json",
    primary_key: &["timeframe_start"],
    cursor: Some("timeframe_start"),
    time: Some(TIMEFRAME),
    // A backfill changes up to 31 days.
    grace: Some(SignedDuration::hours(35 * 24)),
    // At 96 hours, a page of 100 is never full, unless something is cut off.
    partition: Partition::Ranges(Ranges {
        unit: SignedDuration::hours(1),
        ..Ranges::of(SignedDuration::hours(96))
    }),
    ends: Ends { may_be_silent: true, too_large: timeframe::half_hours, ..Ends::USUAL },
    ..COSTS
};
