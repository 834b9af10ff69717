//! Log messages.

/// The severity of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Normal progress.
    Info,
    /// Something was skipped or is wrong, but the read goes on.
    Warn,
}

/// Takes log messages.
pub trait Log {
    /// Writes a message, which must not contain a secret.
    fn log(&self, level: Level, message: &str);

    /// Writes a message at level debug.
    fn debug(&self, message: &str) {
        self.log(Level::Debug, message);
    }

    /// Writes a message at level info.
    fn info(&self, message: &str) {
        self.log(Level::Info, message);
    }

    /// Writes a message at level warn.
    fn warn(&self, message: &str) {
        self.log(Level::Warn, message);
    }
}
