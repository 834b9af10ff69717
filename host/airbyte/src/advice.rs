//! How a program words what its user can do about failures.

use elt_host::Error;
use elt_host::events::Denial;

/// Words failures for the user of a program. The engine states facts; only the program knows what
/// its settings are called. The default adds nothing.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// Adds to an error of the engine what its [remedy](Error::remedy) is called.
    pub error: fn(Error) -> Error,
    /// The log line for a denial.
    pub denial: fn(&Denial) -> String,
}

impl Default for Advice {
    fn default() -> Self {
        Self { error: |error| error, denial: ToString::to_string }
    }
}
