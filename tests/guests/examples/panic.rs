//! Panics with a secret in the message.

use guests::{Hostile, Next, Value, text};

struct Panic;

guests::hostile!(Panic);

impl Hostile for Panic {
    fn misbehave(config: &Value, _: u64) -> Next {
        panic!("on purpose, with the key {}", text(config, "api_key"))
    }
}
