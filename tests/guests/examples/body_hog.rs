//! Sends a request with an endless body.

use guests::{Hostile, Next, Value, error, http, json, text};
use wasi::http::outgoing_handler::handle;

struct BodyHog;

guests::hostile!(BodyHog);

impl Hostile for BodyHog {
    fn misbehave(config: &Value, _: u64) -> Next {
        let request = json!({ "url": text(config, "api_url"), "method": "POST" });
        let (outgoing, body) = http::prepare(&request).map_err(error)?;
        let _response = handle(outgoing, None);
        let stream = body.write().map_err(|()| error("the body cannot be written"))?;
        while stream.blocking_write_and_flush(&[b'x'; 4096]).is_ok() {}
        Err(error("the body was not taken"))
    }
}
