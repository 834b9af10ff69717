//! What lists can be filtered by: a facet and a record's JSON text in, the value as text out.

use crate::field::lookup;

/// A value inside a record that a query parameter is compared with.
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
    /// Where in a record the value stands.
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

    /// Reads the value from a record's text; nothing if it is null or absent.
    pub(crate) fn read(self, record: &str) -> Option<String> {
        lookup(record, self.path())
    }
}
