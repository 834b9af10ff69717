//! Returns the `record` and the `checkpoint` from its config, valid or not.

use guests::{Batch, Hostile, Next, Value, batch};

struct Echo;

guests::hostile!(Echo);

impl Hostile for Echo {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let said = |property: &str| config[property].as_str().map(str::to_owned);
        Ok((turn == 0).then(|| Batch { checkpoint: said("checkpoint"), ..batch(said("record")) }))
    }
}
