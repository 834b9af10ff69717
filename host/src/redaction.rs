//! What must not be shown: secrets come in when a configuration is sealed, lines of output go through.
//!
//! A connector does not know the secrets, but servers repeat what they are sent, and a person may have written one where
//! it does not belong. Tokens are hidden too: to whoever reads the output they are noise.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::value::RawValue;

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
            let quoted = Value::from(secret.value.as_str()).to_string();
            let escaped = &quoted[1..quoted.len() - 1];
            hidden.texts.extend([
                secret.token.clone(),
                escaped.replace('/', r"\/"),
                escaped.to_owned(),
                BASE64_STANDARD.encode(&secret.value),
                url_encoded(&secret.value),
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

    /// Lines of JSON without secrets, which are lines of JSON still: what stands in a string is hidden there, and a
    /// number that holds a secret becomes a string.
    pub(crate) fn lines<'t>(&self, lines: &'t [u8]) -> Cow<'t, [u8]> {
        let Some(matcher) = self.matcher().filter(|matcher| matcher.is_match(lines)) else {
            return Cow::Borrowed(lines);
        };
        let mut redacted = Vec::with_capacity(lines.len());
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            match std::str::from_utf8(line) {
                Ok(line) if matcher.is_match(line) => redacted.extend(json(&matcher, line).into_bytes()),
                _ => redacted.extend(line),
            }
        }
        Cow::Owned(redacted)
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

/// Masks one line of JSON.
fn json(matcher: &AhoCorasick, line: &str) -> String {
    let masked = mask_tokens(matcher, line);
    if serde_json::from_str::<&RawValue>(&masked).is_ok() {
        return masked;
    }
    // What looked like a secret began within an escape such as `\n`. Values are rebuilt then, as the price of it.
    let mut value = serde_json::from_str(line).unwrap_or_default();
    mask_value(matcher, &mut value);
    // A line ends as it did.
    format!("{value}{}", &line[line.trim_end_matches('\n').len()..])
}

/// Masks the strings of a value, names included.
fn mask_value(matcher: &AhoCorasick, value: &mut Value) {
    match value {
        Value::String(text) => *text = mask(matcher, text),
        Value::Array(list) => list.iter_mut().for_each(|element| mask_value(matcher, element)),
        Value::Object(object) => {
            for (name, mut member) in std::mem::take(object) {
                mask_value(matcher, &mut member);
                object.insert(mask(matcher, &name), member);
            }
        }
        Value::Number(number) if matcher.is_match(&number.to_string()) => *value = MASK.into(),
        _ => {}
    }
}

/// Masks token by token: what is within strings, and the numbers between them.
fn mask_tokens(matcher: &AhoCorasick, text: &str) -> String {
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
            '"' if length > 1 => masked += &format!("\"{}\"", mask(matcher, &token[1..length - 1])),
            '-' | '0'..='9' if matcher.is_match(token) => masked += &format!("\"{MASK}\""),
            _ => masked += token,
        }
        rest = after;
    }
    masked
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

    fn redaction(values: &[&str]) -> Redaction {
        let redaction = Redaction::default();
        for value in values {
            redaction.add(&[Secret { token: format!("token-of-{value}"), value: (*value).to_owned() }]);
        }
        redaction
    }

    fn line(values: &[&str], line: &str) -> String {
        String::from_utf8(redaction(values).lines(line.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn values_and_tokens_are_hidden_in_every_common_form() {
        let redaction = redaction(&[r#"a/b"c d"#]);
        for form in [
            r#"a/b"c d"#,
            r#"a/b\"c d"#,
            r#"a\/b\"c d"#,
            r#"token-of-a/b"c d"#,
            "YS9iImMgZA==",
            "a%2Fb%22c+d",
        ] {
            assert_eq!(redaction.text(&format!("<{form}>")), "<****>", "{form}");
        }
        assert_eq!(redaction.text("nothing"), "nothing");
    }

    #[test]
    fn a_line_stays_json() {
        assert_eq!(
            line(&["key1"], "{\"a\":\"xkey1y\"}\n{\"key1\":1}\n"),
            "{\"a\":\"x****y\"}\n{\"****\":1}\n"
        );
        assert_eq!(
            line(&["12345"], r#"{"a":12345,"b":-1.123456,"c":"12345"}"#),
            r#"{"a":"****","b":"****","c":"****"}"#
        );
        assert_eq!(line(&["true", "null"], r#"{"a":true,"b":null}"#), r#"{"a":true,"b":null}"#);
        assert_eq!(line(&["nabc"], r#"{"a":"x\nabc","b":"nabc"}"#), r#"{"a":"x\nabc","b":"****"}"#);
        assert_eq!(
            line(&[r#"ab""#, r"cd\"], r#"{"a":"xab","b":"cd\"","c":"cd\\"}"#),
            r#"{"a":"xab","b":"cd\"","c":"****"}"#
        );
        assert_eq!(line(&[r#"x","y"#], r#"{"a":"x","y":"\"x"}"#), r#"{"a":"x","y":"\"x"}"#);
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
