//! What fails, and whose fault it is.

use super::*;

#[test]
fn a_feature_that_the_account_lacks_is_a_warning_and_the_end() {
    let kind = r#"{"type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    let (batches, world) = read("invoices", Duration::ZERO, move |_| answer(404, kind));
    assert_eq!(batches, Ok(Vec::new()));
    assert!(world.lines.borrow()[0].1.contains("this account does not have"));
}

#[test]
fn an_error_names_the_stream_and_ends_the_read() {
    let (batches, _) = read("plans", Duration::ZERO, |_| answer(401, UNAUTHORIZED));
    let error = batches.unwrap_err();
    assert!(error.message.starts_with("plans: Orb does not accept the API key"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"));
}

#[test]
fn a_page_token_that_comes_back_is_an_error() {
    let record = r#"{"id":"a","created_at":"2024-03-01T00:00:00+00:00"}"#;
    let (batches, _) = read("customers", Duration::ZERO, move |_| page(record, Some("again")));
    assert!(batches.unwrap_err().message.contains("\"again\" twice"));
}

#[test]
fn a_start_in_the_future_is_a_config_error() {
    let world = World::new(|_| panic!("a request"));
    let config = CONFIG.replace("2024-01-01", "2090-01-01");
    let error = connector(&world).read(&config, "plans", None).unwrap_err();
    assert_eq!(error.message, "config: the start date lies in the future");
    assert_eq!(error.failure_type, FailureType::Config);
}

#[test]
fn what_cannot_be_read_is_said_before_any_request() {
    let world = World::new(|_| panic!("a request"));
    let orb = connector(&world);
    let read = |stream, state| orb.read(CONFIG, stream, Some(state)).unwrap_err();
    assert!(read("nothing", "{}").message.contains("no stream \"nothing\""));
    let error = read("plans", r#"{"invoice_date":"2024-01-01T00:00:00Z"}"#);
    assert!(error.message.starts_with("plans: its state is not understood"), "{error}");
    assert_eq!(error.failure_type, FailureType::Config);
}

#[test]
fn customers_whose_ledger_is_gone_are_skipped() {
    let (count, state, error, world) = read_ledgers(&[("c1", 404), ("c4", 410)]);
    assert_eq!((count, error), (4, None));
    assert!(state.is_some());
    let lines = world.lines.borrow();
    for id in ["c1", "c4"] {
        let skipped = format!("skipped {id}, which is gone");
        assert!(lines.iter().any(|(level, line)| *level == Level::Warn && line.contains(&skipped)), "{id}");
    }
}

#[test]
fn one_customer_that_is_refused_fails_the_ledger_once_all_others_are_read() {
    for (status, failure_type, words) in [
        (403, FailureType::Config, "the API key is not allowed"),
        (400, FailureType::System, "Orb refused the request"),
        (422, FailureType::System, "unexpected status"),
    ] {
        let answers: &'static [(&str, u16)] = Box::leak(Box::new([("c2", status)]));
        let (count, state, error, world) = read_ledgers(answers);
        let error = error.unwrap();
        assert_eq!((count, state, error.failure_type), (5, None, failure_type), "{status}");
        let begins =
            "credits_ledger_entries: the lists of 1 customers were refused (c2); all others were read";
        assert!(error.message.starts_with(begins) && error.message.contains(words), "{error}");
        assert!(error.internal_message.unwrap().contains("/customers/c2/credits/ledger"));
        let lines = world.lines.borrow();
        let warned = |(level, line): &(Level, String)| *level == Level::Warn && line.contains("skipped c2");
        assert!(lines.iter().any(warned), "{lines:?}");
    }
}

#[test]
fn a_key_that_is_not_accepted_ends_a_ledger_at_once() {
    let (_, state, error, _) = read_ledgers(&[("c2", 401)]);
    assert_eq!(state, None);
    assert!(error.unwrap().message.contains("does not accept the API key"));
}
