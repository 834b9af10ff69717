//! Reports ten thousand endless rate limits and slices per turn.

use guests::{Hostile, Next, Value, once, progress};

struct ProgressFlood;

guests::hostile!(ProgressFlood);

impl Hostile for ProgressFlood {
    fn misbehave(_: &Value, turn: u64) -> Next {
        for round in 0..10_000 {
            progress::rate_limited(u64::MAX);
            progress::slices(u64::MAX, Some(round));
        }
        once(turn, || guests::json!({ "n": 3 }))
    }
}
