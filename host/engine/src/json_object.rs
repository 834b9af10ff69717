//! A JSON object that is carried and not read: a schema, a config, a state.
//!
//! Numbers, key order and escapes stay as they were written, because nothing is parsed into values
//! and written anew.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// One JSON object as text, without insignificant white space.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonObject(Box<str>);

impl JsonObject {
    /// Checks that `text` is one JSON object, and removes the white space between its tokens.
    ///
    /// # Errors
    ///
    /// If it is not. The error quotes nothing of the text, which may hold secrets.
    pub fn parse(text: &str) -> Result<Self, NotAnObject> {
        let value: &RawValue = serde_json::from_str(text)
            .map_err(|error| NotAnObject(format!("is not valid JSON: {}", describe(&error))))?;
        if !value.get().starts_with('{') {
            return Err(NotAnObject(format!("must be a JSON object, but is {}", kind(value.get()))));
        }
        Ok(Self(json_text::compact(value.get()).into()))
    }

    /// The same for a text that the connector returned as `what`, such as "a checkpoint".
    ///
    /// # Errors
    ///
    /// A system error: a connector that returns anything else is defective.
    pub(crate) fn returned(what: &str, text: &str) -> Result<Self> {
        Self::parse(text)
            .map_err(|problem| Error::system(format!("{what} that the connector returned {problem}")))
    }

    /// The object `{"name":true}`. `name` must need no escape.
    pub fn flag(name: &str) -> Self {
        Self(format!(r#"{{"{name}":true}}"#).into())
    }

    /// The text, on one line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for JsonObject {
    /// Leaves the text out: a config contains secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonObject({} bytes)", self.0.len())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

/// Why a text is not a [`JsonObject`], as a predicate: "must be a JSON object, but is a list".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnObject(String);

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAnObject {}

/// The text of a syntax error, with its place. `serde_json` never quotes the JSON in those.
fn describe(error: &serde_json::Error) -> String {
    if error.is_eof() && error.line() <= 1 && error.column() == 0 {
        return "it is empty".to_owned();
    }
    error.to_string()
}

/// The kind of a JSON value, with its article: "a list".
pub fn kind(text: &str) -> &'static str {
    match text.bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spliced_when_serialized() {
        let document = JsonObject::parse(r#"{ "amount": 10.00 }"#).unwrap();
        assert_eq!(serde_json::to_string(&[document]).unwrap(), r#"[{"amount":10.00}]"#);
    }

    #[test]
    fn what_is_not_an_object_is_named() {
        let message = |text| JsonObject::parse(text).unwrap_err().to_string();
        assert_eq!(message("[1]"), "must be a JSON object, but is a list");
        assert_eq!(message("\"secret\""), "must be a JSON object, but is a string");
        assert_eq!(message("null"), "must be a JSON object, but is null");
        assert_eq!(message("-1"), "must be a JSON object, but is a number");
        assert_eq!(message(""), "is not valid JSON: it is empty");
        assert_eq!(message("{\"a\":}"), "is not valid JSON: expected value at line 1 column 6");
    }

    #[test]
    fn its_text_is_not_printed_for_debugging() {
        let document = JsonObject::parse(r#"{"api_key":"secret"}"#).unwrap();
        assert_eq!(format!("{document:?}"), "JsonObject(20 bytes)");
    }
}
