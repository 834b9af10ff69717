//! What tells that an object has changed.
//!
//! The types of events are those of Orb's SDK
//! (<https://docs.withorb.com/integrations-and-exports/webhooks>). An event holds its object under
//! the name of its resource. Only the identifier is taken from it: the object may be a summary.

use elt_sdk::stream::{Corrections, Feed, Object, Open};

use super::admin::{EVENT_BACKFILLS, WEBHOOK_EVENTS};
use crate::{config::Config, usage::LONGEST_DAY};

/// An object that is requested by its identifier.
pub(super) const fn object(path: &'static str) -> Object {
    Object { path, id: "id" }
}

/// An invoice changes until it is paid or void.
pub(super) static OPEN_INVOICES: Open<Config> = Open {
    field: "status",
    values: &["draft", "issued", "synced"],
    filter: "status[]",
    at_most: Config::open_invoices_for,
};

const FEED: Feed<Config> = Feed {
    stream: &WEBHOOK_EVENTS,
    is_wanted: |config| config.reads_webhook_events,
    event_type: "type",
    names: &[],
};

pub(super) static CUSTOMERS: Feed<Config> = Feed {
    names: &[
        ("customer.", &["payload.customer.id"]),
        ("payment_method.", &["payload.customer.id", "payload.payment_method.customer.id"]),
    ],
    ..FEED
};

pub(super) static SUBSCRIPTIONS: Feed<Config> =
    Feed { names: &[("subscription.", &["payload.subscription.id"])], ..FEED };

pub(super) static PLANS: Feed<Config> = Feed { names: &[("plan.", &["payload.plan.id"])], ..FEED };

pub(super) static INVOICES: Feed<Config> = Feed {
    names: &[
        ("invoice.", &["payload.invoice.id"]),
        // A credit note shows on its invoice.
        ("credit_note.", &["payload.credit_note.invoice_id"]),
    ],
    ..FEED
};

pub(super) static CREDIT_NOTES: Feed<Config> =
    Feed { names: &[("credit_note.", &["payload.credit_note.id"])], ..FEED };

/// A backfill changes usage and costs of days that are long past, once it is reflected or reverted.
/// It names no customer if it holds for all. The usage of a customer may also count for the
/// subscription of another one, which then holds the customer's id.
pub(super) static BACKFILLS: Corrections<Config> = Corrections {
    stream: &EVENT_BACKFILLS,
    status: "status",
    effects: &[("reflected", "counts"), ("pending_revert", "counts"), ("reverted", "is undone")],
    since: &["created_at", "close_time", "reverted_at"],
    from: "timeframe_start",
    until: "timeframe_end",
    parent: "customer_id",
    longest: LONGEST_DAY,
};
