//! The outside world, as a source sees it: four traits.

use std::rc::Rc;

use crate::{clock::Clock, http::Transport, log::Log, progress::Progress};

/// The outside world.
#[derive(Clone)]
pub struct Platform {
    /// Sends requests.
    pub transport: Rc<dyn Transport>,
    /// Tells the time and waits.
    pub clock: Rc<dyn Clock>,
    /// Writes log lines.
    pub log: Rc<dyn Log>,
    /// Takes the progress of a read.
    pub progress: Rc<dyn Progress>,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Platform")
    }
}
