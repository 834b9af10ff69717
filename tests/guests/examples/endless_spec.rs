//! Says that it computes, and never returns from `spec`.

use std::hint::black_box;

use guests::{Hostile, Level, Next, Specification, Value, log};

struct EndlessSpec;

guests::hostile!(EndlessSpec);

impl Hostile for EndlessSpec {
    fn spec() -> Specification {
        log(Level::Info, "computes without an end");
        loop {
            black_box(());
        }
    }

    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}
