//! Returns one record with the nesting depth and the innermost value from its config.

use guests::{Hostile, Next, Value, batch, number, text};

struct DeepRecord;

guests::hostile!(DeepRecord);

impl Hostile for DeepRecord {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let lists = number(config, "levels") - 1;
        let (open, close) = ("[".repeat(lists), "]".repeat(lists));
        Ok((turn == 0).then(|| batch([format!(r#"{{"a":{open}{}{close}}}"#, text(config, "within"))])))
    }
}
