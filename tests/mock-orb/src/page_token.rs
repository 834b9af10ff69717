//! Encodes and decodes page tokens.
//!
//! Orb calls them cursors. A token names a place in the order of the list rather than a row count,
//! so records added or removed between pages neither shift nor repeat rows. A token is valid for
//! one endpoint and one set of filters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::dice::{hash, mix};
use crate::shelf::Key;

/// What a token is valid for: one path with one set of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope(u64);

impl Scope {
    /// The scope of a request, independent of the order of its filters.
    pub(crate) fn new<'a>(path: &str, filters: impl Iterator<Item = (&'a str, &'a str)>) -> Scope {
        let filters = filters
            .fold(0_u64, |sum, (name, value)| sum.wrapping_add(hash(name).wrapping_mul(3) ^ hash(value)));
        Scope(mix(hash(path) ^ mix(filters)))
    }
}

/// Seconds, nanoseconds, sequence and seal: 28 bytes, so the Base64 ends in `==` and needs
/// percent-encoding in a URL.
const LENGTH: usize = 8 + 4 + 8 + 8;

/// The token for the page after this row.
pub(crate) fn write_token(key: Key, scope: Scope) -> String {
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend(key.at.as_second().to_be_bytes());
    bytes.extend(key.at.subsec_nanosecond().to_be_bytes());
    bytes.extend(key.sequence.to_be_bytes());
    bytes.extend(seal(key, scope).to_be_bytes());
    STANDARD.encode(bytes)
}

/// The row that a token names; `None` if the token belongs to another scope.
pub(crate) fn parse_token(token: &str, scope: Scope) -> Option<Key> {
    let bytes = STANDARD.decode(token).ok()?;
    let (seconds, rest) = bytes.split_first_chunk()?;
    let (nanoseconds, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let at = Timestamp::new(i64::from_be_bytes(*seconds), i32::from_be_bytes(*nanoseconds)).ok()?;
    let key = Key { at, sequence: u64::from_be_bytes(*sequence) };
    (rest == seal(key, scope).to_be_bytes()).then_some(key)
}

fn seal(key: Key, scope: Scope) -> u64 {
    let at = key.at.as_nanosecond();
    mix(mix(mix(scope.0 ^ at as u64) ^ (at >> 64) as u64) ^ key.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(path: &str, filters: &[(&'static str, &'static str)]) -> Scope {
        Scope::new(path, filters.iter().copied())
    }

    #[test]
    fn a_token_is_good_for_its_own_endpoint_and_filters_only() {
        let key = Key { at: "1969-12-31T23:59:59.5Z".parse().unwrap(), sequence: 7 };
        let made = scope("/v1/customers", &[("a", "1"), ("b", "2")]);
        let token = write_token(key, made);
        assert_eq!(parse_token(&token, made), Some(key));
        assert_eq!(parse_token(&token, scope("/v1/customers", &[("b", "2"), ("a", "1")])), Some(key));
        for other in [
            scope("/v1/plans", &[("a", "1"), ("b", "2")]),
            scope("/v1/customers", &[("a", "2"), ("b", "1")]),
            scope("/v1/customers", &[]),
        ] {
            assert_eq!(parse_token(&token, other), None);
        }
    }

    #[test]
    fn garbage_is_no_token() {
        let made = scope("/v1/customers", &[]);
        let token = write_token(Key { at: Timestamp::UNIX_EPOCH, sequence: 1 }, made);
        for text in ["", "null", "AAAA", &token[1..], &token.to_lowercase(), &format!("{token} ")] {
            assert_eq!(parse_token(text, made), None, "{text}");
        }
    }
}
