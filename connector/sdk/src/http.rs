//! HTTP requests, responses and the transport that sends them.

use std::fmt;

use futures_util::future::LocalBoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::secret::Secret;

/// Everything but the unreserved characters of RFC 3986, so that a value may contain any character.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How many characters of an unexpected body are shown.
const EXCERPT: usize = 200;

/// An HTTP request.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Absolute URL with its query, percent-encoded.
    pub url: String,
    /// Header names (lower case) and values. They may hold a secret, so never print them.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a `POST`.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// Creates a `GET` of `base` joined with `path`, with `query` percent-encoded.
    pub fn get(base: &str, path: &str, query: &[(String, String)]) -> Self {
        let mut url = format!("{base}/{path}");
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend(utf8_percent_encode(name, RESERVED));
            url.push('=');
            url.extend(utf8_percent_encode(value, RESERVED));
        }
        Self { method: "GET", url, headers: Vec::new(), body: None }
    }

    /// Creates a `POST` of this JSON text to `base` joined with `path`.
    pub fn post(base: &str, path: &str, json: String) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method: "POST", url: format!("{base}/{path}"), headers, body: Some(json.into_bytes()) }
    }

    /// Percent-encodes one segment of a path.
    pub fn segment(text: &str) -> String {
        utf8_percent_encode(text, RESERVED).to_string()
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a secret as a bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.header("authorization", format!("Bearer {}", token.expose()))
    }
}

/// Shows the method and the URL, and no headers.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A complete HTTP response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names (lower case) and values. Omits values that are not UTF-8.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first header with this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Describes an unexpected response to an engineer: its type, its size and the start of its
    /// body. `redact` removes secrets.
    pub fn excerpt(&self, redact: impl Fn(&str) -> String) -> String {
        let content_type = redact(self.header("content-type").unwrap_or("no content type"));
        // Redact before truncating: the start of a secret is secret too.
        let body = redact(&String::from_utf8_lossy(&self.body));
        let beginning: String = body.chars().take(EXCERPT).collect();
        format!("{content_type}; the body has {} bytes and begins {beginning:?}", self.body.len())
    }
}

/// Why there is no complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// The host denies this request.
    Denied(String),
    /// The request is invalid, or the server's identity cannot be verified. Retrying does not help.
    Refused(String),
    /// The connection failed or was interrupted. Retrying may help.
    Broken(String),
    /// The response timed out. Retrying may help, but each attempt takes as long.
    TimedOut(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Denied(reason) | Self::Refused(reason) | Self::Broken(reason) | Self::TimedOut(reason)) =
            self;
        f.write_str(reason)
    }
}

/// Sends requests to the server.
pub trait Transport {
    /// Sends a request at once and returns a future of the complete response.
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_percent_encoded() {
        let query = [("created_at[gte]".to_owned(), "2024-01-01T00:00:00+00:00".to_owned())];
        let request = Request::get("http://h/v1", "plans", &query);
        assert_eq!(request.url, "http://h/v1/plans?created_at%5Bgte%5D=2024-01-01T00%3A00%3A00%2B00%3A00");
    }

    #[test]
    fn headers_are_never_shown() {
        let request = Request::get("http://h", "x", &[]).bearer(&Secret::new("hidden"));
        assert_eq!(request.headers, [("authorization", "Bearer hidden".to_owned())]);
        assert_eq!(format!("{request} {request:?}"), "GET http://h/x GET http://h/x");
    }

    #[test]
    fn a_failure_of_the_transport_is_shown_as_its_reason() {
        let failures = [
            TransportError::Denied,
            TransportError::Refused,
            TransportError::Broken,
            TransportError::TimedOut,
        ];
        for failure in failures {
            assert_eq!(failure("the cable was cut".into()).to_string(), "the cable was cut");
        }
    }
}
