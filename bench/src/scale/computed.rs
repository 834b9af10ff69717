//! Computes how many requests a read makes, by the formulas of docs/scale.md.

use std::ops::RangeInclusive;

use mock_orb::{Settings, Timestamp};

use super::{MONTHS, counts::Counts};

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
    /// As for a list of this many records that is read in windows.
    Windows(u64),
    /// As for a list, whose length is known from the read.
    Pages,
    /// For what is new in a list: one, or more if it fills more than a page. Besides, this many.
    New(u64),
    /// This many, and one for each record.
    AndRecords(u64),
}

impl Computed {
    /// For a read from the beginning.
    pub(super) fn of(stream: &str, counts: &Counts) -> Computed {
        use Computed::{AndRecords, Between, Exactly, Pages, Windows};
        let Counts { customers, subscriptions, plans, invoices, .. } = *counts;
        let of_customers = pages(customers) + customers;
        let of_subscriptions = pages(subscriptions) + subscriptions;
        match stream {
            "credits_ledger_entries" => {
                Exactly(pages(customers) + customers * (MONTHS as u64).div_ceil(LEDGER_PAGE).max(1))
            }
            // Subscriptions that were not alive in that week are skipped.
            "subscription_usage" => Between(pages(subscriptions), of_subscriptions),
            "subscription_costs" => Exactly(pages(subscriptions) + counts.alive),
            "credit_notes" | "credit_note_line_items" => Windows(counts.credit_notes),
            "invoice_line_items" | "invoice_payment_attempts" | "invoice_summaries" => Windows(invoices),
            "subscription_summaries"
            | "subscription_price_intervals"
            | "subscription_adjustment_intervals" => Windows(subscriptions),
            "webhook_events" => Windows(counts.webhook_events),
            "upcoming_invoices" => Exactly(pages(subscriptions) + counts.active),
            "licenses" | "license_usage" => Exactly(pages(subscriptions) + counts.licensed),
            "credit_blocks"
            | "credit_top_ups"
            | "customer_balance_transactions"
            | "customer_costs"
            | "customer_alerts" => Exactly(of_customers),
            "credit_block_invoices" => Exactly(of_customers + counts.credit_blocks),
            "subscription_schedules" | "subscription_alerts" => Exactly(of_subscriptions),
            "subscription_changes" => Exactly(counts.changes.iter().copied().map(pages).sum()),
            "coupon_redemptions" => Exactly(pages(subscriptions)),
            "coupon_subscriptions" => {
                let redeemed = counts.coupons.iter().copied();
                Exactly(pages(counts.coupons.len() as u64) + redeemed.map(pages).sum::<u64>())
            }
            "plan_prices" => Exactly(pages(plans)),
            "plan_migrations" => Exactly(pages(plans) + plans),
            // Each version, and for each plan one that does not exist.
            "plan_versions" => AndRecords(pages(plans) + plans),
            "dimensional_price_group_prices" => {
                let groups = counts.whole("dimensional_price_groups");
                Exactly(pages(groups) + groups)
            }
            // A week in ranges of four days.
            "event_volumes" => Exactly(2),
            "customers" | "subscriptions" | "invoices" => Pages,
            whole => Exactly(pages(counts.whole(whole))),
        }
    }

    /// For a read from the previous read's state.
    pub(super) fn again(stream: &str, counts: &Counts) -> Computed {
        match (stream, Computed::of(stream, counts)) {
            // All invoices are older than those that are looked at while they are open, so one
            // request finds none.
            (
                "invoices" | "invoice_line_items" | "invoice_payment_attempts" | "invoice_summaries",
                Computed::Pages | Computed::Windows(_),
            ) => Computed::New(1),
            (_, Computed::Pages | Computed::Windows(_)) => Computed::New(0),
            // Subscriptions that have ended meanwhile are skipped. The list of backfills comes
            // first, and the days of a new one are read again.
            (
                "subscription_usage" | "subscription_costs" | "customer_costs",
                Computed::Exactly(most) | Computed::Between(_, most),
            ) => {
                let backfills = pages(counts.whole("event_backfills"));
                Computed::Between(pages(counts.subscriptions) + backfills, 2 * most + backfills)
            }
            (_, first) => first,
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
        match self {
            Computed::Exactly(requests) => requests..=requests,
            Computed::Between(least, most) => least..=most,
            Computed::Pages => Computed::Windows(records).range(records),
            Computed::Windows(listed) => {
                let pages = listed.div_ceil(PAGE);
                pages..=pages + pages / 4 + MOST_EMPTY_WINDOWS
            }
            Computed::New(besides) => 1 + besides..=records.div_ceil(PAGE).max(1) + besides,
            Computed::AndRecords(others) => others + records..=others + records,
        }
    }
}

/// The requests for a list without windows. An empty list takes one, too.
fn pages(records: u64) -> u64 {
    records.div_ceil(PAGE).max(1)
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

    fn counts() -> Counts {
        Counts {
            customers: 1_000,
            subscriptions: 1_000,
            plans: 4,
            changes: vec![250, 1, 0],
            ..Counts::default()
        }
    }

    #[test]
    fn a_list_takes_its_pages_and_a_quarter_more() {
        assert_eq!(Computed::of("customers", &counts()).range(10_000), 100..=189);
        assert_eq!(Computed::of("subscription_summaries", &counts()).range(1), 10..=76);
        assert_eq!(Computed::again("customers", &counts()).range(1), 1..=1);
        assert_eq!(Computed::again("invoices", &counts()).range(1), 2..=2);
    }

    #[test]
    fn every_ledger_is_asked_for_each_time() {
        assert_eq!(Computed::of("credits_ledger_entries", &counts()).range(7), 1_010..=1_010);
        assert_eq!(Computed::again("credits_ledger_entries", &counts()).range(7), 1_010..=1_010);
    }

    #[test]
    fn parts_and_versions_take_a_request_more_each() {
        assert_eq!(Computed::of("subscription_changes", &counts()).range(251), 5..=5);
        assert_eq!(Computed::of("plan_versions", &counts()).range(10), 15..=15);
    }
}
