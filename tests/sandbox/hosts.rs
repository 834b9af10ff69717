//! Which hosts a component may call: those it asked for and was granted, and no others.

use serde_json::{Value, json};

use super::told;
use crate::support::{Answer, Canary, Output, Server, Setup, guests};

/// A guest that sends these requests.
pub(super) fn caller(api_url: &str, requests: &Value) -> Setup {
    Setup::guest(guests::CALLER, json!({ "api_url": api_url, "requests": requests }))
}

/// A guest that calls these URLs.
pub(super) fn calling(api_url: &str, urls: &[String]) -> Setup {
    caller(api_url, &urls.iter().map(|url| json!({ "url": url })).collect())
}

/// The host's answer to each request, as the guest reports it.
#[track_caller]
pub(super) fn answers(output: &Output) -> Vec<Value> {
    told(output).into_iter().map(|mut told| told["answer"].take()).collect()
}

/// Checks that each of these URLs is denied without any connection. `wasi:http` itself rejects some
/// of them, such as other schemes, as invalid.
#[track_caller]
pub(super) fn assert_refused(output: &Output, urls: &[String]) {
    for (answer, url) in answers(output).iter().zip(urls) {
        let said = answer.as_str().unwrap_or_else(|| panic!("{url} answered {answer}"));
        let refused = ["denied", "prohibited", "ErrorCode::HttpProtocolError"].contains(&said);
        assert!(refused || said.starts_with("invalid"), "{url}: {said}");
    }
}

/// The only warning of a run.
#[track_caller]
fn warning(output: &Output) -> &str {
    let warnings: Vec<_> = output.logs().into_iter().filter(|log| log.level == "WARN").collect();
    let [warning] = warnings[..] else { panic!("{warnings:?}") };
    &warning.message
}

#[test]
fn a_host_that_was_not_asked_for_cannot_be_called() {
    let canary = Canary::new();
    let output = calling("", &[canary.url() + "/path?query"]).read(&["things"]);
    assert_eq!(answers(&output), ["denied"]);
    let warning = warning(&output);
    assert!(warning.contains(&canary.url()), "{warning}");
    assert!(warning.contains("--allow-host"), "{warning}");
    assert!(!warning.contains("query"), "{warning}");
    canary.assert_unreached();
}

#[test]
fn a_host_that_the_user_wrote_can_be_called() {
    let server = Server::ok();
    let output = calling(&server.url(), &[server.url()]).read(&["things"]);
    assert_eq!(answers(&output), [200]);
}

#[test]
fn a_host_that_the_user_allows_can_be_called_and_then_no_other() {
    let (server, canary) = (Server::ok(), Canary::new());
    let output = calling(&canary.url(), &[server.url(), canary.url()])
        .flags(&["--allow-host", &server.url()])
        .read(&["things"]);
    assert_eq!(answers(&output), [json!(200), json!("denied")]);
    canary.assert_unreached();
}

#[test]
fn several_hosts_can_be_allowed() {
    let (one, another) = (Server::ok(), Server::ok());
    let output = calling("", &[one.url(), another.url()])
        .flags(&["--allow-host", &one.url(), "--allow-host", &another.url()])
        .read(&["things"]);
    assert_eq!(answers(&output), [200, 200]);
}

#[test]
fn a_name_of_this_machine_needs_two_permissions() {
    let canary = Canary::new();
    let url = format!("http://localhost:{}", canary.port());
    let setup = || calling(&url, std::slice::from_ref(&url));
    for (setup, flag) in [
        (setup(), "--allow-host"),
        (setup().flags(&["--allow-host", &url]), "--allow-private-net"),
        (setup().flags(&["--allow-host", &canary.url()]), "--allow-host"),
    ] {
        let output = setup.read(&["things"]);
        assert_refused(&output, std::slice::from_ref(&url));
        let warning = warning(&output);
        assert!(warning.contains(&format!("localhost:{}", canary.port())), "{warning}");
        assert!(warning.contains(flag), "{warning}");
    }
    canary.assert_unreached();
}

#[test]
fn a_name_of_this_machine_with_both_permissions_can_be_called() {
    let server = Server::ok();
    let url = format!("http://localhost:{}", server.port());
    let output = calling("", std::slice::from_ref(&url))
        .flags(&["--allow-host", &url, "--allow-private-net"])
        .read(&["things"]);
    assert_eq!(answers(&output), [200]);
}

#[test]
fn private_addresses_are_not_reached_by_being_allowed_to_reach_some() {
    let canary = Canary::new();
    let url = canary.url();
    let output = calling("", &[url]).flags(&["--allow-private-net"]).read(&["things"]);
    assert_eq!(answers(&output), ["denied"]);
    canary.assert_unreached();
}

#[test]
fn addresses_of_a_cloud_and_of_a_company_are_prohibited() {
    let urls: Vec<String> = [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "http://172.16.0.1/",
        "http://192.168.0.1/",
        "http://100.64.0.1/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://255.255.255.255/",
        "http://224.0.0.1/",
    ]
    .map(str::to_owned)
    .into();
    let allow: Vec<String> =
        urls.iter().map(|url| url.trim_end_matches("latest/meta-data/").to_owned()).collect();
    let flags: Vec<&str> = allow.iter().flat_map(|url| ["--allow-host", url]).collect();
    let output = calling("", &urls).flags(&flags).read(&["things"]);
    assert_refused(&output, &urls);
    assert!(
        output.logs().iter().any(|log| log.level == "WARN" && log.message.contains("--allow-private-net"))
    );
}

#[test]
fn a_redirect_is_an_answer_and_not_followed() {
    let canary = Canary::new();
    let location = canary.url();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = location.clone();
        let server = Server::start(move |_| Answer::with(status, &[("location", &location)], ""));
        let output = calling(&server.url(), &[server.url()]).read(&["things"]);
        let told = &told(&output)[0];
        assert_eq!(told["answer"].to_string(), status[..3]);
        // The header is kept, so that a connector can report the target.
        assert_eq!(told["headers"]["location"], canary.url());
        assert_eq!(server.requests().len(), 1);
    }
    canary.assert_unreached();
}

#[test]
fn other_ways_to_be_sent_elsewhere_are_not_followed() {
    let canary = Canary::new();
    let elsewhere = canary.url();
    let server = Server::start(move |_| {
        let refresh = format!("0; url={elsewhere}");
        let service = format!("http/1.1=\"127.0.0.1:{}\"", elsewhere.rsplit(':').next().unwrap());
        Answer::with(
            "200 OK",
            &[("refresh", &refresh), ("alt-svc", &service), ("content-location", &elsewhere)],
            "ok",
        )
    });
    let output = calling(&server.url(), &[server.url(), server.url()]).read(&["things"]);
    assert_eq!(answers(&output), [200, 200]);
    canary.assert_unreached();
}

#[test]
fn the_proxy_of_the_environment_is_not_used_unless_asked_for() {
    let (server, canary) = (Server::ok(), Canary::new());
    let setup = calling(&server.url(), &[server.url()]);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["things"]));
    let mut command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY"] {
        command.env(name, canary.url());
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = Output::of(command.output().unwrap());
    assert_eq!(answers(&output), [200]);
    canary.assert_unreached();
}

#[test]
fn a_proxy_is_asked_only_for_hosts_that_were_granted() {
    let proxy = Server::ok();
    let urls = ["http://api.example.com/path".to_owned(), "http://other.example.com/".to_owned()];
    let output = calling("http://api.example.com", &urls).flags(&["--proxy", &proxy.url()]).read(&["things"]);
    assert_eq!(answers(&output), [json!(200), json!("denied")]);
    let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
    assert_eq!(request.target(), "http://api.example.com/path");
}

#[test]
fn a_loopback_address_of_the_config_is_reached_by_a_whole_url_alone() {
    let canary = Canary::new();
    let port = canary.port().to_string();
    let url = canary.url();
    let calling = |fields: &Value| {
        let mut config = fields.clone();
        config["url"] = url.clone().into();
        Setup::guest(guests::WIDE_HOSTS, config).read(&["things"])
    };
    // The connector made a URL of it.
    let output = calling(&json!({ "ip": "127.0.0.1", "port": port }));
    assert_eq!(answers(&output), ["prohibited"]);
    assert!(warning(&output).contains("is loopback"), "{}", warning(&output));
    // The user did not write a whole URL.
    for written in ["127.0.0.1".to_owned(), format!("127.0.0.1:{port}"), "http://127.0.0.1".to_owned()] {
        let said = answers(&calling(&json!({ "api_url": written })));
        assert!(said == ["prohibited"] || said == ["denied"], "{written}: {said:?}");
    }
    // A number is no address.
    for written in ["2130706433", "0x7f000001", "017700000001", "127.1", "127.0.0.1."] {
        for fields in [
            json!({ "ip": written, "port": port }),
            json!({ "api_url": written }),
            json!({ "api_url": format!("http://{written}:{port}") }),
        ] {
            let output = calling(&fields);
            assert_eq!(output.error().failure_type, "config_error", "{fields}");
            assert!(output.error().message.contains("not written as four numbers"), "{}", output.stderr);
        }
    }
    canary.assert_unreached();
    let server = Server::ok();
    let output =
        Setup::guest(guests::WIDE_HOSTS, json!({ "api_url": server.url() + "/v1", "url": server.url() }));
    assert_eq!(answers(&output.read(&["things"])), [200]);
}

#[test]
fn no_connector_may_reach_all_below_a_public_suffix() {
    for tld in ["com", "co.uk", "github.io", "s3.amazonaws.com", "internal", "CO.UK."] {
        let output = Setup::guest(guests::WIDE_HOSTS, json!({ "tld": tld })).read(&["things"]);
        assert_eq!(output.error().failure_type, "config_error", "{tld}");
        assert!(output.error().message.contains("public suffix"), "{tld}: {}", output.stderr);
    }
    let output = Setup::guest(guests::WIDE_HOSTS, json!({ "tld": "example.co.uk" })).read(&["good"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}
