//! Masks the secrets of a config in whatever is shown.
//!
//! A connector does not know the secrets, but servers repeat what they are sent, and a person may
//! have written one where it does not belong. Tokens are masked too: they mean nothing to a reader
//! of the output.
//!
//! Log lines and errors are for people, so whatever may be a secret is masked in them. Records are
//! for programs, so they are altered only where something can be nothing but a secret: strings are
//! searched for tokens and for values that are unmistakable (`Secret::is_unmistakable`), numbers
//! are never touched. States and names are not altered at all, because nobody could use them
//! afterwards: one with a secret in it is an error.
//!
//! `needles` finds a value in any form that a program may write it in.

use std::borrow::Cow;
use std::fmt;

use crate::json_object::JsonObject;
use crate::needles::{Escapes, Needle, Needles, replace};
use crate::record::Record;
use crate::secrets::Secret;
use crate::types::Stream;

/// What replaces a secret, as in Airbyte's own connectors.
const MASK: &str = "****";
/// How often a text is masked. What is left can become another secret by that.
const ROUNDS: usize = 3;

/// The secrets to mask. Made by a [`Session`](crate::Session) from its config; the default masks
/// nothing. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// Searched for in what people read.
    prose: Needles,
    /// Searched for in what programs read.
    data: Needles,
}

/// Something has a secret in it, and can be neither shown nor altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFound {
    /// A state, which its connector could not read again.
    InState,
    /// A name of a stream or a field, or a schema, by which others find something.
    InName,
}

impl fmt::Display for SecretFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::InState => "the state",
            Self::InName => "a name or schema of a stream",
        };
        write!(f, "{what} has a secret of the config in it, which must be neither shown nor altered")
    }
}

impl std::error::Error for SecretFound {}

impl Redaction {
    /// Masks these secrets.
    pub(crate) fn of(secrets: &[Secret]) -> Self {
        let value = |secret: &Secret| Needle { value: secret.value.clone(), in_forms: true };
        let token = |secret: &Secret| {
            let is_sealed = secret.token != secret.value;
            is_sealed.then(|| Needle { value: secret.token.clone(), in_forms: false })
        };
        let tokens = || secrets.iter().filter_map(token);
        let unmistakable = secrets.iter().filter(|secret| secret.is_unmistakable());
        Self {
            // Host names and names of headers are shown in lower case.
            prose: Needles::ignoring_case(secrets.iter().map(value).chain(tokens()).collect()),
            data: Needles::new(unmistakable.map(value).chain(tokens()).collect()),
        }
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

    /// Masks secrets in a text for people. To be called before the text is cut or its line breaks
    /// are replaced, since half of a secret is not recognised, and once more afterwards.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        mask(&self.prose, text, Escapes::Any)
    }

    /// Masks unmistakable secrets in the strings of a record. `None` if there are none.
    pub fn record(&self, record: &Record) -> Option<Record> {
        let may_be_there = self.data.may_be_in(record.as_str().as_bytes());
        may_be_there.then(|| record.map(|text| mask_json(&self.data, text)))
    }

    /// Masks unmistakable secrets in the strings of a JSON text, which must be valid.
    pub fn json<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.data.may_be_in(text.as_bytes()) {
            true => mask_json(&self.data, text).into(),
            false => text.into(),
        }
    }

    /// Checks that a state can be shown and kept as it is.
    ///
    /// # Errors
    ///
    /// [`SecretFound::InState`] if there is an unmistakable secret in it.
    pub fn check_state(&self, state: &JsonObject) -> Result<(), SecretFound> {
        if self.json(state.as_str()) == state.as_str() { Ok(()) } else { Err(SecretFound::InState) }
    }

    /// Checks that a name can be shown as it is.
    ///
    /// # Errors
    ///
    /// [`SecretFound::InName`] if there is an unmistakable secret in it.
    pub fn check_name(&self, name: &str) -> Result<(), SecretFound> {
        let found = self.data.find(name.as_bytes(), Escapes::Any);
        if found.is_empty() { Ok(()) } else { Err(SecretFound::InName) }
    }

    /// Checks that streams can be shown as they are.
    ///
    /// # Errors
    ///
    /// [`SecretFound::InName`] if there is an unmistakable secret in a name or a schema.
    pub fn check_streams(&self, streams: &[Stream]) -> Result<(), SecretFound> {
        for stream in streams {
            let Stream { name, json_schema, primary_key, cursor_field, group, requests, .. } = stream;
            let words = [Some(name), group.as_ref(), requests.as_ref()].into_iter().flatten();
            let names = primary_key.iter().flatten().chain(cursor_field).chain(words);
            names.into_iter().try_for_each(|name| self.check_name(name))?;
            if self.json(json_schema.as_str()) != json_schema.as_str() {
                return Err(SecretFound::InName);
            }
        }
        Ok(())
    }
}

/// Masks what is found in a text, of which all that has escapes stays as it was written but for
/// that.
fn mask<'t>(needles: &Needles, text: &'t str, escapes: Escapes) -> Cow<'t, str> {
    let mut masked = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let found = needles.find(masked.as_bytes(), escapes);
        if found.is_empty() {
            return masked;
        }
        // What is found begins and ends between characters.
        let replaced = String::from_utf8(replace(masked.as_bytes(), &found, |_| MASK));
        let replaced = replaced.unwrap_or_else(|_| MASK.to_owned());
        if replaced == masked {
            return masked;
        }
        masked = replaced.into();
    }
    match needles.find(masked.as_bytes(), escapes).is_empty() {
        true => masked,
        false => MASK.into(),
    }
}

/// Masks the strings of a JSON text. It stays JSON, and what holds no secret stays as it is.
fn mask_json(needles: &Needles, text: &str) -> String {
    json_text::map_strings(text, |string| {
        let within = string.get(1..string.len() - 1).unwrap_or_default();
        match mask(needles, within, Escapes::Json) {
            Cow::Borrowed(_) => string.into(),
            Cow::Owned(masked) => format!("\"{masked}\"").into(),
        }
    })
}

#[cfg(test)]
mod tests;
