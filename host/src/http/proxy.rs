//! Proxies: a URL or the environment comes in, and which requests go through which proxy goes out.
//!
//! Credentials of a proxy go to the proxy, and are never shown.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use super::origin::Origin;
use crate::error::{Error, Result};

/// The proxy, or proxies, that requests go through.
///
/// Requests to this machine (127.0.0.0/8, `::1`, localhost) never do. A proxy resolves names itself, so it is the proxy
/// that decides to which addresses they lead; addresses that are written as such are judged here all the same. The
/// host of a proxy is not judged: it is the operator's.
#[derive(Clone)]
pub struct Proxy {
    /// For `http` URLs.
    http: Option<Url>,
    /// For `https` URLs.
    https: Option<Url>,
    /// Says which of them takes a URL, if any.
    matcher: Arc<Matcher>,
}

impl Proxy {
    /// The proxies that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, or the same in lower case. There
    /// may be none.
    ///
    /// # Errors
    ///
    /// A config error that names the variable whose value is no URL of an HTTP proxy.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let first = |names: &[&str]| {
            let set =
                |name: &&str| Some(((*name).to_owned(), read(name)?)).filter(|(_, value)| !value.is_empty());
            names.iter().find_map(set)
        };
        let proxy = |names: &[&str]| {
            let Some((name, value)) = first(names) else { return Ok(None) };
            let wrong =
                |problem| Error::config(format!("the proxy in the environment variable {name} {problem}"));
            parse(&value).map(Some).map_err(wrong)
        };
        let http = proxy(&["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])?;
        let https = proxy(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])?;
        let no = first(&["NO_PROXY", "no_proxy"]).map(|(_, value)| value).unwrap_or_default();
        Ok(Self::new(http, https, no))
    }

    fn new(http: Option<Url>, https: Option<Url>, no: String) -> Self {
        let url = |url: &Option<Url>| url.as_ref().map(Url::to_string).unwrap_or_default();
        let matcher = Matcher::builder().http(url(&http)).https(url(&https)).no(no).build();
        Self { http, https, matcher: Arc::new(matcher) }
    }

    /// The proxy that a request to `url` goes through, as `scheme://host:port`; none if it goes directly.
    pub(super) fn intercepts(&self, url: &Url) -> Option<String> {
        // Of a path, the matcher takes no notice.
        let uri = Origin::of(url)?.to_string().parse().ok()?;
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        self.matcher.intercept(&uri).and_then(|_| show(proxy.as_ref()))
    }

    /// What the client needs to know: where each scheme goes. Whether a request takes it is decided before.
    pub(super) fn rules(&self) -> Result<Vec<reqwest::Proxy>, String> {
        let http = self.http.clone().map(reqwest::Proxy::http);
        let https = self.https.clone().map(reqwest::Proxy::https);
        let rules = http.into_iter().chain(https).collect::<Result<_, _>>();
        // The error of the client could quote the URL.
        rules.map_err(|_| "the proxy cannot be used".to_owned())
    }
}

impl FromStr for Proxy {
    type Err = Error;

    /// Takes the URL of a proxy for everything, or the word `env` for those that the environment names.
    ///
    /// # Errors
    ///
    /// A config error if it is neither, without quoting it.
    fn from_str(text: &str) -> Result<Self> {
        if text == "env" {
            return Self::from_env();
        }
        let wrong = |problem| Error::config(format!("the proxy {problem}"));
        let url = parse(text).map_err(wrong)?;
        Ok(Self::new(Some(url.clone()), Some(url), String::new()))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("http", &show(self.http.as_ref()))
            .field("https", &show(self.https.as_ref()))
            .finish_non_exhaustive()
    }
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

    fn env(variables: &[(&str, &str)]) -> Result<Proxy> {
        Proxy::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn through(proxy: &Proxy, url: &str) -> Option<String> {
        proxy.intercepts(&Url::parse(url).unwrap())
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
            ("all_proxy", "http://other.example:2"),
            ("NO_PROXY", "internal.example, 10.0.0.0/8"),
        ])
        .unwrap();
        assert_eq!(through(&proxy, "https://api.example.com/").as_deref(), Some("http://secure.example:1"));
        assert_eq!(through(&proxy, "http://api.example.com/").as_deref(), Some("http://other.example:2"));
        for direct in ["https://internal.example/", "https://a.internal.example/", "http://10.1.2.3/"] {
            assert_eq!(through(&proxy, direct), None, "{direct}");
        }
        let nothing = env(&[("HTTPS_PROXY", "")]).unwrap();
        assert_eq!(through(&nothing, "https://api.example.com/"), None);
        assert!(nothing.rules().unwrap().is_empty());
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
        }
        assert_eq!(
            env(&[("ALL_PROXY", "socks5://proxy")]).unwrap_err().message(),
            "the proxy in the environment variable ALL_PROXY is a SOCKS proxy, which is not supported; an http or \
             https proxy is"
        );
    }
}
