//! Measures the cost of TLS and HTTP/2: the same reads with and without them, in turn.

use std::time::Duration;

use crate::candidate::HOST;
use crate::report::{Aim, figure, table};
use crate::rounds::{Sample, Samples, measure as round};
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, Task};
use crate::tools::Tools;
use crate::{Result, print};

/// A stream to read.
struct Case {
    stream: &'static str,
    account: fn(usize) -> Account,
    /// The number of customers or subscriptions, in a full and in a quick run.
    size: (usize, usize),
}

const CASES: [Case; 3] = [
    Case {
        stream: "customers",
        account: |customers| Account { customers, ..Account::default() },
        size: (100_000, 10_000),
    },
    Case {
        stream: "subscriptions",
        account: |subscriptions| Account { customers: 1_000, subscriptions, ..Account::default() },
        size: (20_000, 2_000),
    },
    Case {
        stream: "credits_ledger_entries",
        account: |customers| Account {
            customers,
            ledgers: (customers, 12),
            latency: Duration::from_millis(50),
            ..Account::default()
        },
        size: (2_000, 300),
    },
];

/// Both transports, with their names.
const WAYS: [(&str, bool); 2] = [("HTTP/1.1", false), ("TLS, HTTP/2", true)];

/// Measures all cases.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let mut rows = Vec::new();
    let mut aims = Vec::new();
    for Case { stream, account, size: (full, quick) } in CASES {
        let account = account(size.pick(full, quick));
        let samples = read_both(tools, stream, account, size.pick(7, 3))?;
        let [plain, _] = &samples;
        for (samples, (way, tls)) in samples.iter().zip(WAYS) {
            rows.push(row(stream, &account, way, samples, plain));
            if tls {
                aims.push(Aim::at_most(
                    48.0,
                    format!("`{stream}` over {way}: peak MB"),
                    samples.most(Sample::memory),
                ));
            }
        }
    }
    print("The host, to a server on the same machine:\n");
    table(
        &[
            "stream",
            "latency ms",
            "over",
            "runs",
            "records",
            "connections",
            "wall s",
            "CPU s",
            "peak MB",
            "wall, times HTTP/1.1",
            "CPU, times HTTP/1.1",
        ],
        rows,
    );
    Ok(aims)
}

/// Reads over both transports, in turn.
fn read_both(tools: &Tools, stream: &'static str, account: Account, rounds: usize) -> Result<[Samples; 2]> {
    let mut ways = Vec::new();
    for (_, tls) in WAYS {
        let server = Server::start(tools, &Account { tls, ..account })?;
        let task = Task::new(&server, stream, EVER)?;
        ways.push((server, task, Vec::new()));
    }
    // The first reads are not counted: the server renders its answers during them.
    for number in 0..=rounds {
        for (server, task, samples) in &mut ways {
            let taken = round(&[(HOST, 1)], tools, server, task)?;
            if number > 0 {
                samples.extend(taken.into_iter().flat_map(|taken| taken.samples));
            }
        }
    }
    let samples = |(_, _, samples)| Samples { name: HOST.name, samples };
    let ways: Vec<Samples> = ways.into_iter().map(samples).collect();
    ways.try_into().map_err(|_| "two ways".into())
}

fn row(stream: &str, account: &Account, way: &str, samples: &Samples, plain: &Samples) -> [String; 11] {
    [
        format!("`{stream}`"),
        account.latency.as_millis().to_string(),
        way.to_owned(),
        samples.samples.len().to_string(),
        samples.records().to_string(),
        figure(samples.median(|sample| sample.server.connections as f64)),
        figure(samples.median(Sample::wall)),
        figure(samples.median(Sample::processor)),
        figure(samples.median(Sample::memory)),
        figure(samples.ratio(plain, Sample::wall)),
        figure(samples.ratio(plain, Sample::processor)),
    ]
}
