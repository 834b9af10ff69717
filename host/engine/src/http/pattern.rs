//! Parses patterns of hosts, and matches origins with them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
/// in which they are connected to: in lower case and punycode, without a final dot. An IP address
/// has to be written in its usual form, since a number such as 2130706433 may be meant as a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern {
    /// If the pattern has a wildcard, the host is the part after it.
    pub(super) origin: Origin,
    pub(super) subdomains: bool,
}

/// What is wrong with a pattern. Its text is a predicate that does not quote the pattern, which may
/// hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It has another scheme.
    Scheme,
    /// It cannot be parsed.
    Form,
    /// It has a user or password.
    User,
    /// It has a wildcard that is not the first label.
    Wildcard,
    /// It has a wildcard in front of an IP address.
    WildcardOfAddress,
    /// It has an IPv4 address that is not written as four decimal numbers.
    Notation,
    /// It has a path.
    Path,
    /// It has a query or fragment.
    Query,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "is neither http nor https",
            Self::Form => "is neither a host nor a URL",
            Self::User => "has a user in it",
            Self::Wildcard => "has a `*` elsewhere than in front, as in `*.example.com`",
            Self::WildcardOfAddress => "has a `*` in front of an IP address",
            Self::Notation => "has an IP address that is not written as four numbers, such as 127.0.0.1",
            Self::Path => "has a path",
            Self::Query => "has a query or fragment",
        })
    }
}

impl HostPattern {
    /// Parses a pattern or a URL, of which scheme, host and port count.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a predicate that does not quote it: it may hold a secret.
    pub(crate) fn of_url(text: &str) -> Result<Self, Problem> {
        Self::parse(text).map(|(pattern, _)| pattern)
    }

    fn parse(text: &str) -> Result<(Self, Url), Problem> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Err(Problem::Scheme);
        }
        let (subdomains, host) = rest.strip_prefix("*.").map_or((false, rest), |parent| (true, parent));
        // The parser would silently ignore some of these.
        if host.starts_with(['/', '\\']) || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Problem::Form);
        }
        let url = Url::parse(&format!("{scheme}://{host}"))
            .ok()
            .and_then(without_final_dot)
            .ok_or(Problem::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Problem::User);
        }
        let origin = Origin::of(&url).ok_or(Problem::Scheme)?;
        if origin.host.contains('*') {
            return Err(Problem::Wildcard);
        }
        if subdomains && origin.address().is_some() {
            return Err(Problem::WildcardOfAddress);
        }
        if origin.address().is_some() && Authority::of(rest).and_then(|written| written.address).is_none() {
            return Err(Problem::Notation);
        }
        Ok((Self { origin, subdomains }, url))
    }

    /// Whether it stands for the hosts below a public suffix, under which strangers register names:
    /// `*.com`, `*.co.uk`, `*.github.io`. A name without a dot is one too, known or not.
    pub(super) fn is_below_public_suffix(&self) -> bool {
        self.subdomains && psl::suffix_str(&self.origin.host).is_some_and(|suffix| suffix == self.origin.host)
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

/// Whether `text` is a whole URL of a loopback address, so that nobody can have written it by
/// accident: with a scheme, the address in dotted or bracketed form, and a port.
pub(super) fn names_loopback(text: &str) -> bool {
    let authority = text.trim().split_once("://").and_then(|(_, rest)| Authority::of(rest));
    authority.is_some_and(|written| {
        written.has_port && written.address.is_some_and(|address| address.is_loopback())
    })
}

/// A host and a port as they are written, before a parser of URLs makes addresses of numbers.
struct Authority {
    /// The address, if it is in dotted or bracketed form.
    address: Option<IpAddr>,
    has_port: bool,
}

impl Authority {
    /// Splits what follows the `//` of a URL. `None` if there is a user in it.
    fn of(rest: &str) -> Option<Self> {
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let authority = &rest[..end];
        if authority.contains('@') {
            return None;
        }
        let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = authority.split_at(port_at.unwrap_or(authority.len()));
        let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::from),
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        };
        Some(Self { address, has_port: port.len() > ":".len() })
    }
}

impl FromStr for HostPattern {
    type Err = Error;

    /// # Errors
    ///
    /// A config error that says what is wrong and which form is right.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |problem: Problem| Error::config(format!("it {problem}; the form is {FORM}"));
        let (pattern, url) = Self::parse(text).map_err(wrong)?;
        if url.path() != "/" {
            return Err(wrong(Problem::Path));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(Problem::Query));
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
mod tests;
