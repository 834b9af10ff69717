//! Which hosts secrets are sent to.

use serde_json::json;

use super::{SECRET, assert_hidden, assert_unsent, caller, guest};
use crate::{
    sandbox::told,
    support::{Canary, Output, Server, Setup, guests},
};

/// The warnings of a run.
fn warnings(output: &Output) -> Vec<&str> {
    output.logs().into_iter().filter(|log| log.level == "WARN").map(|log| log.message.as_str()).collect()
}

#[test]
fn secrets_do_not_go_to_hosts_that_were_not_granted() {
    let (server, canary) = (Server::ok(), Canary::new());
    let headers = json!([["authorization", "Bearer {key}"], ["cookie", "{key}"]]);
    let requests = json!([
        { "url": canary.url(), "headers": headers },
        { "url": "http://{key}.example.com/", "headers": headers },
        { "url": "http://{key}:{password}@example.com/" },
        { "url": format!("{}@{{key}}.example.com/", server.url()) },
    ]);
    let output = caller(&server.url(), &requests).read(&["things"]);
    assert!(told(&output).iter().all(|answer| answer["answer"].is_string()), "{}", output.stdout);
    assert_hidden(&output);
    canary.assert_unreached();
    assert_eq!(server.connections(), 0);
}

#[test]
fn secrets_do_not_cross_a_network_in_the_clear() {
    // An address reserved for documentation; no connection is made.
    let url = "http://192.0.2.1";
    let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
    let output = caller("", &requests).flags(&["--allow-host", url, "--allow-private-net"]).read(&["things"]);
    assert!(told(&output)[0]["answer"].is_string(), "{:?}", told(&output));
    let warned = |log: &&crate::support::output::Log| log.level == "WARN" && log.message.contains("TLS");
    assert_eq!(output.logs().into_iter().filter(warned).count(), 1, "{:?}", output.logs());
}

#[test]
fn secrets_reach_this_machine_by_its_name() {
    let server = Server::ok();
    let url = format!("http://localhost:{}", server.port());
    let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
    let output = caller(&server.url(), &requests)
        .flags(&["--allow-host", &url, "--allow-private-net"])
        .read(&["things"]);
    assert_eq!(told(&output)[0]["answer"], 200);
    assert!(server.requests()[0].head.contains(SECRET));
}

#[test]
fn secrets_do_not_go_to_a_proxy_in_the_clear() {
    let (server, proxy) = (Server::ok(), Server::ok());
    for url in [server.url(), "http://api.example.com".to_owned()] {
        let requests = json!([{ "url": url, "headers": [["authorization", "Bearer {key}"]] }]);
        let output = caller(&url, &requests).flags(&["--proxy", &proxy.url()]).read(&["things"]);
        told(&output);
        assert_hidden(&output);
    }
    assert_unsent(&proxy);
}

#[test]
fn where_only_the_connector_wants_secrets_to_go_is_told_before_anything_is_sent() {
    let server = Server::ok();
    let asker = || guest(guests::ASKER, json!({ "api_url": server.url() }));
    let output = asker().read(&["things"]);
    let [warning] = warnings(&output)[..] else { panic!("{}", output.stdout) };
    for part in [
        "`api_key`",
        "`credentials.password`",
        "https://asked.example",
        "https://*.asked.example",
        "--pin-spec sha256:",
        "--trust",
    ] {
        assert!(warning.contains(part), "{part} in {warning}");
    }
    assert!(!warning.contains(&server.url()), "the user named it: {warning}");
    assert_hidden(&output);
    let first = output.messages.iter().position(|message| message.log.is_some()).unwrap();
    let started = output.messages.iter().position(|message| message.trace.is_some()).unwrap();
    assert!(first < started, "{}", output.stdout);
    // Whoever looked at it need not see it again, and then it may not change.
    let digest = warning.split_once("--pin-spec ").unwrap().1.split(' ').next().unwrap();
    for flags in [&["--trust"][..], &["--pin-spec", digest], &["--allow-host", &server.url()]] {
        let output = asker().flags(flags).read(&["things"]);
        assert_eq!((output.code, warnings(&output)), (Some(0), vec![]), "{flags:?}");
    }
    for command in [Setup::spec, Setup::check, Setup::discover] {
        assert_eq!(command(&asker().flags(&["--pin-spec", digest])).code, Some(0));
        let other = guest(guests::ECHO, json!({})).flags(&["--pin-spec", digest]);
        let output = command(&other);
        let error = output.error();
        assert_eq!(error.failure_type, "config_error");
        assert!(
            error.message.contains("--pin-spec") && error.message.contains("sha256:"),
            "{}",
            error.message
        );
    }
    // Without secrets, or with hosts that the user named alone, there is nothing to tell.
    let without = Setup::guest(guests::ASKER, json!({ "api_url": server.url() })).read(&["things"]);
    assert_eq!(warnings(&without), Vec::<&str>::new());
    let named = caller(&server.url(), &json!([])).read(&["things"]);
    assert_eq!(warnings(&named), Vec::<&str>::new());
}
