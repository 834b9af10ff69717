//! What goes past a proxy: the value of `NO_PROXY` comes in, whether an origin is in it goes out.
//!
//! An entry is a host, which stands for all hosts below it too, an address, a range of addresses
//! such as 10.0.0.0/8, or `*` for everything. There is no standard; what curl, Python and Go have
//! in common is taken, and what only some of them understand: `*.example.com`, a port behind a
//! host, and spaces between entries.

use hyper_util::client::proxy::matcher::Matcher;

use super::origin::Origin;

/// What is exempt from proxies.
pub(super) struct Exempt {
    /// At any port.
    everywhere: Matcher,
    /// At one port alone.
    at: Vec<(u16, Matcher)>,
}

impl Exempt {
    /// Takes a list of entries. What is none matches nothing.
    pub(super) fn parse(list: &str) -> Self {
        let mut everywhere = Vec::new();
        let mut at = Vec::new();
        for entry in list.split(|character: char| character == ',' || character.is_whitespace()) {
            match with_port(entry) {
                Some((host, port)) => at.push((port, matcher(&bare(host)))),
                None => everywhere.push(bare(entry)),
            }
        }
        Self { everywhere: matcher(&everywhere.join(",")), at }
    }

    /// Whether requests to `origin` go past the proxy.
    pub(super) fn holds(&self, origin: &Origin) -> bool {
        let scheme_and_host = format!("http://{}", origin.host);
        let Ok(uri) = scheme_and_host.parse() else { return false };
        let at_port = self.at.iter().filter(|(port, _)| *port == origin.port).map(|(_, matcher)| matcher);
        std::iter::once(&self.everywhere).chain(at_port).any(|matcher| matcher.intercept(&uri).is_none())
    }
}

/// Intercepts all but these hosts.
fn matcher(hosts: &str) -> Matcher {
    Matcher::builder().all("http://proxy.invalid").no(hosts).build()
}

/// Host and port of an entry that has both. An IPv6 address has colons of its own.
fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    let port = port.parse().ok()?;
    (!host.contains(':') || host.ends_with(']')).then_some((host, port))
}

/// An entry as the matcher knows it: without a wildcard before a dot, and without brackets.
fn bare(entry: &str) -> String {
    if entry == "*" {
        // By itself, it would not stand for addresses.
        return "*,0.0.0.0/0,::/0".to_owned();
    }
    let entry = entry.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(entry);
    entry.trim_start_matches('[').trim_end_matches([']', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    fn holds(list: &str, url: &str) -> bool {
        Exempt::parse(list).holds(&Origin::of(&Url::parse(url).unwrap()).unwrap())
    }

    #[test]
    fn an_entry_stands_for_itself_and_what_is_below() {
        for list in [
            "example.com",
            ".example.com",
            "*.example.com",
            "EXAMPLE.com",
            "a.b, example.com",
            "a.b example.com.",
        ] {
            assert!(holds(list, "https://api.example.com/"), "{list}");
            assert!(holds(list, "https://example.com:8443/"), "{list}");
            assert!(!holds(list, "https://notexample.com/"), "{list}");
            assert!(!holds(list, "https://example.com.evil.example/"), "{list}");
        }
        for url in ["https://api.example.com/", "http://10.0.0.1/", "http://[2000::1]/"] {
            assert!(holds("*", url), "{url}");
        }
        assert!(!holds("", "https://api.example.com/") && !holds(" , ", "https://api.example.com/"));
    }

    #[test]
    fn addresses_and_ranges_of_them_are_entries() {
        assert!(holds("10.0.0.0/8,192.168.1.7", "http://10.1.2.3/"));
        assert!(holds("10.0.0.0/8,192.168.1.7", "http://192.168.1.7:8080/"));
        assert!(!holds("10.0.0.0/8,192.168.1.7", "http://192.168.1.8/"));
        for list in ["2000::1", "[2000::1]", "2000::/16"] {
            assert!(holds(list, "http://[2000::1]/"), "{list}");
        }
        assert!(!holds("2000::1", "http://[2000::2]/"));
    }

    #[test]
    fn an_entry_with_a_port_is_for_that_port() {
        for (list, url, expected) in [
            ("api.example.com:443", "https://api.example.com/", true),
            ("api.example.com:443", "https://api.example.com:8443/", false),
            (".example.com:8080", "http://a.example.com:8080/", true),
            ("10.0.0.1:80", "http://10.0.0.1/", true),
            ("[2000::1]:80", "http://[2000::1]/", true),
            ("[2000::1]:80", "http://[2000::1]:81/", false),
        ] {
            assert_eq!(holds(list, url), expected, "{list} {url}");
        }
    }
}
