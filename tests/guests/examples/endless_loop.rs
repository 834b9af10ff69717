//! Computes forever.

use std::hint::black_box;

use guests::{Hostile, Next, Value};

struct EndlessLoop;

guests::hostile!(EndlessLoop);

impl Hostile for EndlessLoop {
    fn misbehave(_: &Value, turn: u64) -> Next {
        let mut number = turn;
        loop {
            number = black_box(number.wrapping_add(1));
        }
    }
}
