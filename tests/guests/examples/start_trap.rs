//! Traps while it is instantiated.

use guests::{Hostile, Next, Value};

struct StartTrap;

guests::hostile!(StartTrap);

impl Hostile for StartTrap {
    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}

#[expect(unsafe_code, reason = "the only symbol that runs at instantiation")]
#[unsafe(export_name = "_initialize")]
extern "C" fn start() {
    std::process::abort()
}
