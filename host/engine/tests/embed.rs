//! The example runs as a program would run it: a component, a config, a server.

use std::path::Path;

use elt_host::{Engine, FailureType};
use mock_orb::{Account, DEFAULT_API_KEY, MockOrb, Settings};

#[path = "../examples/embed.rs"]
#[expect(dead_code, reason = "its `main` is that of a program")]
mod embed;

fn config(orb: &MockOrb) -> String {
    let url = orb.url();
    format!(r#"{{"api_key":"{DEFAULT_API_KEY}","start_date":"2020-01-01T00:00:00Z","api_url":"{url}"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_reads_a_stream() {
    let orb = MockOrb::start(Account::generate(&Settings { customers: 3, ..Settings::default() }));
    let mut out = Vec::new();
    let state = embed::read(Path::new(components::ORB), &config(&orb), "customers", &mut out).await.unwrap();
    let lines = String::from_utf8(out).unwrap();
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert!(lines.lines().all(|line| line.starts_with(r#"{"id":""#)), "{lines}");
    assert!(state.unwrap().contains("created_at"));
}

#[tokio::test]
async fn a_config_that_is_wrong_is_rejected_before_anything_is_read() {
    let error =
        embed::read(Path::new(components::ORB), "{}", "customers", &mut Vec::new()).await.unwrap_err();
    assert_eq!(error.failure_type(), FailureType::Config);
    assert!(error.message().contains("`api_key` is missing"), "{error}");
}

/// Every version of the contract that the engine speaks has a component here that was built against
/// it.
#[tokio::test]
async fn a_component_of_version_0_2_of_the_contract_runs() {
    let connector = Engine::new().unwrap().load(components::ORB).await.unwrap();
    assert_eq!(connector.component().interface, "elt:connector/source@0.3.0");
    assert_eq!(connector.spec().await.unwrap().name, "orb");
}
