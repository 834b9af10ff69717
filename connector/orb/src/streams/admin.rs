//! Alerts, webhooks and corrections of events.

use elt_sdk::{
    record::Hoist,
    stream::{Carry, Parents, Partition, Place, Stream},
};

use super::{
    CUSTOMER_ID, LIST, MAY_BE_UNKNOWN, OF_CUSTOMER, OF_SUBSCRIPTION, PLAN_ID, SUBSCRIPTION_ID, WHOLE,
};
use crate::config::Config;

const ADMIN: Stream<Config> = Stream { group: "admin", ..WHOLE };

pub(super) static EVENT_BACKFILLS: Stream<Config> = Stream {
    name: "event_backfills",
    requests: "1 per 100 backfills",
    path: "events/backfills",
    schema: "event_backfills.json",
    ..ADMIN
};

/// The ids of the objects that an alert watches.
const METRIC_ID: Hoist = Hoist { object: "metric", fields: &[("id", "billable_metric_id")], keep: true };
const LICENSE_TYPE_ID: Hoist =
    Hoist { object: "license_type", fields: &[("id", "license_type_id")], keep: true };

pub(super) static CUSTOMER_ALERTS: Stream<Config> = Stream {
    name: "customer_alerts",
    requests: "1 per customer",
    path: "alerts",
    schema: "customer_alerts.json",
    carry: Carry {
        hoists: &[SUBSCRIPTION_ID, PLAN_ID, METRIC_ID, LICENSE_TYPE_ID],
        parent_as: Some("customer_id"),
        ..Carry::NOTHING
    },
    partition: Partition::Parents(Parents { place: Place::Query("customer_id"), ..OF_CUSTOMER }),
    ..ADMIN
};

pub(super) static SUBSCRIPTION_ALERTS: Stream<Config> = Stream {
    name: "subscription_alerts",
    requests: "1 per subscription",
    path: "alerts",
    schema: "subscription_alerts.json",
    // The alerts of a plan come with each of its subscriptions.
    primary_key: &["subscription_id", "id"],
    carry: Carry {
        hoists: &[CUSTOMER_ID, PLAN_ID, METRIC_ID, LICENSE_TYPE_ID],
        parent_as: Some("subscription_id"),
        ..Carry::NOTHING
    },
    partition: Partition::Parents(Parents { place: Place::Query("subscription_id"), ..OF_SUBSCRIPTION }),
    ..ADMIN
};

pub(super) static WEBHOOK_ENDPOINTS: Stream<Config> = Stream {
    name: "webhook_endpoints",
    requests: "1 per 100 endpoints",
    path: "webhook_endpoints",
    schema: "webhook_endpoints.json",
    // It is in Orb's SDK only.
    ends: MAY_BE_UNKNOWN,
    ..ADMIN
};

pub(crate) static WEBHOOK_EVENTS: Stream<Config> = Stream {
    name: "webhook_events",
    group: "admin",
    requests: "1 per 100 events",
    path: "webhook_events",
    schema: "webhook_events.json",
    // It is in Orb's documentation only.
    ends: MAY_BE_UNKNOWN,
    ..LIST
};
