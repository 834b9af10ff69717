//! `check`: whether the config gives access to an Orb account.

use mock_orb::{Account, Fault, MockOrb, Settings};

use crate::support::Setup;

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings::empty()))
}

/// Runs `check`, which must print exactly one status and exit with 0. Returns the status and its
/// message.
#[track_caller]
fn check(setup: &Setup) -> (String, String) {
    let output = setup.check();
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    output.assert_clean();
    let mut statuses = output.messages.into_iter().filter_map(|message| message.connection_status);
    let status = statuses.next().unwrap();
    assert!(statuses.next().is_none());
    (status.status, status.message)
}

#[test]
fn a_good_config_succeeds_with_one_request() {
    let orb = orb();
    assert_eq!(check(&Setup::new(&orb)).0, "SUCCEEDED");
    let requests: Vec<String> = orb.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(requests, ["/v1/ping"]);
}

#[test]
fn a_wrong_key_fails_and_says_so() {
    let (status, message) = check(&Setup::new(&orb()).with("api_key", "another-key"));
    assert_eq!(status, "FAILED");
    assert!(message.contains("check api_key"), "{message}");
    assert!(!message.contains("another-key"), "{message}");
}

#[test]
fn a_config_that_is_wrong_fails_before_any_request() {
    let orb = orb();
    for (property, value) in [("start_date", "yesterday"), ("api_url", "ftp://x"), ("api_key", "")] {
        let (status, message) = check(&Setup::new(&orb).with(property, value));
        assert_eq!(status, "FAILED");
        assert!(message.contains(property), "{message}");
    }
    assert!(orb.requests().is_empty());
}

#[test]
fn a_server_that_is_down_says_nothing_about_the_config() {
    let orb = orb();
    let setup = Setup::new(&orb);
    orb.stop();
    let output = setup.check();
    let error = output.error();
    assert_eq!(error.failure_type, "transient_error");
    assert!(error.message.contains("connection was refused"), "{}", error.message);
    assert!(error.message.contains("an outage, which says nothing about the config"), "{}", error.message);
    assert!(output.messages.iter().all(|message| message.connection_status.is_none()), "{}", output.stdout);
}

#[test]
fn whole_numbers_are_taken_however_they_are_spelled() {
    let orb = orb();
    let base = format!(
        r#""api_key":"{}","start_date":"2024-01-01T00:00:00Z","api_url":"{}""#,
        mock_orb::DEFAULT_API_KEY,
        orb.url()
    );
    for (spelled, expected) in
        [("3.0", "SUCCEEDED"), ("3e0", "SUCCEEDED"), ("30e-1", "SUCCEEDED"), ("3.5", "FAILED")]
    {
        let setup = Setup::new(&orb);
        let file = setup.folder().join("spelled.json");
        let numbers =
            format!(r#""lookback_window_days":{spelled},"concurrency":{spelled},"retry_minutes":{spelled}"#);
        std::fs::write(&file, format!("{{{base},{numbers}}}")).unwrap();
        let output = setup.run(&[&"check", &"--config", &file]);
        let status = output.messages.iter().find_map(|message| message.connection_status.as_ref()).unwrap();
        assert_eq!(status.status, expected, "{spelled}: {}", status.message);
    }
}

#[test]
fn something_that_is_not_orb_fails() {
    let orb = orb();
    orb.inject(Fault::body(200, "text/html", "<html>hello</html>"));
    let (status, message) = check(&Setup::new(&orb));
    assert_eq!(status, "FAILED");
    assert!(message.contains("api_url"), "{message}");
}
