//! The table of streams that are simulated, and what each of them promises.

use mock_orb::Collection;

use crate::dice::Dice;

/// Where the records of a stream are in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The records of a collection, which never change their place.
    List(Collection),
    /// The invoices, in one of their forms.
    Invoices(View),
    /// The ledgers of customers.
    Ledger,
    /// The daily usage of subscriptions.
    Usage,
    /// Anything else. What is there is what a read without faults finds.
    Reference,
}

/// A form of invoices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Whole,
    Summary,
    Lines,
    Attempts,
}

/// A form of a state that another connector wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A cursor, spelled in one of four ways.
    Cursor(u8),
    /// A cursor per parent.
    Parents,
    /// The CDK's, with a cursor per partition.
    Partitions,
    /// The CDK's, with one cursor for all and a lookback window.
    Global,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) name: &'static str,
    /// How often the stream is chosen, in proportion.
    pub(crate) weight: u64,
    pub(crate) kind: Kind,
    pub(crate) cursor: Option<&'static str>,
    pub(crate) key: &'static [&'static str],
    /// Where a record shows its version.
    pub(crate) version: &'static str,
    /// What states call the parent.
    pub(crate) parent_key: Option<&'static str>,
}

const LIST: Simulated = Simulated {
    name: "",
    weight: 100,
    kind: Kind::Reference,
    cursor: Some("created_at"),
    key: &["id"],
    version: "/metadata/version",
    parent_key: None,
};

/// The streams.
pub(crate) static STREAMS: &[Simulated] = &[
    Simulated { name: "customers", kind: Kind::List(Collection::Customers), ..LIST },
    Simulated { name: "plans", weight: 40, kind: Kind::List(Collection::Plans), ..LIST },
    Simulated { name: "subscriptions", kind: Kind::List(Collection::Subscriptions), ..LIST },
    Simulated {
        name: "invoices",
        weight: 140,
        kind: Kind::Invoices(View::Whole),
        cursor: Some("invoice_date"),
        ..LIST
    },
    Simulated {
        name: "invoice_summaries",
        kind: Kind::Invoices(View::Summary),
        cursor: Some("invoice_date"),
        ..LIST
    },
    Simulated {
        name: "invoice_line_items",
        kind: Kind::Invoices(View::Lines),
        cursor: Some("invoice_date"),
        version: "/name",
        ..LIST
    },
    Simulated {
        name: "invoice_payment_attempts",
        weight: 50,
        kind: Kind::Invoices(View::Attempts),
        cursor: Some("invoice_date"),
        version: "/name",
        ..LIST
    },
    Simulated {
        name: "credits_ledger_entries",
        weight: 200,
        kind: Kind::Ledger,
        parent_key: Some("customer_id"),
        ..LIST
    },
    Simulated {
        name: "subscription_usage",
        weight: 120,
        kind: Kind::Usage,
        cursor: Some("timeframe_start"),
        key: &["subscription_id", "billable_metric_id", "timeframe_start"],
        version: "/quantity",
        parent_key: Some("subscription_id"),
    },
    compared("credit_notes", Some("created_at"), &["id"]),
    compared("credit_note_line_items", Some("created_at"), &["credit_note_id", "id"]),
    compared("upcoming_invoices", None, &["subscription_id"]),
    compared("credit_blocks", None, &["id"]),
    compared("credit_block_invoices", None, &["credit_block_id", "id"]),
    compared("credit_top_ups", None, &["id"]),
    compared("customer_balance_transactions", Some("created_at"), &["id"]),
    compared("subscription_summaries", Some("created_at"), &["id"]),
    compared("subscription_schedules", None, &["subscription_id", "start_date"]),
    compared("subscription_changes", None, &["id"]),
    compared("subscription_price_intervals", Some("created_at"), &["id"]),
    compared("subscription_adjustment_intervals", Some("created_at"), &["id"]),
    compared("coupon_redemptions", None, &["subscription_id", "coupon_id", "start_date"]),
    compared("coupon_subscriptions", None, &["coupon_id", "subscription_id"]),
    compared("licenses", None, &["id"]),
    compared(
        "subscription_costs",
        Some("timeframe_start"),
        &["subscription_id", "price_id", "timeframe_start", "timeframe_end"],
    ),
    compared(
        "customer_costs",
        Some("timeframe_start"),
        &["customer_id", "price_id", "timeframe_start", "timeframe_end"],
    ),
    compared("license_usage", Some("start_date"), &["license_id", "start_date"]),
    compared("event_volumes", Some("timeframe_start"), &["timeframe_start"]),
    compared("items", None, &["id"]),
    compared("billable_metrics", None, &["id"]),
    compared("prices", None, &["id"]),
    compared("plan_prices", None, &["plan_id", "id"]),
    compared("plan_versions", None, &["plan_id", "version"]),
    compared("plan_migrations", None, &["id"]),
    compared("coupons", None, &["id"]),
    compared("dimensional_price_groups", None, &["id"]),
    compared("dimensional_price_group_prices", None, &["dimensional_price_group_id", "id"]),
    compared("license_types", None, &["id"]),
    compared("event_backfills", None, &["id"]),
    compared("customer_alerts", None, &["id"]),
    compared("subscription_alerts", None, &["subscription_id", "id"]),
    compared("webhook_endpoints", None, &["id"]),
    compared("webhook_events", Some("created_at"), &["id"]),
];

/// A stream that is not modelled.
const fn compared(
    name: &'static str,
    cursor: Option<&'static str>,
    key: &'static [&'static str],
) -> Simulated {
    Simulated { name, weight: 1, cursor, key, ..LIST }
}

impl Simulated {
    pub(crate) fn is_reference(&self) -> bool {
        self.kind == Kind::Reference
    }

    pub(crate) fn is_always_full(&self) -> bool {
        self.cursor.is_none()
    }

    pub(crate) fn has_parents(&self) -> bool {
        self.parent_key.is_some()
    }

    /// Whether the stream is read up to now, and again as far as records still change.
    pub(crate) fn has_grace(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// For how many days a record that can still change is read again; for ever if zero. `None` if
    /// changes are not seen.
    pub(crate) fn holds_days(&self) -> Option<i64> {
        match self.kind {
            Kind::Invoices(_) => Some(90),
            Kind::Ledger => Some(0),
            _ => None,
        }
    }

    /// Whether what can still change holds the cursor. Otherwise states name it.
    pub(crate) fn holds_cursor(&self) -> bool {
        self.kind == Kind::Ledger
    }

    pub(crate) fn has_end(&self) -> bool {
        !self.has_grace() && !self.is_reference()
    }

    /// Whether the stream can be read whole again every few days.
    pub(crate) fn has_sweep(&self) -> bool {
        matches!(self.kind, Kind::List(_) | Kind::Invoices(_))
    }

    pub(crate) fn may_be_in_future(&self) -> bool {
        matches!(self.kind, Kind::Invoices(_))
    }

    /// A form of the state with which a history begins.
    pub(crate) fn form(&self, dice: &mut Dice) -> Form {
        let spelling = Form::Cursor(u8::try_from(dice.below(4)).unwrap_or(0));
        if self.parent_key.is_none() {
            return spelling;
        }
        *dice.pick(&[spelling, Form::Parents, Form::Partitions, Form::Partitions, Form::Global])
    }
}
