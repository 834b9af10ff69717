//! Counts what the account has, independently of the connector.

use mock_orb::{Account, Collection, Settings, Timestamp};
use serde_json::Value;

/// Numbers of records that requests depend on.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) customers: u64,
    pub(super) subscriptions: u64,
    /// Subscriptions that are active now.
    pub(super) active: u64,
    /// Subscriptions that were alive in the week that is read, or on the day before it.
    pub(super) alive: u64,
    /// Subscriptions with licenses.
    pub(super) licensed: u64,
    pub(super) plans: u64,
    /// Invoices that are listed: all but drafts.
    pub(super) invoices: u64,
    pub(super) credit_notes: u64,
    /// Credit blocks in the default currency, as they are read.
    pub(super) credit_blocks: u64,
    /// Coupons, and for each how many subscriptions have redeemed it.
    pub(super) coupons: Vec<u64>,
    pub(super) webhook_events: u64,
    /// The lists that are read whole, by name.
    pub(super) whole: Vec<(&'static str, u64)>,
    /// Subscription changes of each status.
    pub(super) changes: Vec<u64>,
}

/// Lists of the account that have no filter.
const WHOLE: [&str; 8] = [
    "items",
    "billable_metrics",
    "prices",
    "dimensional_price_groups",
    "license_types",
    "event_backfills",
    "webhook_endpoints",
    "coupons",
];

impl Counts {
    /// Counts the records of the account that has these settings.
    pub(super) fn of(settings: &Settings, week: (Timestamp, Timestamp)) -> Counts {
        let account = Account::generate(settings);
        let rows = |name: &str, owner: &str| account.rows(name, owner).len() as u64;
        let count = |collection| account.len(collection) as u64;
        let mut counts = Counts {
            customers: count(Collection::Customers),
            subscriptions: count(Collection::Subscriptions),
            plans: count(Collection::Plans),
            invoices: issued(&account),
            credit_notes: rows("credit_notes", ""),
            webhook_events: rows("webhook_events", ""),
            whole: WHOLE.map(|name| (name, rows(name, ""))).to_vec(),
            ..Counts::default()
        };
        let coupons: Vec<String> = ids(&account.rows("coupons", ""));
        counts.coupons = vec![0; coupons.len()];
        // One after the other: together they would take more memory than what is measured.
        for id in account.ids(Collection::Subscriptions) {
            let Some(record) = account.record(Collection::Subscriptions, &id) else { continue };
            let Ok(record) = serde_json::from_str::<Value>(&record) else { continue };
            let instant = |name: &str| record[name].as_str()?.parse::<Timestamp>().ok();
            let begins = instant("start_date").is_none_or(|start| start < week.1);
            let lasts = instant("end_date").is_none_or(|end| end > week.0);
            counts.active += u64::from(record["status"] == "active");
            counts.alive += u64::from(begins && lasts);
            counts.licensed += u64::from(!account.rows("licenses", &id).is_empty());
            let coupon = record["redeemed_coupon"]["coupon_id"].as_str();
            if let Some(place) = coupons.iter().position(|id| Some(id.as_str()) == coupon) {
                counts.coupons[place] += 1;
            }
        }
        let changes = account.rows("subscription_changes", "");
        let of = |status: &str| {
            let quoted = format!("\"status\":\"{status}\"");
            changes.iter().filter(|change| change.contains(&quoted)).count() as u64
        };
        counts.changes = ["pending", "applied", "cancelled"].map(of).to_vec();
        counts
    }

    /// The length of a list that is read whole.
    pub(super) fn whole(&self, name: &str) -> u64 {
        self.whole.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count)
    }
}

/// Counts the invoices that are no drafts, one after the other.
fn issued(account: &Account) -> u64 {
    let ids = account.ids(Collection::Invoices);
    let records = ids.iter().filter_map(|id| account.record(Collection::Invoices, id));
    records.filter(|record| !record.contains(r#""status":"draft""#)).count() as u64
}

fn ids(rows: &[String]) -> Vec<String> {
    let id = |row: &String| {
        let row: Value = serde_json::from_str(row).ok()?;
        row["id"].as_str().map(str::to_owned)
    };
    rows.iter().filter_map(id).collect()
}
