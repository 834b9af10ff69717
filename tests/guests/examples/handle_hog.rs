//! Allocates host resources without end, of the kind that its config names.

use std::mem;

use guests::{Hostile, Next, Value, text};
use wasi::clocks::monotonic_clock::subscribe_duration;
use wasi::http::types::{Fields, OutgoingRequest, RequestOptions};

struct HandleHog;

guests::hostile!(HandleHog);

impl Hostile for HandleHog {
    fn misbehave(config: &Value, _: u64) -> Next {
        let kind = text(config, "kind");
        loop {
            match kind {
                "pollables" => mem::forget(subscribe_duration(u64::MAX)),
                "headers" => mem::forget(Fields::new()),
                "requests" => mem::forget(OutgoingRequest::new(Fields::new())),
                "options" => mem::forget(RequestOptions::new()),
                other => panic!("{other} is no kind of handle"),
            }
        }
    }
}
