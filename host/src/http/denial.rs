//! Denials: what a connector was not let do comes in, one line for the person who watches goes out.
//!
//! A line names the origin alone: paths, queries and users of a URL may hold secrets.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::origin::Origin;
use super::policy::AllowedHosts;
use super::resolve::Prohibited;
use crate::contract::Level;
use crate::outbox::Outbox;
use crate::secrets::Unsendable;

/// What was not let out, or not in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Denial<'a> {
    /// The host was not granted.
    Host(&'a Origin, &'a AllowedHosts),
    /// The host was granted, but not its address.
    Address(&'a Origin, &'a Prohibited, &'a AllowedHosts),
    /// A secret of the configuration was to be sent and cannot be.
    Secret(&'a Origin, Unsendable),
    /// What is between this machine and the origin did not let the request through, or the origin's
    /// identity is refused: the reason, which names both.
    Obstacle(&'a Origin, &'a str),
}

impl fmt::Display for Denial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = |advice: Option<String>| advice.map(|advice| format!("; {advice}")).unwrap_or_default();
        match self {
            Self::Host(origin, allowed) => {
                write!(f, "denied: the connector tried to reach {origin}, ")?;
                if allowed.is_empty() {
                    f.write_str("but may reach no host")?;
                } else {
                    write!(f, "which is not among the hosts it may reach ({})", allowed.list())?;
                }
                let private =
                    origin.is_localhost() || origin.literal().and_then(super::address::special).is_some();
                f.write_str(&advice(allowed.advice(origin, private)))
            }
            Self::Address(origin, Prohibited { address, range }, allowed) => {
                write!(f, "denied: the connector tried to reach {origin}")?;
                if origin.literal().is_some() {
                    write!(f, ", which is {range}")?;
                } else {
                    write!(f, " at {address}, which is {range}")?;
                }
                f.write_str(&advice(allowed.advice(origin, true)))
            }
            Self::Secret(origin, Unsendable::Clear) => write!(
                f,
                "denied: the connector tried to send a secret of the configuration to {origin} without TLS; use \
                 https, or --expose-secrets to let it have the secrets themselves"
            ),
            Self::Secret(origin, Unsendable::Characters) => write!(
                f,
                "denied: a secret of the configuration, which the connector tried to send to {origin}, has \
                 characters that cannot be sent in a header, such as a line break; mend the configuration"
            ),
            Self::Obstacle(_, reason) => f.write_str(reason),
        }
    }
}

impl Denial<'_> {
    /// What two denials have in common of which only the first is told.
    fn key(&self) -> (u8, Origin) {
        match *self {
            Self::Host(origin, _) => (0, origin.clone()),
            Self::Address(origin, ..) => (1, origin.clone()),
            Self::Secret(origin, _) => (2, origin.clone()),
            Self::Obstacle(origin, _) => (3, origin.clone()),
        }
    }
}

/// Tells what is denied to one instance, once for each origin. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials(Arc<Mutex<HashSet<(u8, Origin)>>>);

impl Denials {
    /// How many lines there are at most; the last says so.
    const LINES: usize = 50;

    /// Warns of a denial, unless that was done before or too much was denied already.
    pub(super) async fn tell(&self, denial: Denial<'_>, outbox: &Outbox) {
        if let Some(line) = self.note(denial) {
            outbox.log(Level::Warn, line).await;
        }
    }

    /// The line to tell, if there is one.
    fn note(&self, denial: Denial<'_>) -> Option<String> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= Self::LINES || !told.insert(denial.key()) {
            return None;
        }
        let mut line = denial.to_string();
        if told.len() == Self::LINES {
            line += " (what is denied from now on is not told any more)";
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn granted(patterns: &[&str]) -> AllowedHosts {
        AllowedHosts::granted(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect(), false)
    }

    #[test]
    fn a_denial_names_what_was_tried_and_what_would_allow_it() {
        let allowed = granted(&["api.withorb.com"]);
        let host = |url| Denial::Host(&origin(url), &allowed).to_string();
        assert_eq!(
            host("https://evil.example:8443/path?key=secret"),
            "denied: the connector tried to reach https://evil.example:8443, which is not among the hosts it may \
             reach (https://api.withorb.com); --allow-host https://evil.example:8443 allows it"
        );
        assert!(
            host("http://10.0.0.7/").ends_with("--allow-host http://10.0.0.7 --allow-private-net allows it")
        );
        assert!(
            host("http://localhost/")
                .ends_with("--allow-host http://localhost --allow-private-net allows it")
        );
        assert!(host("http://127.0.0.1/").ends_with("; --allow-host http://127.0.0.1 allows it"));
        assert_eq!(
            Denial::Host(&origin("https://evil.example/"), &AllowedHosts::none()).to_string(),
            "denied: the connector tried to reach https://evil.example, but may reach no host"
        );
    }

    #[test]
    fn a_denied_address_is_named_with_what_it_is() {
        let address = "10.0.0.7".parse().unwrap();
        let prohibited = Prohibited { address, range: super::super::address::special(address).unwrap() };
        let allowed = granted(&["internal.example"]);
        let text = |url| Denial::Address(&origin(url), &prohibited, &allowed).to_string();
        assert_eq!(
            text("https://internal.example/"),
            "denied: the connector tried to reach https://internal.example at 10.0.0.7, which is private (RFC 1918); \
             --allow-host https://internal.example --allow-private-net allows it"
        );
        assert_eq!(
            text("https://10.0.0.7/"),
            "denied: the connector tried to reach https://10.0.0.7, which is private (RFC 1918); --allow-host \
             https://10.0.0.7 --allow-private-net allows it"
        );
    }

    #[test]
    fn a_denial_is_told_once_and_a_flood_has_an_end() {
        let (denials, allowed) = (Denials::default(), AllowedHosts::none());
        let note =
            |number| denials.note(Denial::Host(&origin(&format!("https://{number}.example/")), &allowed));
        let lines: Vec<_> = (0..10_000).flat_map(|number| [note(number), note(number)]).flatten().collect();
        assert_eq!(lines.len(), Denials::LINES);
        assert!(lines[0].ends_with("but may reach no host"));
        assert!(lines.last().unwrap().ends_with("is not told any more)"));
    }
}
