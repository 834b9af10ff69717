//! The one error of this crate: whose fault it is, and what to tell whom.
//!
//! In come failures of files, components, connectors and the network; out goes what a TRACE message and a line on
//! the terminal need.

use std::fmt;

/// Whose fault a failure is, which decides whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureType {
    /// It may pass: trying again later can succeed.
    Transient,
    /// The person who configured the connector can mend it.
    Config,
    /// A defect of the connector, of the API it reads, or of this host.
    System,
}

/// Why something failed. Never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    failure_type: FailureType,
    message: String,
    internal_message: Option<String>,
    hint: Option<String>,
}

/// Short for a result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure of the given type. `message` is for the person who configured the connector: lower case, no full
    /// stop.
    pub fn new(failure_type: FailureType, message: impl Into<String>) -> Self {
        Self { failure_type, message: message.into(), internal_message: None, hint: None }
    }

    /// A failure that the person who configured the connector can mend.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FailureType::Config, message)
    }

    /// A failure that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureType::Transient, message)
    }

    /// A defect.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(FailureType::System, message)
    }

    /// Adds what an engineer wants to know besides.
    #[must_use]
    pub fn with_internal(mut self, internal_message: impl fmt::Display) -> Self {
        self.internal_message = Some(internal_message.to_string());
        self
    }

    /// Adds what to do about it, as one line.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a reason, a clause that the message goes on with, and whose fault it is if that is
    /// known by it.
    #[must_use]
    pub(crate) fn because(mut self, reason: &str, failure_type: Option<FailureType>) -> Self {
        self.message.push_str("; ");
        self.message.push_str(reason);
        self.failure_type = failure_type.unwrap_or(self.failure_type);
        self
    }

    /// With every text rewritten.
    pub(crate) fn map(&self, rewrite: impl Fn(&str) -> String) -> Self {
        Self {
            failure_type: self.failure_type,
            message: rewrite(&self.message),
            internal_message: self.internal_message.as_deref().map(&rewrite),
            hint: self.hint.as_deref().map(&rewrite),
        }
    }

    /// Whose fault it is.
    pub fn failure_type(&self) -> FailureType {
        self.failure_type
    }

    /// What failed, for the person who configured the connector.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What an engineer wants to know besides.
    pub fn internal_message(&self) -> Option<&str> {
        self.internal_message.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
