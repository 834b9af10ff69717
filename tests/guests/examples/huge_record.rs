//! Returns one record with as many bytes as its config says.

use guests::{Hostile, Next, Value, batch, number};

struct HugeRecord;

guests::hostile!(HugeRecord);

/// The bytes around the padding.
const FRAME: &str = r#"{"a":""}"#;

impl Hostile for HugeRecord {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let padding = "x".repeat(number(config, "bytes").saturating_sub(FRAME.len()));
        Ok((turn == 0).then(|| batch([format!(r#"{{"a":"{padding}"}}"#)])))
    }
}
