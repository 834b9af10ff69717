//! How many requests a read makes, by what docs/scale.md computes: a stream and a number of
//! customers in, a range out.

use std::ops::RangeInclusive;

use mock_orb::{Settings, Timestamp};

use super::MONTHS;

/// Records on a page of a list, and entries on one of a ledger.
const PAGE: u64 = 100;
const LEDGER_PAGE: u64 = 1_000;

/// A list is read in windows of some six pages, each of which costs half a page more; where a
/// window was too dense, a page more for having found out; and a request for each window of the
/// time before the first record.
const MOST_EMPTY_WINDOWS: u64 = 64;

/// Requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Computed {
    /// So many, neither more nor less.
    Exactly(u64),
    /// At least and at most so many.
    Between(u64, u64),
    /// As a list whose length the read tells.
    Pages,
}

impl Computed {
    /// Of a read from the start.
    pub(super) fn of(stream: &str, customers: usize) -> Computed {
        let customers = customers as u64;
        let parents = customers.div_ceil(PAGE);
        match stream {
            "credits_ledger_entries" => {
                Computed::Exactly(parents + customers * (MONTHS as u64).div_ceil(LEDGER_PAGE).max(1))
            }
            // A subscription that did not live in that week is not asked for.
            "subscription_usage" => Computed::Between(parents, parents + customers),
            _ => Computed::Pages,
        }
    }

    /// Of a read from the state of the one before.
    pub(super) fn again(stream: &str, customers: usize) -> Computed {
        match Computed::of(stream, customers) {
            Computed::Pages => Computed::Exactly(1),
            parents => parents,
        }
    }

    /// Of all usage since the first record.
    pub(super) fn of_years(customers: usize) -> Computed {
        let customers = customers as u64;
        Computed::Between(
            customers,
            customers.div_ceil(PAGE) + customers * years_since(Settings::default().first),
        )
    }

    /// The least and the most, for a read with so many records.
    pub(super) fn range(self, records: u64) -> RangeInclusive<u64> {
        let pages = records.div_ceil(PAGE);
        match self {
            Computed::Exactly(requests) => requests..=requests,
            Computed::Between(least, most) => least..=most,
            Computed::Pages => pages..=pages + pages / 4 + MOST_EMPTY_WINDOWS,
        }
    }
}

/// Years until today, as they are asked for: neighbours overlap by 26 hours.
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
