//! Requests more random bytes than fit in memory.

use guests::{Hostile, Next, Value, once};
use wasi::random::random::get_random_bytes;

struct RandomHog;

guests::hostile!(RandomHog);

impl Hostile for RandomHog {
    fn misbehave(_: &Value, turn: u64) -> Next {
        once(turn, || get_random_bytes(1 << 40).len().into())
    }
}
