//! The third seam: lines for the person who watches the sync.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For finding out why something happened.
    Debug,
    /// Progress that a person wants to see.
    Info,
    /// Something was skipped or is not as it should be; the read goes on.
    Warn,
}

/// Where log lines go.
pub trait Log {
    /// Writes one message. It must not contain a secret.
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
