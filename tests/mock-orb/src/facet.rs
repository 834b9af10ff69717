//! Extracts from a record's JSON text the values that lists filter by.

use crate::field::lookup;

/// A value inside a record that query parameters filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    Amount,
    Currency,
    CustomerId,
    DueDate,
    EntryStatus,
    EntryType,
    ExternalCustomerId,
    ExternalPlanId,
    InvoiceSource,
    PlanId,
    Status,
    SubscriptionId,
    Total,
}

impl Facet {
    /// The path of the value in a record.
    pub(crate) fn path(self) -> &'static [&'static str] {
        match self {
            Facet::Amount => &["amount"],
            Facet::Currency => &["currency"],
            Facet::CustomerId => &["customer", "id"],
            Facet::DueDate => &["due_date"],
            Facet::EntryStatus => &["entry_status"],
            Facet::EntryType => &["entry_type"],
            Facet::ExternalCustomerId => &["customer", "external_customer_id"],
            Facet::ExternalPlanId => &["plan", "external_plan_id"],
            Facet::InvoiceSource => &["invoice_source"],
            Facet::PlanId => &["plan", "id"],
            Facet::Status => &["status"],
            Facet::SubscriptionId => &["subscription", "id"],
            Facet::Total => &["total"],
        }
    }

    /// Reads the value from a record's text; `None` if it is null or absent.
    pub(crate) fn read(self, record: &str) -> Option<String> {
        lookup(record, self.path())
    }
}
