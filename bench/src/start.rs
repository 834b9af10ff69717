//! Measures start-up time: how long `spec` takes.

use std::process::Command;

use crate::process::{Usage, run};
use crate::report::{Aim, figure, table};
use crate::rounds::median;
use crate::size::Size;
use crate::tools::Tools;
use crate::{Result, progress};

/// A command that prints the spec.
struct Way {
    name: &'static str,
    command: fn(&Tools) -> Option<Command>,
    /// The number of rounds, in a full and in a quick run.
    rounds: (usize, usize),
}

const WARM: &str = "host, compiled code at hand";
const PUBLISHED: &str = "airbyte-source-orb 1.2.4";

const WAYS: [Way; 4] = [
    Way { name: WARM, command: |tools| Some(host(tools, &[])), rounds: (60, 20) },
    Way {
        name: "source-orb, one file",
        command: |tools| {
            let mut command = Command::new(&tools.bundle);
            command.arg("spec");
            Some(command)
        },
        rounds: (60, 20),
    },
    Way {
        name: "host, nothing at hand",
        command: |tools| Some(host(tools, &["--no-cache"])),
        rounds: (10, 5),
    },
    Way {
        name: PUBLISHED,
        command: |tools| {
            let (python, program) = tools.published.as_ref()?;
            let mut command = Command::new(python);
            // `spec` makes no requests, but the program needs a URL.
            command.arg(program).arg("spec").env("ORB_URL", "http://127.0.0.1:9/v1");
            Some(command)
        },
        rounds: (10, 5),
    },
];

fn host(tools: &Tools, options: &[&str]) -> Command {
    let mut command = Command::new(&tools.host);
    command.arg("run").args(options).arg(&tools.component).arg("spec");
    command
}

/// Measures all commands in turn.
pub(crate) fn measure(tools: &Tools, size: Size) -> Result<Vec<Aim>> {
    // The first run fills the cache of compiled code for the second.
    run(&mut host(tools, &[]), |mut output| std::io::copy(&mut output, &mut std::io::sink()))?;
    let rounds = |way: &Way| size.pick(way.rounds.0, way.rounds.1);
    let mut usages = WAYS.each_ref().map(|_| Vec::<Usage>::new());
    for round in 0..WAYS.iter().map(rounds).max().unwrap_or_default() {
        for (way, usages) in WAYS.iter().zip(&mut usages) {
            if round < rounds(way)
                && let Some(mut command) = (way.command)(tools)
            {
                progress(&format!("spec: {}, {} of {}", way.name, round + 1, rounds(way)));
                let take = |mut output| std::io::copy(&mut output, &mut std::io::sink());
                usages.push(run(&mut command, take)?.1);
            }
        }
    }
    let milliseconds = |usages: &[Usage]| median(usages.iter().map(|usage| usage.wall.as_secs_f64() * 1e3));
    let warm = milliseconds(&usages[0]);
    let row = |(way, usages): (&Way, &Vec<Usage>)| {
        let least = usages.iter().map(|usage| usage.wall.as_secs_f64() * 1e3).fold(f64::NAN, f64::min);
        let processor = median(usages.iter().map(|usage| usage.processor().as_secs_f64() * 1e3));
        let memory = median(usages.iter().map(|usage| usage.memory as f64 / 1e6));
        let wall = milliseconds(usages);
        [
            way.name.to_owned(),
            usages.len().to_string(),
            figure(wall),
            figure(least),
            figure(processor),
            figure(memory),
            figure(wall / warm),
        ]
    };
    table(
        &["`spec`", "runs", "median ms", "least ms", "CPU ms", "peak MB", "times warm"],
        WAYS.iter().zip(&usages).filter(|(_, usages)| !usages.is_empty()).map(row),
    );
    Ok(vec![
        Aim::at_most(10.0, "`spec`, warm, ms", warm),
        Aim::at_least(40.0, "`spec`, warm, times faster than 1.2.4", milliseconds(&usages[3]) / warm),
    ])
}
