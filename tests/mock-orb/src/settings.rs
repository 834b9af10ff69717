//! Defines the shape of a generated account: counts, dates and a seed.

use jiff::Timestamp;

/// The API key that an account accepts by default.
pub const DEFAULT_API_KEY: &str = "mock-orb-key-0123456789";

/// The shape of a generated account. Equal settings give equal accounts, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The seed for identifiers, names and amounts.
    pub seed: u64,
    /// The number of customers.
    pub customers: usize,
    /// The number of plans.
    pub plans: usize,
    /// The number of subscriptions, spread over customers and plans.
    pub subscriptions: usize,
    /// Whether every subscription has a plan. If not, one in nine has only prices, as Orb allows.
    pub always_plans: bool,
    /// The number of invoices, of every status.
    pub invoices: usize,
    /// The number of customers with credits ledger entries, spread evenly among all customers.
    pub ledger_customers: usize,
    /// The number of entries in each of these ledgers.
    pub ledger_entries_per_customer: usize,
    /// Whether decrements name the event they arose from, as before Orb deprecated `event_id`. If
    /// so, consecutive decrements share an event and an instant, and some events cannot be found.
    /// If not, `event_id` is null, as documented today.
    pub ledger_event_ids: bool,
    /// When the first record of each collection was created. No record is older.
    pub first: Timestamp,
    /// When the last record of each collection was created. No record is newer. This is the
    /// account's "now": what ends later is active, and what starts later is upcoming.
    pub last: Timestamp,
    /// The API key that requests must carry.
    pub api_key: String,
}

impl Settings {
    /// An account without records.
    #[must_use]
    pub fn empty() -> Settings {
        Settings {
            customers: 0,
            plans: 0,
            subscriptions: 0,
            invoices: 0,
            ledger_customers: 0,
            ..Settings::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 1,
            customers: 25,
            plans: 4,
            subscriptions: 30,
            always_plans: false,
            invoices: 60,
            ledger_customers: 5,
            ledger_entries_per_customer: 24,
            ledger_event_ids: false,
            // 2024-01-01T00:00:00Z and 2024-12-31T23:59:59Z: a whole leap year.
            first: Timestamp::constant(1_704_067_200, 0),
            last: Timestamp::constant(1_735_689_599, 0),
            api_key: DEFAULT_API_KEY.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_dates_are_the_year_2024() {
        let settings = Settings::default();
        assert_eq!(settings.first.to_string(), "2024-01-01T00:00:00Z");
        assert_eq!(settings.last.to_string(), "2024-12-31T23:59:59Z");
    }
}
