//! Takes samples of all candidates in turn (A B C A B C), so that other load on the machine affects
//! all of them equally.

use statrs::statistics::{Data, OrderStatistics as _};

use crate::Result;
use crate::candidate::{ALONE, BARE, Candidate, NATIVE};
use crate::messages::Messages;
use crate::process::{Usage, run};
use crate::progress;
use crate::server::{Counts, Server};
use crate::task::Task;
use crate::tools::Tools;

/// One read.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) messages: Messages,
    pub(crate) usage: Usage,
    /// The server's counts during the read.
    pub(crate) server: Counts,
}

impl Sample {
    /// Wall time in seconds.
    pub(crate) fn wall(&self) -> f64 {
        self.usage.wall.as_secs_f64()
    }

    /// Processor time in seconds.
    pub(crate) fn processor(&self) -> f64 {
        self.usage.processor().as_secs_f64()
    }

    /// Peak resident memory in megabytes.
    pub(crate) fn memory(&self) -> f64 {
        self.usage.memory as f64 / 1e6
    }
}

/// The samples of one candidate.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    pub(crate) name: &'static str,
    pub(crate) samples: Vec<Sample>,
}

impl Samples {
    /// The median of a measurement.
    pub(crate) fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of))
    }

    /// The largest value of a measurement.
    pub(crate) fn most(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        self.samples.iter().map(of).fold(f64::NAN, f64::max)
    }

    /// The ratio of this measurement to the other candidate's in the same round: the median over
    /// all rounds.
    pub(crate) fn ratio(&self, other: &Samples, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().zip(&other.samples).map(|(mine, others)| of(mine) / of(others)))
    }

    /// The number of records per read; all reads have the same.
    pub(crate) fn records(&self) -> u64 {
        self.samples.first().map_or(0, |sample| sample.messages.records)
    }
}

/// The median; NaN if there are no values.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    Data::new(values.collect::<Vec<f64>>()).median()
}

/// Takes this many samples of each candidate, in turn. Skips candidates that are not installed.
///
/// # Errors
///
/// If a read fails or is incomplete, or the candidates read different numbers of records.
pub(crate) fn measure(
    candidates: &[(Candidate, usize)],
    tools: &Tools,
    server: &mut Server,
    task: &Task,
) -> Result<Vec<Samples>> {
    let mut all: Vec<Samples> =
        candidates.iter().map(|(candidate, _)| Samples { name: candidate.name, samples: vec![] }).collect();
    let rounds = candidates.iter().map(|(_, rounds)| *rounds).max().unwrap_or_default();
    for round in 0..rounds {
        for ((candidate, rounds), samples) in candidates.iter().zip(&mut all) {
            if round < *rounds
                && let Some(mut command) = (candidate.command)(tools, task)
            {
                progress(&format!("{}: {}, {} of {rounds}", task.stream, candidate.name, round + 1));
                let before = server.counts()?;
                let (messages, usage) = run(&mut command, candidate.take)?;
                samples.samples.push(Sample { messages, usage, server: server.counts()?.since(before) });
            }
        }
    }
    all.retain(|samples| !samples.samples.is_empty());
    agree(&all)?;
    Ok(all)
}

/// Has the server render all answers in advance, and records the URLs that the read requests.
///
/// # Errors
///
/// If the read fails.
pub(crate) fn warm_up(tools: &Tools, task: &Task) -> Result<()> {
    let mut command = (NATIVE.command)(tools, task).ok_or("the native reader is missing")?;
    run(command.arg("--urls").arg(&task.urls), NATIVE.take).map(drop)
}

/// Checks that all reads are complete and have the same number of records.
fn agree(all: &[Samples]) -> Result<()> {
    let mut expected = None;
    for Samples { name, samples } in all {
        for Sample { messages, .. } in samples {
            // Without the host there are no statuses: a read either completes or fails.
            if ![NATIVE.name, ALONE.name].contains(name) && !messages.is_complete {
                return Err(format!("{name} did not read to the end").into());
            }
            if *name != BARE.name && *expected.get_or_insert(messages.records) != messages.records {
                return Err(format!("{name} read {} records, others {expected:?}", messages.records).into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }

    fn samples(name: &'static str, records: u64, walls: &[u64]) -> Samples {
        let sample = |wall: &u64| Sample {
            messages: Messages { records, is_complete: true, ..Messages::default() },
            usage: Usage {
                wall: Duration::from_secs(*wall),
                user: Duration::ZERO,
                system: Duration::ZERO,
                memory: 0,
            },
            server: Counts::default(),
        };
        Samples { name, samples: walls.iter().map(sample).collect() }
    }

    #[test]
    fn a_ratio_is_that_of_the_same_round() {
        let (slow, fast) = (samples("slow", 1, &[30, 10, 20]), samples("fast", 1, &[10, 5, 10]));
        assert_eq!(slow.ratio(&fast, Sample::wall), 2.0);
    }

    #[test]
    fn who_reads_other_records_than_the_others_is_an_error() {
        let bare = samples(BARE.name, 0, &[1]);
        assert!(agree(&[samples("one", 5, &[1]), bare.clone(), samples("other", 5, &[1])]).is_ok());
        assert!(agree(&[samples("one", 5, &[1]), bare, samples("other", 4, &[1])]).is_err());
        let mut broken = samples("one", 5, &[1]);
        broken.samples[0].messages.is_complete = false;
        assert!(agree(&[broken]).is_err());
    }
}
