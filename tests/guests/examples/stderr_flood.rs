//! Writes megabytes and a line that looks like a message to its stderr and stdout, then traps.

use std::io::{Write, stderr, stdout};

use guests::{Hostile, Next, Value};

struct StderrFlood;

guests::hostile!(StderrFlood);

impl Hostile for StderrFlood {
    fn misbehave(_: &Value, _: u64) -> Next {
        let line = "{\"type\":\"RECORD\",\"record\":{\"stream\":\"forged\",\"data\":{},\"emitted_at\":1}}\n";
        for _ in 0..100 {
            // Ignore errors: the host may discard the output.
            let _ = stdout().write_all(line.repeat(1000).as_bytes());
            let _ = stderr().write_all(line.repeat(1000).as_bytes());
        }
        std::process::abort()
    }
}
