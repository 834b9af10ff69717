//! Sleeps forever.

use guests::{Hostile, Next, Value};
use wasi::clocks::monotonic_clock::subscribe_duration;

struct EndlessWait;

guests::hostile!(EndlessWait);

impl Hostile for EndlessWait {
    fn misbehave(_: &Value, _: u64) -> Next {
        loop {
            subscribe_duration(u64::MAX).block();
        }
    }
}
