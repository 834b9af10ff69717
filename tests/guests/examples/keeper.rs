//! Has as many streams as its config says, each of which returns a large state, and empty records.

use guests::{Batch, Error, Hostile, Next, Stream, Value, batch, number, stream};

struct Keeper;

guests::hostile!(Keeper);

impl Hostile for Keeper {
    fn discover(config: &Value) -> Result<Vec<Stream>, Error> {
        Ok((0..number(config, "streams")).map(|at| stream(&format!("s{at}"))).collect())
    }

    fn misbehave(config: &Value, turn: u64) -> Next {
        if turn > 0 {
            return Ok(None);
        }
        let state = format!(r#"{{"kept":"{}"}}"#, "x".repeat(number(config, "bytes")));
        let records = vec!["{}"; number(config, "records")];
        Ok(Some(Batch { checkpoint: Some(state), ..batch(records) }))
    }
}
