//! One record of a stream: text that is known to be one JSON object on one line.
//!
//! A connector returns text, and the output splices it into an envelope byte for byte. So this is
//! the only place that stands between a careless connector and a broken line of output.

use std::fmt;

use json_text::Json;
use memchr::memchr2;
use serde_json::value::RawValue;

use crate::json_object::kind;

/// One JSON object without a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record(String);

/// Why a text is not a [`Record`], as a predicate: "has a line break in it". Quotes nothing of the
/// text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotARecord(String);

impl fmt::Display for NotARecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotARecord {}

impl Record {
    /// Checks `text`, and keeps it as it is.
    ///
    /// # Errors
    ///
    /// If the text is not one JSON object on one line.
    pub fn parse(text: String) -> Result<Self, NotARecord> {
        // Within a string of valid JSON, a line break is escaped, so this is one between tokens.
        if memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
            return Err(NotARecord("has a line break in it".to_owned()));
        }
        // This is most of what checking costs, and there is hardly ever anything wrong.
        if text.starts_with('{') && Json::parse(&text).is_ok_and(|value| value.get().len() == text.len()) {
            return Ok(Self(text));
        }
        // serde_json words its errors better.
        let problem = match serde_json::from_str::<&RawValue>(&text) {
            Err(error) => format!("is not valid JSON: {error}"),
            Ok(_) if text.starts_with('{') => return Ok(Self(text)),
            Ok(value) if value.get().starts_with('{') => "begins with white space".to_owned(),
            Ok(value) => format!("must be a JSON object, but is {}", kind(value.get())),
        };
        Err(NotARecord(problem))
    }

    /// Rewrites the text. `rewrite` must return an object without a line break again.
    pub(crate) fn map(&self, rewrite: impl FnOnce(&str) -> String) -> Self {
        Self(rewrite(&self.0))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_byte_for_byte() {
        let text = r#"{"id":"1", "amount":10.00 , "note":"line\nbreak"}"#;
        assert_eq!(Record::parse(text.to_owned()).unwrap().as_str(), text);
    }

    #[test]
    fn what_would_break_a_line_is_rejected() {
        let problem = |text: &str| Record::parse(text.to_owned()).unwrap_err().to_string();
        assert_eq!(problem("{\"a\":\n1}"), "has a line break in it");
        assert_eq!(problem("{}\n"), "has a line break in it");
        assert_eq!(problem("[1]"), "must be a JSON object, but is a list");
        assert_eq!(problem(" {}"), "begins with white space");
        assert!(problem("{\"a\":1}{}").starts_with("is not valid JSON: trailing characters"));
        assert!(problem("{\"a\":").starts_with("is not valid JSON: EOF"));
        assert!(problem("").starts_with("is not valid JSON: EOF"));
    }
}
