//! Recurses forever.

use std::hint::black_box;

use guests::{Hostile, Next, Value, once};

struct StackOverflow;

guests::hostile!(StackOverflow);

impl Hostile for StackOverflow {
    fn misbehave(_: &Value, turn: u64) -> Next {
        once(turn, || dig(turn).into())
    }
}

/// The addition and the array prevent tail-call optimization.
fn dig(depth: u64) -> u64 {
    let hole = black_box([depth; 64]);
    if black_box(true) { dig(depth + 1) + hole[0] } else { hole[63] }
}
