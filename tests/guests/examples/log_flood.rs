//! Logs without end, at the level from its config.

use guests::{Hostile, Level, Next, Value, log, text};

struct LogFlood;

guests::hostile!(LogFlood);

impl Hostile for LogFlood {
    fn misbehave(config: &Value, _: u64) -> Next {
        let level = if text(config, "level") == "trace" { Level::Trace } else { Level::Info };
        loop {
            log(level, "again");
        }
    }
}
