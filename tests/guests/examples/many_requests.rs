//! Sends as many requests as its config says, one after another.

use guests::{Hostile, Next, Value, http, json, number, once, text};

struct ManyRequests;

guests::hostile!(ManyRequests);

impl Hostile for ManyRequests {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let request = json!({ "url": text(config, "api_url") });
        let answered =
            || (0..number(config, "count")).filter(|_| http::call(&request)["answer"] == 200).count();
        once(turn, || json!({ "answered": answered() }))
    }
}
