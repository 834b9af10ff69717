//! Proxies: a URL or the environment comes in, and which requests go through which proxy goes out.
//!
//! Credentials of a proxy go to the proxy, and are never shown.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::exempt::Exempt;
use super::origin::Origin;
use crate::error::{Error, Result};

/// The variables that name the proxy for `http` URLs, the first that is set before others.
const HTTP: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The same for `https` URLs.
const HTTPS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that name what is reached directly.
const NO: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxy, or proxies, that requests go through.
///
/// Requests to this machine (127.0.0.0/8, `::1`, localhost) never do. A proxy resolves names itself, so it is the proxy
/// that decides to which addresses they lead; addresses that are written as such are judged here all the same. The
/// host of a proxy is not judged: it is the operator's.
#[derive(Clone)]
pub struct Proxy {
    /// For `http` URLs.
    http: Option<Setting>,
    /// For `https` URLs.
    https: Option<Setting>,
    /// What goes directly all the same.
    exempt: Arc<Exempt>,
}

/// One proxy as it was set.
#[derive(Clone)]
struct Setting {
    /// The variable of the environment that it is from.
    variable: Option<&'static str>,
    /// Its URL, or a predicate about why it is of no use.
    url: Result<Url, &'static str>,
}

impl Setting {
    /// What is wrong with it, without quoting it.
    fn complain(&self, problem: &str) -> String {
        match self.variable {
            Some(name) => format!("the proxy in the environment variable {name} {problem}"),
            None => format!("the proxy {problem}"),
        }
    }
}

impl Proxy {
    /// The proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, or the same
    /// in lower case. There may be none. A variable that is empty counts as not set. One whose
    /// value is no URL of an HTTP proxy is of no consequence until a request would go through it,
    /// which then fails.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// No proxy, whatever the environment says.
    pub fn none() -> Self {
        Self::new(None, None, "")
    }

    fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Self {
        // What is no UTF-8 is no URL either, with or without the characters that are lost here.
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

    /// What is set for `url`; none if it goes directly.
    fn setting(&self, url: &Url) -> Option<&Setting> {
        let setting = if url.scheme() == "https" { &self.https } else { &self.http };
        let origin = Origin::of(url)?;
        setting.as_ref().filter(|_| !self.exempt.holds(&origin))
    }

    /// The proxy that a request to `url` goes through, as `scheme://host:port`; none if it goes directly.
    ///
    /// # Errors
    ///
    /// Why it cannot go through the one that is set, as a clause.
    pub(super) fn intercepts(&self, url: &Url) -> Result<Option<String>, String> {
        let Some(setting) = self.setting(url) else { return Ok(None) };
        match &setting.url {
            Ok(url) => Ok(show(Some(url))),
            Err(problem) => Err(setting.complain(problem)),
        }
    }

    /// The variable of the environment that names a proxy for `url`, if there is one.
    pub(super) fn variable(&self, url: &Url) -> Option<&'static str> {
        self.setting(url)?.variable
    }

    /// What the client needs to know: where each scheme goes. Whether a request takes it is decided before.
    pub(super) fn rules(&self) -> Result<Vec<reqwest::Proxy>, String> {
        let http = url(self.http.as_ref()).cloned().map(reqwest::Proxy::http);
        let https = url(self.https.as_ref()).cloned().map(reqwest::Proxy::https);
        let rules = http.into_iter().chain(https).collect::<Result<_, _>>();
        // The error of the client could quote the URL.
        rules.map_err(|_| "the proxy cannot be used".to_owned())
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
        let url = parse(text).map_err(|problem| Error::config(format!("the proxy {problem}")))?;
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

/// Takes the URL of a proxy; an error is a predicate.
fn parse(text: &str) -> Result<Url, &'static str> {
    const FORM: &str = "is not of the form http://HOST:PORT or https://HOST:PORT";
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let mut url = url.map_err(|_| FORM)?;
    if url.scheme().starts_with("socks") {
        return Err("is a SOCKS proxy, which is not supported; an http or https proxy is");
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FORM);
    }
    // A password with one of `/?#` in it would end the host, and what is left of it would be
    // dialled.
    if text.contains('@') && url.username().is_empty() && url.password().is_none() {
        return Err("has a user or password with characters that must be percent-encoded in a URL");
    }
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    // What the client could not read it would pass over, and go directly.
    let probe =
        Matcher::builder().all(url.as_str()).build().intercept(&http::Uri::from_static("http://a.example"));
    probe.map(|_| url).ok_or(FORM)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Proxy {
        Proxy::of_variables(variables)
    }

    fn judged(proxy: &Proxy, url: &str) -> Result<Option<String>, String> {
        proxy.intercepts(&Url::parse(url).unwrap())
    }

    fn through(proxy: &Proxy, url: &str) -> Option<String> {
        judged(proxy, url).unwrap()
    }

    #[test]
    fn one_proxy_may_be_for_everything() {
        let proxy: Proxy = "https://user:secret@proxy.example:3128/".parse().unwrap();
        for url in ["https://api.example.com/v1", "http://10.0.0.1/", "http://[2000::1]:8080/"] {
            assert_eq!(through(&proxy, url).as_deref(), Some("https://proxy.example:3128"), "{url}");
        }
        assert!(
            !format!("{proxy:?}").contains("secret") && !format!("{proxy:?}").contains("user"),
            "{proxy:?}"
        );
        assert_eq!(proxy.rules().unwrap().len(), 2);
        assert_eq!(
            through(&"proxy.example:3128".parse().unwrap(), "https://a.example/").as_deref(),
            Some("http://proxy.example:3128")
        );
    }

    #[test]
    fn the_environment_says_which_proxy_takes_what() {
        let proxy = env(&[
            ("HTTPS_PROXY", "http://secure.example:1"),
            ("https_proxy", "http://unused.example"),
            ("all_proxy", " http://other.example:2\n"),
            ("NO_PROXY", "internal.example, 10.0.0.0/8"),
        ]);
        assert_eq!(through(&proxy, "https://api.example.com/").as_deref(), Some("http://secure.example:1"));
        assert_eq!(through(&proxy, "http://api.example.com/").as_deref(), Some("http://other.example:2"));
        for direct in ["https://internal.example/", "https://a.internal.example/", "http://10.1.2.3/"] {
            assert_eq!(through(&proxy, direct), None, "{direct}");
        }
        let url = |url| Url::parse(url).unwrap();
        assert_eq!(proxy.variable(&url("https://api.example.com/")), Some("HTTPS_PROXY"));
        assert_eq!(proxy.variable(&url("http://api.example.com/")), Some("all_proxy"));
        assert_eq!(proxy.variable(&url("http://internal.example/")), None);
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let nothing = env(&[("HTTPS_PROXY", ""), ("HTTP_PROXY", " ")]);
        assert_eq!(through(&nothing, "https://api.example.com/"), None);
        assert_eq!(through(&nothing, "http://api.example.com/"), None);
        assert!(nothing.rules().unwrap().is_empty());
        let lower = env(&[("HTTPS_PROXY", ""), ("https_proxy", "proxy.example:1"), ("NO_PROXY", "")]);
        assert_eq!(through(&lower, "https://api.example.com/").as_deref(), Some("http://proxy.example:1"));
    }

    #[test]
    fn a_proxy_that_is_of_no_use_matters_where_it_would_be_used() {
        let proxy = env(&[
            ("HTTPS_PROXY", "http://secure.example:1"),
            ("ALL_PROXY", "socks5h://user:secret@socks.example:1080"),
            ("no_proxy", "internal.example"),
        ]);
        assert_eq!(through(&proxy, "https://api.example.com/").as_deref(), Some("http://secure.example:1"));
        assert_eq!(through(&proxy, "http://internal.example/"), None);
        assert_eq!(
            judged(&proxy, "http://api.example.com/").unwrap_err(),
            "the proxy in the environment variable ALL_PROXY is a SOCKS proxy, which is not supported; an http or \
             https proxy is"
        );
        assert_eq!(proxy.rules().unwrap().len(), 1);
        assert!(!format!("{proxy:?}").contains("secret"), "{proxy:?}");
    }

    #[test]
    fn what_is_no_proxy_is_told_without_quoting_it() {
        for text in [
            "",
            "ftp://user:secret@proxy",
            "socks5://secret:1",
            "http://:secret",
            "http://a b",
            "env2 secret",
        ] {
            let error = text.parse::<Proxy>().expect_err(text);
            assert!(
                error.message().starts_with("the proxy is ") && !error.message().contains("secret"),
                "{error}"
            );
            let proxy = env(&[("HTTPS_PROXY", text)]);
            let judged = judged(&proxy, "https://api.example.com/");
            assert!(text.is_empty() || !judged.unwrap_err().contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_password_that_breaks_the_url_is_told() {
        for text in ["http://user:12/3@proxy.example:3128", "http://user?3@proxy.example", "user#a@b@proxy"] {
            let error = text.parse::<Proxy>().expect_err(text);
            assert!(error.message().contains("must be percent-encoded"), "{error}");
        }
        assert!("http://user:12%2F3@proxy.example:3128".parse::<Proxy>().is_ok());
    }

    #[test]
    fn there_may_be_none_whatever_the_environment_says() {
        let proxy: Proxy = "none".parse().unwrap();
        assert_eq!(through(&proxy, "https://api.example.com/"), None);
    }
}
