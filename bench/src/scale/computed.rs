//! Computes how many requests a read makes, by the formulas of docs/scale.md.

use std::ops::RangeInclusive;

use mock_orb::{Settings, Timestamp};

use super::MONTHS;

/// Records per page of a list, and entries per page of a ledger.
const PAGE: u64 = 100;
const LEDGER_PAGE: u64 = 1_000;

/// A list is read in windows of about six pages, each of which adds half a page. A window that is
/// too dense costs one more page to detect, and each window before the first record costs one
/// request.
const MOST_EMPTY_WINDOWS: u64 = 64;

/// An expected number of requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Computed {
    /// Exactly this many.
    Exactly(u64),
    /// Between these two, inclusive.
    Between(u64, u64),
    /// As for a list, whose length is known from the read.
    Pages,
}

impl Computed {
    /// For a read from the beginning.
    pub(super) fn of(stream: &str, customers: usize) -> Computed {
        let customers = customers as u64;
        let parents = customers.div_ceil(PAGE);
        match stream {
            "credits_ledger_entries" => {
                Computed::Exactly(parents + customers * (MONTHS as u64).div_ceil(LEDGER_PAGE).max(1))
            }
            // Subscriptions that were not alive in that week are skipped.
            "subscription_usage" => Computed::Between(parents, parents + customers),
            _ => Computed::Pages,
        }
    }

    /// For a read from the previous read's state.
    pub(super) fn again(stream: &str, customers: usize) -> Computed {
        match Computed::of(stream, customers) {
            Computed::Pages => Computed::Exactly(1),
            parents => parents,
        }
    }

    /// For all usage since the first record.
    pub(super) fn of_years(customers: usize) -> Computed {
        let customers = customers as u64;
        Computed::Between(
            customers,
            customers.div_ceil(PAGE) + customers * years_since(Settings::default().first),
        )
    }

    /// The least and the most requests, for a read with this many records.
    pub(super) fn range(self, records: u64) -> RangeInclusive<u64> {
        let pages = records.div_ceil(PAGE);
        match self {
            Computed::Exactly(requests) => requests..=requests,
            Computed::Between(least, most) => least..=most,
            Computed::Pages => pages..=pages + pages / 4 + MOST_EMPTY_WINDOWS,
        }
    }
}

/// The number of requests that cover the time until today in ranges of a year; neighbours overlap
/// by 26 hours.
fn years_since(first: Timestamp) -> u64 {
    let hours = Timestamp::now().duration_since(first).as_hours().unsigned_abs();
    (hours + 1).div_ceil(365 * 24 - 26)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_takes_its_pages_and_a_quarter_more() {
        assert_eq!(Computed::of("customers", 5).range(10_000), 100..=189);
        assert_eq!(Computed::again("customers", 5).range(1), 1..=1);
    }

    #[test]
    fn every_ledger_is_asked_for_each_time() {
        assert_eq!(Computed::of("credits_ledger_entries", 1_000).range(7), 1_010..=1_010);
        assert_eq!(Computed::again("credits_ledger_entries", 1_000).range(7), 1_010..=1_010);
    }
}
