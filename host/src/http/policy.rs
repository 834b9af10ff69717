//! Who may be called: patterns come in, a yes or no for a URL goes out. What is not allowed is denied.

use std::collections::BTreeSet;
use std::fmt;

use reqwest::Url;
use serde_json::Value;

use crate::config::{SealedConfig, fields};
use crate::contract::Specification;
use crate::error::{Error, Result};

/// Scheme, host and port: what is granted or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Where `url` leads. None if it is not HTTP.
    pub fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
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

/// The origins that a connector may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(BTreeSet<Origin>);

impl AllowedHosts {
    /// None at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly what a connector asks for in its specification, for this configuration.
    ///
    /// A pattern is a host, with or without a port, which is reached by https, or a URL, of which scheme, host and
    /// port count. `${field}` stands for a top-level field of the configuration or the default that its schema gives;
    /// a pattern whose field has neither grants nothing.
    ///
    /// # Errors
    ///
    /// A config error if a field makes no host of a pattern, a system error if a pattern is none by itself.
    pub fn requested(specification: &Specification, config: &SealedConfig) -> Result<Self> {
        let schema = fields(&specification.config_schema);
        let lookup = |field: &str| {
            config.config.text_field(field).or_else(|| {
                match schema.get("properties")?.get(field)?.get("default")? {
                    Value::String(text) => Some(text.clone()),
                    _ => None,
                }
            })
        };
        let mut origins = BTreeSet::new();
        for pattern in &specification.allowed_hosts {
            let Some(filled) = fill(pattern, lookup)? else { continue };
            let origin = parse_origin(&filled).map_err(|problem| {
                if filled == *pattern {
                    Error::system(format!("the connector asks to reach `{pattern}`, {problem}"))
                } else {
                    Error::config(format!(
                        "the connector asks to reach `{pattern}` of the configuration, {problem}"
                    ))
                }
            })?;
            origins.insert(origin);
        }
        Ok(Self(origins))
    }

    /// Whether `url`, in the form in which it will be dialled, may be reached.
    pub fn permit(&self, url: &Url) -> bool {
        Origin::of(url).is_some_and(|origin| self.0.contains(&origin))
    }
}

impl FromIterator<Origin> for AllowedHosts {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no host");
        }
        let origins: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&format!("only {}", origins.join(", ")))
    }
}

/// Puts fields in the place of every `${field}`. None if one of them has no value.
fn fill(pattern: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (field, after) = after.split_once('}').ok_or_else(|| {
            Error::system(format!("the connector asks to reach `{pattern}`, in which a `}}` is missing"))
        })?;
        let Some(value) = lookup(field).filter(|value| !value.is_empty()) else { return Ok(None) };
        let alone = before.is_empty() && after.is_empty() && filled.is_empty();
        // A part of a host must not end it and begin another.
        if !alone
            && !value.chars().all(|character| character.is_ascii_alphanumeric() || "-.".contains(character))
        {
            return Err(Error::config(format!(
                "the field `{field}` of the configuration cannot be part of a host name"
            )));
        }
        filled += before;
        filled += &value;
        rest = after;
    }
    filled += rest;
    Ok(Some(filled))
}

/// Takes a host or URL; an error is the end of a sentence and does not quote it, because it may hold a secret.
fn parse_origin(text: &str) -> Result<Origin, &'static str> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    let url = url.map_err(|_| "which is neither a host nor a URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("which has a user in it");
    }
    let origin = Origin::of(&url).ok_or("which is neither http nor https")?;
    if origin.host.contains('*') {
        return Err("but wildcards are not supported");
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::document::Document;

    fn requested(patterns: &[&str], config: &str) -> Result<AllowedHosts> {
        let specification = Specification {
            name: "test".to_owned(),
            version: "1.0.0".to_owned(),
            config_schema: Document::parse(
                r#"{"properties":{"api_url":{"type":"string","default":"https://api.example.com/v1"},"region":{}}}"#,
            )
            .unwrap(),
            documentation_url: None,
            allowed_hosts: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        };
        AllowedHosts::requested(&specification, &Config::parse(config).unwrap().seal(&specification).unwrap())
    }

    fn permits(patterns: &[&str], url: &str) -> bool {
        requested(patterns, "{}").unwrap().permit(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_host_means_https_and_its_port() {
        assert!(permits(&["api.example.com"], "https://api.example.com/v1?a=b"));
        assert!(permits(&["api.example.com"], "https://API.EXAMPLE.COM:443/"));
        assert!(!permits(&["api.example.com"], "http://api.example.com/"));
        assert!(!permits(&["api.example.com"], "https://api.example.com:8443/"));
        assert!(permits(&["api.example.com:8443"], "https://api.example.com:8443/"));
    }

    #[test]
    fn no_other_host_passes_for_an_allowed_one() {
        for url in [
            "https://example.com/",
            "https://evil.api.example.com/",
            "https://api.example.com.evil.com/",
            "https://api.example.com./",
            "https://evil.com/api.example.com",
            "https://evil.com/?https://api.example.com",
            "https://evil.com#@api.example.com",
            "https://api.example.com@evil.com/",
        ] {
            assert!(!permits(&["api.example.com"], url), "{url}");
        }
    }

    #[test]
    fn a_url_means_its_scheme_host_and_port() {
        assert!(permits(&["http://127.0.0.1:8080/v1"], "http://127.0.0.1:8080/v2"));
        assert!(permits(&["http://127.0.0.1"], "http://2130706433/"));
        assert!(!permits(&["http://127.0.0.1:8080"], "https://127.0.0.1:8080/"));
        assert!(!permits(&["http://127.0.0.1:8080"], "http://127.0.0.1:8081/"));
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        assert!(!permits(&[], "https://api.example.com/"));
        assert_eq!(AllowedHosts::none().to_string(), "no host");
    }

    #[test]
    fn a_field_is_filled_in_from_the_configuration_or_its_default() {
        let text = |patterns: &[&str], config: &str| requested(patterns, config).unwrap().to_string();
        assert_eq!(text(&["${api_url}"], "{}"), "only https://api.example.com");
        assert_eq!(
            text(&["${api_url}"], r#"{"api_url":"http://localhost:9/v1"}"#),
            "only http://localhost:9"
        );
        assert_eq!(text(&["${region}.example.com"], r#"{"region":"eu"}"#), "only https://eu.example.com");
        assert_eq!(text(&["${region}.example.com"], "{}"), "no host");
        assert_eq!(
            text(&["${api_url}", "b.example.com"], "{}"),
            "only https://api.example.com, https://b.example.com"
        );
    }

    #[test]
    fn a_field_cannot_leave_its_place_in_a_host() {
        let error = requested(&["${region}.example.com"], r#"{"region":"evil.com/"}"#).unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::Config);
        assert_eq!(error.message(), "the field `region` of the configuration cannot be part of a host name");
    }

    #[test]
    fn what_is_no_host_is_an_error_that_does_not_quote_it() {
        let error = requested(&["${api_url}"], r#"{"api_url":"secret value"}"#).unwrap_err();
        assert_eq!(
            error.message(),
            "the connector asks to reach `${api_url}` of the configuration, which is neither a host nor a URL"
        );
        assert_eq!(error.failure_type(), crate::FailureType::Config);
        let problem = |pattern| requested(&[pattern], "{}").unwrap_err();
        assert_eq!(
            problem("*.example.com").message(),
            "the connector asks to reach `*.example.com`, but wildcards are not supported"
        );
        assert_eq!(problem("ftp://example.com").failure_type(), crate::FailureType::System);
        assert!(problem("https://user@example.com").message().ends_with("which has a user in it"));
        assert!(problem("${api_url").message().ends_with("in which a `}` is missing"));
    }
}
