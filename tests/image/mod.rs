//! The image: Airbyte's platform script runs in its root file system.
//!
//! `make image-test` runs these tests. They need the output of `make image-rootfs`, and permission
//! to enter it.

mod container;
mod tls;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};
use serde_json::json;

use crate::support::{Answer, Server, Setup, setup};
use container::{Container, instruction};

const ALL: [&str; 6] =
    ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"];

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::default()))
}

fn config(url: &str, key: &str) -> String {
    json!({ "api_key": key, "start_date": "2020-01-01T00:00:00Z", "api_url": url }).to_string()
}

/// A container with config and catalog where the platform puts them.
fn container(config: &str) -> Container {
    let container = Container::new();
    container.put("connectorConfig.json", config);
    container.put("catalog.json", setup::catalog(&ALL).to_string());
    container
}

/// Every file below a folder, with its size and modification time.
fn files(folder: &Path) -> BTreeMap<String, (u64, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let about = entry.metadata().unwrap();
            files.insert(entry.path().display().to_string(), (about.len(), about.modified().unwrap()));
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    files
}

#[test]
fn row_22_the_entry_point_that_the_platform_uses_is_the_one_of_the_image() {
    let entry_point: Vec<String> = serde_json::from_str(instruction("ENTRYPOINT")).unwrap();
    assert_eq!(instruction("ENV AIRBYTE_ENTRYPOINT"), format!("\"{}\"", entry_point.join(" ")));
    assert_eq!(instruction("USER"), "1000:1000");
    let version = concat!('"', env!("CARGO_PKG_VERSION"), '"');
    assert_eq!(instruction("LABEL io.airbyte.version"), version);
}

#[test]
#[ignore = "needs the image: make image-test"]
fn row_22_nobody_is_root_and_what_the_platform_s_script_needs_is_there() {
    let container = Container::new();
    assert_eq!(container.say("id -u; id -g"), "1000\n1000\n");
    for tool in ["sh", "mv", "sleep", "kill"] {
        container.say(&format!("test -x /bin/{tool}"));
    }
    assert_eq!(container.say("echo \"[$HOME]\"; ls /proc"), "[]\n");
    container.say("for at in / /bin /airbyte /etc /config; do ! touch $at/x 2>/dev/null || exit 1; done");
}

#[test]
#[ignore = "needs the image: make image-test"]
fn the_platform_s_script_reads_every_stream_and_goes_on_from_its_state() {
    let orb = orb();
    let (container, outside) = (container(&config(&orb.url(), DEFAULT_API_KEY)), Setup::new(&orb).read(&ALL));
    let before = files(container.root());
    let inside = container.read();
    assert_eq!(inside.code, Some(0), "{}", inside.stderr);
    for stream in ALL {
        let sorted = |mut records: Vec<String>| {
            records.sort();
            records
        };
        let records = sorted(inside.records(stream));
        assert!(!records.is_empty(), "{stream}");
        assert_eq!(records, sorted(outside.records(stream)), "{stream}");
        assert_eq!(inside.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"], "{stream}");
    }
    container.put("inputState.json", inside.state_file());
    let again = container.read();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(again.records("customers").len(), 1);
    assert_eq!(files(container.root()), before);
}

#[test]
#[ignore = "needs the image: make image-test"]
fn a_read_that_fails_says_why_and_leaves_its_exit_code() {
    let orb = orb();
    let output = container(&config(&orb.url(), "another-key")).read();
    assert_eq!(output.code, Some(1));
    assert!(output.errors().iter().any(|error| error.failure_type == "config_error"), "{}", output.stdout);
}

#[test]
#[ignore = "needs the image: make image-test"]
fn spec_check_and_discover_write_to_a_file_as_the_platform_has_them() {
    let orb = orb();
    let container = container(&config(&orb.url(), DEFAULT_API_KEY));
    for (command, kind) in [
        ("spec", "SPEC"),
        ("check --config /source/connectorConfig.json", "CONNECTION_STATUS"),
        ("discover --config /source/connectorConfig.json", "CATALOG"),
    ] {
        container.say(&format!("eval \"$AIRBYTE_ENTRYPOINT {command}\" > /source/jobOutput.json"));
        let output = container.get("jobOutput.json");
        let found = output.lines().filter(|line| line.contains(&format!(r#""type":"{kind}""#))).count();
        assert_eq!(found, 1, "{output}");
    }
}

#[test]
#[ignore = "needs the image: make image-test"]
fn a_container_that_is_told_to_end_ends() {
    let orb = Server::start(|_| Answer::silence());
    let container = container(&config(&orb.url(), DEFAULT_API_KEY));
    let mut job = container.start();
    while orb.connections() == 0 {
        assert_eq!(job.script.try_wait().unwrap(), None, "it ended before it asked for anything");
        std::thread::yield_now();
    }
    container.put("TERMINATION_MARKER", "");
    assert_eq!(job.script.wait().unwrap().code(), Some(143));
    assert_eq!(container.get("exitCode.txt"), "143\n");
    job.end();
}

#[test]
#[ignore = "needs the image: make image-test"]
fn certificates_are_judged_by_the_file_in_the_image() {
    let server = tls::Secure::start();
    let check = |container: &Container| {
        container.put("config.json", config(&server.url(), DEFAULT_API_KEY));
        container.run("eval \"$AIRBYTE_ENTRYPOINT check --config /source/config.json\"")
    };
    let output = check(&Container::new());
    assert!(output.error().message.contains("certificate of the API is not trusted"), "{}", output.stderr);

    let copy = tempfile::tempdir().unwrap();
    let root = copy.path().join("rootfs");
    let copied = Command::new("cp").arg("-a").arg(Container::new().root()).arg(&root).status().unwrap();
    assert!(copied.success());
    let file = root.join("etc/ssl/certs/ca-certificates.crt");
    let trusted = fs::read_to_string(&file).unwrap();
    assert!(trusted.matches("BEGIN CERTIFICATE").count() > 100, "the public certificates are missing");
    fs::write(&file, trusted + &server.authority).unwrap();
    let output = check(&Container::of(root));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let status = output.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
    assert_eq!(status.status, "SUCCEEDED", "{}", status.message);

    // The variable that the platform sets for Python images.
    let container = Container::new();
    container.put("config.json", config(&server.url(), DEFAULT_API_KEY));
    container.put("ca.pem", &server.authority);
    let output = container.run(
        "export REQUESTS_CA_BUNDLE=/source/ca.pem; eval \"$AIRBYTE_ENTRYPOINT check --config /source/config.json\"",
    );
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
}

#[test]
#[ignore = "needs the image: make image-test"]
fn the_proxy_of_the_environment_is_used() {
    let proxy = Server::start(|_| Answer::with("407 Proxy Authentication Required", &[], ""));
    let container = Container::new();
    container.put("config.json", config("https://api.example.com/v1", DEFAULT_API_KEY));
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let output = container.run(&format!(
            "export {name}={}; eval \"$AIRBYTE_ENTRYPOINT check --config /source/config.json\"",
            proxy.url()
        ));
        assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    }
    let targets: Vec<_> = proxy.requests().iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(targets, ["api.example.com:443"; 2]);
}
