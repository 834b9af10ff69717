//! Measures reads from a server that takes 50 ms to answer, so that latency dominates.

use std::time::Duration;

use crate::candidate::{HOST, NATIVE, PUBLISHED};
use crate::report::{Aim, figure, table};
use crate::rounds::{Sample, Samples, measure as rounds, warm_up};
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, Task};
use crate::tools::Tools;
use crate::{Result, print};

/// Time to the first byte of every answer.
const LATENCY: Duration = Duration::from_millis(50);
/// The connector's default limit on requests in flight.
const CONCURRENCY: u64 = 16;

/// A stream to read.
struct Case {
    stream: &'static str,
    what: &'static str,
    account: fn(usize) -> Account,
    /// The number of customers, in a full and in a quick run.
    customers: (usize, usize),
}

const LEDGER: &str = "credits_ledger_entries";

const CASES: [Case; 2] = [
    Case {
        stream: LEDGER,
        what: "customers, each with a ledger of 12 entries",
        account: |customers| Account { customers, ledgers: (customers, 12), ..Account::default() },
        customers: (2_000, 300),
    },
    Case {
        stream: "customers",
        what: "customers, 100 on a page",
        account: |customers| Account { customers, ..Account::default() },
        customers: (100_000, 10_000),
    },
];

/// Measures all cases.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let mut aims = Vec::new();
    for case in &CASES {
        let customers = size.pick(case.customers.0, case.customers.1);
        let account = Account { latency: LATENCY, ..(case.account)(customers) };
        let mut server = Server::start(tools, &account)?;
        let task = Task::new(&server, case.stream, EVER)?;
        warm_up(tools, &task)?;
        let often = size.pick(5, 3);
        let candidates = [(HOST, often), (NATIVE, often), (PUBLISHED, 1)];
        let all = rounds(&candidates, tools, &mut server, &task)?;
        print(&format!(
            "`{}` of {customers} {}, {} ms to an answer:\n",
            case.stream,
            case.what,
            LATENCY.as_millis()
        ));
        report(&all);
        if let Some(host) = all.first() {
            aims.extend(reached(case, host, &all));
        }
    }
    Ok(aims)
}

/// The seconds needed for this many requests, with as many in flight as allowed.
fn least(samples: &Samples, concurrency: u64) -> f64 {
    samples.median(|sample| sample.server.requests as f64) * LATENCY.as_secs_f64() / concurrency as f64
}

fn report(all: &[Samples]) {
    let Some(host) = all.first() else { return };
    let row = |samples: &Samples| {
        let wall = samples.median(Sample::wall);
        [
            samples.name.to_owned(),
            samples.samples.len().to_string(),
            figure(samples.median(|sample| sample.server.requests as f64)),
            figure(samples.median(|sample| sample.server.connections as f64)),
            figure(wall),
            figure(samples.median(Sample::processor)),
            figure(least(samples, 1)),
            figure(wall / least(samples, 1)),
            figure(wall / least(samples, CONCURRENCY)),
            figure(samples.ratio(host, Sample::wall)),
        ]
    };
    table(
        &[
            "read by",
            "runs",
            "requests",
            "connections",
            "wall s",
            "CPU s",
            "one after the other, s",
            "wall, times that",
            "wall, times a 16th of that",
            "wall, times host",
        ],
        all.iter().map(row),
    );
}

fn reached(case: &Case, host: &Samples, all: &[Samples]) -> Vec<Aim> {
    let stream = case.stream;
    let memory = Aim::at_most(48.0, format!("`{stream}` at 50 ms: peak MB"), host.most(Sample::memory));
    if stream != LEDGER {
        return vec![memory];
    }
    let published = all.iter().find(|samples| samples.name == PUBLISHED.name);
    vec![
        Aim::at_most(
            1.25,
            format!("`{stream}` at 50 ms: wall, times requests x latency / {CONCURRENCY}"),
            host.median(Sample::wall) / least(host, CONCURRENCY),
        ),
        Aim::at_least(
            10.0,
            format!("`{stream}` at 50 ms: times faster than 1.2.4"),
            published.map_or(f64::NAN, |published| published.ratio(host, Sample::wall)),
        ),
        memory,
    ]
}
