//! Describes the account's collections: paths, date fields and names in errors.

/// A kind of record with a list of its own. The credits ledger is not one: it is listed per
/// customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// `GET /customers`
    Customers,
    /// `GET /plans`
    Plans,
    /// `GET /subscriptions`
    Subscriptions,
    /// `GET /invoices`
    Invoices,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Collection; 4] =
        [Collection::Customers, Collection::Plans, Collection::Subscriptions, Collection::Invoices];

    /// The collection's segment of the path, such as `customers`.
    #[must_use]
    pub fn segment(self) -> &'static str {
        match self {
            Collection::Customers => "customers",
            Collection::Plans => "plans",
            Collection::Subscriptions => "subscriptions",
            Collection::Invoices => "invoices",
        }
    }

    /// The field that orders the list, newest first, and after which its range filters are named.
    #[must_use]
    pub fn date_field(self) -> &'static str {
        match self {
            // "Ordered starting from the most recently issued invoice date", whatever the creation
            // date.
            Collection::Invoices => "invoice_date",
            Collection::Customers | Collection::Plans | Collection::Subscriptions => "created_at",
        }
    }

    /// The resource's name in Orb's error messages.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Collection::Customers => "Customer",
            Collection::Plans => "Plan",
            Collection::Subscriptions => "Subscription",
            Collection::Invoices => "Invoice",
        }
    }
}
