//! Runs ten thousand histories of the shipped orb.wasm, and those that once broke a promise.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::path::Path;

use simulation::{Simulator, Sweep, Violation, position_of_stream};

/// Other seeds than those of `make simulate`, which begins at 0.
const FIRST: u64 = 1_000_000;
const SEEDS: u64 = 10_000;

/// Seeds that once broke a promise: the seed, the stream or `-`, and what it was.
const CORPUS: &str = include_str!("../corpus.txt");

fn simulator() -> Simulator {
    let orb = Path::new(components::ORB);
    Simulator::load(orb, orb).unwrap()
}

fn no_violation(seed: u64, violation: Option<&Violation>) {
    if let Some(violation) = violation {
        panic!(
            "{violation}\nmake simulate SEED={seed} replays this, and make simulate FIRST={seed} shrinks it"
        );
    }
}

#[test]
fn ten_thousand_histories_break_no_promise() {
    let threads = std::thread::available_parallelism().unwrap().get();
    let found = simulator().sweep(Sweep { first: FIRST, seeds: SEEDS, stream: None, threads });
    if let Some((seed, report)) = &found.failed {
        no_violation(*seed, report.violation.as_ref());
    }
    assert_eq!(found.histories, SEEDS);
    // They are not idle.
    assert!(found.faults > SEEDS / 2 && found.succeeded > found.syncs / 2, "{found:?}");
}

#[test]
fn histories_that_once_broke_a_promise_do_so_no_more() {
    let simulator = simulator();
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    for line in lines {
        let mut words = line.split_whitespace();
        let seed: u64 = words.next().unwrap().parse().unwrap();
        let stream = words.next().filter(|name| *name != "-");
        let stream = stream.map(|name| position_of_stream(name).unwrap());
        no_violation(seed, simulator.run(seed, stream, false).violation.as_ref());
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn equal_seeds_give_equal_histories_to_the_last_byte() {
    let (one, other) = (simulator(), simulator());
    for seed in 0..100 {
        let (first, second) = (one.run(seed, None, true), other.run(seed, None, true));
        assert_eq!(first.transcript, second.transcript, "seed {seed}");
        assert_eq!(first.requests, second.requests);
    }
}
