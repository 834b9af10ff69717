//! Tests verdicts, messages and redaction.

use super::*;
use elt_sdk::testing::answer;

fn config() -> Config {
    Config::sample("")
}

#[test]
fn errors_carry_orbs_words_and_whose_fault_it_is() {
    let body = r#"{"type":"https://docs.withorb.com/reference/error-responses#400-request-validation-errors","status":400,"title":"Invalid","detail":null,"validation_errors":["limit: too large"]}"#;
    let Verdict::Refused(error) = judge(&config(), &answer(400, body)) else { panic!("not refused") };
    assert_eq!(error.failure_type, FailureType::System);
    assert_eq!(error.message, "Orb refused the request (status 400): Invalid: limit: too large");
}

#[test]
fn each_status_has_its_meaning() {
    let of_type = |status, fragment: &str| {
        let body = format!(r#"{{"type":"https://docs.withorb.com/reference/error-responses#{fragment}"}}"#);
        judge(&config(), &answer(status, body))
    };
    assert!(matches!(of_type(200, ""), Verdict::Complete));
    assert!(matches!(of_type(404, "404-feature-not-available"), Verdict::Unavailable(_)));
    assert!(matches!(of_type(404, "404-resource-not-found"), Verdict::Absent(_)));
    assert!(matches!(of_type(410, ""), Verdict::Absent(_)));
    assert!(matches!(judge(&config(), &answer(404, "<html>")), Verdict::UnknownPath(_)));
    assert!(matches!(judge(&config(), &answer(410, "<html>")), Verdict::Refused(_)));
    assert!(matches!(
        of_type(404, "404-url-not-found"),
        Verdict::UnknownPath(Error { failure_type: FailureType::Config, .. })
    ));
    assert!(matches!(of_type(401, ""), Verdict::Fail(Error { failure_type: FailureType::Config, .. })));
    assert!(matches!(of_type(403, ""), Verdict::Refused(Error { failure_type: FailureType::Config, .. })));
    assert!(matches!(of_type(429, ""), Verdict::RateLimited(_)));
    for status in [408, 409, 500, 502, 503, 504] {
        assert!(matches!(of_type(status, ""), Verdict::Retry(_)), "{status}");
    }
    for status in [400, 405, 422] {
        let verdict = of_type(status, "");
        assert!(
            matches!(verdict, Verdict::Refused(Error { failure_type: FailureType::System, .. })),
            "{status}"
        );
    }
    assert!(matches!(of_type(301, ""), Verdict::Fail(_)));
    // No status that HTTP knows.
    assert!(matches!(of_type(199, ""), Verdict::Fail(Error { failure_type: FailureType::System, .. })));
    for kind in ["413-request-too-large", "413-resource-too-large", "413-too-many-results"] {
        assert!(matches!(of_type(413, kind), Verdict::TooLarge(_)), "{kind}");
    }
    assert!(matches!(judge(&config(), &answer(413, "<html>")), Verdict::TooLarge(_)));
}

const OWN: &str = "https://docs.withorb.com/reference/error-responses#401-authentication-error";

#[test]
fn a_refusal_counts_against_the_key_only_if_orb_says_so() {
    for status in [401, 403] {
        let own = format!(r#"{{"type":"{OWN}","status":{status},"title":"No."}}"#);
        let error = match (status, judge(&config(), &answer(status, own))) {
            (401, Verdict::Fail(error)) | (403, Verdict::Refused(error)) => error,
            (_, verdict) => panic!("{status}: {verdict:?}"),
        };
        assert_eq!(error.failure_type, FailureType::Config);
        for foreign in [
            "<html><body>Request blocked. hidden</body></html>",
            "",
            "Forbidden",
            r#"{"message":"Forbidden"}"#,
            r#"{"error":{"code":403}}"#,
            r#"["type"]"#,
            r#"{"status":403,"title":"Forbidden"}"#,
            r#"{"type":"about:blank","title":"Forbidden","status":403}"#,
            r#"{"type":"https://tools.ietf.org/html/rfc7231#section-6.5.3","title":"Forbidden","status":403}"#,
        ] {
            let mut response = answer(status, foreign);
            response.headers.push(("content-type".into(), "text/html; charset=utf-8".into()));
            let Verdict::Retry(error) = judge(&config(), &response) else { panic!("{status} {foreign}") };
            assert_eq!(error.failure_type, FailureType::Transient);
            assert!(error.message.contains("something else answered instead of Orb"), "{error}");
            let internal = error.internal_message.unwrap();
            assert!(internal.contains("text/html") && !internal.contains("hidden"), "{internal}");
        }
    }
}

#[test]
fn a_redirect_says_where_it_leads_without_secrets() {
    for (location, shown) in [
        ("https://login.example/sso", ", to https://login.example/sso)"),
        ("https://user:word@login.example/a@b?token=t#f", ", to https://login.example/a@b)"),
        ("//login.example?x=1", ", to //login.example)"),
        ("/v2/plans", ", to /v2/plans)"),
        ("https://h/hidden/x", ", to https://h/[secret]/x)"),
        ("", ")"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let mut response = answer(status, "<html>moved</html>");
            response.headers.push(("location".into(), location.into()));
            let Verdict::Fail(error) = judge(&config(), &response) else { panic!("not a failure") };
            assert_eq!(error.failure_type, FailureType::Config);
            assert!(error.message.ends_with(&format!("(status {status}{shown}")), "{error}");
        }
    }
    let mut response = answer(302, "");
    response.headers.push(("location".into(), format!("https://h/{}", "x".repeat(5000))));
    let Verdict::Fail(error) = judge(&config(), &response) else { panic!("not a failure") };
    assert!(error.message.len() < 500, "{error}");
    let Verdict::Fail(error) = judge(&config(), &answer(307, "")) else { panic!("not a failure") };
    assert!(error.message.ends_with("(status 307)"), "{error}");
}

#[test]
fn a_proxy_that_wants_a_password_is_a_matter_of_the_config() {
    let Verdict::Fail(error) = judge(&config(), &answer(407, "<html>")) else { panic!("not a failure") };
    assert_eq!(error.failure_type, FailureType::Config);
    assert!(error.message.contains("proxy"), "{error}");
}

#[test]
fn a_key_that_orb_repeats_is_not_repeated_by_us() {
    let Verdict::Fail(error) =
        judge(&config(), &answer(401, format!(r#"{{"type":"{OWN}","detail":"bad key hidden!"}}"#)))
    else {
        panic!("not a failure")
    };
    assert!(error.message.ends_with("bad key [secret]!"), "{error}");
    let padded = format!(r#"{{"type":"{OWN}","detail":"{}hidden"}}"#, "x".repeat(MAX_EXPLANATION - 3));
    let Verdict::Fail(error) = judge(&config(), &answer(401, padded)) else { panic!("not a failure") };
    assert!(!error.message.contains("hid"), "{error}");
}

#[test]
fn explanations_in_other_forms_are_shown_unless_escapes_could_hide_the_key_in_them() {
    let body = r#"{"type":"https://docs.withorb.com/x#400","title":"Invalid","validation_errors":[
        "one", {"limit":"two"}, {"key":"\u0068idden"}, "\u0068idden", 5]}"#;
    let Verdict::Refused(error) = judge(&config(), &answer(400, body)) else { panic!("not refused") };
    assert!(error.message.contains(r#": one: {"limit":"two"}: "#), "{error}");
    assert!(error.message.ends_with(": 5") && !error.message.contains("idden"), "{error}");
}
