//! One record of a stream, as text that is known to be one JSON object on one line.
//!
//! A connector hands over text; what passes here is spliced into an envelope byte for byte, so this is the only
//! place that stands between a careless connector and a broken line of output.

use memchr::memchr2;
use serde_json::value::RawValue;

use crate::document::kind;

/// One JSON object without a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record(String);

impl Record {
    /// Checks `text` and keeps it as it is.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as the end of a sentence that begins with "a record". Quotes nothing of the text.
    pub fn parse(text: String) -> Result<Self, String> {
        // White space inside of a string is escaped in valid JSON, so a line break is one between tokens.
        if memchr2(b'\n', b'\r', text.as_bytes()).is_some() {
            return Err("has a line break in it".to_owned());
        }
        // Most of what checking costs is this, and there is nearly never anything wrong.
        if json_text::Json::parse(&text).is_ok_and(|value| value.get().len() == text.len())
            && text.starts_with('{')
        {
            return Ok(Self(text));
        }
        // Whatever is wrong, who knows JSON best shall say.
        match serde_json::from_str::<&RawValue>(&text) {
            Err(error) => Err(format!("is not valid JSON: {error}")),
            Ok(_) if text.starts_with('{') => Ok(Self(text)),
            Ok(value) if value.get().starts_with('{') => Err("begins with white space".to_owned()),
            Ok(value) => Err(format!("must be a JSON object, but is {}", kind(value.get()))),
        }
    }

    /// With its text rewritten. `rewrite` must give an object without a line break again.
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
    fn what_would_break_a_line_is_refused() {
        let problem = |text: &str| Record::parse(text.to_owned()).unwrap_err();
        assert_eq!(problem("{\"a\":\n1}"), "has a line break in it");
        assert_eq!(problem("{}\n"), "has a line break in it");
        assert_eq!(problem("[1]"), "must be a JSON object, but is a list");
        assert_eq!(problem(" {}"), "begins with white space");
        assert!(problem("{\"a\":1}{}").starts_with("is not valid JSON: trailing characters"));
        assert!(problem("{\"a\":").starts_with("is not valid JSON: EOF"));
        assert!(problem("").starts_with("is not valid JSON: EOF"));
    }
}
