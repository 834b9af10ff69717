//! The secrets of a config, which a connector uses and never sees: it holds a token in the place of
//! each, and outbound HTTP puts the values into the headers of requests.
//!
//! `seal` finds them in a config, `redaction` masks them in the output.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::redaction::{self, Escapes, Needle, Needles};

/// The beginning of every token, so that a person who sees one knows what it is.
const PREFIX: &str = "sealed";
/// Random bytes of a token: too many to guess.
const RANDOM_BYTES: usize = 16;

/// A value of fewer characters may appear in data by chance.
const UNMISTAKABLE_LENGTH: usize = 16;
/// So may a value of fewer different characters, such as a date or a row of zeros.
const UNMISTAKABLE_VARIETY: usize = 10;

/// The secrets of one config.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    list: Vec<Secret>,
    tokens: Option<AhoCorasick>,
    /// Finds the values that are unmistakable.
    values: Needles,
    /// The same in names of headers, which are in lower case.
    names: Needles,
    /// Which of the list these are.
    unmistakable: Vec<usize>,
}

/// One secret. Its debug form shows neither half.
#[derive(Clone)]
pub(crate) struct Secret {
    /// What the connector is given.
    pub(crate) token: String,
    /// The secret itself.
    pub(crate) value: String,
    /// Which property of the config it is, as a path with dots. Empty if that is not known.
    pub(crate) property: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret with a new token.
    ///
    /// # Errors
    ///
    /// A system error if the operating system has no random numbers.
    pub(crate) fn seal(value: &str) -> Result<Self> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)
            .map_err(|error| Error::system(format!("the system has no random numbers: {error}")))?;
        let digits = random.map(|byte| format!("{byte:02x}")).concat();
        let token = format!("{PREFIX}{digits}");
        Ok(Self { token, value: value.to_owned(), property: String::new() })
    }

    /// A secret that the connector is given as it is.
    pub(crate) fn expose(value: &str) -> Self {
        Self { token: value.to_owned(), value: value.to_owned(), property: String::new() }
    }

    /// The secret as that of a property.
    pub(crate) fn of(self, property: String) -> Self {
        Self { property, ..self }
    }

    /// Whether the value cannot appear in a text by chance: it is long, has many different
    /// characters, and has letters as well as digits. Keys that an API makes are like that. Words,
    /// names, numbers and placeholders are not.
    pub(crate) fn is_unmistakable(&self) -> bool {
        let different: HashSet<char> = self.value.chars().collect();
        self.value.chars().count() >= UNMISTAKABLE_LENGTH
            && different.len() >= UNMISTAKABLE_VARIETY
            && self.value.chars().any(char::is_alphabetic)
            && self.value.chars().any(|character| character.is_ascii_digit())
    }
}

/// Why a request with a token in it cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretProblem {
    /// The secret would cross the network unencrypted.
    Unencrypted,
    /// The secret has characters that no header may have, such as a line break.
    Characters,
}

impl Secrets {
    pub(crate) fn new(list: Vec<Secret>) -> Self {
        // Fails only for gigabytes of patterns. Without a matcher, tokens go out as tokens.
        let tokens = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(list.iter().map(|secret| &secret.token))
            .ok()
            .filter(|_| !list.is_empty());
        let is_sealed = |secret: &Secret| secret.token != secret.value && secret.is_unmistakable();
        let unmistakable: Vec<_> = (0..list.len()).filter(|at| is_sealed(&list[*at])).collect();
        let needle = |at: &usize| Needle { value: list[*at].value.clone(), in_forms: true };
        let needles: Vec<_> = unmistakable.iter().map(needle).collect();
        let names = Needles::ignoring_case(needles.clone());
        Self { values: Needles::new(needles), names, list, tokens, unmistakable }
    }

    pub(crate) fn list(&self) -> &[Secret] {
        &self.list
    }

    /// Replaces tokens by secrets in the headers of a request, also in `Basic` credentials.
    /// `private` says that nobody can eavesdrop on the connection.
    pub(crate) fn unseal(&self, headers: &mut HeaderMap, private: bool) -> Result<(), SecretProblem> {
        for header in headers.values_mut() {
            let replace = |text: &[u8]| replace(self.tokens.as_ref(), text, |found| &self.list[found].value);
            let Some(unsealed) = rewrite(header.as_bytes(), replace) else { continue };
            if unsealed == header.as_bytes() {
                continue;
            }
            if !private {
                return Err(SecretProblem::Unencrypted);
            }
            *header = HeaderValue::from_bytes(&unsealed).map_err(|_| SecretProblem::Characters)?;
            header.set_sensitive(true);
        }
        Ok(())
    }

    /// How many bytes headers grow by at most if tokens in them are replaced by secrets.
    pub(crate) fn growth(&self, headers: &HeaderMap) -> usize {
        let Some(tokens) = &self.tokens else { return 0 };
        let growth = |text: &[u8]| -> usize {
            let found = tokens.find_iter(text).map(|found| &self.list[found.pattern().as_usize()]);
            found.map(|secret| secret.value.len().saturating_sub(secret.token.len())).sum()
        };
        let of_header = |header: &HeaderValue| {
            let text = header.as_bytes();
            // In base64, it takes four bytes for three.
            let encoded =
                text.get("Basic ".len()..).and_then(|text| BASE64_STANDARD.decode(text.trim_ascii()).ok());
            growth(text) + encoded.map_or(0, |text| growth(&text).div_ceil(3) * 4)
        };
        headers.values().map(of_header).sum()
    }

    /// Replaces secrets by tokens in the headers of a response, in whatever form, because servers
    /// repeat what they are sent. Values that may appear there by chance stay, since the connector
    /// must be able to read the headers.
    pub(crate) fn seal(&self, headers: &mut HeaderMap) {
        for header in headers.values_mut() {
            if let Some(sealed) = self.sealed(&self.values, header.as_bytes()) {
                // A token has only characters that a header may have.
                *header = HeaderValue::from_bytes(&sealed).unwrap_or(HeaderValue::from_static(""));
            }
        }
        let rename =
            |name: &HeaderName| Some((name.clone(), self.sealed(&self.names, name.as_str().as_bytes())?));
        let renamed: Vec<_> = headers.keys().filter_map(rename).collect();
        for (name, sealed) in renamed {
            let Entry::Occupied(entry) = headers.entry(name) else { continue };
            let values: Vec<_> = entry.remove_entry_mult().1.collect();
            // It fails if there are too many headers. Then it is missing.
            let Ok(name) = HeaderName::from_bytes(&sealed) else { continue };
            for value in values {
                let _ = headers.try_append(name.clone(), value);
            }
        }
    }

    /// A name or value of a header with its secrets replaced. `None` if there are none.
    fn sealed(&self, needles: &Needles, text: &[u8]) -> Option<Vec<u8>> {
        let replace = |text: &[u8]| {
            let found = needles.find(text, Escapes::Any);
            let token = |needle: usize| self.list[self.unmistakable[needle]].token.as_str();
            (!found.is_empty()).then(|| redaction::replace(text, &found, token))
        };
        // Within `Basic`, the rest of the credentials is kept.
        let basic = rewrite_basic(text, replace);
        let rest = replace(basic.as_deref().unwrap_or(text));
        rest.or(basic)
    }
}

/// Rewrites the value of a header by `replace`, also within `Basic` credentials. `None` if there is
/// nothing to replace.
fn rewrite(header: &[u8], replace: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    replace(header).or_else(|| rewrite_basic(header, replace))
}

/// Rewrites `Basic` credentials by `replace`. `None` if it is something else, or there is nothing
/// to replace.
fn rewrite_basic(header: &[u8], replace: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let (scheme, credentials) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let rewritten = replace(&BASE64_STANDARD.decode(credentials.trim_ascii()).ok()?)?;
    Some([scheme, BASE64_STANDARD.encode(rewritten).as_bytes()].concat())
}

fn replace<'a>(
    matcher: Option<&AhoCorasick>,
    text: &[u8],
    replacement: impl Fn(usize) -> &'a String,
) -> Option<Vec<u8>> {
    let matcher = matcher?;
    if !matcher.is_match(text) {
        return None;
    }
    let mut replaced = Vec::new();
    matcher.replace_all_with_bytes(text, &mut replaced, |found, _, replaced| {
        replaced.extend_from_slice(replacement(found.pattern().as_usize()).as_bytes());
        true
    });
    Some(replaced)
}

#[cfg(test)]
mod tests;
