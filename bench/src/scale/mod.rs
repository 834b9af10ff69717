//! Measures how a sync grows with the account: requests beside the formulas of docs/scale.md, time,
//! memory and state, as a table and as a plot.

mod computed;
mod counts;
mod plot;

use std::collections::{HashMap, hash_map::Entry};
use std::path::Path;
use std::time::Duration;

use mock_orb::{Settings, Timestamp};

use crate::candidate::HOST;
use crate::report::{Aim, figure, table};
use crate::rounds::{Sample, measure as rounds};
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, LAST_WEEK, Task, Timeframe};
use crate::tools::Tools;
use crate::{Result, print};

use self::{computed::Computed, counts::Counts};

/// Invoices per customer and entries per ledger: one a month.
pub(crate) const MONTHS: usize = 12;

/// The streams, the timeframe to read, and whether they are also read from their state; usage has
/// a record per day. `plans` is left out: it is one page.
const STREAMS: [(&str, Timeframe, bool); 42] = [
    ("customers", EVER, true),
    ("subscriptions", EVER, true),
    ("invoices", EVER, true),
    ("credits_ledger_entries", EVER, true),
    ("subscription_usage", LAST_WEEK, true),
    ("credit_notes", EVER, true),
    ("credit_note_line_items", EVER, true),
    ("invoice_line_items", EVER, true),
    ("invoice_payment_attempts", EVER, true),
    ("invoice_summaries", EVER, true),
    ("upcoming_invoices", EVER, false),
    ("credit_blocks", EVER, false),
    ("credit_block_invoices", EVER, false),
    ("credit_top_ups", EVER, false),
    ("customer_balance_transactions", EVER, true),
    ("subscription_summaries", EVER, true),
    ("subscription_schedules", EVER, false),
    ("subscription_changes", EVER, false),
    ("subscription_price_intervals", EVER, true),
    ("subscription_adjustment_intervals", EVER, true),
    ("coupon_redemptions", EVER, false),
    ("coupon_subscriptions", EVER, false),
    ("licenses", EVER, false),
    ("subscription_costs", LAST_WEEK, true),
    ("customer_costs", LAST_WEEK, true),
    ("license_usage", LAST_WEEK, true),
    ("event_volumes", LAST_WEEK, false),
    ("items", EVER, false),
    ("billable_metrics", EVER, false),
    ("prices", EVER, false),
    ("plan_prices", EVER, false),
    ("plan_versions", EVER, false),
    ("plan_migrations", EVER, false),
    ("coupons", EVER, false),
    ("dimensional_price_groups", EVER, false),
    ("dimensional_price_group_prices", EVER, false),
    ("license_types", EVER, false),
    ("event_backfills", EVER, false),
    ("customer_alerts", EVER, false),
    ("subscription_alerts", EVER, false),
    ("webhook_endpoints", EVER, false),
    ("webhook_events", EVER, true),
];

/// Larger accounts than this are read by the first five streams only: that takes minutes already.
const MOST_FOR_ALL: usize = 10_000;

/// Reads under Orb's rate limits, sized to take some tens of seconds.
const LIMITED: [(usize, &str, Timeframe); 2] =
    [(3_000, "credits_ledger_entries", EVER), (300, "subscription_usage", LAST_WEEK)];

/// The number of customers whose whole usage is read.
const FOR_YEARS: usize = 1_000;

/// One read of one account.
struct Row {
    customers: usize,
    stream: &'static str,
    kind: Kind,
    sample: Sample,
}

/// What is special about a read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    First,
    /// From the state of the first.
    Again,
    /// All usage that there has ever been.
    AllYears,
    /// Under Orb's rate limits.
    Limited,
}

impl Kind {
    fn remark(self) -> &'static str {
        match self {
            Kind::First => "",
            Kind::Again => ", again",
            Kind::AllYears => ", all years",
            Kind::Limited => ", live limits",
        }
    }
}

/// Reads accounts with these numbers of customers, or three default sizes. Plots the results if a
/// file is given.
///
/// # Errors
///
/// If a read fails, or the number of requests differs from the formulas.
pub(crate) fn measure(tools: &Tools, size: Size, sizes: &[usize], plot: Option<&Path>) -> Result<Vec<Aim>> {
    let usual = size.pick([1_000, 10_000, 100_000], [100, 300, 1_000]);
    let sizes = if sizes.is_empty() { &usual } else { sizes };
    let mut rows = Vec::new();
    for customers in sizes {
        rows.extend(read_account(tools, *customers)?);
    }
    if size == Size::Full {
        rows.push(read_years(tools)?);
        for (customers, stream, timeframe) in LIMITED {
            let account = Account { limits: Some("live"), ..account(customers) };
            let mut server = Server::start(tools, &account)?;
            let task = Task::new(&server, stream, timeframe)?;
            let sample = read(tools, &mut server, &task)?;
            rows.push(Row { customers, stream, kind: Kind::Limited, sample });
        }
    }
    // Only now, because counting takes memory, and the peak of a child includes that of this
    // program.
    let rows = computed(rows)?;
    print("What a sync costs by the size of the account:\n");
    report(&rows);
    if let Some(file) = plot {
        plot::draw(file, rows.iter().map(|(row, _)| row))?;
    }
    match rows.iter().find(|(row, computed)| !row.is_as(*computed)) {
        Some((row, _)) => Err(format!(
            "{}{} of {} customers made other requests than were computed",
            row.stream,
            row.kind.remark(),
            row.customers
        )
        .into()),
        None => Ok(Vec::new()),
    }
}

/// Computes the requests of each read.
fn computed(rows: Vec<Row>) -> Result<Vec<(Row, Computed)>> {
    let mut known: HashMap<usize, Counts> = HashMap::new();
    let mut all = Vec::new();
    for row in rows {
        let counts = match known.entry(row.customers) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(counts(row.customers)?),
        };
        if row.stream == "credit_blocks" {
            counts.credit_blocks = row.sample.messages.records;
        }
        let computed = match row.kind {
            Kind::First | Kind::Limited => Computed::of(row.stream, counts),
            Kind::Again => Computed::again(row.stream, counts),
            Kind::AllYears => Computed::of_years(row.customers),
        };
        all.push((row, computed));
    }
    Ok(all)
}

/// An account with this many customers, each with a subscription, a ledger, and an invoice and a
/// ledger entry a month.
fn account(customers: usize) -> Account {
    Account {
        customers,
        subscriptions: customers,
        invoices: customers * MONTHS,
        ledgers: (customers, MONTHS),
        ..Account::default()
    }
}

/// Counts what such an account has.
fn counts(customers: usize) -> Result<Counts> {
    let settings = Settings {
        customers,
        subscriptions: customers,
        invoices: customers * MONTHS,
        ledger_customers: customers,
        ledger_entries_per_customer: MONTHS,
        // As the server is started.
        always_plans: true,
        ..Settings::default()
    };
    let (start, end) = LAST_WEEK;
    // Costs are read from the day before.
    let start = start.parse::<Timestamp>()? - Duration::from_secs(24 * 60 * 60);
    Ok(Counts::of(&settings, (start, end.unwrap_or_default().parse()?)))
}

/// Reads every stream from the beginning, and again from the resulting states.
fn read_account(tools: &Tools, customers: usize) -> Result<Vec<Row>> {
    let mut server = Server::start(tools, &account(customers))?;
    let mut rows = Vec::new();
    let streams = if customers > MOST_FOR_ALL { &STREAMS[..5] } else { &STREAMS[..] };
    for &(stream, timeframe, is_read_again) in streams {
        let task = Task::new(&server, stream, timeframe)?;
        let sample = read(tools, &mut server, &task)?;
        let state = sample.messages.state.clone().ok_or("a read without a state")?;
        rows.push(Row { customers, stream, kind: Kind::First, sample });
        if is_read_again {
            let task = task.continued(&state)?;
            let sample = read(tools, &mut server, &task)?;
            rows.push(Row { customers, stream, kind: Kind::Again, sample });
        }
    }
    Ok(rows)
}

/// Reads all usage of a few customers, which takes one request per year of a subscription.
fn read_years(tools: &Tools) -> Result<Row> {
    let (customers, stream) = (FOR_YEARS, "subscription_usage");
    let mut server = Server::start(tools, &account(customers))?;
    let task = Task::new(&server, stream, EVER)?;
    let sample = read(tools, &mut server, &task)?;
    Ok(Row { customers, stream, kind: Kind::AllYears, sample })
}

fn read(tools: &Tools, server: &mut Server, task: &Task) -> Result<Sample> {
    let all = rounds(&[(HOST, 1)], tools, server, task)?;
    let sample = all.into_iter().flat_map(|samples| samples.samples).next();
    sample.ok_or_else(|| "nothing was read".into())
}

impl Row {
    /// The requests that were not rejected.
    fn asked(&self) -> u64 {
        self.sample.server.requests - self.sample.server.refused
    }

    fn is_as(&self, computed: Computed) -> bool {
        computed.range(self.sample.messages.records).contains(&self.asked())
    }
}

fn report(rows: &[(Row, Computed)]) {
    let head = [
        "customers",
        "stream",
        "requests",
        "computed",
        "of them refused",
        "records",
        "MB out",
        "wall s",
        "CPU s",
        "peak MB",
        "state bytes",
        "server's CPU s",
    ];
    let cells = |(row, computed): &(Row, Computed)| {
        let Row { sample, .. } = row;
        let range = computed.range(sample.messages.records);
        let (least, most) = (range.start(), range.end());
        [
            row.customers.to_string(),
            format!("`{}{}`", row.stream, row.kind.remark()),
            sample.server.requests.to_string(),
            if least == most { least.to_string() } else { format!("{least} to {most}") },
            sample.server.refused.to_string(),
            sample.messages.records.to_string(),
            figure(sample.messages.bytes as f64 / 1e6),
            figure(sample.wall()),
            figure(sample.processor()),
            figure(sample.memory()),
            sample.messages.state_bytes.to_string(),
            figure(sample.server.processor.as_secs_f64()),
        ]
    };
    table(&head, rows.iter().map(cells));
}
