//! The error of the engine: whose fault a failure is, what happened, and what can be done about it.
//!
//! Texts state facts. What somebody can change about a failure is typed ([`Remedy`]), so that each
//! program can say it in its own words, such as the name of a flag.

use std::fmt;

use crate::limits::Limit;

/// Whose fault a failure is. This decides whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureType {
    /// It may pass: trying again later can succeed.
    Transient,
    /// The person who configured the connector can fix it.
    Config,
    /// A defect of the connector, of the API it reads, or of this host.
    System,
}

/// Why something failed. Never contains a secret of the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    failure_type: FailureType,
    message: String,
    internal_message: Option<String>,
    hint: Option<String>,
    remedy: Option<Remedy>,
}

/// A change to the engine's settings that would have prevented a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Give the connector more.
    RaiseLimit(Limit),
    /// Trust more certificates, if the one that was refused is known to be right.
    TrustCertificates {
        /// An environment variable that names certificates, and that is not used.
        ignored: Option<&'static str>,
    },
    /// Use the proxy that the environment names.
    UseEnvironmentProxy,
    /// Give the connector the secrets of its config instead of tokens.
    ExposeSecrets,
}

/// Short for a result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure of the given type. `message` is for the person who configured the connector: lower
    /// case, no full stop.
    pub fn new(failure_type: FailureType, message: impl Into<String>) -> Self {
        Self { failure_type, message: message.into(), internal_message: None, hint: None, remedy: None }
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

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds what an engineer needs to know.
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

    /// Adds what change of settings would help.
    #[must_use]
    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Appends a reason to the message, and replaces the failure type if the reason decides it.
    #[must_use]
    pub(crate) fn because(mut self, reason: &str, failure_type: Option<FailureType>) -> Self {
        self.message.push_str("; ");
        self.message.push_str(reason);
        self.failure_type = failure_type.unwrap_or(self.failure_type);
        self
    }

    /// The same error with every text rewritten.
    #[must_use]
    pub fn map_texts(&self, rewrite: impl Fn(&str) -> String) -> Self {
        Self {
            failure_type: self.failure_type,
            message: rewrite(&self.message),
            internal_message: self.internal_message.as_deref().map(&rewrite),
            hint: self.hint.as_deref().map(&rewrite),
            remedy: self.remedy,
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

    /// What an engineer needs to know.
    pub fn internal_message(&self) -> Option<&str> {
        self.internal_message.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What change of settings would help.
    pub fn remedy(&self) -> Option<Remedy> {
        self.remedy
    }

    /// The limit that the connector exceeded, if that is why it was stopped.
    pub fn limit(&self) -> Option<Limit> {
        match self.remedy {
            Some(Remedy::RaiseLimit(limit)) => Some(limit),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
