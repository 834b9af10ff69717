//! The platform that a source runs on: network, clock, log and progress.

use std::rc::Rc;

use crate::{clock::Clock, http::Transport, log::Log, progress::Progress};

/// Everything outside of the connector that a source uses.
#[derive(Clone)]
pub struct Platform {
    /// Sends requests.
    pub transport: Rc<dyn Transport>,
    /// Returns the time and sleeps.
    pub clock: Rc<dyn Clock>,
    /// Takes log messages.
    pub log: Rc<dyn Log>,
    /// Takes progress reports.
    pub progress: Rc<dyn Progress>,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Platform")
    }
}
