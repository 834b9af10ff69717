//! How much a sync of a large account costs: counts of requests, time and memory beside what docs/scale.md computes.
//!
//! In: the executable of a source, and numbers of customers. Out: a table on standard output, one row for each stream and
//! number of customers, read from an emulator in this process without waiting; then rows for years of usage, and at
//! Orb's live limits.
//!
//! ```text
//! scale SOURCE [CUSTOMERS]...
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this program is for")]

mod process;
mod reading;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mock_orb::{Account, MockOrb, RateTable, Settings, Timestamp};

use crate::reading::{Reading, Scope};

/// Invoices of each customer, and entries of each ledger: one a month.
const MONTHS: usize = 12;

/// Records on a page of a list, and entries on one of a ledger.
const PAGE: usize = 100;
const LEDGER_PAGE: usize = 1_000;

/// A list is read in windows of some six pages, each of which costs half a page more; where a window was too dense, a
/// page more for having found out; and a request for each window of the time before the first record.
const MOST_EMPTY_WINDOWS: usize = 64;

/// Customers that are read at Orb's limits, so that it takes some tens of seconds.
const LIMITED: (usize, usize) = (3_000, 300);

/// Customers of whom all usage is read.
const FOR_YEARS: usize = 1_000;

const HEADER: &str = "| customers | stream | requests | computed | of them refused | records | MB out | wall s | CPU s | \
                      peak MB | state bytes |\n|---|---|---|---|---|---|---|---|---|---|---|";

fn main() -> ExitCode {
    if let Some(code) = process::run_if_asked() {
        return code;
    }
    let mut arguments = std::env::args().skip(1);
    let Some(source) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: scale SOURCE [CUSTOMERS]...");
        return ExitCode::from(2);
    };
    let sizes: Result<Vec<usize>, _> = arguments.map(|size| size.parse()).collect();
    let sizes = match sizes {
        Ok(sizes) if sizes.is_empty() => vec![1_000, 10_000, 100_000],
        Ok(sizes) => sizes,
        Err(error) => {
            eprintln!("scale: a number of customers: {error}");
            return ExitCode::from(2);
        }
    };
    println!("{HEADER}");
    let mut is_right = true;
    for customers in sizes {
        is_right &= measure(&source, customers);
    }
    is_right &= measure_years(&source);
    is_right &= measure_limited(&source);
    if is_right {
        ExitCode::SUCCESS
    } else {
        eprintln!("scale: a read failed, or made other requests than were computed");
        ExitCode::FAILURE
    }
}

/// An account of so many customers, each with a subscription, a ledger, and an invoice and a ledger entry a month.
fn settings(customers: usize) -> Settings {
    Settings {
        customers,
        subscriptions: customers,
        invoices: customers * MONTHS,
        ledger_customers: customers,
        ledger_entries_per_customer: MONTHS,
        ..Settings::default()
    }
}

/// Reads every stream from the start, and then once more from the states of that.
fn measure(source: &Path, customers: usize) -> bool {
    let orb = MockOrb::start(Account::generate(&settings(customers)));
    let mut is_right = true;
    for (stream, scope) in [
        ("customers", Scope::Whole),
        ("subscriptions", Scope::Whole),
        ("invoices", Scope::Whole),
        ("credits_ledger_entries", Scope::Whole),
        ("subscription_usage", Scope::LastWeek),
    ] {
        let first = Reading::take(source, &orb, stream, scope, None);
        is_right &= row(customers, stream, &first, computed(stream, customers));
        let again = Reading::take(source, &orb, stream, scope, first.state.as_deref());
        let computed = match stream {
            "credits_ledger_entries" | "subscription_usage" => computed(stream, customers),
            _ => Computed::Exactly(1),
        };
        is_right &= row(customers, &format!("{stream}, again"), &again, computed);
    }
    is_right
}

/// Reads all usage of a few customers, which takes a request for each year of a subscription.
fn measure_years(source: &Path) -> bool {
    let orb = MockOrb::start(Account::generate(&settings(FOR_YEARS)));
    let reading = Reading::take(source, &orb, "subscription_usage", Scope::Whole, None);
    let years = usize::try_from(years_since(Settings::default().first)).unwrap_or(usize::MAX);
    let computed = Computed::Between(FOR_YEARS, FOR_YEARS.div_ceil(PAGE) + FOR_YEARS * years);
    row(FOR_YEARS, "subscription_usage, all years", &reading, computed)
}

/// Years until today, as they are asked for: neighbours overlap by 26 hours.
fn years_since(first: Timestamp) -> u64 {
    let hours = Timestamp::now().duration_since(first).as_hours().unsigned_abs();
    (hours + 1).div_ceil(365 * 24 - 26)
}

/// Reads the two streams with parents at the limits that Orb documents for live accounts.
fn measure_limited(source: &Path) -> bool {
    let (for_ledger, for_usage) = LIMITED;
    let limited = |customers, stream, scope| {
        let orb = MockOrb::start(Account::generate(&settings(customers)));
        orb.limit_by_class(RateTable::LIVE);
        let reading = Reading::take(source, &orb, stream, scope, None);
        row(customers, &format!("{stream}, live limits"), &reading, computed(stream, customers))
    };
    let ledger = limited(for_ledger, "credits_ledger_entries", Scope::Whole);
    limited(for_usage, "subscription_usage", Scope::LastWeek) && ledger
}

/// How many requests a read makes.
#[derive(Clone, Copy)]
enum Computed {
    /// So many, neither more nor less.
    Exactly(usize),
    /// At least and at most so many.
    Between(usize, usize),
    /// As a list whose length the read tells.
    Pages,
}

impl Computed {
    /// The least and the most, for a read with so many records.
    fn range(self, records: usize) -> (usize, usize) {
        let pages = records.div_ceil(PAGE);
        match self {
            Computed::Exactly(requests) => (requests, requests),
            Computed::Between(least, most) => (least, most),
            Computed::Pages => (pages, pages + pages / 4 + MOST_EMPTY_WINDOWS),
        }
    }
}

fn computed(stream: &str, customers: usize) -> Computed {
    let parents = customers.div_ceil(PAGE);
    match stream {
        "credits_ledger_entries" => {
            Computed::Exactly(parents + customers * MONTHS.div_ceil(LEDGER_PAGE).max(1))
        }
        // A subscription that did not live in that week is not asked for.
        "subscription_usage" => Computed::Between(parents, parents + customers),
        _ => Computed::Pages,
    }
}

/// Prints a row, and says whether it is as it should be.
fn row(customers: usize, stream: &str, reading: &Reading, computed: Computed) -> bool {
    let asked = reading.requests - reading.refused;
    let (least, most) = computed.range(reading.records);
    let is_right = (least..=most).contains(&asked);
    let computed = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let Reading { requests, refused, records, .. } = reading;
    let megabytes = reading.bytes as f64 / 1e6;
    let wall = reading.wall.as_secs_f64();
    let unknown = (f64::NAN, f64::NAN);
    let (processor, memory) = reading.usage.map_or(unknown, |usage| (usage.processor, usage.memory / 1e6));
    println!(
        "| {customers} | `{stream}` | {requests} | {computed} | {refused} | {records} | {megabytes:.1} | {wall:.1} | \
         {processor:.1} | {memory:.0} | {} |",
        reading.state_bytes
    );
    is_right && reading.is_complete
}

/// The account's "now" and the beginning of the last week before it, which is when usage is read.
pub(crate) const LAST_WEEK: (&str, &str) = ("2024-12-25T00:00:00Z", "2025-01-01T00:00:00Z");
