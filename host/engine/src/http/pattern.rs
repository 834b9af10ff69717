//! Parses patterns of hosts, and matches origins with them.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use super::origin::{Origin, without_final_dot};
use crate::error::{Error, Result};

/// The form of a pattern.
const FORM: &str = "[SCHEME://]HOST[:PORT], such as api.example.com, *.example.com or http://127.0.0.1:8080";

/// Which origins may be reached: `[SCHEME://]HOST[:PORT]`.
///
/// The scheme is `https` by default, and may be `http`. The port is that of the scheme by default.
/// `*.` before the host stands for one or more labels: `*.example.com` matches `a.example.com` and
/// `a.b.example.com`, but neither `example.com` nor an IP address. Hosts are compared in the form
/// in which they are connected to: in lower case and punycode, without a final dot, and IP
/// addresses of any notation as addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPattern {
    /// If the pattern has a wildcard, the host is the part after it.
    pub(super) origin: Origin,
    pub(super) subdomains: bool,
}

impl HostPattern {
    /// Parses a pattern or a URL, of which scheme, host and port count.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a predicate that does not quote it: it may hold a secret.
    pub(super) fn of_url(text: &str) -> Result<Self, &'static str> {
        Self::parse(text).map(|(pattern, _)| pattern)
    }

    fn parse(text: &str) -> Result<(Self, Url), &'static str> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err("is neither http nor https");
        }
        let (subdomains, host) = rest.strip_prefix("*.").map_or((false, rest), |parent| (true, parent));
        // The parser would silently ignore some of these.
        if host.starts_with(['/', '\\']) || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("is neither a host nor a URL");
        }
        let url = Url::parse(&format!("{scheme}://{host}"))
            .ok()
            .and_then(without_final_dot)
            .ok_or("is neither a host nor a URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user in it");
        }
        let origin = Origin::of(&url).ok_or("is neither http nor https")?;
        if origin.host.contains('*') {
            return Err("has a `*` elsewhere than in front, as in `*.example.com`");
        }
        if subdomains && origin.address().is_some() {
            return Err("has a `*` in front of an IP address");
        }
        Ok((Self { origin, subdomains }, url))
    }

    /// Whether `origin` matches the pattern.
    pub(super) fn matches(&self, origin: &Origin) -> bool {
        if self.origin.scheme != origin.scheme || self.origin.port != origin.port {
            return false;
        }
        if !self.subdomains {
            return self.origin.host == origin.host;
        }
        let labels = origin.host.strip_suffix(&self.origin.host).and_then(|front| front.strip_suffix('.'));
        labels.is_some_and(|labels| !labels.is_empty())
    }
}

impl FromStr for HostPattern {
    type Err = Error;

    /// # Errors
    ///
    /// A config error that says what is wrong and which form is right.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem| Error::config(format!("it {problem}; the form is {FORM}"));
        let (pattern, url) = Self::parse(text).map_err(wrong)?;
        if url.path() != "/" {
            return Err(wrong("has a path"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("has a query or fragment"));
        }
        Ok(pattern)
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.subdomains {
            return self.origin.fmt(f);
        }
        let host = format!("*.{}", self.origin.host);
        Origin { host, ..self.origin.clone() }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn matches(text: &str, url: &str) -> bool {
        pattern(text).matches(&Origin::of(&Url::parse(url).unwrap()).unwrap())
    }

    #[test]
    fn a_pattern_is_shown_in_the_form_in_which_it_is_compared() {
        for (written, shown) in [
            ("api.example.com", "https://api.example.com"),
            ("API.Example.COM.", "https://api.example.com"),
            ("https://api.example.com/", "https://api.example.com"),
            ("HTTP://api.example.com:80", "http://api.example.com"),
            ("http://api.example.com", "http://api.example.com"),
            ("api.example.com:8443", "https://api.example.com:8443"),
            ("*.example.com:8443", "https://*.example.com:8443"),
            ("http://*.Bücher.example.", "http://*.xn--bcher-kva.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://0x7f000001", "http://127.0.0.1"),
            ("http://127.1", "http://127.0.0.1"),
            ("[0:0:0:0:0:0:0:1]:443", "https://[::1]"),
            ("localhost", "https://localhost"),
        ] {
            assert_eq!(pattern(written).to_string(), shown, "{written}");
            assert_eq!(pattern(shown), pattern(written), "{written}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_with_the_right_form() {
        for (written, problem) in [
            ("", "is neither a host nor a URL"),
            ("*", "has a `*` elsewhere"),
            ("*.", "is neither a host nor a URL"),
            ("*com", "has a `*` elsewhere"),
            ("*.*.example.com", "has a `*` elsewhere"),
            ("api.*.com", "has a `*` elsewhere"),
            ("%2a.example.com", "has a `*` elsewhere"),
            ("*.10.0.0.1", "has a `*` in front of an IP address"),
            ("*.[::1]", "has a `*` in front of an IP address"),
            ("ftp://example.com", "is neither http nor https"),
            ("file:///etc/passwd", "is neither http nor https"),
            ("https:///example.com", "is neither a host nor a URL"),
            ("example.com/v1", "has a path"),
            ("example.com\\v1", "has a path"),
            ("https://example.com/?a=b", "has a query"),
            ("https://example.com#a", "has a query or fragment"),
            ("user:key@example.com", "has a user in it"),
            ("two words", "is neither a host nor a URL"),
            ("exam\nple.com", "is neither a host nor a URL"),
            ("example.com:99999", "is neither a host nor a URL"),
            ("[fe80::1%25eth0]", "is neither a host nor a URL"),
            ("example.com..", "is neither a host nor a URL"),
        ] {
            let error = written.parse::<HostPattern>().expect_err(written);
            assert!(error.message().starts_with(&format!("it {problem}")), "{written}: {error}");
            assert!(error.message().ends_with("; the form is [SCHEME://]HOST[:PORT], such as api.example.com, *.example.com or http://127.0.0.1:8080"));
        }
    }

    #[test]
    fn a_wildcard_is_one_label_or_more_but_not_none() {
        assert!(matches("*.example.com", "https://a.example.com/"));
        assert!(matches("*.example.com", "https://a.b.example.com/"));
        for url in [
            "https://example.com/",
            "https://.example.com/",
            "https://badexample.com/",
            "https://a.example.com.evil.com/",
            "https://a.example.com:8443/",
            "http://a.example.com/",
            "https://example.com.a/",
        ] {
            assert!(!matches("*.example.com", url), "{url}");
        }
    }

    #[test]
    fn no_wildcard_stands_for_a_part_of_an_address() {
        assert!("*.0.0.1".parse::<HostPattern>().is_err());
        assert!(!matches("*.internal", "https://10.0.0.1/"));
    }
}
