//! Imports the file system.

use guests::{Hostile, Next, Value, once};

struct Files;

guests::hostile!(Files);

impl Hostile for Files {
    fn misbehave(_: &Value, turn: u64) -> Next {
        once(turn, || std::fs::read_to_string("/etc/hostname").unwrap_or_default().into())
    }
}
