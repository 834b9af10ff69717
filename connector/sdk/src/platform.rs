//! The four seams together: everything outside that a source needs.

use std::rc::Rc;

use crate::{clock::Clock, http::Transport, log::Log, progress::Progress};

/// The outside world, handed from room to room.
#[derive(Clone)]
pub struct Platform {
    /// Carries requests.
    pub transport: Rc<dyn Transport>,
    /// Tells the time and waits.
    pub clock: Rc<dyn Clock>,
    /// Takes lines for the person who watches.
    pub log: Rc<dyn Log>,
    /// Takes how a read goes.
    pub progress: Rc<dyn Progress>,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Platform")
    }
}
