//! Lists the query parameters that each endpoint documents. All others are rejected.

use crate::collection::Collection;
use crate::facet::Facet;

/// What a parameter's value must be, and its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The number of records on a page.
    Limit,
    /// A page token.
    Token,
    /// An instant to compare with the list's date.
    Instant(Comparison),
    /// A text that the facet must equal; a name in brackets may be repeated.
    Text(Facet),
    /// Like [`Rule::Text`], but one of these.
    Word(Facet, &'static [&'static str]),
    /// A decimal number to compare with the facet.
    Number(Facet, Comparison),
    /// A date to compare with the facet's date.
    Date(Facet, Comparison),
    /// A number of days or months before now, such as `7d` or `2m`, within which the facet's date
    /// lies.
    Window(Facet),
    /// Whether the facet equals this text.
    Flag(Facet, &'static str),
    /// Like [`Rule::Word`], but this value selects everything.
    WordOrAll(Facet, &'static [&'static str], &'static str),
    /// An instant to compare with the facet's.
    Moment(Facet, Comparison),
    /// An instant or a date that the endpoint itself interprets.
    DateTime,
    Day,
    /// A text that the endpoint itself interprets, such as the identifier of the owner.
    Any,
    /// One of these words, or a boolean if there are none; interpreted by the endpoint, or without
    /// effect.
    Ignored(&'static [&'static str]),
}

/// How to compare a record's value with the parameter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Below,
    AtMost,
    Equal,
    AtLeast,
    Above,
}

/// One documented query parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
    pub(crate) required: bool,
}

impl Parameter {
    /// Array parameters end in brackets and may be repeated.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.name.ends_with("[]")
    }
}

pub(crate) const fn parameter(name: &'static str, rule: Rule) -> Parameter {
    Parameter { name, rule, required: false }
}

pub(crate) const fn required(name: &'static str, rule: Rule) -> Parameter {
    Parameter { name, rule, required: true }
}

pub(crate) const LIMIT: Parameter = parameter("limit", Rule::Limit);
pub(crate) const CURSOR: Parameter = parameter("cursor", Rule::Token);
pub(crate) const CREATED_GTE: Parameter = parameter("created_at[gte]", Rule::Instant(Comparison::AtLeast));
pub(crate) const CREATED_GT: Parameter = parameter("created_at[gt]", Rule::Instant(Comparison::Above));
pub(crate) const CREATED_LT: Parameter = parameter("created_at[lt]", Rule::Instant(Comparison::Below));
pub(crate) const CREATED_LTE: Parameter = parameter("created_at[lte]", Rule::Instant(Comparison::AtMost));

pub(crate) const SUBSCRIPTION_STATUSES: &[&str] = &["active", "ended", "upcoming"];
const PLAN_STATUSES: &[&str] = &["active", "archived", "draft"];
pub(crate) const INVOICE_STATUSES: &[&str] = &["draft", "issued", "paid", "synced", "void"];
const ENTRY_STATUSES: &[&str] = &["committed", "pending"];
const ENTRY_TYPES: &[&str] = &[
    "increment",
    "decrement",
    "expiration_change",
    "credit_block_expiry",
    "void",
    "void_initiated",
    "amendment",
];

/// The statuses that `GET /invoices` returns without `status[]`.
pub(crate) const DEFAULT_INVOICE_STATUSES: [&str; 3] = ["issued", "paid", "synced"];

const CUSTOMERS: &[Parameter] = &[LIMIT, CURSOR, CREATED_GTE, CREATED_GT, CREATED_LT, CREATED_LTE];

const PLANS: &[Parameter] = &[
    LIMIT,
    CURSOR,
    CREATED_GTE,
    CREATED_GT,
    CREATED_LT,
    CREATED_LTE,
    parameter("status", Rule::Word(Facet::Status, PLAN_STATUSES)),
];

const SUBSCRIPTIONS: &[Parameter] = &[
    LIMIT,
    CURSOR,
    CREATED_GTE,
    CREATED_GT,
    CREATED_LT,
    CREATED_LTE,
    parameter("customer_id", Rule::Text(Facet::CustomerId)),
    parameter("customer_id[]", Rule::Text(Facet::CustomerId)),
    parameter("external_customer_id", Rule::Text(Facet::ExternalCustomerId)),
    parameter("external_customer_id[]", Rule::Text(Facet::ExternalCustomerId)),
    parameter("plan_id", Rule::Text(Facet::PlanId)),
    parameter("external_plan_id", Rule::Text(Facet::ExternalPlanId)),
    parameter("status", Rule::Word(Facet::Status, SUBSCRIPTION_STATUSES)),
    parameter("status[]", Rule::Word(Facet::Status, SUBSCRIPTION_STATUSES)),
];

pub(crate) const INVOICES: &[Parameter] = &[
    LIMIT,
    CURSOR,
    parameter("invoice_date[gte]", Rule::Instant(Comparison::AtLeast)),
    parameter("invoice_date[gt]", Rule::Instant(Comparison::Above)),
    parameter("invoice_date[lt]", Rule::Instant(Comparison::Below)),
    parameter("invoice_date[lte]", Rule::Instant(Comparison::AtMost)),
    parameter("status[]", Rule::Word(Facet::Status, INVOICE_STATUSES)),
    parameter("customer_id", Rule::Text(Facet::CustomerId)),
    parameter("external_customer_id", Rule::Text(Facet::ExternalCustomerId)),
    parameter("subscription_id", Rule::Text(Facet::SubscriptionId)),
    parameter("due_date", Rule::Date(Facet::DueDate, Comparison::Equal)),
    parameter("due_date[gt]", Rule::Date(Facet::DueDate, Comparison::Above)),
    parameter("due_date[lt]", Rule::Date(Facet::DueDate, Comparison::Below)),
    parameter("due_date_window", Rule::Window(Facet::DueDate)),
    // The date that the account's own UI filters by; its effect on the API is not documented.
    parameter("date_type", Rule::Ignored(&["due_date", "invoice_date"])),
    parameter("amount", Rule::Number(Facet::Total, Comparison::Equal)),
    parameter("amount[gt]", Rule::Number(Facet::Total, Comparison::Above)),
    parameter("amount[lt]", Rule::Number(Facet::Total, Comparison::Below)),
    parameter("is_recurring", Rule::Flag(Facet::InvoiceSource, "subscription")),
    ZERO_QUANTITIES,
];

/// Known to newer clients, but absent from the published document. No generated line item has a
/// quantity of zero.
pub(crate) const ZERO_QUANTITIES: Parameter =
    parameter("include_zero_quantity_line_items", Rule::Ignored(&[]));

const LEDGER: &[Parameter] = &[
    LIMIT,
    CURSOR,
    CREATED_GTE,
    CREATED_GT,
    CREATED_LT,
    CREATED_LTE,
    parameter("currency", Rule::Text(Facet::Currency)),
    parameter("entry_status", Rule::Word(Facet::EntryStatus, ENTRY_STATUSES)),
    parameter("entry_type", Rule::Word(Facet::EntryType, ENTRY_TYPES)),
    parameter("minimum_amount", Rule::Number(Facet::Amount, Comparison::AtLeast)),
];

/// The documented parameters of one list, or of one record if there is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    pub(crate) table: &'static [Parameter],
    /// The largest `limit`; larger ones are rejected, not reduced.
    pub(crate) maximum_limit: usize,
    /// Whether the list omits some statuses by default.
    pub(crate) default_statuses: Option<&'static [&'static str]>,
}

impl Parameters {
    /// Of a list with pages of at most a hundred records, or of an endpoint without pages.
    pub(crate) const fn of(table: &'static [Parameter]) -> Parameters {
        Parameters { table, maximum_limit: 100, default_statuses: None }
    }

    pub(crate) fn of_list(collection: Collection) -> Parameters {
        let table = match collection {
            Collection::Customers => CUSTOMERS,
            Collection::Plans => PLANS,
            Collection::Subscriptions => SUBSCRIPTIONS,
            Collection::Invoices => INVOICES,
        };
        let invoices = collection == Collection::Invoices;
        let default_statuses = invoices.then_some(DEFAULT_INVOICE_STATUSES.as_slice());
        Parameters { table, maximum_limit: 100, default_statuses }
    }

    pub(crate) fn of_ledger() -> Parameters {
        Parameters { table: LEDGER, maximum_limit: 1_000, default_statuses: None }
    }

    pub(crate) fn of_record(collection: Collection) -> Parameters {
        let table: &[Parameter] = match collection {
            Collection::Invoices => &[ZERO_QUANTITIES],
            Collection::Customers | Collection::Plans | Collection::Subscriptions => &[],
        };
        Parameters { table, maximum_limit: 0, default_statuses: None }
    }

    /// An endpoint without query parameters.
    pub(crate) fn none() -> Parameters {
        Parameters { table: &[], maximum_limit: 0, default_statuses: None }
    }
}
