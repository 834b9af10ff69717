//! Traps without any message.

use guests::{Hostile, Next, Value};

struct Trap;

guests::hostile!(Trap);

impl Hostile for Trap {
    fn misbehave(_: &Value, _: u64) -> Next {
        std::process::abort()
    }
}
