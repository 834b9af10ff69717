//! The configuration of a connector: a file comes in, the text that the connector is given goes out.
//!
//! Only the connector knows what it means. The host reads single fields of it where the connector's specification
//! refers to them.

use std::fmt;
use std::path::Path;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::contract::Specification;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::file;
use crate::seal::{Handling, seal};
use crate::secrets::Secrets;
use crate::validation::validate;

/// What the user wrote to configure a connector. Its debug form does not show it.
#[derive(Clone, Debug)]
pub struct Config(Document);

/// A configuration as a connector is given it, and the secrets that it stands for.
#[derive(Debug)]
pub struct SealedConfig {
    pub(crate) config: Config,
    pub(crate) secrets: Secrets,
}

impl SealedConfig {
    /// The properties that hold secrets which records are not searched for, because words or
    /// numbers of the data may be the same by chance.
    pub fn unsearched(&self) -> impl Iterator<Item = &str> {
        let secrets = self.secrets.list().iter();
        secrets.filter(|secret| !secret.is_unmistakable()).map(|secret| secret.property.as_str())
    }
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or is not one JSON object.
    pub fn load(path: &Path) -> Result<Self> {
        let text = file::load("the configuration file", path)?;
        parse(&text, &format!("the configuration file {}", path.display()))
    }

    /// Takes the text of a configuration.
    ///
    /// # Errors
    ///
    /// A config error if it is not one JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text, "the configuration")
    }

    /// Checks it by the connector's own schema.
    ///
    /// # Errors
    ///
    /// A config error that names each property that is wrong, without its value; a system error if the schema cannot be
    /// used.
    pub fn validate(&self, specification: &Specification) -> Result<()> {
        validate(self.as_str(), specification)
    }

    /// Puts a token in the place of every secret, which is every value that the connector's schema marks as
    /// `airbyte_secret`. The values are put into the headers of requests where the tokens stand, and nowhere else.
    ///
    /// # Errors
    ///
    /// A config error that names a secret which no header can carry: between white space around it,
    /// which is taken off, it has other characters than printable ASCII. A system error if there
    /// are no random numbers to make tokens of.
    pub fn seal(&self, specification: &Specification) -> Result<SealedConfig> {
        self.handle(specification, Handling::Seal)
    }

    /// Leaves the secrets where they are, as they were written: the connector sees them, and may do
    /// with them what it likes.
    ///
    /// # Errors
    ///
    /// A system error if the schema cannot be read.
    pub fn expose(&self, specification: &Specification) -> Result<SealedConfig> {
        self.handle(specification, Handling::Expose)
    }

    fn handle(&self, specification: &Specification, handling: Handling) -> Result<SealedConfig> {
        // Fails only at a number too large for this crate in the schema. Nothing is sealed by half a schema.
        let schema: Value = serde_json::from_str(specification.config_schema.as_str()).map_err(broken)?;
        let config: &RawValue = serde_json::from_str(self.as_str()).map_err(broken)?;
        let (text, secrets) = seal(config, &schema, handling)?;
        Ok(SealedConfig { config: Self(Document::parse(&text).map_err(broken)?), secrets })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The value of a top-level field, if it is text.
    pub(crate) fn text_field(&self, name: &str) -> Option<String> {
        match fields(&self.0).remove(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

fn broken(error: impl fmt::Display) -> Error {
    Error::system("the schema of the configuration cannot be read").with_internal(error)
}

fn parse(text: &str, what: &str) -> Result<Config> {
    Document::parse(text).map(Config).map_err(|error| Error::config(format!("{what} {error}")))
}

/// The top-level fields of a document. Empty where numbers are too large for this crate to read them.
pub(crate) fn fields(document: &Document) -> Map<String, Value> {
    serde_json::from_str(document.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_errors_do_not_quote_it() {
        let error = Config::parse("\"secret\"").unwrap_err();
        assert_eq!(error.message(), "the configuration must be a JSON object, but is a string");
        assert!(!Config::parse("{\"api_key\": secret}").unwrap_err().message().contains("secret"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nonexistent/config.json")).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("the configuration file /nonexistent/config.json cannot be read: No such file")
        );
    }

    #[test]
    fn only_text_fields_are_read() {
        let config = Config::parse(r#"{"api_url":"https://example.com","days":3}"#).unwrap();
        assert_eq!(config.text_field("api_url").as_deref(), Some("https://example.com"));
        assert_eq!(config.text_field("days"), None);
        assert_eq!(config.text_field("missing"), None);
    }
}
