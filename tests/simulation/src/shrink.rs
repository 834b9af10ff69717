//! Leaves out parts of a history while it still breaks the same promise.

use crate::fault::Fault;
use crate::history::{History, Start};
use crate::run::run;
use crate::simulator::Simulator;

/// The most histories to try.
const MOST: usize = 4_000;

/// Returns the smallest history that was found. `None` if the history breaks no promise.
pub(crate) fn shrink(simulator: &Simulator, history: History) -> Option<History> {
    let oracle = run(simulator, &history, false).violation?.oracle;
    let (mut smallest, mut tried) = (history, 0);
    loop {
        let smaller = candidates(&smallest).into_iter().find(|candidate| {
            tried += 1;
            let violation = run(simulator, candidate, false).violation;
            violation.is_some_and(|violation| violation.oracle == oracle)
        });
        match smaller {
            Some(smaller) if tried < MOST => smallest = smaller,
            Some(smaller) => return Some(smaller),
            None => return Some(smallest),
        }
    }
}

/// Histories with a bit less in them, the most promising ones first.
fn candidates(history: &History) -> Vec<History> {
    let mut candidates = Vec::new();
    let mut with = |change: &dyn Fn(&mut History)| {
        let mut candidate = history.clone();
        change(&mut candidate);
        if candidate != *history {
            candidates.push(candidate);
        }
    };
    for sync in 0..history.syncs.len() {
        with(&|history| drop(history.syncs.remove(sync)));
    }
    let initial = history.initial.len();
    for part in [2, 4, 8] {
        let size = initial / part;
        for number in (0..part).filter(|_| size > 0) {
            with(&|history| drop(history.initial.drain(number * size..(number + 1) * size)));
        }
    }
    for index in 0..initial.min(24) {
        with(&|history| {
            history.initial.remove(index);
        });
    }
    for sync in 0..history.syncs.len() {
        for index in 0..history.syncs[sync].changes.len() {
            with(&|history| {
                history.syncs[sync].changes.remove(index);
            });
        }
        for index in 0..history.syncs[sync].faults.len() {
            with(&|history| {
                history.syncs[sync].faults.remove(index);
            });
            with(&|history| {
                let fault = &mut history.syncs[sync].faults[index];
                fault.2 = fault.2.min(1);
                if let Fault::TooLarge(_) | Fault::FeatureOff = fault.1 {
                    fault.2 = crate::fault::OUTAGE;
                }
            });
        }
        with(&|history| history.syncs[sync].kill = None);
        with(&|history| history.syncs[sync].stop = None);
        with(&|history| history.syncs[sync].leave = None);
        with(&|history| history.syncs[sync].jump = None);
        with(&|history| history.syncs[sync].skew = 0);
        with(&|history| history.syncs[sync].latency.most = 5);
        with(&|history| history.syncs[sync].settings.concurrency = 1);
        with(&|history| history.syncs[sync].settings.lookback_days = 0);
        with(&|history| history.syncs[sync].settings.end = None);
        with(&|history| history.syncs[sync].settings.sweep_days = 0);
    }
    with(&|history| history.start = Start::Nothing);
    with(&|history| history.rate = None);
    with(&|history| history.page = 100);
    with(&|history| history.parents /= 2);
    with(&|history| history.parents = history.parents * 9 / 10);
    with(&|history| history.parents = history.parents.saturating_sub(1));
    candidates
}
