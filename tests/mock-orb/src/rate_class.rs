//! Classifies requests by Orb's documented rate limits, and lists those limits.

use crate::rate::RateLimit;

/// The class under which a request is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateClass {
    /// Subscription usage, and costs of subscriptions and customers.
    Analytics,
    /// A customer's credit balance. Orb does not list the ledger's entries here; they count as
    /// reads.
    Ledger,
    /// All other reads.
    Read,
    /// Everything but `GET`, including event searches.
    Write,
}

impl RateClass {
    /// The class of a request, by its method and its path as sent.
    #[must_use]
    pub fn of(method: &str, path: &str) -> RateClass {
        if !matches!(method, "GET" | "HEAD") {
            return RateClass::Write;
        }
        let segments: Vec<&str> = path.split('/').skip(2).collect();
        match segments[..] {
            ["subscriptions", _, "usage" | "costs"]
            | ["customers", _, "costs"]
            | ["customers", "external_customer_id", _, "costs"] => RateClass::Analytics,
            ["customers", _, "credits"] | ["customers", "external_customer_id", _, "credits"] => {
                RateClass::Ledger
            }
            _ => RateClass::Read,
        }
    }
}

/// The number of requests per second and class for one API key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateTable {
    /// Of [`RateClass::Analytics`].
    pub analytics: f64,
    /// Of [`RateClass::Ledger`].
    pub ledger: f64,
    /// Of [`RateClass::Read`].
    pub read: f64,
    /// Of [`RateClass::Write`].
    pub write: f64,
}

impl RateTable {
    /// The limits that Orb documents for live accounts.
    pub const LIVE: RateTable = RateTable { analytics: 10.0, ledger: 10.0, read: 100.0, write: 50.0 };
    /// The limits that Orb documents for test accounts.
    pub const TEST: RateTable = RateTable { analytics: 5.0, ledger: 5.0, read: 50.0, write: 5.0 };
    /// The limits that Orb documents for trial accounts.
    pub const TRIAL: RateTable = RateTable { analytics: 1.0, ledger: 1.0, read: 10.0, write: 1.0 };

    /// Multiplies all limits by a factor, so that tests see the same proportions in less time.
    #[must_use]
    pub fn scaled(self, factor: f64) -> RateTable {
        RateTable {
            analytics: self.analytics * factor,
            ledger: self.ledger * factor,
            read: self.read * factor,
            write: self.write * factor,
        }
    }

    /// One limit for each class, without `Retry-After`.
    #[must_use]
    pub fn limits(self) -> [RateLimit; 4] {
        [
            (RateClass::Analytics, self.analytics),
            (RateClass::Ledger, self.ledger),
            (RateClass::Read, self.read),
            (RateClass::Write, self.write),
        ]
        .map(|(class, requests)| RateLimit { class: Some(class), ..RateLimit::per_second(requests) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_count_in_the_class_that_is_documented() {
        for (method, path, class) in [
            ("GET", "/v1/subscriptions/x/usage", RateClass::Analytics),
            ("GET", "/v1/customers/external_customer_id/x/costs", RateClass::Analytics),
            ("GET", "/v1/customers/x/credits", RateClass::Ledger),
            ("GET", "/v1/customers/external_customer_id/x/credits", RateClass::Ledger),
            ("GET", "/v1/customers/x/credits/ledger", RateClass::Read),
            ("GET", "/v1/subscriptions", RateClass::Read),
            ("GET", "/v1/ping", RateClass::Read),
            ("GET", "/", RateClass::Read),
            ("POST", "/v1/events/search", RateClass::Write),
            ("PUT", "/v1/subscriptions/x/usage", RateClass::Write),
        ] {
            assert_eq!(RateClass::of(method, path), class, "{method} {path}");
        }
    }

    #[test]
    fn a_scaled_table_keeps_its_proportions() {
        let limits = RateTable::LIVE.scaled(0.1).limits();
        assert_eq!(limits.map(|limit| limit.per_second), [1.0, 1.0, 10.0, 5.0]);
    }
}
