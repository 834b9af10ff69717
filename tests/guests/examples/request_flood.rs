//! Sends as many requests as its config says, all at once, and then waits for the answers.

use guests::{Hostile, Next, Value, http, json, number, once, text};

struct RequestFlood;

guests::hostile!(RequestFlood);

impl Hostile for RequestFlood {
    fn misbehave(config: &Value, turn: u64) -> Next {
        let request = json!({ "url": text(config, "api_url") });
        let sent: Vec<_> = (0..number(config, "count")).map(|_| http::send(&request)).collect();
        let answers = sent.into_iter().map(|response| response.and_then(http::receive));
        let answered = answers.filter(|answer| answer.as_ref().is_ok_and(|a| a["answer"] == 200)).count();
        once(turn, || json!({ "answered": answered }))
    }
}
