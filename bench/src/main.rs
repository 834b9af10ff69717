//! `bench` compares the shipped programs with what people use today and with what is possible.
//!
//! One run on one machine measures everything, and the candidates take turns (A B C A B C), so
//! figures within a table are comparable, above all as ratios. Processor time and memory are what
//! the operating system reports for whole processes. The emulator runs in a process of its own and
//! renders every page before the measurement; its own cost is reported separately. Tables go to
//! standard output as Markdown, progress to standard error.

mod candidate;
mod files;
mod latency;
mod memory;
mod messages;
mod process;
mod rates;
mod report;
mod rounds;
mod scale;
mod server;
mod size;
mod start;
mod task;
mod throughput;
mod tls;
mod tools;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mock_orb::Timestamp;

use self::report::Aim;
use self::size::Size;
use self::tools::{Places, Tools};

/// An error ends the run and is printed.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measure the connector against what people use today, against native code, and against the lower
/// bound.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything by default.
    #[arg(value_enum)]
    sections: Vec<Section>,

    /// Measure smaller accounts, in less than three minutes.
    #[arg(long)]
    quick: bool,

    /// Numbers of customers for `scale`.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    sizes: Vec<usize>,

    /// A file to plot `scale` in.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    #[command(flatten)]
    places: Places,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Start-up time.
    Start,
    /// Records per second.
    Throughput,
    /// Time to read from a slow server.
    Latency,
    /// The cost of TLS and HTTP/2.
    Tls,
    /// Peak memory.
    Memory,
    /// Streams that share a rate limit.
    Rates,
    /// Files of each format.
    Files,
    /// Growth with the account.
    Scale,
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Section::Start => "Start",
            Section::Throughput => "Throughput",
            Section::Latency => "Bound by latency",
            Section::Tls => "TLS and HTTP/2",
            Section::Memory => "Memory",
            Section::Rates => "Shared rate limits",
            Section::Files => "Files",
            Section::Scale => "Scale",
        }
    }

    fn measure(self, arguments: &Arguments, tools: &Tools, size: Size) -> Result<Vec<Aim>> {
        match self {
            Section::Start => start::measure(tools, size),
            Section::Throughput => throughput::measure(tools, size),
            Section::Latency => latency::measure(tools, size),
            Section::Tls => tls::measure(tools, size),
            Section::Memory => memory::measure(tools, size),
            Section::Rates => rates::measure(tools, size),
            Section::Files => files::measure(tools, size),
            Section::Scale => scale::measure(tools, size, &arguments.sizes, arguments.plot.as_deref()),
        }
    }
}

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures the selected sections, and prints each aim with its result.
fn measure(arguments: &Arguments) -> Result<()> {
    let tools = Tools::find(&arguments.places)?;
    if tools.published.is_none() {
        progress("airbyte-source-orb is skipped: no --python");
    }
    let size = if arguments.quick { Size::Quick } else { Size::Full };
    let cores = std::thread::available_parallelism()?;
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    print(&format!(
        "Measured on {}, {system} {processor}, {cores} cores.\n",
        Timestamp::now().strftime("%F")
    ));
    let wanted = if arguments.sections.is_empty() { Section::value_variants() } else { &arguments.sections };
    let mut aims = Vec::new();
    for section in wanted {
        print(&format!("## {}\n", section.title()));
        aims.extend(section.measure(arguments, &tools, size)?);
    }
    if !aims.is_empty() {
        print("## Aims\n");
        if size == Size::Quick {
            print("These are meant for a full run: small accounts are mostly start-up.\n");
        }
        report::aims(&aims);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "prints the results")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress for the user")]
pub(crate) fn progress(line: &str) {
    eprintln!("# {line}");
}
