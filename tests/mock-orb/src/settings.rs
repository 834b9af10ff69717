//! What an account is to look like: counts, dates and a seed in, the same account out every time.

use jiff::Timestamp;

/// The API key an account accepts unless told otherwise.
pub const DEFAULT_API_KEY: &str = "mock-orb-key-0123456789";

/// The shape of a generated account. Equal settings give equal accounts, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where identifiers, names and amounts come from.
    pub seed: u64,
    /// How many customers the account has.
    pub customers: usize,
    /// How many plans the account has.
    pub plans: usize,
    /// How many subscriptions the account has, spread over its customers and plans.
    pub subscriptions: usize,
    /// Whether every subscription has a plan. Otherwise one in nine has prices only, as Orb allows.
    pub always_plans: bool,
    /// How many invoices the account has, in every status.
    pub invoices: usize,
    /// How many of the customers have credits ledger entries; they are spread evenly among all
    /// customers.
    pub ledger_customers: usize,
    /// How many entries the ledger of each such customer has.
    pub ledger_entries_per_customer: usize,
    /// Whether decrements in the ledgers name the event they arose from, as they did before Orb
    /// deprecated `event_id`. Then consecutive ones share an event and an instant, and some events
    /// cannot be found. Otherwise it is null, as it is documented today.
    pub ledger_event_ids: bool,
    /// When the first record of every collection was created. No record is older.
    pub first: Timestamp,
    /// When the last record of every collection was created. No record is newer, and it is the
    /// account's "now": what ends after it is still active, what starts after it is upcoming.
    pub last: Timestamp,
    /// The API key that requests must carry.
    pub api_key: String,
}

impl Settings {
    /// An account without a single record.
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
            // 2024-01-01T00:00:00Z and 2024-12-31T23:59:59Z: a leap year, whole.
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
