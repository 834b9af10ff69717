//! Says which secrets of a config may go to hosts that the connector chose.
//!
//! A connector may ask for any host, and a secret goes to every host that is allowed. Where the
//! user named the host, that is what the user wants. Where only the connector did, somebody must
//! have looked at what it asks for.

use std::collections::HashSet;

use serde_json::Value;

use crate::config::{SealedConfig, fields};
use crate::http::{AllowedHosts, GrantedBy, HostPattern, Origin};

/// Secrets that may go to hosts which the connector named, and not the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disclosure {
    secrets: Vec<String>,
    hosts: Vec<HostPattern>,
}

impl Disclosure {
    /// Hosts are named by the user if the operator granted them, or if they are a whole value of
    /// the config: a URL or a host.
    pub(crate) fn of(allowed: &AllowedHosts, config: &SealedConfig) -> Self {
        let secrets: Vec<_> = config.secret_properties().map(str::to_owned).collect();
        if allowed.granted_by() != GrantedBy::Connector || secrets.is_empty() {
            return Self::default();
        }
        let written: HashSet<_> = fields(config.config.object()).values().filter_map(host).collect();
        let is_written = |host: &&HostPattern| written.contains(&host.to_string());
        let hosts: Vec<_> = allowed.patterns().filter(|host| !is_written(host)).cloned().collect();
        if hosts.is_empty() { Self::default() } else { Self { secrets, hosts } }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The properties of the config that have the secrets, as paths with dots.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The hosts.
    pub fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }
}

/// The host that a value of a config is, in the form in which hosts are shown.
fn host(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    let origin = Origin::parse(text).map(|origin| origin.to_string());
    origin.or_else(|| {
        // A URL without a scheme may have a path, of which a pattern knows nothing.
        let host = text.split(['/', '?', '#']).next()?;
        Some(host.parse::<HostPattern>().ok()?.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::json_object::JsonObject;
    use crate::types::Specification;

    /// The secrets and hosts that the warning names.
    fn told(hosts: &[&str], config: &str) -> (Vec<String>, Vec<String>) {
        let specification = Specification {
            name: "test".to_owned(),
            version: "1.0.0".to_owned(),
            config_schema: JsonObject::parse(
                r#"{"properties":{"key":{"airbyte_secret":true},"login":{"properties":{"password":{"airbyte_secret":true}}},
                    "api_url":{"default":"https://api.example.com/v1"}}}"#,
            )
            .unwrap(),
            documentation_url: None,
            allowed_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let sealed = Config::parse(config).unwrap().seal(&specification).unwrap();
        let allowed = AllowedHosts::requested(&specification, &sealed).unwrap();
        let Disclosure { secrets, hosts } = Disclosure::of(&allowed, &sealed);
        (secrets, hosts.iter().map(ToString::to_string).collect())
    }

    fn nothing() -> (Vec<String>, Vec<String>) {
        (vec![], vec![])
    }

    #[test]
    fn a_host_that_only_the_connector_named_is_told_with_every_secret() {
        let config = r#"{"key":"k","login":{"password":"p"},"region":"eu"}"#;
        let secrets = || vec!["key".to_owned(), "login.password".to_owned()];
        for (host, told_of) in [
            ("evil.example", "https://evil.example"),
            ("*.evil.example", "https://*.evil.example"),
            ("${api_url}", "https://api.example.com"),
            ("${region}.evil.example", "https://eu.evil.example"),
        ] {
            assert_eq!(told(&[host], config), (secrets(), vec![told_of.to_owned()]), "{host}");
        }
    }

    #[test]
    fn a_host_that_the_user_wrote_is_not_told_of() {
        let url = r#"{"key":"k","api_url":"https://api.example.org/v1"}"#;
        assert_eq!(told(&["${api_url}"], url), nothing());
        assert_eq!(told(&["https://api.example.org"], url), nothing());
        for written in [
            "api.example.org",
            "api.example.org:8443/v1",
            " HTTP://API.example.org:80/v1?a ",
            "*.example.org",
        ] {
            let config = format!(r#"{{"key":"k","api_url":"{written}"}}"#);
            assert_eq!(told(&["${api_url}"], &config), nothing(), "{written}");
        }
        let (_, hosts) = told(&["${api_url}", "evil.example", "http://api.example.org"], url);
        assert_eq!(hosts, ["http://api.example.org", "https://evil.example"]);
    }

    #[test]
    fn without_secrets_there_is_nothing_to_tell() {
        assert_eq!(told(&["evil.example"], r#"{"region":"eu"}"#), nothing());
        assert_eq!(told(&[], r#"{"key":"k"}"#), nothing());
    }

    #[test]
    fn what_the_operator_granted_is_not_told_of() {
        let specification = Specification {
            name: "test".to_owned(),
            version: "1.0.0".to_owned(),
            config_schema: JsonObject::parse(r#"{"properties":{"key":{"airbyte_secret":true}}}"#).unwrap(),
            documentation_url: None,
            allowed_hosts: vec!["a.example".to_owned()],
        };
        let sealed = Config::parse(r#"{"key":"k"}"#).unwrap().seal(&specification).unwrap();
        let allowed = AllowedHosts::granted(vec!["a.example".parse().unwrap()], false);
        assert!(Disclosure::of(&allowed, &sealed).is_empty());
    }
}
