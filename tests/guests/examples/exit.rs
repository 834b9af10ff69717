//! Exits with success in the middle of a call.

use guests::{Hostile, Next, Value};

struct Exit;

guests::hostile!(Exit);

impl Hostile for Exit {
    fn misbehave(_: &Value, _: u64) -> Next {
        std::process::exit(0)
    }
}
