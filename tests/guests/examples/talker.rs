//! Logs the `lines` from its config, whatever they are, as often as the config says.

use guests::{Hostile, Level, Next, Value, log, number};

struct Talker;

guests::hostile!(Talker);

impl Hostile for Talker {
    fn misbehave(config: &Value, _: u64) -> Next {
        for line in config["lines"].as_array().into_iter().flatten() {
            log(Level::Info, &line.as_str().unwrap_or_default().repeat(number(config, "times").max(1)));
        }
        Ok(None)
    }
}
