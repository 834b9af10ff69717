//! Secrets of the config, which are sent to the API and never shown.

use std::fmt;

/// Shorter secrets are not redacted, because they would match anywhere.
const MIN_REDACTED: usize = 4;

/// A string that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// Returns the value. Only the code that sends it may call this.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Removes the secret from a text, since a server may repeat it. Secrets of fewer than four
    /// bytes stay.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < MIN_REDACTED { text.to_owned() } else { text.replace(self.expose(), "[secret]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_is_removed_from_texts() {
        let secret = Secret::new("hidden");
        assert_eq!(format!("{secret:?}"), "[secret]");
        assert_eq!(secret.redact("no hidden key, hidden"), "no [secret] key, [secret]");
    }

    #[test]
    fn a_secret_that_would_match_anywhere_is_not_removed() {
        assert_eq!(Secret::new("abc").redact("abcd"), "abcd");
        assert_eq!(Secret::new("").redact("abcd"), "abcd");
        assert_eq!(Secret::new("abcd").redact("abcde"), "[secret]e");
    }
}
