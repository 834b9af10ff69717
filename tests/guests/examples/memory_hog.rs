//! Allocates memory without end.

use std::hint::black_box;
use std::mem;

use guests::{Hostile, Next, Value};

struct MemoryHog;

guests::hostile!(MemoryHog);

impl Hostile for MemoryHog {
    fn misbehave(_: &Value, _: u64) -> Next {
        loop {
            // Use the memory, or the compiler removes the allocation.
            mem::forget(black_box(vec![1u8; 1 << 20]));
        }
    }
}
