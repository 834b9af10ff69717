//! Runs histories from the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use simulation::{Simulator, Sweep, position_of_stream, stream_names};

/// Runs orb.wasm in a world that is a function of a seed, and checks what it promises.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// The component.
    #[arg(long)]
    component: PathBuf,
    /// The component that finds out what is there; by default the same.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// Replays the history of this seed, and prints what happens.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Runs so many histories.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// The only stream.
    #[arg(long)]
    stream: Option<String>,
    /// How many threads; by default one per core.
    #[arg(long)]
    threads: Option<usize>,
    /// Prints only which oracle found what, and does not shrink.
    #[arg(long)]
    brief: bool,
    /// Where to write the smallest history that breaks a promise.
    #[arg(long)]
    report: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "a program")]
fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let stream = match arguments.stream.as_deref() {
        None | Some("") => None,
        Some(name) => {
            let known = || format!("no stream {name:?}; known are {}", stream_names().join(", "));
            Some(position_of_stream(name).with_context(known)?)
        }
    };
    let reference = arguments.reference.as_ref().unwrap_or(&arguments.component);
    let simulator = Simulator::load(&arguments.component, reference)?;
    if let Some(seed) = arguments.seed {
        println!("{}", Simulator::describe(seed, stream));
        let report = simulator.run(seed, stream, true);
        report.transcript.iter().for_each(|line| println!("{line}"));
        let Some(violation) = report.violation else { return Ok(ExitCode::SUCCESS) };
        println!("{violation}");
        return Ok(ExitCode::FAILURE);
    }
    let threads = arguments.threads.or_else(|| Some(std::thread::available_parallelism().ok()?.get()));
    let sweep =
        Sweep { first: arguments.first, seeds: arguments.seeds, stream, threads: threads.unwrap_or(1) };
    let found = simulator.sweep(sweep);
    if arguments.brief {
        let violation =
            found.failed.as_ref().and_then(|(seed, report)| Some((seed, report.violation.as_ref()?)));
        match violation {
            Some((seed, violation)) => println!("{} by seed {seed}", violation.oracle),
            None => println!("not found in {} histories", found.histories),
        }
        return Ok(if violation.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for (name, count) in found.figures() {
        println!("{count:>12} {name}");
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = found.histories as f64 / found.seconds.max(0.001);
    println!("{rate:>12.0} histories a second ({:.1} s)", found.seconds);
    let Some((seed, report)) = found.failed else { return Ok(ExitCode::SUCCESS) };
    if let Some(violation) = report.violation {
        println!("\nseed {seed} breaks a promise: {violation}");
    }
    if let Some((text, report)) = simulator.shrink(seed, stream) {
        let violation = report.violation.map(|violation| violation.to_string()).unwrap_or_default();
        let text = format!("{text}\n{}\n\n{violation}\n", report.transcript.join("\n"));
        println!("\nthe smallest history that still does:\n{text}");
        if let Some(path) = &arguments.report {
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    println!("replay it with: make simulate SEED={seed}");
    Ok(ExitCode::FAILURE)
}
