//! Returns one batch with as many small records as its config says.

use guests::{Hostile, Next, Value, batch, number};

struct GiantBatch;

guests::hostile!(GiantBatch);

impl Hostile for GiantBatch {
    fn misbehave(config: &Value, turn: u64) -> Next {
        Ok((turn == 0).then(|| batch((0..number(config, "records")).map(|n| format!(r#"{{"n":{n}}}"#)))))
    }
}
