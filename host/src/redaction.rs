//! What must not be shown: secrets come in when a configuration is sealed, messages and texts go through.
//!
//! A connector does not know the secrets, but servers repeat what they are sent, and a person may have written one where
//! it does not belong. Tokens are hidden too: to whoever reads the output they are noise.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::document::Document;
use crate::message::Message;
use crate::secrets::Secret;

/// What stands in the place of a secret, as in Airbyte's own connectors.
const MASK: &str = "****";
/// Bytes of the shortest text that is hidden: what is shorter stands everywhere by chance.
const SHORTEST: usize = 4;

/// The texts to hide, shared by all who write. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Redaction(Arc<RwLock<Hidden>>);

#[derive(Debug, Default)]
struct Hidden {
    texts: Vec<String>,
    matcher: Option<Arc<AhoCorasick>>,
}

impl Redaction {
    /// Hides these secrets from now on, in the forms in which they are commonly written.
    pub(crate) fn add(&self, secrets: &[Secret]) {
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            let escaped = escape(&secret.value);
            hidden.texts.extend([
                secret.token.clone(),
                escaped.replace('/', r"\/"),
                // JSON within JSON.
                escape(&escaped),
                escaped,
                BASE64_STANDARD.encode(&secret.value),
                url_encoded(&secret.value),
                url_encoded(&secret.value).replace('+', "%20"),
                secret.value.clone(),
            ]);
        }
        hidden.texts.retain(|text| text.len() >= SHORTEST);
        hidden.texts.sort_unstable();
        hidden.texts.dedup();
        // The longest of several that begin at the same place, so that nothing is left of it.
        let matcher = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&hidden.texts);
        hidden.matcher = matcher.ok().filter(|_| !hidden.texts.is_empty()).map(Arc::new);
    }

    /// `text` without secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.matcher() {
            Some(matcher) if matcher.is_match(text) => Cow::Owned(mask(&matcher, text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// `message` without secrets, if there are any in its `lines`. What is masked is what the connector and its server
    /// said, never the words of the protocol.
    pub(crate) fn message(&self, message: &Message, lines: &[u8]) -> Option<Message> {
        let matcher = self.matcher().filter(|matcher| matcher.is_match(lines))?;
        let text = |text: &str| mask(&matcher, text);
        let document = |document: &Document| document.map(|text| mask_json(&matcher, text));
        let mut message = message.clone();
        match &mut message {
            Message::Records { records, .. } => {
                for record in records {
                    *record = record.map(|text| mask_json(&matcher, text));
                }
            }
            Message::State { state, .. } => *state = document(state),
            Message::Log { message, .. } | Message::ConnectionStatus(Err(message)) => {
                *message = text(message);
            }
            Message::Error { error, .. } => *error = error.map(text),
            Message::Spec(specification) => {
                specification.config_schema = document(&specification.config_schema);
                specification.documentation_url = specification.documentation_url.as_deref().map(text);
            }
            Message::Catalog(streams) => {
                for stream in streams {
                    stream.name = text(&stream.name);
                    stream.json_schema = document(&stream.json_schema);
                    for name in stream.cursor_field.iter_mut().chain(stream.primary_key.iter_mut().flatten())
                    {
                        *name = text(name);
                    }
                }
            }
            Message::ConnectionStatus(Ok(())) | Message::StreamStatus { .. } | Message::Slices { .. } => {}
        }
        Some(message)
    }

    fn matcher(&self) -> Option<Arc<AhoCorasick>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).matcher.clone()
    }
}

fn mask(matcher: &AhoCorasick, text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    matcher.replace_all_with(text, &mut masked, |_, _, masked| {
        masked.push_str(MASK);
        true
    });
    masked
}

/// Masks the strings of a JSON text, and the numbers that hold a secret, which become strings. It stays JSON, and what
/// holds no secret stays as it is.
fn mask_json(matcher: &AhoCorasick, text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '-' | '0'..='9' => rest
                .find(|next: char| !next.is_ascii_alphanumeric() && !"+-.".contains(next))
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '"' => masked += &mask_string(matcher, token),
            '-' | '0'..='9' if matcher.is_match(token) => masked += &format!("\"{MASK}\""),
            _ => masked += token,
        }
        rest = after;
    }
    masked
}

/// Masks one JSON string, quotes included. What looks like a secret may begin within an escape, so what it decodes to
/// decides; its escapes stay as they were written where that gives the same.
fn mask_string<'t>(matcher: &AhoCorasick, token: &'t str) -> Cow<'t, str> {
    if !matcher.is_match(token) {
        return token.into();
    }
    let Ok(decoded) = serde_json::from_str::<String>(token) else {
        // Half of a surrogate pair. There is nothing to keep of a string with a secret beside it.
        return format!("\"{MASK}\"").into();
    };
    let wanted = mask(matcher, &decoded);
    let as_written = mask(matcher, token);
    match serde_json::from_str::<String>(&as_written) {
        Ok(masked) if masked == wanted => as_written.into(),
        _ if decoded == wanted => token.into(),
        _ => Value::from(wanted).to_string().into(),
    }
}

/// Bytes of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// As within a JSON string.
fn escape(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As in the query of a URL.
fn url_encoded(text: &str) -> String {
    reqwest::Url::parse_with_params("a:", [("", text)])
        .ok()
        .and_then(|url| Some(url.query()?.trim_start_matches('=').to_owned()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn redaction(values: &[&str]) -> Redaction {
        let redaction = Redaction::default();
        for value in values {
            redaction.add(&[Secret { token: format!("token-of-{value}"), value: (*value).to_owned() }]);
        }
        redaction
    }

    fn json(values: &[&str], text: &str) -> String {
        mask_json(&redaction(values).matcher().unwrap(), text)
    }

    #[test]
    fn json_stays_json() {
        assert_eq!(json(&["key1"], r#"{"a":"xkey1y","key1":1.50}"#), r#"{"a":"x****y","****":1.50}"#);
        assert_eq!(
            json(&["12345"], r#"{"a":12345,"b":-1.123456,"c":"12345"}"#),
            r#"{"a":"****","b":"****","c":"****"}"#
        );
        for unchanged in [
            (&["true", "null"][..], r#"{"a":true,"b":null}"#),
            (&[r#"x","y"#], r#"{"a":"x","y":"\"x"}"#),
            // The n is half of an escape.
            (&["nabc"], r#"{"a":"x\nabc"}"#),
        ] {
            assert_eq!(json(unchanged.0, unchanged.1), unchanged.1);
        }
        assert_eq!(
            json(&[r#"abc""#, r"cde\"], r#"{"a":"xabc","b":"cde\"","c":"cde\\"}"#),
            r#"{"a":"xabc","b":"cde\"","c":"****"}"#
        );
        assert_eq!(json(&["key1"], r#"{"a":"\ud800key1","b":"\ud800"}"#), r#"{"a":"****","b":"\ud800"}"#);
        assert_eq!(json(&[r#"a"bc"#], r#"{"a":"{\"b\":\"a\\\"bc\"}"}"#), r#"{"a":"{\"b\":\"****\"}"}"#);
    }

    #[test]
    fn what_the_connector_said_is_masked_and_the_words_of_the_protocol_are_not() {
        let redaction = redaction(&["type", "0000"]);
        let message = Message::Error {
            error: Error::system("type").with_internal("0000"),
            stream: None,
            emitted_at: 0,
        };
        let Some(Message::Error { error, .. }) = redaction.message(&message, br#"{"type":"TRACE"}"#) else {
            panic!("nothing was masked");
        };
        assert_eq!((error.message(), error.internal_message()), (MASK, Some(MASK)));
        assert!(redaction.message(&message, b"nothing").is_none());
    }

    #[test]
    fn of_two_the_longer_is_hidden() {
        assert_eq!(redaction(&["long", "longer"]).text("a longer one"), "a **** one");
    }

    #[test]
    fn what_is_too_short_to_be_meant_is_shown() {
        assert_eq!(redaction(&["abc", ""]).text("abc"), "abc");
    }
}
