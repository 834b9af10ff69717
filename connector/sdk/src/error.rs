//! The error type of this crate.

use std::fmt;

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureType {
    /// The user can fix it in the config or at the API.
    Config,
    /// It may pass; a later attempt can succeed.
    Transient,
    /// A defect of the connector or of the API it reads.
    System,
}

/// An error, with one message for the user and one for an engineer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Who can do something about it.
    pub failure_type: FailureType,
    /// What failed and what to do about it, in one or two sentences. Never contains a secret.
    pub message: String,
    /// Details for an engineer. Never contains a secret.
    pub internal_message: Option<String>,
}

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error that the user can fix.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FailureType::Config, message)
    }

    /// Creates an error that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureType::Transient, message)
    }

    /// Creates an error for a defect of the connector or of the API.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(FailureType::System, message)
    }

    /// Creates an error without an internal message.
    pub fn new(failure_type: FailureType, message: impl Into<String>) -> Self {
        Self { failure_type, message: message.into(), internal_message: None }
    }

    /// Sets the internal message.
    #[must_use]
    pub fn internal(mut self, internal_message: impl Into<String>) -> Self {
        self.internal_message = Some(internal_message.into());
        self
    }

    /// Prefixes the message with the name of the stream.
    #[must_use]
    pub fn in_stream(mut self, stream: &str) -> Self {
        self.message = format!("{stream}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_stands_in_front_of_the_message_only() {
        let error = Error::transient("no answer").internal("GET /x").in_stream("plans");
        assert_eq!(error.message, "plans: no answer");
        assert_eq!(error.to_string(), error.message);
        assert_eq!(error.internal_message.as_deref(), Some("GET /x"));
        assert_eq!(error.failure_type, FailureType::Transient);
    }
}
