//! Returns a config schema that is not JSON.

use guests::{Hostile, Next, Specification, Value, specification};

struct WrongSpec;

guests::hostile!(WrongSpec);

impl Hostile for WrongSpec {
    fn spec() -> Specification {
        Specification { config_schema: "{\"type\":".into(), ..specification() }
    }

    fn misbehave(_: &Value, _: u64) -> Next {
        Ok(None)
    }
}
