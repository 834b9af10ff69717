//! Measures what it costs to write files of each format.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::messages::Messages;
use crate::process::{Usage, run};
use crate::report::{Aim, figure, table};
use crate::rounds::median;
use crate::server::{Account, Server};
use crate::size::Size;
use crate::task::{EVER, Task};
use crate::tools::Tools;
use crate::{Result, print, progress};

/// The formats, in the order of the table. The others are compared with the first one.
const FORMATS: [&str; 3] = ["jsonl", "jsonl.zst", "parquet"];
/// Reads of each.
const ROUNDS: usize = 5;

/// One read.
struct Sample {
    usage: Usage,
    records: u64,
    /// Of all files.
    bytes: u64,
}

/// Reads customers into files of each format, in turn.
///
/// # Errors
///
/// If a read fails, or is not complete by its manifest.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    let customers = size.pick(100_000, 10_000);
    let server = Server::start(tools, &Account { customers, ..Account::default() })?;
    let task = Task::new(&server, "customers", EVER)?;
    let mut samples: [Vec<Sample>; FORMATS.len()] = Default::default();
    for round in 0..ROUNDS {
        for (format, samples) in FORMATS.iter().zip(&mut samples) {
            progress(&format!("customers as {format}, {} of {ROUNDS}", round + 1));
            samples.push(read(tools, &task, format)?);
        }
    }
    print(&format!("{customers} `customers` as files:\n"));
    let processor = |sample: &Sample| sample.usage.processor().as_secs_f64();
    let ratios: Vec<f64> = samples
        .iter()
        .map(|one| median(one.iter().zip(&samples[0]).map(|(one, first)| processor(one) / processor(first))))
        .collect();
    let memory = |sample: &Sample| sample.usage.memory as f64 / 1e6;
    let most: Vec<f64> =
        samples.iter().map(|samples| samples.iter().map(memory).fold(f64::NAN, f64::max)).collect();
    table(
        &["format", "CPU s", "times jsonl", "wall s", "peak MB, most", "MB of files"],
        FORMATS.iter().zip(&samples).zip(ratios.iter().zip(&most)).map(
            |((format, samples), (ratio, most))| {
                [
                    (*format).to_owned(),
                    figure(median(samples.iter().map(processor))),
                    figure(*ratio),
                    figure(median(samples.iter().map(|sample| sample.usage.wall.as_secs_f64()))),
                    figure(*most),
                    figure(median(samples.iter().map(|sample| sample.bytes as f64 / 1e6))),
                ]
            },
        ),
    );
    let expected = customers as u64;
    if let Some(wrong) = samples.iter().flatten().find(|sample| sample.records != expected) {
        return Err(format!("{} records were written, not {expected}", wrong.records).into());
    }
    Ok(vec![
        Aim::at_most(1.5, "Parquet: CPU, times JSON lines".to_owned(), ratios[2]),
        Aim::at_most(64.0, "Parquet: peak MB".to_owned(), most[2]),
    ])
}

fn read(tools: &Tools, task: &Task, format: &str) -> Result<Sample> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(&tools.host);
    command.arg("run").arg(&tools.component).args(["read", "--no-progress", "--format", format]);
    command.arg("--config").arg(&task.config).arg("--catalog").arg(&task.catalog);
    command.arg("--output-dir").arg(folder.path());
    let (_, usage) = run(&mut command, Messages::count)?;
    let (records, bytes) = written(folder.path(), task.stream)?;
    Ok(Sample { usage, records, bytes })
}

/// Records and bytes of a stream, by the only manifest of the folder.
fn written(folder: &Path, stream: &str) -> Result<(u64, u64)> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "json") {
            let manifest: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
            if manifest["status"] != "complete" {
                return Err("a read did not end well".into());
            }
            let stream = &manifest["streams"][stream];
            let parts = stream["parts"].as_array().into_iter().flatten();
            let bytes = parts.filter_map(|part| part["bytes"].as_u64()).sum();
            return Ok((stream["records"].as_u64().unwrap_or_default(), bytes));
        }
    }
    Err("there is no manifest".into())
}
