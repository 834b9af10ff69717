//! Reports requests that a connector was not allowed to make, or that did not get through.
//!
//! A denial names the origin alone: paths, queries and users of a URL may hold secrets.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::allowed_hosts::AllowedHosts;
use super::origin::Origin;
use crate::events::Level;
use crate::obstacle::Obstacle;
use crate::reporter::Reporter;
use crate::secrets::SecretProblem;

/// A request that was not sent, or did not get through. Its text states what happened; what would
/// allow the request can be told from its fields.
#[derive(Clone, Debug)]
pub enum Denial {
    /// The host is not allowed.
    Host {
        /// Where the request was to go.
        origin: Origin,
        /// The hosts that are.
        allowed: Arc<AllowedHosts>,
    },
    /// The host is allowed, but not its address.
    Address {
        /// Where the request was to go.
        origin: Origin,
        /// The address.
        address: IpAddr,
        /// What the address is for, such as "private (RFC 1918)".
        purpose: String,
        /// The hosts that are allowed.
        allowed: Arc<AllowedHosts>,
    },
    /// A secret of the config was to be sent, and cannot be.
    Secret {
        /// Where the request was to go.
        origin: Origin,
        /// Why it cannot.
        problem: SecretProblem,
    },
    /// Something between this machine and the origin did not let the request through, or the
    /// origin's certificate is not trusted.
    Obstacle {
        /// Where the request was to go.
        origin: Origin,
        /// What was in the way.
        obstacle: Obstacle,
    },
}

impl Denial {
    /// Where the request was to go.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Host { origin, .. }
            | Self::Address { origin, .. }
            | Self::Secret { origin, .. }
            | Self::Obstacle { origin, .. } => origin,
        }
    }

    /// What denials have in common of which only the first is reported.
    fn key(&self) -> (u8, Origin) {
        let kind = match self {
            Self::Host { .. } => 0,
            Self::Address { .. } => 1,
            Self::Secret { .. } => 2,
            Self::Obstacle { .. } => 3,
        };
        (kind, self.origin().clone())
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { origin, allowed } if allowed.is_empty() => {
                write!(f, "denied: the connector tried to reach {origin}, but may reach no host")
            }
            Self::Host { origin, allowed } => write!(
                f,
                "denied: the connector tried to reach {origin}, which is not among the hosts it may reach ({})",
                allowed.list()
            ),
            Self::Address { origin, purpose, .. } if origin.address().is_some() => {
                write!(f, "denied: the connector tried to reach {origin}, which is {purpose}")
            }
            Self::Address { origin, address, purpose, .. } => {
                write!(f, "denied: the connector tried to reach {origin} at {address}, which is {purpose}")
            }
            Self::Secret { origin, problem: SecretProblem::Unencrypted } => write!(
                f,
                "denied: the connector tried to send a secret of the config to {origin} without TLS; use https"
            ),
            Self::Secret { origin, problem: SecretProblem::Characters } => write!(
                f,
                "denied: a secret of the config, which the connector tried to send to {origin}, has \
                 characters that cannot be sent in a header, such as a line break; correct the config"
            ),
            Self::Obstacle { obstacle, .. } => f.write_str(&obstacle.reason),
        }
    }
}

/// Reports the denials of one instance, once for each kind and origin. Clones share what was
/// reported.
#[derive(Clone, Debug, Default)]
pub(super) struct Denials(Arc<Mutex<HashSet<(u8, Origin)>>>);

impl Denials {
    /// How many denials are reported at most. A log line then says so.
    const MOST: usize = 50;

    /// Reports a denial, unless that was done before or too much was denied already.
    pub(super) async fn report(&self, denial: &Denial, reporter: &Reporter) {
        let Some(count) = self.note(denial) else { return };
        reporter.denied(denial).await;
        if count == Self::MOST {
            let text = "the connector was denied many requests; further denials are not reported";
            reporter.log(Level::Warn, || text.to_owned()).await;
        }
    }

    /// How many denials there have been, if this one is to be reported.
    fn note(&self, denial: &Denial) -> Option<usize> {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = reported.len() < Self::MOST && reported.insert(denial.key());
        is_new.then_some(reported.len())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn granted(patterns: &[&str]) -> Arc<AllowedHosts> {
        let patterns = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        Arc::new(AllowedHosts::granted(patterns, false))
    }

    fn host(url: &str, allowed: &Arc<AllowedHosts>) -> Denial {
        Denial::Host { origin: origin(url), allowed: allowed.clone() }
    }

    #[test]
    fn a_denial_names_what_was_tried_without_its_path() {
        assert_eq!(
            host("https://evil.example:8443/path?key=secret", &granted(&["api.withorb.com"])).to_string(),
            "denied: the connector tried to reach https://evil.example:8443, which is not among the hosts it may \
             reach (https://api.withorb.com)"
        );
        assert_eq!(
            host("https://evil.example/", &Arc::default()).to_string(),
            "denied: the connector tried to reach https://evil.example, but may reach no host"
        );
    }

    #[test]
    fn a_denied_address_is_named_with_what_it_is() {
        let text = |url| {
            let (address, purpose) = ("10.0.0.7".parse().unwrap(), "private (RFC 1918)".to_owned());
            Denial::Address { origin: origin(url), address, purpose, allowed: granted(&[]) }.to_string()
        };
        assert_eq!(
            text("https://internal.example/"),
            "denied: the connector tried to reach https://internal.example at 10.0.0.7, which is private (RFC 1918)"
        );
        assert_eq!(
            text("https://10.0.0.7/"),
            "denied: the connector tried to reach https://10.0.0.7, which is private (RFC 1918)"
        );
    }

    #[test]
    fn a_denial_is_reported_once_and_a_flood_has_an_end() {
        let (denials, allowed) = (Denials::default(), Arc::default());
        let note = |number| denials.note(&host(&format!("https://{number}.example/"), &allowed));
        let counts: Vec<_> = (0..10_000).flat_map(|number| [note(number), note(number)]).flatten().collect();
        assert_eq!(counts, (1..=Denials::MOST).collect::<Vec<_>>());
    }
}
