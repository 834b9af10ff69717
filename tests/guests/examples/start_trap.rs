//! Crashes before it is asked anything: in what runs when it is loaded.

use guests::{Hostile, Next, Value};

struct StartTrap;

guests::hostile!(StartTrap);

impl Hostile for StartTrap {
    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}

#[expect(unsafe_code, reason = "the only name by which something runs before anything is asked")]
#[unsafe(export_name = "_initialize")]
extern "C" fn start() {
    std::process::abort()
}
