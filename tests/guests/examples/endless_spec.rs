//! Never returns from `spec`.

use std::hint::black_box;

use guests::{Hostile, Next, Specification, Value};

struct EndlessSpec;

guests::hostile!(EndlessSpec);

impl Hostile for EndlessSpec {
    fn spec() -> Specification {
        loop {
            black_box(());
        }
    }

    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}
