//! Measures the host's peak memory, and whether it grows with the number of records.

use crate::candidate::HOST;
use crate::report::{Aim, figure, table};
use crate::rounds::{Sample, Samples, measure as rounds};
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, Task};
use crate::tools::Tools;
use crate::{Result, print};

/// Few and many records of one stream, in a full and in a quick run.
const RECORDS: [(usize, usize); 2] = [(10_000, 10_000), (1_000_000, 100_000)];
/// The number of customers whose ledgers are read, in a full and in a quick run.
const PARENTS: (usize, usize) = (100_000, 10_000);

/// Measures all cases.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let read = |account: Account, stream| -> Result<Samples> {
        let mut server = Server::start(tools, &account)?;
        let task = Task::new(&server, stream, EVER)?;
        let all = rounds(&[(HOST, 5)], tools, &mut server, &task)?;
        all.into_iter().next().ok_or_else(|| "nothing was read".into())
    };
    let mut cases: Vec<(String, Samples)> = Vec::new();
    for (full, quick) in RECORDS {
        let customers = size.pick(full, quick);
        let samples = read(Account { customers, ..Account::default() }, "customers")?;
        cases.push((format!("{customers} `customers`"), samples));
    }
    let customers = size.pick(PARENTS.0, PARENTS.1);
    let account = Account { customers, ledgers: (customers, 12), ..Account::default() };
    cases.push((format!("the ledgers of {customers} customers"), read(account, "credits_ledger_entries")?));

    print("Memory of the host:\n");
    table(
        &["what is read", "runs", "records", "peak MB, median", "peak MB, most"],
        cases.iter().map(|(what, samples)| {
            [
                what.clone(),
                samples.samples.len().to_string(),
                samples.records().to_string(),
                figure(samples.median(Sample::memory)),
                figure(samples.most(Sample::memory)),
            ]
        }),
    );
    let mut aims: Vec<Aim> = cases
        .iter()
        .map(|(what, samples)| Aim::at_most(48.0, format!("{what}: peak MB"), samples.most(Sample::memory)))
        .collect();
    if let [(few, at_few), (many, at_many), ..] = &cases[..] {
        let growth = at_many.median(Sample::memory) / at_few.median(Sample::memory);
        aims.push(Aim::at_most(1.1, format!("{many}: memory, times that of {few}"), growth));
    }
    Ok(aims)
}
