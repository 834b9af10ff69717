//! Supports only full refresh, and returns the same checkpoint every time.

use guests::{Batch, Error, Hostile, Next, Stream, SyncMode, Value, batch, stream};

struct OneMode;

guests::hostile!(OneMode);

impl Hostile for OneMode {
    fn discover(_: &Value) -> Result<Vec<Stream>, Error> {
        Ok(vec![Stream { supported_sync_modes: vec![SyncMode::FullRefresh], ..stream("things") }])
    }

    /// The same checkpoint again and again, with records in between.
    fn misbehave(_: &Value, turn: u64) -> Next {
        let again = || Batch { checkpoint: Some(r#"{"n":2}"#.into()), ..batch([r#"{"n":3}"#]) };
        Ok((turn < 10).then(again))
    }
}
