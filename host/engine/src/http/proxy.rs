//! Decides which requests go through which proxy, by a URL or by the environment.
//!
//! The credentials of a proxy are sent to the proxy, and are never shown.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::exempt::Exempt;
use super::origin::Origin;
use crate::error::{Error, Result};

/// The variables that name the proxy for `http` URLs. The first that is set counts.
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The same for `https` URLs.
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name what bypasses the proxy.
const NO: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy, or proxies, that requests go through.
///
/// Requests to this machine (127.0.0.0/8, `::1`, localhost) never do. A proxy resolves names
/// itself, so it decides which addresses they have. Hosts that are IP addresses are checked all the
/// same. The host of the proxy is not checked, because the operator chose it.
#[derive(Clone)]
pub struct Proxy {
    /// For `http` URLs.
    http: Option<Setting>,
    /// For `https` URLs.
    https: Option<Setting>,
    /// What bypasses the proxies.
    exempt: Arc<Exempt>,
}

/// One proxy setting.
#[derive(Clone)]
struct Setting {
    /// The environment variable that it is from.
    variable: Option<&'static str>,
    url: Result<Url, Flaw>,
}

/// Why a proxy cannot be used. Never quotes its URL, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The environment variable that it is from.
    variable: Option<&'static str>,
    flaw: Flaw,
}

/// What is wrong with the URL of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Form,
    Socks,
    Unescaped,
    /// The client does not take it, though nothing is wrong with it.
    Refused,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy ")?;
        if let Some(name) = self.variable {
            write!(f, "in the environment variable {name} ")?;
        }
        f.write_str(match self.flaw {
            Flaw::Form => "is not of the form http://HOST:PORT or https://HOST:PORT",
            Flaw::Socks => "is a SOCKS proxy, which is not supported; an http or https proxy is",
            Flaw::Unescaped => "has a user or password with characters that must be percent-encoded in a URL",
            Flaw::Refused => "cannot be used",
        })
    }
}

impl Proxy {
    /// The proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, or the same
    /// in lower case. There may be none. An empty variable counts as not set. A variable that is
    /// not the URL of an HTTP proxy matters only when a request would go through it, which then
    /// fails.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// No proxy, whatever the environment says.
    pub fn none() -> Self {
        Self::new(None, None, "")
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Self {
        // Text that is not UTF-8 is not a URL either, even with the characters that are lost here.
        let read = |name: &str| Some(read(name)?.to_string_lossy().trim().to_owned());
        let first = |names: &[&'static str]| {
            let set = |name: &&'static str| Some((*name, read(name).filter(|value| !value.is_empty())?));
            names.iter().find_map(set)
        };
        let setting = |names: &[&'static str]| {
            let (name, value) = first(names)?;
            Some(Setting { variable: Some(name), url: parse(&value) })
        };
        let no = first(&NO).map(|(_, value)| value).unwrap_or_default();
        Self::new(setting(&HTTP), setting(&HTTPS), &no)
    }

    /// The proxies that these variables name.
    #[cfg(test)]
    pub(super) fn of_variables(variables: &[(&str, &str)]) -> Self {
        Self::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        })
    }

    fn new(http: Option<Setting>, https: Option<Setting>, no: &str) -> Self {
        Self { http, https, exempt: Arc::new(Exempt::parse(no)) }
    }

    /// The setting for `url`. `None` if it is reached directly.
    fn setting(&self, url: &Url) -> Option<&Setting> {
        let setting = if url.scheme() == "https" { &self.https } else { &self.http };
        let origin = Origin::of(url)?;
        setting.as_ref().filter(|_| !self.exempt.holds(&origin))
    }

    /// The proxy that a request to `url` goes through, as `scheme://host:port`. `None` if it goes
    /// directly.
    ///
    /// # Errors
    ///
    /// If it cannot go through the proxy that is set.
    pub(super) fn intercepts(&self, url: &Url) -> Result<Option<String>, Problem> {
        let Some(setting) = self.setting(url) else { return Ok(None) };
        match &setting.url {
            Ok(url) => Ok(show(Some(url))),
            Err(flaw) => Err(Problem { variable: setting.variable, flaw: *flaw }),
        }
    }

    /// The variable of the environment that names a proxy for `url`, if there is one.
    pub(super) fn variable(&self, url: &Url) -> Option<&'static str> {
        self.setting(url)?.variable
    }

    /// The rules for the client: the proxy of each scheme. Whether a request uses them is decided
    /// before.
    ///
    /// # Errors
    ///
    /// If the client does not take one.
    pub(super) fn rules(&self) -> Result<Vec<reqwest::Proxy>, Problem> {
        let http = url(self.http.as_ref()).cloned().map(reqwest::Proxy::http);
        let https = url(self.https.as_ref()).cloned().map(reqwest::Proxy::https);
        let rules = http.into_iter().chain(https).collect::<Result<_, _>>();
        // The error of the client could quote the URL.
        rules.map_err(|_| Problem { variable: None, flaw: Flaw::Refused })
    }
}

impl FromStr for Proxy {
    type Err = Error;

    /// Takes the URL of a proxy for everything, `env` for those that the environment names, or
    /// `none`.
    ///
    /// # Errors
    ///
    /// A config error if it is none of them, without quoting it.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "env" => return Ok(Self::from_env()),
            "none" => return Ok(Self::none()),
            _ => {}
        }
        let problem = |flaw| Error::config(Problem { variable: None, flaw }.to_string());
        let url = parse(text).map_err(problem)?;
        let setting = Some(Setting { variable: None, url: Ok(url) });
        Ok(Self::new(setting.clone(), setting, ""))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("http", &show(url(self.http.as_ref())))
            .field("https", &show(url(self.https.as_ref())))
            .finish_non_exhaustive()
    }
}

fn url(setting: Option<&Setting>) -> Option<&Url> {
    setting?.url.as_ref().ok()
}

/// A proxy without its credentials.
fn show(url: Option<&Url>) -> Option<String> {
    Origin::of(url?).map(|origin| origin.to_string())
}

/// Parses the URL of a proxy.
fn parse(text: &str) -> Result<Url, Flaw> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let mut url = url.map_err(|_| Flaw::Form)?;
    if url.scheme().starts_with("socks") {
        return Err(Flaw::Socks);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Flaw::Form);
    }
    // A password with one of `/?#` in it would end the host, and its beginning would be connected
    // to.
    if text.contains('@') && url.username().is_empty() && url.password().is_none() {
        return Err(Flaw::Unescaped);
    }
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    // The client ignores a URL that it cannot parse, and would connect directly.
    let probe =
        Matcher::builder().all(url.as_str()).build().intercept(&http::Uri::from_static("http://a.example"));
    probe.map(|_| url).ok_or(Flaw::Form)
}

#[cfg(test)]
mod tests;
