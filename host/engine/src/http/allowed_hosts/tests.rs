use http::{Method, Uri};

use super::*;
use crate::config::Config;
use crate::http::target::Target;
use crate::json_object::JsonObject;

fn requested(patterns: &[&str], config: &str) -> Result<AllowedHosts> {
    let specification = Specification {
        name: "test".to_owned(),
        version: "1.0.0".to_owned(),
        config_schema: JsonObject::parse(
            r#"{"properties":{"api_url":{"type":"string","default":"https://api.example.com/v1"},"local":{"default":"http://127.0.0.1:9"},"region":{}}}"#,
        )
        .unwrap(),
        documentation_url: None,
        allowed_hosts: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
    };
    AllowedHosts::requested(&specification, &Config::parse(config).unwrap().seal(&specification).unwrap())
}

fn granted(patterns: &[&str], private_net: bool) -> AllowedHosts {
    AllowedHosts::granted(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect(), private_net)
}

/// What is decided about a request to `url`, as the http does.
fn judge(allowed: &AllowedHosts, url: &str) -> Result<Reach, String> {
    let uri = url.parse::<Uri>().map_err(|error| error.to_string())?;
    let target = Target::of(&Method::GET, &uri).map_err(|error| error.to_string())?;
    allowed.judge(&target.origin).map_err(|refusal| match refusal {
        Refusal::Host => "host".to_owned(),
        Refusal::Address(prohibited) => prohibited.to_string(),
    })
}

fn permits(patterns: &[&str], url: &str) -> bool {
    judge(&requested(patterns, "{}").unwrap(), url).is_ok()
}

#[test]
fn a_host_means_https_and_its_port() {
    assert!(permits(&["api.example.com"], "https://api.example.com/v1?a=b"));
    assert!(permits(&["api.example.com"], "https://API.EXAMPLE.COM:443/"));
    assert!(permits(&["api.example.com"], "https://api.example.com./"));
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
        "https://api.example.com%2eevil.com/",
        "https://api.example.com../",
        "https://evil.com/api.example.com",
        "https://evil.com/?https://api.example.com",
        "https://evil.com#@api.example.com",
        "https://evil.com\\@api.example.com",
        "https://api.example.com@evil.com/",
        "https://api.example.com:443@evil.com/",
        "https://evil.com@api.example.com/",
        "https://api-example.com/",
        "https://api.example.co/",
        "https://аpi.example.com/",
        "//api.example.com/",
        "ftp://api.example.com/",
    ] {
        assert!(!permits(&["api.example.com"], url), "{url}");
    }
}

#[test]
fn a_url_means_its_scheme_host_and_port() {
    let allowed = requested(&["${api_url}"], r#"{"api_url":"http://127.0.0.1:8080/v1"}"#).unwrap();
    assert!(judge(&allowed, "http://127.0.0.1:8080/v2").is_ok());
    assert!(judge(&allowed, "http://2130706433:8080/").is_ok());
    assert!(judge(&allowed, "https://127.0.0.1:8080/").is_err());
    assert!(judge(&allowed, "http://127.0.0.1:8081/").is_err());
    assert!(judge(&allowed, "http://localhost:8080/").is_err());
}

#[test]
fn nothing_is_allowed_by_default() {
    assert!(!permits(&[], "https://api.example.com/"));
    assert_eq!(AllowedHosts::default().to_string(), "no host");
}

#[test]
fn a_field_is_filled_in_from_the_config_or_its_default() {
    let text = |patterns: &[&str], config: &str| requested(patterns, config).unwrap().to_string();
    assert_eq!(text(&["${api_url}"], "{}"), "only https://api.example.com");
    assert_eq!(text(&["${api_url}"], r#"{"api_url":"http://localhost:9/v1"}"#), "only http://localhost:9");
    assert_eq!(text(&["${region}.example.com"], r#"{"region":"eu"}"#), "only https://eu.example.com");
    assert_eq!(text(&["${region}.example.com"], "{}"), "no host");
    assert_eq!(
        text(&["${api_url}", "b.example.com", "*.example.org"], "{}"),
        "only https://api.example.com, https://b.example.com, https://*.example.org"
    );
}

#[test]
fn only_fields_of_text_are_filled_in() {
    let text = |config: &str| requested(&["${region}.example.com"], config).unwrap().to_string();
    assert_eq!(text(r#"{"region":3}"#), "no host");
    assert_eq!(
        requested(&["${api_url}"], r#"{"api_url":3}"#).unwrap().to_string(),
        "only https://api.example.com"
    );
}

#[test]
fn a_host_does_not_grow_without_end() {
    let pattern = format!("{}.example.com", "${region}".repeat(100));
    let config = format!(r#"{{"region":"{}"}}"#, "x".repeat(1_000));
    let error = requested(&[&pattern], &config).unwrap_err();
    assert!(error.message().ends_with("which is longer than 8192 bytes"), "{error}");
}

#[test]
fn of_many_hosts_the_one_that_matches_is_found_and_a_few_are_listed() {
    let patterns: Vec<_> = (0..1_000).map(|number| format!("*.host-{number}.example")).collect();
    let mut patterns: Vec<_> = patterns.iter().map(String::as_str).collect();
    patterns.extend(["host-7.example", "a.b.host-8.example", "*.b.host-8.example"]);
    let allowed = requested(&patterns, "{}").unwrap();
    for url in ["https://host-7.example/", "https://a.b.host-999.example/", "https://c.b.host-8.example"] {
        assert!(judge(&allowed, url).is_ok(), "{url}");
    }
    for url in ["https://host-8.example/", "https://example/", "https://a.host-1000.example/"] {
        assert!(judge(&allowed, url).is_err(), "{url}");
    }
    assert!(allowed.to_string().ends_with(" and 998 more"), "{allowed}");
    let labels = "a.".repeat(119) + "host-9.example";
    assert!(judge(&allowed, &format!("https://{labels}/")).is_ok());
}

#[test]
fn a_field_cannot_leave_its_place_in_a_host() {
    let error = requested(&["${region}.example.com"], r#"{"region":"evil.com/"}"#).unwrap_err();
    assert_eq!(error.failure_type(), crate::FailureType::Config);
    assert_eq!(error.message(), "the field `region` of the config cannot be part of a host name");
}

#[test]
fn what_is_no_host_is_an_error_that_does_not_quote_it() {
    let error = requested(&["${api_url}"], r#"{"api_url":"secret value"}"#).unwrap_err();
    assert_eq!(
        error.message(),
        "the connector asks to reach `${api_url}` of the config, which is neither a host nor a URL"
    );
    assert_eq!(error.failure_type(), crate::FailureType::Config);
    let problem = |pattern| requested(&[pattern], "{}").unwrap_err();
    assert_eq!(
        problem("*").message(),
        "the connector asks to reach `*`, which has a `*` elsewhere than in front, as in `*.example.com`"
    );
    assert_eq!(
        problem("*.com").message(),
        "the connector asks to reach `*.com`, which is every host of a public suffix, where anybody can register a name"
    );
    assert_eq!(problem("*.com").failure_type(), crate::FailureType::System);
    assert_eq!(problem("ftp://example.com").failure_type(), crate::FailureType::System);
    assert!(problem("https://user@example.com").message().ends_with("which has a user in it"));
    assert!(problem("${api_url").message().ends_with("in which a `}` is missing"));
}

#[test]
fn a_connector_may_ask_for_the_subdomains_of_a_host() {
    assert!(permits(&["*.example.com"], "https://a.example.com/"));
    assert!(!permits(&["*.example.com"], "https://example.com/"));
    let allowed = requested(&["*.${region}"], r#"{"region":"example.com"}"#).unwrap();
    assert!(judge(&allowed, "https://a.example.com/").is_ok());
}

#[test]
fn no_connector_is_allowed_every_host_of_a_public_suffix() {
    for (pattern, config) in [
        ("*.co.uk", "{}"),
        ("http://*.github.io:8080", "{}"),
        ("*.${region}", r#"{"region":"com"}"#),
        ("*.${region}", r#"{"region":"co.uk"}"#),
        ("*.co.${region}", r#"{"region":"uk"}"#),
        ("${region}", r#"{"region":"*.github.io"}"#),
        ("*.${region}", r#"{"region":"internal"}"#),
    ] {
        let error = requested(&[pattern], config).unwrap_err();
        assert!(error.message().contains("public suffix"), "{pattern}: {error}");
    }
    // Whoever runs it decides for themselves.
    assert!(judge(&granted(&["*.github.io"], false), "https://a.github.io/").is_ok());
}

#[test]
fn a_loopback_address_is_in_reach_if_the_user_wrote_it() {
    let reach = |pattern: &str, config: &str, url: &str| judge(&requested(&[pattern], config).unwrap(), url);
    let loopback = "127.0.0.1 is loopback (RFC 1122)".to_owned();
    let url = "http://127.0.0.1:9/";
    assert_eq!(reach("${local}", r#"{"local":"http://127.0.0.1:9/"}"#, url), Ok(Reach::Private));
    assert_eq!(reach("${local}", r#"{"local":"http://[::1]:9"}"#, "http://[::1]:9/"), Ok(Reach::Private));
    // The connector wrote it, as the default of its schema or a part of it.
    assert_eq!(reach("${local}", "{}", url), Err(loopback.clone()));
    assert_eq!(reach("http://127.0.0.1:9", "{}", url), Err(loopback.clone()));
    assert_eq!(reach("http://127.0.0.${region}:9", r#"{"region":"1"}"#, url), Err(loopback.clone()));
    // The user wrote a part of it, or no port.
    assert_eq!(reach("http://${local}:9", r#"{"local":"127.0.0.1"}"#, url), Err(loopback.clone()));
    assert_eq!(
        reach("${local}:9", r#"{"local":"127.0.0.1"}"#, "https://127.0.0.1:9/"),
        Err(loopback.clone())
    );
    assert_eq!(
        reach("${local}", r#"{"local":"127.0.0.1:9"}"#, "https://127.0.0.1:9/"),
        Err(loopback.clone())
    );
    assert_eq!(reach("${local}", r#"{"local":"http://127.0.0.1"}"#, "http://127.0.0.1/"), Err(loopback));
    // A number is no address.
    for written in ["2130706433", "0x7f000001", "http://0177.0.0.1:9", "127.1"] {
        let config = format!(r#"{{"local":"{written}","region":"{written}"}}"#);
        for pattern in ["${local}", "http://${region}:9"] {
            let Err(error) = requested(&[pattern], &config) else {
                panic!("{pattern}: {written}");
            };
            assert_eq!(error.failure_type(), crate::FailureType::Config, "{pattern}: {written}");
        }
    }
    // Other addresses of this network are not so easily in reach, nor is a name.
    for written in
        ["http://10.0.0.1:9", "http://169.254.169.254", "http://0.0.0.0", "http://[::ffff:127.0.0.1]"]
    {
        let refused = reach("${local}", &format!(r#"{{"local":"{written}"}}"#), written).unwrap_err();
        assert!(refused.contains("(RFC"), "{written}: {refused}");
    }
    assert_eq!(
        reach("${local}", r#"{"local":"http://localhost:9"}"#, "http://localhost:9/"),
        Ok(Reach::Public)
    );
}

#[test]
fn what_is_granted_takes_the_place_of_what_is_asked_for() {
    let allowed = granted(&["https://a.example.com", "*.example.org"], false);
    assert_eq!(judge(&allowed, "https://a.example.com/"), Ok(Reach::Public));
    assert_eq!(judge(&allowed, "https://b.example.org/"), Ok(Reach::Public));
    assert_eq!(judge(&allowed, "https://api.example.com/"), Err("host".to_owned()));
    assert_eq!(judge(&granted(&[], true), "https://a.example.com/"), Err("host".to_owned()));
}

#[test]
fn the_private_network_is_granted_with_a_host_but_not_with_a_wildcard() {
    let allowed = granted(&["http://10.0.0.1", "a.example.com", "*.example.com"], true);
    assert_eq!(judge(&allowed, "http://10.0.0.1/"), Ok(Reach::Private));
    assert_eq!(judge(&allowed, "https://a.example.com/"), Ok(Reach::Private));
    assert_eq!(judge(&allowed, "https://b.example.com/"), Ok(Reach::Public));
    let allowed = granted(&["http://10.0.0.1", "http://127.0.0.1:9", "http://localhost:9"], false);
    assert_eq!(judge(&allowed, "http://10.0.0.1/"), Err("10.0.0.1 is private (RFC 1918)".to_owned()));
    assert_eq!(judge(&allowed, "http://127.0.0.1:9/"), Ok(Reach::Private));
    assert_eq!(judge(&allowed, "http://localhost:9/"), Ok(Reach::Public));
}
