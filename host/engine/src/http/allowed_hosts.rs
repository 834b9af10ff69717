//! Decides which hosts a connector may reach, and whether they may have private addresses.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::address::{Prohibited, Reach, special};
use super::origin::Origin;
use super::pattern::{HostPattern, names_loopback};
use crate::config::{SealedConfig, fields};
use crate::error::{Error, Result};
use crate::excerpt::{FEW, few};
use crate::types::Specification;

/// Why an origin may not be called.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The host is not allowed.
    Host,
    /// The host is allowed, but not its address.
    Address(Prohibited),
}

/// The hosts that a connector may reach. The default is none.
///
/// Granting a host does not grant addresses on this machine or its network: a host with such an
/// address is not called, unless that very host, and not a wildcard, was [granted](Self::granted)
/// with `private_net`, or the user wrote the address itself and it is one of the loopback interface
/// (127.0.0.0/8 or `::1`). In a config, that takes a whole URL, such as `http://127.0.0.1:8080`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    grants: BTreeMap<HostPattern, Reach>,
    granted_by: GrantedBy,
}

/// Who wrote a list of allowed hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrantedBy {
    /// Nobody: nothing may be reached.
    #[default]
    Nobody,
    /// The connector, in its specification.
    Connector,
    /// Whoever runs the connector.
    Operator,
}

impl AllowedHosts {
    /// The hosts that a connector asks for in its specification, for this config.
    ///
    /// A pattern is a [`HostPattern`] or a URL, of which scheme, host and port count. `${field}`
    /// stands for a top-level field of the config, or for its default in the schema. A pattern
    /// whose field has neither allows nothing.
    ///
    /// # Errors
    ///
    /// A config error if a pattern is not a host with this config, a system error if it never is
    /// one.
    pub fn requested(specification: &Specification, config: &SealedConfig) -> Result<Self> {
        // Parsed once: a connector asks for many hosts, and each may have many fields.
        let (schema, written) = (fields(&specification.config_schema), config.config.fields());
        let lookup = |field: &str| match written.get(field) {
            Some(Value::String(text)) => Some((text.as_str(), true)),
            _ => match schema.get("properties")?.get(field)?.get("default")? {
                Value::String(text) => Some((text.as_str(), false)),
                _ => None,
            },
        };
        let mut allowed = Self { granted_by: GrantedBy::Connector, ..Self::default() };
        for asked in &specification.allowed_hosts {
            let Some(filled) = fill(asked, lookup)? else { continue };
            let pattern = HostPattern::of_url(&filled.text).map_err(|problem| {
                if filled.text == *asked {
                    Error::system(format!("the connector asks to reach `{asked}`, which {problem}"))
                } else {
                    Error::config(format!(
                        "the connector asks to reach `{asked}` of the config, which {problem}"
                    ))
                }
            })?;
            if pattern.is_below_public_suffix() {
                let blame = if filled.text == *asked { Error::system } else { Error::config };
                return Err(blame(format!(
                    "the connector asks to reach `{asked}`, which is every host of a public suffix, where anybody \
                     can register a name"
                )));
            }
            // As the user wrote it, alone: an address among other text may have got there by
            // accident.
            let loopback = filled.written.contains(&filled.text) && names_loopback(&filled.text);
            allowed.grant(pattern, if loopback { Reach::Private } else { Reach::Public });
        }
        Ok(allowed)
    }

    /// Exactly these hosts, whatever a connector asks for. With `private_net`, hosts that are named
    /// without a wildcard may have any address, also on this machine and its network.
    pub fn granted(patterns: Vec<HostPattern>, private_net: bool) -> Self {
        let mut allowed = Self { granted_by: GrantedBy::Operator, ..Self::default() };
        for pattern in patterns {
            let private = pattern.origin.is_loopback_address() || private_net && !pattern.subdomains;
            allowed.grant(pattern, if private { Reach::Private } else { Reach::Public });
        }
        allowed
    }

    /// Exactly these hosts, as if a connector had asked for them.
    pub fn of_connector(patterns: Vec<HostPattern>) -> Self {
        Self { granted_by: GrantedBy::Connector, ..Self::granted(patterns, false) }
    }

    fn grant(&mut self, pattern: HostPattern, reach: Reach) {
        let granted = self.grants.entry(pattern).or_insert(reach);
        *granted = reach.max(*granted);
    }

    /// Which addresses `origin` may have.
    ///
    /// # Errors
    ///
    /// Why it may not be called.
    pub(super) fn judge(&self, origin: &Origin) -> Result<Reach, Refusal> {
        let reach = self.reach(origin).ok_or(Refusal::Host)?;
        let address = origin.address().filter(|_| reach == Reach::Public);
        match address.and_then(|address| Some(Prohibited { address, range: special(address)? })) {
            Some(prohibited) => Err(Refusal::Address(prohibited)),
            None => Ok(reach),
        }
    }

    /// Which addresses the patterns that match `origin` let it have. However many patterns there
    /// are, only those are looked up that can match: the host, and the wildcards above it.
    fn reach(&self, origin: &Origin) -> Option<Reach> {
        let above = |host: &str| HostPattern {
            origin: Origin { host: host.to_owned(), ..origin.clone() },
            subdomains: true,
        };
        let dots = origin.host.match_indices('.');
        let wildcards = dots.map(|(dot, _)| above(&origin.host[dot + 1..]));
        std::iter::once(HostPattern { origin: origin.clone(), subdomains: false })
            .chain(wildcards)
            .filter(|pattern| pattern.matches(origin))
            .filter_map(|pattern| self.grants.get(&pattern).copied())
            .max()
    }

    /// The patterns of the hosts, in order.
    pub fn patterns(&self) -> impl ExactSizeIterator<Item = &HostPattern> {
        self.grants.keys()
    }

    /// Who wrote the list.
    pub fn granted_by(&self) -> GrantedBy {
        self.granted_by
    }

    /// A few of the patterns, with commas between them, and how many more there are.
    pub(super) fn list(&self) -> String {
        few(self.patterns(), FEW)
    }

    /// Whether nothing may be reached.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no host");
        }
        write!(f, "only {}", self.list())
    }
}

/// A pattern with its fields filled in.
struct Filled {
    text: String,
    /// The values that the user wrote.
    written: Vec<String>,
}

/// Bytes of a pattern with its fields filled in at most.
const LONGEST: usize = 8 * 1024;

/// Fills in every `${field}`. `None` if one of them has no value. `lookup` also says whether the
/// user wrote the value.
fn fill<'v>(pattern: &str, lookup: impl Fn(&str) -> Option<(&'v str, bool)>) -> Result<Option<Filled>> {
    let mut filled = Filled { text: String::new(), written: Vec::new() };
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (field, after) = after.split_once('}').ok_or_else(|| {
            Error::system(format!("the connector asks to reach `{pattern}`, in which a `}}` is missing"))
        })?;
        let Some((value, written)) = lookup(field).filter(|(value, _)| !value.is_empty()) else {
            return Ok(None);
        };
        let alone = before.is_empty() && after.is_empty() && filled.text.is_empty();
        // A part of a host must not end it and begin another.
        if !alone
            && !value.chars().all(|character| character.is_ascii_alphanumeric() || "-.".contains(character))
        {
            return Err(Error::config(format!(
                "the field `{field}` of the config cannot be part of a host name"
            )));
        }
        if filled.text.len() + before.len() + value.len() > LONGEST {
            return Err(Error::config(format!(
                "the connector asks to reach `{pattern}` of the config, which is longer than {LONGEST} bytes"
            )));
        }
        filled.text += before;
        filled.text += value;
        if written {
            filled.written.push(value.to_owned());
        }
        rest = after;
    }
    filled.text += rest;
    Ok(Some(filled))
}

#[cfg(test)]
mod tests;
