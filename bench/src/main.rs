//! `bench`: programs that were built in; how they compare, with what people run today and with what
//! is possible, out.
//!
//! Everything is measured in one run on one machine, and the candidates take turns (A B C A B C),
//! so figures of one table can be compared, and ratios above all. Processor time and memory are the
//! operating system's accounts of whole processes. The emulator is a process of its own, which
//! renders every page before it is measured; what it costs itself is told beside. Tables are
//! Markdown on standard output, what is going on is on standard error.

mod candidate;
mod latency;
mod memory;
mod messages;
mod process;
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

/// A failure ends the run: nobody does anything about it but read it.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Measures the connector against what people run today, against native code, and against the
/// limit.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything unless named.
    #[arg(value_enum)]
    sections: Vec<Section>,

    /// Measure less, in less than three minutes.
    #[arg(long)]
    quick: bool,

    /// Numbers of customers, for scale.
    #[arg(long, value_delimiter = ',', value_name = "N")]
    sizes: Vec<usize>,

    /// A file to draw a plot of scale in.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,

    #[command(flatten)]
    places: Places,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// How long a start takes.
    Start,
    /// How fast records pass.
    Throughput,
    /// How long it takes where answers take their time.
    Latency,
    /// What TLS and HTTP/2 cost.
    Tls,
    /// How much memory it takes.
    Memory,
    /// How it grows with the account.
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

/// Measures all sections that are wanted, and tells what was aimed at and reached.
fn measure(arguments: &Arguments) -> Result<()> {
    let tools = Tools::find(&arguments.places)?;
    if tools.published.is_none() {
        progress("airbyte-source-orb is left out, for want of --python");
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

#[expect(clippy::print_stdout, reason = "what this program is for")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "for whoever waits")]
pub(crate) fn progress(line: &str) {
    eprintln!("# {line}");
}
