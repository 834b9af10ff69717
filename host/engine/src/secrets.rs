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
mod tests {
    use super::*;

    const REAL: &str = "real value 0123456789";

    fn secrets() -> (Secrets, String) {
        let secret = Secret::seal(REAL).unwrap();
        let token = secret.token.clone();
        (Secrets::new(vec![secret]), token)
    }

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn tokens_differ_and_say_nothing_of_their_value() {
        let [a, b] = [Secret::seal("value").unwrap(), Secret::seal("value").unwrap()];
        assert_ne!(a.token, b.token);
        assert_eq!(a.token.len(), PREFIX.len() + 2 * RANDOM_BYTES);
        assert_eq!(format!("{a:?}"), "Secret");
    }

    #[test]
    fn a_value_takes_the_place_of_its_token_and_back() {
        let (secrets, token) = secrets();
        let mut headers = headers(&format!("Bearer {token}"));
        secrets.unseal(&mut headers, true).unwrap();
        assert_eq!(headers["authorization"], format!("Bearer {REAL}").as_str());
        assert!(headers["authorization"].is_sensitive());
        secrets.seal(&mut headers);
        assert_eq!(headers["authorization"], format!("Bearer {token}").as_str());
    }

    #[test]
    fn basic_credentials_are_looked_into() {
        let (secrets, token) = secrets();
        let sealed = format!("basic {}", BASE64_STANDARD.encode(format!("user:{token}")));
        let mut headers = headers(&sealed);
        secrets.unseal(&mut headers, true).unwrap();
        assert_eq!(
            headers["authorization"],
            format!("basic {}", BASE64_STANDARD.encode(format!("user:{REAL}"))).as_str()
        );
        secrets.seal(&mut headers);
        assert_eq!(headers["authorization"], sealed.as_str());
    }

    #[test]
    fn nothing_secret_crosses_the_network_in_the_clear() {
        let (secrets, token) = secrets();
        let mut sealed = headers(&token);
        assert_eq!(secrets.unseal(&mut sealed, false), Err(SecretProblem::Unencrypted));
        assert_eq!(sealed["authorization"], token.as_str());
        assert_eq!(secrets.unseal(&mut headers("nothing secret"), false), Ok(()));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_not_sent() {
        let secret = Secret::seal("two\nlines").unwrap();
        let mut headers = headers(&secret.token);
        assert_eq!(Secrets::new(vec![secret]).unseal(&mut headers, true), Err(SecretProblem::Characters));
    }

    #[test]
    fn an_exposed_secret_may_go_anywhere() {
        let secrets = Secrets::new(vec![Secret::expose(REAL)]);
        let mut headers = headers(REAL);
        assert_eq!(secrets.unseal(&mut headers, false), Ok(()));
        assert_eq!(headers["authorization"], REAL);
    }

    #[test]
    fn what_stands_in_headers_by_chance_stays() {
        let secrets = Secrets::new(vec![Secret::seal("60").unwrap(), Secret::seal(REAL).unwrap()]);
        let mut answer = headers("60");
        secrets.seal(&mut answer);
        assert_eq!(answer["authorization"], "60");
        let mut answer = headers(REAL);
        secrets.seal(&mut answer);
        assert_eq!(answer["authorization"], secrets.list()[1].token.as_str());
    }

    #[test]
    fn keys_are_unmistakable_and_words_numbers_names_and_dates_are_not() {
        let is_unmistakable = |value: &str| Secret::expose(value).is_unmistakable();
        for key in ["0123456789abcdef", "sk_live_51H4ndS0ffQ", "5f2b1c9e-8d7a-4e3f-9b6c-1a2d3e4f5a6b"] {
            assert!(is_unmistakable(key), "{key}");
        }
        for word in [
            "",
            "test",
            "name",
            "1234",
            "2024",
            "c-test-1",
            "0123456789abcde",
            "external_customer_id",
            "credits_ledger_entries",
            "2024-01-01T00:00:00Z",
            "12345678901234567890",
            "test-test-test-test-1",
            "xxxxxxxxxxxxxxxxxxxxxxx1",
        ] {
            assert!(!is_unmistakable(word), "{word}");
        }
    }

    /// The headers of a response as the connector gets them, by name.
    fn sealed(secrets: &Secrets, name: &str, value: &str) -> Vec<(String, String)> {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let mut headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
        secrets.seal(&mut headers);
        let text = |value: &HeaderValue| String::from_utf8(value.as_bytes().to_vec()).unwrap();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    #[test]
    fn headers_of_a_response_have_tokens_in_every_form_and_place() {
        const KEY: &str = "Sk/Live+0123456789&x";
        let secret = Secret::seal(KEY).unwrap();
        let token = secret.token.clone();
        let secrets = Secrets::new(vec![secret]);
        let base64 = |before: &str| BASE64_STANDARD.encode(format!("{before}{KEY}!"));
        for (value, expected) in [
            (KEY.to_owned(), token.clone()),
            (format!("key={KEY}; path=/"), format!("key={token}; path=/")),
            ("https://h/?k=Sk%2fLive%2B0123456789%26x&n=1".to_owned(), format!("https://h/?k={token}&n=1")),
            ("https://h/?k=%53%6B%252FLive%2b0123456789%26x".to_owned(), format!("https://h/?k={token}")),
            (r#"{"k":"Sk\/Live+0123456789\u0026x"}"#.to_owned(), format!(r#"{{"k":"{token}"}}"#)),
            (format!("id={};", base64("")), format!("id={token};")),
            (format!("id={};", base64("u")), format!("id={token};")),
            (format!("id={};", base64("us")), format!("id={token};")),
            (
                format!("Basic {}", base64("u:")),
                format!("Basic {}", BASE64_STANDARD.encode(format!("u:{token}!"))),
            ),
        ] {
            assert_eq!(sealed(&secrets, "x-echo", &value), [("x-echo".to_owned(), expected)], "{value}");
        }
        let name = "x-sk%2Flive+0123456789&x-y";
        assert_eq!(sealed(&secrets, name, "1"), [(format!("x-{token}-y"), "1".to_owned())]);
    }

    #[test]
    fn of_secrets_that_begin_alike_nothing_is_left() {
        let (short, long) = ("acme-0123456789abcdef", "acme-0123456789abcdef-real");
        for pair in [[short, long], [long, short]] {
            let secrets = Secrets::new(pair.iter().map(|value| Secret::seal(value).unwrap()).collect());
            for secret in secrets.list() {
                let mut request = headers(&secret.token);
                secrets.unseal(&mut request, true).unwrap();
                assert_eq!(request["authorization"], secret.value.as_str());
                assert_eq!(sealed(&secrets, "x", &secret.value)[0].1, secret.token);
            }
        }
    }
}
