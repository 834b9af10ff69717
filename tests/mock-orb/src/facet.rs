//! Extracts from a record's JSON text the values that lists filter by.

use crate::field::lookup;

/// A value inside a record that query parameters filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Facet {
    Amount,
    BillableMetricId,
    Currency,
    CustomerId,
    Delivered,
    DueDate,
    EffectiveDate,
    EntryStatus,
    EntryType,
    EventType,
    ExternalCustomerId,
    ExternalLicenseId,
    ExternalPlanId,
    InvoiceSource,
    LicenseTypeId,
    /// The customer of a backfill, which is not an object.
    PlainCustomerId,
    PlanId,
    RedemptionCode,
    Status,
    SubscriptionId,
    Total,
}

impl Facet {
    /// The path of the value in a record.
    pub(crate) fn path(self) -> &'static [&'static str] {
        match self {
            Facet::Amount => &["amount"],
            Facet::BillableMetricId => &["billable_metric_id"],
            Facet::Currency => &["currency"],
            Facet::CustomerId => &["customer", "id"],
            Facet::Delivered => &["is_delivered"],
            Facet::DueDate => &["due_date"],
            Facet::EffectiveDate => &["effective_date"],
            Facet::EntryStatus => &["entry_status"],
            Facet::EntryType => &["entry_type"],
            Facet::EventType => &["type"],
            Facet::ExternalCustomerId => &["customer", "external_customer_id"],
            Facet::ExternalLicenseId => &["external_license_id"],
            Facet::ExternalPlanId => &["plan", "external_plan_id"],
            Facet::InvoiceSource => &["invoice_source"],
            Facet::LicenseTypeId => &["license_type_id"],
            Facet::PlainCustomerId => &["customer_id"],
            Facet::PlanId => &["plan", "id"],
            Facet::RedemptionCode => &["redemption_code"],
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
