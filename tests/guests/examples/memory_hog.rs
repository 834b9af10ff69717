//! Takes memory without end.

use std::hint::black_box;
use std::mem;

use guests::{Hostile, Next, Value};

struct MemoryHog;

guests::hostile!(MemoryHog);

impl Hostile for MemoryHog {
    fn misbehave(_: &Value, _: u64) -> Next {
        loop {
            // Memory that nobody looks at is none: the compiler would take the vector away.
            mem::forget(black_box(vec![1u8; 1 << 20]));
        }
    }
}
