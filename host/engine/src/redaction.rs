//! Masks the secrets of a config in whatever is shown.
//!
//! A connector does not know the secrets, but servers repeat what they are sent, and a person may
//! have written one where it does not belong. Tokens are masked too: to whoever reads the output
//! they are noise.
//!
//! Log lines and errors are for people, so whatever may be a secret is masked in them. Records are
//! for programs, so they are altered only where something can be nothing but a secret: strings are
//! searched for tokens and for values that are unmistakable (`Secret::is_unmistakable`), numbers
//! are never touched. States are not altered at all, because a connector could not read them again:
//! one with a secret in it is an error.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::Error;
use crate::json_object::JsonObject;
use crate::record::Record;
use crate::secrets::Secret;

/// What replaces a secret, as in Airbyte's own connectors.
const MASK: &str = "****";
/// Bytes of the shortest text that is masked. What is shorter appears everywhere by chance.
const SHORTEST: usize = 4;

/// The secrets to mask. Made by a [`Session`](crate::Session) from its config; the default masks
/// nothing. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// Searched for in what people read.
    prose: Texts,
    /// Searched for in what programs read.
    data: Texts,
}

/// Texts that are searched for at once.
#[derive(Clone, Debug, Default)]
struct Texts {
    texts: Arc<[String]>,
    /// `None` if there are no texts.
    matcher: Option<Arc<AhoCorasick>>,
}

impl Texts {
    fn new(texts: impl IntoIterator<Item = String>) -> Self {
        let mut texts: Vec<_> = texts.into_iter().filter(|text| text.len() >= SHORTEST).collect();
        texts.sort_unstable();
        texts.dedup();
        // The longest of several that begin at the same place, so that nothing is left of it.
        let matcher = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let matcher = matcher.ok().filter(|_| !texts.is_empty()).map(Arc::new);
        Self { texts: texts.into(), matcher }
    }

    fn and(&self, other: &Self) -> Self {
        Self::new(self.texts.iter().chain(other.texts.iter()).cloned())
    }

    /// The matcher, if it finds anything in `text`.
    fn finds_in(&self, text: &str) -> Option<&AhoCorasick> {
        self.matcher.as_deref().filter(|matcher| matcher.is_match(text))
    }

    fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.finds_in(text) {
            Some(matcher) => mask(matcher, text).into(),
            None => text.into(),
        }
    }
}

/// A state has a secret in it, so it can be neither shown nor altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretInState;

impl fmt::Display for SecretInState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the state has a secret of the configuration in it, which must be neither shown nor altered",
        )
    }
}

impl std::error::Error for SecretInState {}

impl Redaction {
    /// Masks these secrets, in the forms in which they are commonly written.
    pub(crate) fn of(secrets: &[Secret]) -> Self {
        let prose = Texts::new(secrets.iter().flat_map(forms));
        let data = Texts::new(secrets.iter().flat_map(|secret| {
            if secret.is_unmistakable() {
                forms(secret).to_vec()
            } else if secret.token != secret.value {
                vec![secret.token.clone()]
            } else {
                Vec::new()
            }
        }));
        Self { prose, data }
    }

    /// Masks these values as a session masks the secrets of its config.
    pub fn of_values<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        Self::of(&values.into_iter().map(Secret::expose).collect::<Vec<_>>())
    }

    /// Masks the secrets of both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { prose: self.prose.and(&other.prose), data: self.data.and(&other.data) }
    }

    /// Masks secrets in a text for people.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.prose.mask(text)
    }

    /// Masks secrets in all texts of an error, each of which is then cut off where it is too long.
    #[must_use]
    pub fn error(&self, error: &Error) -> Error {
        error.map_texts(|text| self.message(text))
    }

    /// Masks unmistakable secrets in a name or another text for programs.
    pub fn name<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.data.mask(text)
    }

    /// Masks unmistakable secrets in the strings of a record. `None` if there are none.
    pub fn record(&self, record: &Record) -> Option<Record> {
        let matcher = self.data.finds_in(record.as_str())?;
        Some(record.map(|text| mask_json(matcher, text)))
    }

    /// Masks unmistakable secrets in the strings of a JSON object. `None` if there are none.
    pub fn object(&self, object: &JsonObject) -> Option<JsonObject> {
        let matcher = self.data.finds_in(object.as_str())?;
        Some(object.map(|text| mask_json(matcher, text)))
    }

    /// Checks that a state can be shown and kept as it is.
    ///
    /// # Errors
    ///
    /// [`SecretInState`] if there is an unmistakable secret in it.
    pub fn check_state(&self, state: &JsonObject) -> Result<(), SecretInState> {
        match self.object(state) {
            Some(masked) if masked != *state => Err(SecretInState),
            _ => Ok(()),
        }
    }
}

/// The token of a secret, and its value in the forms in which it is commonly written.
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
    json_text::map_strings(text, |string| mask_string(matcher, string))
}

/// Masks one JSON string, quotes included. What looks like a secret may begin within an escape, so
/// what the string decodes to decides. Its escapes stay as they were written where that gives the
/// same.
fn mask_string<'t>(matcher: &AhoCorasick, string: &'t str) -> Cow<'t, str> {
    if !matcher.is_match(string) {
        return string.into();
    }
    let Some(decoded) = json_text::Json::checked(string).text() else {
        // Half of a surrogate pair. Nothing is worth keeping of a string with a secret beside one.
        return json_text::quoted(MASK).into();
    };
    let wanted = mask(matcher, &decoded);
    if decoded == wanted {
        return string.into();
    }
    let as_written = mask(matcher, string);
    match serde_json::from_str::<String>(&as_written) {
        Ok(masked) if masked == wanted => as_written.into(),
        _ => json_text::quoted(&wanted).into(),
    }
}

/// The text as it is within a JSON string.
fn escape(text: &str) -> String {
    let quoted = json_text::quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text as it is in the query of a URL.
fn url_encoded(text: &str) -> String {
    reqwest::Url::parse_with_params("a:", [("", text)])
        .ok()
        .and_then(|url| Some(url.query()?.trim_start_matches('=').to_owned()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
