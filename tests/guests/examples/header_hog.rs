//! Sends a request with as many headers as its config says.

use guests::{Hostile, Next, Value, http, json, number, once, text};

struct HeaderHog;

guests::hostile!(HeaderHog);

impl Hostile for HeaderHog {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let headers: Vec<_> = (0..number(config, "count")).map(|n| json!([format!("x-{n}"), "y"])).collect();
        once(turn, || http::call(&json!({ "url": text(config, "api_url"), "headers": headers })))
    }
}
