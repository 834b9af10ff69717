//! Measures throughput against a server that answers at once, so that processors are the
//! bottleneck.

use crate::candidate::{ALONE, BARE, HOST, NATIVE, PUBLISHED};
use crate::report::{Aim, figure, table};
use crate::rounds::{Sample, Samples, measure as rounds, warm_up};
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, Task};
use crate::tools::Tools;
use crate::{Result, print};

/// A stream to read.
struct Case {
    stream: &'static str,
    what: &'static str,
    account: fn(usize) -> Account,
    /// The number of records, in a full and in a quick run.
    records: (usize, usize),
}

const CASES: [Case; 2] = [
    Case {
        stream: "customers",
        what: "customers of 1.2 kB",
        account: |customers| Account { customers, ..Account::default() },
        records: (100_000, 10_000),
    },
    Case {
        stream: "subscriptions",
        what: "subscriptions of 9.3 kB",
        account: |subscriptions| Account { customers: 1_000, subscriptions, ..Account::default() },
        records: (20_000, 2_000),
    },
];

/// Measures all cases.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let mut aims = Vec::new();
    for case in &CASES {
        let records = size.pick(case.records.0, case.records.1);
        let mut server = Server::start(tools, &(case.account)(records))?;
        let task = Task::new(&server, case.stream, EVER)?;
        warm_up(tools, &task)?;
        let often = size.pick(9, 5);
        let candidates =
            [(HOST, often), (NATIVE, often), (ALONE, often), (BARE, often), (PUBLISHED, size.pick(2, 1))];
        let all = rounds(&candidates, tools, &mut server, &task)?;
        print(&format!("{records} {}:\n", case.what));
        report(&all);
        aims.extend(reached(case, &all));
    }
    Ok(aims)
}

fn report(all: &[Samples]) {
    let Some(host) = all.first() else { return };
    let row = |samples: &Samples| {
        let (wall, processor) = (samples.median(Sample::wall), samples.median(Sample::processor));
        // The bare client does not count records: it transfers those of the others.
        let records = host.records() as f64;
        [
            samples.name.to_owned(),
            samples.samples.len().to_string(),
            figure(wall),
            figure(processor),
            figure(samples.median(|sample| sample.usage.system.as_secs_f64())),
            figure(records / wall),
            figure(samples.median(|sample| sample.messages.bytes as f64 / 1e6) / wall),
            figure(processor / records * 1e5),
            figure(samples.median(Sample::memory)),
            figure(samples.median(|sample| sample.server.processor.as_secs_f64())),
            figure(samples.ratio(host, Sample::wall)),
            figure(samples.ratio(host, Sample::processor)),
        ]
    };
    table(
        &[
            "read by",
            "runs",
            "wall s",
            "CPU s",
            "of it the system's",
            "records/s",
            "MB/s out",
            "CPU s per 100,000",
            "peak MB",
            "server's CPU s",
            "wall, times host",
            "CPU, times host",
        ],
        all.iter().map(row),
    );
}

fn reached(case: &Case, all: &[Samples]) -> Vec<Aim> {
    let find = |name: &str| all.iter().find(|samples| samples.name == name);
    let ratio = |one: &str, other: &str| match (find(one), find(other)) {
        (Some(one), Some(other)) => one.ratio(other, Sample::processor),
        _ => f64::NAN,
    };
    let stream = case.stream;
    vec![
        Aim::at_least(
            50.0,
            format!("`{stream}`: CPU per record, times less than 1.2.4"),
            ratio(PUBLISHED.name, HOST.name),
        ),
        Aim::at_most(1.5, format!("`{stream}`: CPU per record, times native"), ratio(HOST.name, NATIVE.name)),
        Aim::at_most(
            48.0,
            format!("`{stream}`: peak MB"),
            find(HOST.name).map_or(f64::NAN, |host| host.most(Sample::memory)),
        ),
    ]
}
