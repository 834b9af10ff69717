//! Log lines for the person who runs the sync.

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Helps to find out why something happened.
    Debug,
    /// Progress.
    Info,
    /// Something was skipped or is wrong. The read continues.
    Warn,
}

/// Writes log lines.
pub trait Log {
    /// Writes one message, which must not contain a secret.
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
