//! The config of a connector: what the user wrote, and what the connector is given in its place.
//!
//! Only the connector knows what it means. The engine reads single fields of it where the
//! connector's specification refers to them.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::json_object::JsonObject;
use crate::schema::ResolvedSchema;
use crate::seal::{Handling, seal};
use crate::secrets::Secrets;
use crate::types::Specification;
use crate::validation;

/// What the user wrote to configure a connector. Its debug form does not show it.
#[derive(Clone, Debug)]
pub struct Config(JsonObject);

/// A config as a connector is given it, and the secrets that it stands for.
#[derive(Debug)]
pub struct SealedConfig {
    pub(crate) config: Config,
    secrets: Secrets,
}

impl SealedConfig {
    /// The properties whose secrets are not masked in records, because words or numbers of the data
    /// may be the same by chance.
    pub(crate) fn unmasked_in_records(&self) -> Vec<String> {
        let secrets = self.secrets.list().iter();
        secrets.filter(|secret| !secret.is_unmistakable()).map(|secret| secret.property.clone()).collect()
    }

    /// The properties that have secrets.
    pub(crate) fn secret_properties(&self) -> impl Iterator<Item = &str> {
        self.secrets.list().iter().map(|secret| secret.property.as_str())
    }

    /// The config, and the secrets.
    pub(crate) fn into_parts(self) -> (Config, Secrets) {
        (self.config, self.secrets)
    }
}

impl From<JsonObject> for Config {
    fn from(object: JsonObject) -> Self {
        Self(object)
    }
}

impl Config {
    /// Parses the text of a config.
    ///
    /// # Errors
    ///
    /// A config error if it is not one JSON object.
    pub fn parse(text: &str) -> Result<Self> {
        JsonObject::parse(text).map(Self).map_err(|problem| Error::config(format!("the config {problem}")))
    }

    /// Validates the config by the connector's schema.
    ///
    /// # Errors
    ///
    /// A config error that names each invalid property, without its value. A system error if the
    /// schema cannot be used.
    pub async fn validate(&self, specification: &Specification) -> Result<()> {
        validation::validate(self.as_str(), specification).await
    }

    /// Replaces every secret by a token. Secrets are the values that the connector's schema marks
    /// as `airbyte_secret`. Requests get the secrets in place of the tokens in their headers, and
    /// nowhere else.
    ///
    /// # Errors
    ///
    /// A config error that names a secret which no header can carry, because it has other
    /// characters than printable ASCII, not counting white space around it. A system error if the
    /// schema has references that lead nowhere, or if there are no random numbers for tokens.
    pub fn seal(&self, specification: &Specification) -> Result<SealedConfig> {
        self.handle(specification, Handling::Seal)
    }

    /// Leaves the secrets as they were written. The connector sees them, and may do with them what
    /// it likes.
    ///
    /// # Errors
    ///
    /// A system error if the schema cannot be read.
    pub fn expose(&self, specification: &Specification) -> Result<SealedConfig> {
        self.handle(specification, Handling::Expose)
    }

    fn handle(&self, specification: &Specification, handling: Handling) -> Result<SealedConfig> {
        // Fails only if the schema has a number that is too large for `serde_json`.
        let schema: Value = serde_json::from_str(specification.config_schema.as_str()).map_err(broken)?;
        let schema = ResolvedSchema::of(&schema)?;
        let (text, secrets) = seal(self.as_str(), &schema, handling)?;
        Ok(SealedConfig { config: Self(JsonObject::parse(&text).map_err(broken)?), secrets })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The top-level fields.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        fields(&self.0)
    }

    /// The object that it is.
    pub(crate) fn object(&self) -> &JsonObject {
        &self.0
    }
}

fn broken(error: impl fmt::Display) -> Error {
    Error::system("the config schema cannot be read").with_internal(error)
}

/// The top-level fields of an object. Empty if it has a number that is too large for `serde_json`.
pub(crate) fn fields(document: &JsonObject) -> Map<String, Value> {
    serde_json::from_str(document.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_errors_do_not_quote_it() {
        let error = Config::parse("\"secret\"").unwrap_err();
        assert_eq!(error.message(), "the config must be a JSON object, but is a string");
        assert!(!Config::parse("{\"api_key\": secret}").unwrap_err().message().contains("secret"));
    }
}
