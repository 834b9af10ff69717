//! A JSON object that is carried and not read: a schema, a configuration, a state.
//!
//! Text comes in, from a file or a connector; the same text on one line goes out. Numbers, key order and escapes stay
//! as they were written, because nothing is parsed into values and written anew.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON object as text, without insignificant white space.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Box<str>);

impl Document {
    /// Checks that `text` is one JSON object and takes the white space between its tokens out.
    ///
    /// # Errors
    ///
    /// A description that quotes nothing of the text, which may hold secrets.
    pub fn parse(text: &str) -> Result<Self, NotAnObject> {
        let value: &RawValue = serde_json::from_str(text)
            .map_err(|error| NotAnObject(format!("is not valid JSON: {}", describe(&error))))?;
        if !value.get().starts_with('{') {
            return Err(NotAnObject(format!("must be a JSON object, but is {}", kind(value.get()))));
        }
        Ok(Self(compact(value.get()).into()))
    }

    /// An object that says one thing: `{"name":true}`. `name` must need no escape.
    pub(crate) fn flag(name: &str) -> Self {
        Self(format!(r#"{{"{name}":true}}"#).into())
    }

    /// With its text rewritten. `rewrite` must give an object again.
    pub(crate) fn map(&self, rewrite: impl FnOnce(&str) -> String) -> Self {
        Self(rewrite(&self.0).into())
    }

    /// The text, on one line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Document {
    /// Leaves the text out: a configuration holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes)", self.0.len())
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

/// Why a text is not a [`Document`]: the end of a sentence that begins with what the text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnObject(String);

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAnObject {}

/// What a syntax error says, with its place: `serde_json` never quotes the text in those.
fn describe(error: &serde_json::Error) -> String {
    if error.is_eof() && error.line() <= 1 && error.column() == 0 {
        return "it is empty".to_owned();
    }
    error.to_string()
}

/// Names the kind of the JSON value that `text` is, with its article.
pub(crate) fn kind(text: &str) -> &'static str {
    match text.bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Removes white space outside of strings from valid JSON.
fn compact(json: &str) -> String {
    let mut compacted = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in json.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if matches!(character, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = character == '"';
        }
        compacted.push(character);
    }
    compacted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_is_removed() {
        let text = "{\n  \"a b\" : [ 1.50, 1e2 ],\r\n\t\"quote \\\" \\\\\" : \" x \\n \"\n}\n";
        assert_eq!(Document::parse(text).unwrap().as_str(), r#"{"a b":[1.50,1e2],"quote \" \\":" x \n "}"#);
    }

    #[test]
    fn it_is_spliced_when_serialized() {
        let document = Document::parse(r#"{ "amount": 10.00 }"#).unwrap();
        assert_eq!(serde_json::to_string(&[document]).unwrap(), r#"[{"amount":10.00}]"#);
    }

    #[test]
    fn what_is_not_an_object_is_named() {
        let message = |text| Document::parse(text).unwrap_err().to_string();
        assert_eq!(message("[1]"), "must be a JSON object, but is a list");
        assert_eq!(message("\"secret\""), "must be a JSON object, but is a string");
        assert_eq!(message("null"), "must be a JSON object, but is null");
        assert_eq!(message("-1"), "must be a JSON object, but is a number");
        assert_eq!(message(""), "is not valid JSON: it is empty");
        assert_eq!(message("{\"a\":}"), "is not valid JSON: expected value at line 1 column 6");
    }

    #[test]
    fn its_text_is_not_printed_for_debugging() {
        let document = Document::parse(r#"{"api_key":"secret"}"#).unwrap();
        assert_eq!(format!("{document:?}"), "Document(20 bytes)");
    }
}
