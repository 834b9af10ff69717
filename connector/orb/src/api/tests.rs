//! Requests by Orb's conventions, pages, and what each answer means.

use super::*;
use elt_sdk::testing::{answer, instant};

fn api() -> OrbApi {
    let config = r#"{"api_key":"hidden","start_date":"2024-01-01T00:00:00Z"}"#;
    OrbApi::new(Config::parse(config).unwrap())
}

fn ask(name: &str, slice: Slice, page_token: Option<&str>) -> Ask {
    let stream = row(name).unwrap().stream;
    Ask { key: 0, stream, slice, page_token: page_token.map(str::to_owned) }
}

#[test]
fn a_page_is_asked_for_by_orbs_conventions() {
    let until = Some(Until::Before(instant("2024-02-01T00:00:00Z")));
    let slice = Slice { from: Some(instant("2024-01-01T00:00:00Z")), until, ..Slice::default() };
    let request = api().page_request(&ask("invoices", slice, Some("a/b")));
    let expected = "https://api.withorb.com/v1/invoices?limit=100&status[]=void&status[]=paid&status[]=issued&\
        status[]=synced&invoice_date[gte]=2024-01-01T00:00:00+00:00&invoice_date[lt]=2024-02-01T00:00:00+00:00&\
        cursor=a/b";
    let encoded = expected
        .replace('[', "%5B")
        .replace(']', "%5D")
        .replace("00:00", "00%3A00")
        .replace(":00+", "%3A00%2B");
    assert_eq!(request.url, encoded.replace("a/b", "a%2Fb"));
    assert!(request.headers.contains(&("authorization", "Bearer hidden".to_owned())));
}

#[test]
fn a_page_is_as_small_as_its_slice_says() {
    let slice = Slice { page_limit: Some(25), ..Slice::default() };
    let request = api().page_request(&ask("plans", slice, None));
    assert_eq!(request.url, "https://api.withorb.com/v1/plans?limit=25");
    assert!(!api().page_request(&ask("subscription_usage", Slice::default(), None)).url.contains("limit"));
}

#[test]
fn a_parents_id_cannot_leave_its_place_in_the_path() {
    let slice = Slice { parent: Some("../x?".into()), ..Slice::default() };
    let request = api().page_request(&ask("credits_ledger_entries", slice, None));
    assert_eq!(request.url, "https://api.withorb.com/v1/customers/..%2Fx%3F/credits/ledger?limit=1000");
}

#[test]
fn a_page_is_followed_exactly_if_there_is_more() {
    let ask = ask("customers", Slice::default(), None);
    let decode = |pagination: &str| {
        let body = format!(r#"{{"data":[{{"id":"a"}}],"pagination_metadata":{pagination}}}"#);
        api().decode_page(&ask, body.as_bytes()).map(|page| page.next_token)
    };
    assert_eq!(decode(r#"{"has_more":true,"next_cursor":"t"}"#), Ok(Some("t".into())));
    assert_eq!(decode(r#"{"has_more":false,"next_cursor":null}"#), Ok(None));
    assert_eq!(decode(r#"{"has_more":false}"#), Ok(None));
    assert!(decode(r#"{"has_more":true,"next_cursor":null}"#).unwrap_err().contains("next_cursor"));
}

#[test]
fn what_is_not_a_list_is_never_an_empty_one() {
    for body in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"data":[]}"#,
        r#"{"data":[1],"pagination_metadata":{"has_more":false}}"#,
    ] {
        assert!(
            api().decode_page(&ask("customers", Slice::default(), None), body.as_bytes()).is_err(),
            "{body}"
        );
    }
}

#[test]
fn errors_carry_orbs_words_and_whose_fault_it_is() {
    let body = r#"{"type":"https://docs.withorb.com/reference/error-responses#400-request-validation-errors","status":400,"title":"Invalid","detail":null,"validation_errors":["limit: too large"]}"#;
    let Verdict::Refused(error) = api().judge(&answer(400, body)) else { panic!("not refused") };
    assert_eq!(error.failure_type, FailureType::System);
    assert_eq!(error.message, "Orb refused the request (status 400): Invalid: limit: too large");
}

#[test]
fn each_status_has_its_meaning() {
    let judge = |status, fragment: &str| {
        let body = format!(r#"{{"type":"https://docs.withorb.com/reference/error-responses#{fragment}"}}"#);
        api().judge(&answer(status, body))
    };
    assert!(matches!(judge(200, ""), Verdict::Complete));
    assert!(matches!(judge(404, "404-feature-not-available"), Verdict::Unavailable(_)));
    assert!(matches!(judge(404, "404-resource-not-found"), Verdict::Absent(_)));
    assert!(matches!(judge(410, ""), Verdict::Absent(_)));
    for status in [404, 410] {
        assert!(matches!(api().judge(&answer(status, "<html>")), Verdict::Refused(_)), "{status}");
    }
    assert!(matches!(
        judge(404, "404-url-not-found"),
        Verdict::Fail(Error { failure_type: FailureType::Config, .. })
    ));
    assert!(matches!(judge(401, ""), Verdict::Fail(Error { failure_type: FailureType::Config, .. })));
    assert!(matches!(judge(403, ""), Verdict::Refused(Error { failure_type: FailureType::Config, .. })));
    assert!(matches!(judge(429, ""), Verdict::RateLimited(_)));
    for status in [408, 409, 500, 502, 503, 504] {
        assert!(matches!(judge(status, ""), Verdict::Retry(_)), "{status}");
    }
    for status in [400, 405, 422] {
        let verdict = judge(status, "");
        assert!(
            matches!(verdict, Verdict::Refused(Error { failure_type: FailureType::System, .. })),
            "{status}"
        );
    }
    assert!(matches!(judge(301, ""), Verdict::Fail(_)));
    for kind in ["413-request-too-large", "413-resource-too-large", "413-too-many-results"] {
        assert!(matches!(judge(413, kind), Verdict::TooLarge(_)), "{kind}");
    }
    assert!(matches!(api().judge(&answer(413, "<html>")), Verdict::TooLarge(_)));
}

const OWN: &str = "https://docs.withorb.com/reference/error-responses#401-authentication-error";

#[test]
fn a_refusal_counts_against_the_key_only_if_orb_says_so() {
    for status in [401, 403] {
        let own = format!(r#"{{"type":"{OWN}","status":{status},"title":"No."}}"#);
        let (Verdict::Fail(error) | Verdict::Refused(error)) = api().judge(&answer(status, own)) else {
            panic!("not a failure")
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
            let Verdict::Retry(error) = api().judge(&response) else { panic!("{status} {foreign}") };
            assert_eq!(error.failure_type, FailureType::Transient);
            assert!(error.message.contains("something between here and Orb answered"), "{error}");
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
            let Verdict::Fail(error) = api().judge(&response) else { panic!("not a failure") };
            assert_eq!(error.failure_type, FailureType::Config);
            assert!(error.message.ends_with(&format!("(status {status}{shown}")), "{error}");
        }
    }
    let mut response = answer(302, "");
    response.headers.push(("location".into(), format!("https://h/{}", "x".repeat(5000))));
    let Verdict::Fail(error) = api().judge(&response) else { panic!("not a failure") };
    assert!(error.message.len() < 500, "{error}");
    let Verdict::Fail(error) = api().judge(&answer(307, "")) else { panic!("not a failure") };
    assert!(error.message.ends_with("(status 307)"), "{error}");
}

#[test]
fn a_proxy_that_wants_a_password_is_a_matter_of_the_config() {
    let Verdict::Fail(error) = api().judge(&answer(407, "<html>")) else { panic!("not a failure") };
    assert_eq!(error.failure_type, FailureType::Config);
    assert!(error.message.contains("proxy"), "{error}");
}

#[test]
fn a_page_is_read_as_any_parser_reads_it_where_names_come_twice() {
    let ask = ask("customers", Slice::default(), None);
    let decode = |body: &str| api().decode_page(&ask, body.as_bytes());
    let token = |pagination: &str| {
        let body = format!(r#"{{"data":[],"pagination_metadata":{pagination}}}"#);
        decode(&body).map(|page| page.next_token)
    };
    let more = r#"{"has_more":false,"next_cursor":null,"has_more":true,"next_cursor":"t1"}"#;
    assert_eq!(token(more), Ok(Some("t1".into())));
    assert_eq!(token(r#"{"has_more":true,"next_cursor":"t1","h\u0061s_more":false}"#), Ok(None));
    let last = r#"{"pagination_metadata":{"has_more":false},"data":[],"pagination_metadata":{"has_more":true,"next_cursor":"t2"}}"#;
    assert_eq!(decode(last).unwrap().next_token, Some("t2".into()));
    let null = r#"{"pagination_metadata":{"has_more":false},"data":[],"pagination_metadata":null}"#;
    assert!(decode(null).is_err());
    // Records of the first list have been handed on when the second begins.
    let twice = r#"{"data":[{"id":"a"}],"data":[{"id":"b"}],"pagination_metadata":{"has_more":false}}"#;
    assert!(decode(twice).unwrap_err().contains("two lists"));
    let kind = r#"{"type":"x","type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    assert!(matches!(api().judge(&answer(404, kind)), Verdict::Unavailable(_)));
}

#[test]
fn usage_is_never_asked_for_by_a_page_token_and_never_cut_off_in_silence() {
    let slice = Slice { parent: Some("s".into()), part: Some("m".into()), ..Slice::default() };
    let request = api().page_request(&ask("subscription_usage", slice.clone(), Some("token")));
    assert!(!request.url.contains("cursor") && !request.url.contains("limit"), "{request}");
    let decode = |pagination: &str| {
        let body = format!(r#"{{"data":[],"pagination_metadata":{pagination}}}"#);
        api().decode_page(&ask("subscription_usage", slice.clone(), None), body.as_bytes())
    };
    assert_eq!(decode("null").unwrap().next_token, None);
    assert_eq!(decode(r#"{"has_more":false,"next_cursor":null}"#).unwrap().next_token, None);
    for token in ["null", "\"t\""] {
        let error = decode(&format!(r#"{{"has_more":true,"next_cursor":{token}}}"#)).unwrap_err();
        assert!(error.contains("has not all"), "{error}");
    }
    assert!(api().decode_page(&ask("subscription_usage", slice.clone(), None), br#"{"data":[]}"#).is_ok());
}

#[test]
fn a_key_that_orb_repeats_is_not_repeated_by_us() {
    let Verdict::Fail(error) =
        api().judge(&answer(401, format!(r#"{{"type":"{OWN}","detail":"bad key hidden!"}}"#)))
    else {
        panic!("not a failure")
    };
    assert!(error.message.ends_with("bad key [secret]!"), "{error}");
    let padded = format!(r#"{{"type":"{OWN}","detail":"{}hidden"}}"#, "x".repeat(MAX_WORDS - 3));
    let Verdict::Fail(error) = api().judge(&answer(401, padded)) else { panic!("not a failure") };
    assert!(!error.message.contains("hid"), "{error}");
}
