//! Origins: scheme, host and port of a URL.
//!
//! Origins are what is allowed, denied and reported. The rest of a URL does not matter here, and
//! may hold secrets.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::address::special;

/// Where a URL leads: `https://api.example.com`, without a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub(super) scheme: String,
    /// In lower case and punycode, without a final dot. An IPv6 address is in brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    /// The origin of `url`. `None` if it is not an HTTP URL.
    pub(super) fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// Reads the origin of a URL. `None` if it is not an HTTP URL.
    pub fn parse(url: &str) -> Option<Self> {
        Self::of(&without_final_dot(Url::parse(url).ok()?)?)
    }

    /// The IP address, if the host is not a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether the host is an address of this machine: 127.0.0.0/8 or `::1`.
    pub fn is_loopback_address(&self) -> bool {
        self.address().is_some_and(|address| address.is_loopback())
    }

    /// Whether the host is a name of this machine, whatever a name server says (RFC 6761, section
    /// 6.3).
    pub fn is_localhost(&self) -> bool {
        is_localhost(&self.host)
    }

    /// Whether the host is a name of this machine or an address that is not public.
    pub fn is_private(&self) -> bool {
        self.is_localhost() || self.address().is_some_and(|address| special(address).is_some())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

/// As [`Origin::is_localhost`].
pub(super) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// Removes the final dot of the host, which does not change its meaning. `None` if no host is left,
/// or another dot.
pub(super) fn without_final_dot(mut url: Url) -> Option<Url> {
    let Some(name) = url.domain().and_then(|name| name.strip_suffix('.')) else { return Some(url) };
    if name.is_empty() || name.ends_with('.') {
        return None;
    }
    let name = name.to_owned();
    url.set_host(Some(&name)).ok()?;
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&without_final_dot(Url::parse(url).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn an_origin_is_shown_without_what_it_does_not_need() {
        assert_eq!(
            origin("https://user:key@API.example.com:443/path?query").to_string(),
            "https://api.example.com"
        );
        assert_eq!(origin("http://[::1]:8080/").to_string(), "http://[::1]:8080");
        assert_eq!(origin("https://bücher.example./").to_string(), "https://xn--bcher-kva.example");
    }

    #[test]
    fn this_machine_is_known_by_its_addresses_and_names() {
        for url in [
            "http://127.0.0.1/",
            "http://127.9.9.9/",
            "http://[::1]/",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(origin(url).is_loopback_address(), "{url}");
        }
        for url in ["http://localhost/", "http://LOCALHOST./", "http://a.localhost/"] {
            assert!(origin(url).is_localhost() && !origin(url).is_loopback_address(), "{url}");
        }
        for url in [
            "http://notlocalhost/",
            "http://localhost.example.com/",
            "http://[::ffff:127.0.0.1]/",
            "http://0/",
        ] {
            assert!(!origin(url).is_localhost() && !origin(url).is_loopback_address(), "{url}");
        }
    }

    #[test]
    fn more_than_one_final_dot_is_no_host() {
        assert!(without_final_dot(Url::parse("https://example.com../").unwrap()).is_none());
        assert!(without_final_dot(Url::parse("https://./").unwrap()).is_none());
    }
}
