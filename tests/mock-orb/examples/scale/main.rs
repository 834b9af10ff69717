//! How much a sync of a large account costs: counts of requests, time and memory beside what docs/scale.md computes.
//!
//! In: the executable of a source, and numbers of customers. Out: a table on standard output, one row for each stream and
//! number of customers, read from an emulator in this process without waiting; then two rows at Orb's live limits.
//!
//! ```text
//! scale SOURCE [CUSTOMERS]...
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this program is for")]

mod process;
mod reading;

use std::path::PathBuf;
use std::process::ExitCode;

use mock_orb::{Account, MockOrb, RateTable, Settings};

use crate::reading::{Reading, Scope};

/// Invoices of each customer, and entries of each ledger: one a month.
const MONTHS: usize = 12;

/// Records on a page of a list, and entries on one of a ledger.
const PAGE: usize = 100;
const LEDGER_PAGE: usize = 1_000;

/// A list is read in windows of six pages, each of which costs half a page more.
const PER_WINDOW: f64 = 13.0 / 12.0;

/// Customers that are read at Orb's limits, so that it takes some tens of seconds.
const LIMITED: (usize, usize) = (3_000, 300);

const HEADER: &str = "| customers | stream | requests | computed | of them refused | records | MB out | wall s | CPU s | \
                      peak MB | state bytes |\n|---|---|---|---|---|---|---|---|---|---|---|";

fn main() -> ExitCode {
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
fn measure(source: &std::path::Path, customers: usize) -> bool {
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
            _ => Computed::About(1.0),
        };
        is_right &= row(customers, &format!("{stream}, again"), &again, computed);
    }
    is_right
}

/// Reads the two streams with parents at the limits that Orb documents for live accounts.
fn measure_limited(source: &std::path::Path) -> bool {
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
enum Computed {
    /// So many, neither more nor less.
    Exactly(usize),
    /// As many, more or less, and so to be judged by who reads the table.
    About(f64),
    /// No more than that.
    AtMost(usize),
}

fn computed(stream: &str, customers: usize) -> Computed {
    let parents = customers.div_ceil(PAGE);
    match stream {
        "credits_ledger_entries" => {
            Computed::Exactly(parents + customers * MONTHS.div_ceil(LEDGER_PAGE).max(1))
        }
        // A subscription that did not live in that week is not asked for.
        "subscription_usage" => Computed::AtMost(parents + customers),
        _ => {
            let all = settings(customers);
            let records = match stream {
                "invoices" => all.invoices,
                _ => customers,
            };
            Computed::About((records.div_ceil(PAGE) as f64 * PER_WINDOW).ceil())
        }
    }
}

/// Prints a row, and says whether it is as it should be.
fn row(customers: usize, stream: &str, reading: &Reading, computed: Computed) -> bool {
    let asked = reading.requests - reading.refused;
    let (computed, is_right) = match computed {
        Computed::Exactly(requests) => (requests.to_string(), asked == requests),
        Computed::About(requests) => (format!("about {requests:.0}"), true),
        Computed::AtMost(requests) => (format!("at most {requests}"), asked <= requests),
    };
    let Reading { requests, refused, records, .. } = reading;
    let megabytes = reading.bytes as f64 / 1e6;
    let wall = reading.wall.as_secs_f64();
    let (processor, memory) = reading
        .usage
        .as_ref()
        .map_or((f64::NAN, f64::NAN), |usage| (usage.processor.as_secs_f64(), usage.memory as f64 / 1e6));
    println!(
        "| {customers} | `{stream}` | {requests} | {computed} | {refused} | {records} | {megabytes:.1} | {wall:.1} | \
         {processor:.1} | {memory:.0} | {} |",
        reading.state_bytes
    );
    is_right && reading.is_complete
}

/// The account's "now" and the beginning of the last week before it, which is when usage is read.
pub(crate) const LAST_WEEK: (&str, &str) = ("2024-12-25T00:00:00Z", "2025-01-01T00:00:00Z");
