//! What must not be shown: secrets come in when a configuration is sealed, messages and texts go through.
//!
//! A connector does not know the secrets, but servers repeat what they are sent, and a person may have written one where
//! it does not belong. Tokens are hidden too: to whoever reads the output they are noise.
//!
//! Log lines and errors are for people, so whatever may be a secret is hidden in them. Data is for
//! programs, so it is altered only where it can be nothing but a secret: strings are searched for
//! tokens and for values that are [unmistakable](Secret::is_unmistakable), numbers are never
//! touched. States are not altered at all, because a connector could not read them again: one with
//! a secret in it is an error.

use std::borrow::Cow;
use std::fmt;
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
    /// In what people read.
    prose: Texts,
    /// In what programs read.
    data: Texts,
}

/// Texts that are searched for at once.
#[derive(Debug, Default)]
struct Texts {
    texts: Vec<String>,
    matcher: Option<Arc<AhoCorasick>>,
}

impl Texts {
    fn add(&mut self, texts: impl IntoIterator<Item = String>) {
        self.texts.extend(texts);
        self.texts.retain(|text| text.len() >= SHORTEST);
        self.texts.sort_unstable();
        self.texts.dedup();
        // The longest of several that begin at the same place, so that nothing is left of it.
        let matcher = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&self.texts);
        self.matcher = matcher.ok().filter(|_| !self.texts.is_empty()).map(Arc::new);
    }
}

/// A state has a secret in it. It can neither be shown nor altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SecretInState;

impl fmt::Display for SecretInState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the state has a secret of the configuration in it, which must be neither shown nor altered",
        )
    }
}

impl std::error::Error for SecretInState {}

impl Redaction {
    /// Hides these secrets from now on, in the forms in which they are commonly written.
    pub(crate) fn add(&self, secrets: &[Secret]) {
        let mut hidden = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            hidden.prose.add(forms(secret));
            if secret.is_unmistakable() {
                hidden.data.add(forms(secret));
            } else if secret.token != secret.value {
                hidden.data.add([secret.token.clone()]);
            }
        }
    }

    /// `text`, which is for people, without secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.prose() {
            Some(matcher) if matcher.is_match(text) => Cow::Owned(mask(&matcher, text)),
            _ => Cow::Borrowed(text),
        }
    }

    /// Checks that a state can be shown and kept as it is.
    ///
    /// # Errors
    ///
    /// [`SecretInState`] if there is a secret in it.
    pub(crate) fn check(&self, state: &Document) -> Result<(), SecretInState> {
        let Some(matcher) = self.data() else { return Ok(()) };
        match mask_json(&matcher, state.as_str()) {
            masked if masked == state.as_str() => Ok(()),
            _ => Err(SecretInState),
        }
    }

    /// `message` without secrets, if there are any in its `lines`. What is masked is what the connector and its server
    /// said, never the words of the protocol.
    ///
    /// # Errors
    ///
    /// [`SecretInState`] for a state with a secret in it.
    pub(crate) fn message(&self, message: &Message, lines: &[u8]) -> Result<Option<Message>, SecretInState> {
        let matcher = if message.is_data() { self.data() } else { self.prose() };
        let Some(matcher) = matcher.filter(|matcher| matcher.is_match(lines)) else { return Ok(None) };
        let text = |text: &str| mask(&matcher, text);
        let document = |document: &Document| document.map(|text| mask_json(&matcher, text));
        let mut message = message.clone();
        match &mut message {
            Message::Records { records, .. } => {
                for record in records {
                    *record = record.map(|text| mask_json(&matcher, text));
                }
            }
            Message::State { state, .. } => self.check(state)?,
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
        Ok(Some(message))
    }

    fn prose(&self) -> Option<Arc<AhoCorasick>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).prose.matcher.clone()
    }

    fn data(&self) -> Option<Arc<AhoCorasick>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).data.matcher.clone()
    }
}

/// The token of a secret, and its value as it is commonly written.
fn forms(secret: &Secret) -> [String; 8] {
    let escaped = escape(&secret.value);
    [
        secret.token.clone(),
        escaped.replace('/', r"\/"),
        // JSON within JSON.
        escape(&escaped),
        escaped,
        BASE64_STANDARD.encode(&secret.value),
        url_encoded(&secret.value),
        url_encoded(&secret.value).replace('+', "%20"),
        secret.value.clone(),
    ]
}

fn mask(matcher: &AhoCorasick, text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    matcher.replace_all_with(text, &mut masked, |_, _, masked| {
        masked.push_str(MASK);
        true
    });
    masked
}

/// Masks the strings of a JSON text. It stays JSON, and what holds no secret stays as it is.
fn mask_json(matcher: &AhoCorasick, text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (before, string) = rest.split_at(start);
        let (string, after) = string.split_at(string_length(string));
        masked += before;
        masked += &mask_string(matcher, string);
        rest = after;
    }
    masked + rest
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
    use crate::message::StreamDescriptor;
    use crate::record::Record;

    const KEY: &str = "sk_live_0123456789";

    fn redaction(values: &[&str]) -> Redaction {
        let redaction = Redaction::default();
        for value in values {
            let (token, value) = (format!("token-of-{value}"), (*value).to_owned());
            redaction.add(&[Secret { token, value, property: "key".to_owned() }]);
        }
        redaction
    }

    /// Masks as in data, whether the values are unmistakable or not.
    fn json(values: &[&str], text: &str) -> String {
        mask_json(&redaction(values).prose().unwrap(), text)
    }

    /// What becomes of a record.
    fn record(values: &[&str], text: &str) -> String {
        let stream = Arc::new(StreamDescriptor::new("a", None));
        let records = vec![Record::parse(text.to_owned()).unwrap()];
        let message = Message::Records { stream, emitted_at: 0, records };
        match redaction(values).message(&message, text.as_bytes()) {
            Ok(Some(Message::Records { records, .. })) => records[0].as_str().to_owned(),
            unchanged => {
                assert!(matches!(unchanged, Ok(None)));
                text.to_owned()
            }
        }
    }

    #[test]
    fn json_stays_json() {
        assert_eq!(json(&["key1"], r#"{"a":"xkey1y","key1":1.50}"#), r#"{"a":"x****y","****":1.50}"#);
        for unchanged in [
            (&["true", "null"][..], r#"{"a":true,"b":null}"#),
            (&["12345"], r#"{"a":12345,"b":-1.123456}"#),
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
        let Ok(Some(Message::Error { error, .. })) = redaction.message(&message, br#"{"type":"TRACE"}"#)
        else {
            panic!("nothing was masked");
        };
        assert_eq!((error.message(), error.internal_message()), (MASK, Some(MASK)));
        assert!(redaction.message(&message, b"nothing").unwrap().is_none());
    }

    #[test]
    fn records_are_altered_only_by_what_can_only_be_a_secret() {
        let ordinary = ["test", "name", "1234", "2024", "true", "null", "credits_ledger_entries"];
        let text = r#"{"name":"c-test-1","n":1234,"at":"2024-01-01T00:00:00Z","kind":"credits_ledger_entries","x":"dGVzdA=="}"#;
        assert_eq!(record(&ordinary, text), text);
        assert_eq!(record(&[KEY, "test"], &format!(r#"{{"a":"test {KEY}"}}"#)), r#"{"a":"test ****"}"#);
        assert_eq!(record(&["test"], r#"{"a":"token-of-test"}"#), r#"{"a":"****"}"#);
        assert_eq!(redaction(&ordinary).text("a test of 1234"), "a **** of ****");
    }

    #[test]
    fn a_state_is_never_altered() {
        let state = |text: String| Document::parse(&text).unwrap();
        let ordinary = state(r#"{"created_at":"2024-01-01T00:00:00Z","n":1234}"#.to_owned());
        assert_eq!(redaction(&["2024", "1234", "created_at"]).check(&ordinary), Ok(()));
        for text in [format!(r#"{{"a":["{KEY}"]}}"#), format!(r#"{{"{KEY}":1}}"#)] {
            assert_eq!(redaction(&[KEY]).check(&state(text)), Err(SecretInState));
        }
        assert_eq!(
            redaction(&["test"]).check(&state(r#"{"a":"token-of-test"}"#.to_owned())),
            Err(SecretInState)
        );
    }

    #[test]
    fn a_secret_that_is_exposed_and_ordinary_is_not_taken_for_a_token() {
        let redaction = Redaction::default();
        redaction.add(&[Secret::expose("2024")]);
        assert_eq!(redaction.check(&Document::parse(r#"{"at":"2024-01-01"}"#).unwrap()), Ok(()));
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
