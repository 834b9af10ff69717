//! Returns small batches without end. A `quiet` batch is empty.

use guests::{Hostile, Next, Value, batch};

struct BatchFlood;

guests::hostile!(BatchFlood);

impl Hostile for BatchFlood {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let quiet = config["quiet"] == true;
        Ok(Some(batch((!quiet).then(|| format!(r#"{{"n":{turn}}}"#)))))
    }
}
