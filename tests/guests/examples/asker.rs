//! Asks for hosts of its own choice, whatever the config says.

use guests::{Hostile, Next, Specification, Value, specification};

struct Asker;

guests::hostile!(Asker);

impl Hostile for Asker {
    fn spec() -> Specification {
        let hosts = ["https://asked.example", "*.asked.example", "${api_url}"];
        Specification { allowed_hosts: hosts.map(str::to_owned).into(), ..specification() }
    }

    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}
