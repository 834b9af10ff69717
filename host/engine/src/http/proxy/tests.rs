use super::*;

fn env(variables: &[(&str, &str)]) -> Proxy {
    Proxy::of_variables(variables)
}

fn judged(proxy: &Proxy, url: &str) -> Result<Option<String>, String> {
    proxy.intercepts(&Url::parse(url).unwrap()).map_err(|problem| problem.to_string())
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
    assert!(!format!("{proxy:?}").contains("secret") && !format!("{proxy:?}").contains("user"), "{proxy:?}");
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
    for text in
        ["", "ftp://user:secret@proxy", "socks5://secret:1", "http://:secret", "http://a b", "env2 secret"]
    {
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
