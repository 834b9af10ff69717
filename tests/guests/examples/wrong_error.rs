//! Fails in every function with the message from its config, repeated as often as it says.

use guests::{Error, FailureType, Hostile, Next, Value, number, text};

struct WrongError;

guests::hostile!(WrongError);

impl Hostile for WrongError {
    fn check(config: &Value) -> Result<(), Error> {
        Err(Error { failure_type: FailureType::Config, ..failure(config) })
    }

    fn misbehave(config: &Value, _: u64) -> Next {
        Err(failure(config))
    }
}

fn failure(config: &Value) -> Error {
    let message = text(config, "message").repeat(number(config, "times").max(1));
    Error { failure_type: FailureType::System, internal_message: Some(message.clone()), message }
}
