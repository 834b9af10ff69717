//! Asks for hosts that it makes of single words of the config: `ip` with `port`, and everything
//! below `tld`. Calls the `url` in its config.

use guests::{Hostile, Next, Specification, Value, http, once, specification};

struct WideHosts;

guests::hostile!(WideHosts);

impl Hostile for WideHosts {
    fn spec() -> Specification {
        let hosts = ["${api_url}", "http://${ip}:${port}", "*.${tld}"];
        Specification { allowed_hosts: hosts.map(Into::into).into(), ..specification() }
    }

    fn misbehave(config: &Value, turn: u64) -> Next {
        once(turn, || http::call(config))
    }
}
