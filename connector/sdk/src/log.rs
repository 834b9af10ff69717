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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[derive(Default)]
    struct Lines(RefCell<Vec<(Level, String)>>);

    impl Log for Lines {
        fn log(&self, level: Level, message: &str) {
            self.0.borrow_mut().push((level, message.to_owned()));
        }
    }

    #[test]
    fn each_message_is_written_at_its_level() {
        let lines = Lines::default();
        lines.debug("a detail");
        lines.info("news");
        lines.warn("a warning");
        let expected = [(Level::Debug, "a detail"), (Level::Info, "news"), (Level::Warn, "a warning")];
        assert_eq!(lines.0.into_inner(), expected.map(|(level, text)| (level, text.to_owned())));
    }
}
