//! Proxies and certificates from the environment: used by a bundle, which is what an image
//! contains, and only mentioned in messages otherwise.

use std::process::Command;

use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};
use serde_json::json;

use super::hosts::{answers, calling};
use crate::support::{Answer, Canary, Output, Server, Setup, artifacts, guests, setup::run};

/// All environment variables that matter.
const VARIABLES: [&str; 12] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// A host that cannot exist: a label of a domain name has at most 63 bytes.
fn nowhere() -> String {
    format!("{}.invalid", "a".repeat(64))
}

/// Runs a command with only these of the variables.
fn with(mut command: Command, variables: &[(&str, &str)]) -> Output {
    for name in VARIABLES {
        command.env_remove(name);
    }
    run({
        command.envs(variables.iter().copied());
        command
    })
}

/// The bundle, configured with this API URL.
fn bundle(api_url: &str) -> Setup {
    let config =
        json!({ "api_key": DEFAULT_API_KEY, "start_date": "2024-01-01T00:00:00Z", "api_url": api_url });
    Setup::guest(guests::CALLER, config).bundle(artifacts::bundle())
}

/// Runs `check`.
fn check(setup: &Setup, variables: &[(&str, &str)]) -> Output {
    with(setup.command(&[&"check", &"--config", &setup.config_file()]), variables)
}

/// The status of a check, which the config caused.
#[track_caller]
fn status(output: &Output) -> (&str, &str) {
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    output.assert_clean();
    let status = output.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
    (&status.status, &status.message)
}

/// A proxy that expects a different password.
fn locked() -> Server {
    Server::start(|_| Answer::with("407 Proxy Authentication Required", &[], ""))
}

#[test]
fn a_bundle_goes_through_the_proxy_of_its_environment() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let proxy = locked();
        let url = format!("http://user:hunter2@127.0.0.1:{}", proxy.port());
        let output = check(&bundle("https://api.example.com/v1"), &[(name, &url), ("HTTP_PROXY", "")]);
        let (status, message) = status(&output);
        assert_eq!(status, "FAILED");
        assert!(
            message.contains(&format!(
                "the proxy {}, by which https://api.example.com is reached, wants a user and a password, or other ones",
                proxy.url()
            )),
            "{message}"
        );
        assert!(!format!("{}{}", output.stdout, output.stderr).contains("hunter2"));
        // A wrong password is not retried.
        let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
        assert_eq!(request.target(), "api.example.com:443", "{name}");
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    }
}

#[test]
fn a_proxy_of_another_kind_matters_only_where_it_would_be_used() {
    let proxy = locked();
    let socks = ("ALL_PROXY", "socks5://user:hunter2@127.0.0.1:1");
    let api = bundle("https://api.example.com/v1");
    let output = check(&api, &[socks, ("HTTPS_PROXY", &proxy.url())]);
    assert!(status(&output).1.contains("wants a user and a password"), "{}", output.stdout);
    let output = check(&api, &[socks]);
    let (verdict, message) = status(&output);
    assert_eq!(verdict, "FAILED");
    assert!(
        message.contains("the environment variable ALL_PROXY is a SOCKS proxy, which is not supported"),
        "{message}"
    );
    assert!(!format!("{}{}", output.stdout, output.stderr).contains("hunter2"));
    // Neither commands without network nor hosts that bypass proxies are affected.
    assert_eq!(with(api.command(&[&"spec"]), &[socks]).code, Some(0));
    let orb = MockOrb::start(Account::generate(&Settings::empty()));
    assert_eq!(status(&check(&bundle(&orb.url()), &[socks])).0, "SUCCEEDED");
}

#[test]
fn a_bundle_can_be_told_to_go_directly() {
    let canary = Canary::new();
    for (flags, no_proxy) in [(&["--proxy", "none"][..], ""), (&[], "invalid"), (&[], "*")] {
        let setup = bundle(&format!("https://{}/v1", nowhere())).flags(flags);
        let output = check(&setup, &[("HTTPS_PROXY", &canary.url()), ("no_proxy", no_proxy)]);
        assert_eq!(output.error().failure_type, "transient_error", "{}", output.error().message);
    }
    canary.assert_unreached();
}

#[test]
fn a_proxy_of_the_environment_is_pointed_to_where_it_is_not_used() {
    let canary = Canary::new();
    let url = format!("https://{}", nowhere());
    let calling = calling(&url, std::slice::from_ref(&url));
    let (config, catalog) = (calling.config_file(), calling.catalog_file(&["things"]));
    let command = || calling.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let warnings = |output: &Output| {
        assert!(answers(output)[0].is_string());
        let warnings = output.logs().into_iter().filter(|log| log.level == "WARN");
        warnings.map(|log| log.message.clone()).collect::<Vec<_>>()
    };
    let output = with(command(), &[("https_proxy", &canary.url())]);
    assert_eq!(
        warnings(&output),
        [format!(
            "{url} was tried directly, though https_proxy is set: --proxy env goes through the proxies of the environment"
        )]
    );
    assert!(warnings(&with(command(), &[("http_proxy", &canary.url())])).is_empty());
    canary.assert_unreached();
}

#[test]
fn a_bundle_trusts_the_certificates_of_its_environment() {
    let orb = MockOrb::start_tls_on(Account::generate(&Settings::empty()), "127.0.0.1:0").unwrap();
    let api = bundle(&orb.url());
    let certificate = api.file("ca.pem", orb.certificate().unwrap());
    let certificate = certificate.to_str().unwrap();
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        assert_eq!(status(&check(&api, &[(name, certificate)])).0, "SUCCEEDED", "{name}");
    }
    let output = check(&api, &[("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem")]);
    let (verdict, message) = status(&output);
    assert_eq!(verdict, "FAILED");
    assert!(
        message.contains("/nonexistent/ca.pem in the environment variable REQUESTS_CA_BUNDLE cannot be read"),
        "{message}"
    );
    // On a command line, the variables are not meant for the host alone.
    let host = Setup::new(&orb);
    let output = check(&host, &[("REQUESTS_CA_BUNDLE", certificate)]);
    let message = &output.error().message;
    assert!(
        message.contains("no authority that is trusted here has signed it")
            && message.ends_with("REQUESTS_CA_BUNDLE is set and not used here: --ca-cert FILE trusts a file"),
        "{message}"
    );
}

#[test]
fn a_certificate_that_is_refused_says_why_and_whose_fault_it_is() {
    let (orb, other) = (
        MockOrb::start_tls_on(Account::generate(&Settings::empty()), "127.0.0.1:0").unwrap(),
        MockOrb::start_tls_on(Account::generate(&Settings::empty()), "127.0.0.1:0").unwrap(),
    );
    let setup = Setup::new(&orb);
    let error = check(&setup, &[]);
    assert_eq!(error.error().failure_type, "system_error");
    assert!(error.error().message.ends_with("; --ca-cert FILE trusts more certificates"), "{}", error.stderr);
    let certificate = setup.file("other.pem", other.certificate().unwrap());
    let setup = setup.flags(&["--ca-cert", certificate.to_str().unwrap()]);
    let output = check(&setup, &[]);
    let (verdict, message) = status(&output);
    assert_eq!(verdict, "FAILED");
    assert!(
        message.contains(&format!("the certificate of {} is refused: ", orb.url().trim_end_matches("/v1"))),
        "{message}"
    );
}
