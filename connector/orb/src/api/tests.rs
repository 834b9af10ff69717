//! Tests requests and decoding.

use elt_sdk::{
    slice::{Slice, Until},
    stream::Stream,
    testing::{answer, instant},
};

use super::*;
use crate::streams::STREAMS;

fn api() -> OrbApi {
    OrbApi::new(Rc::new(Config::sample("")))
}

fn request(name: &str, slice: Slice, page_token: Option<&str>) -> PageRequest<Config> {
    let stream: &'static Stream<Config> = STREAMS.iter().find(|stream| stream.name == name).unwrap();
    PageRequest { page_token: page_token.map(str::to_owned), ..PageRequest::new(stream, slice) }
}

#[test]
fn a_page_is_asked_for_by_orbs_conventions() {
    let until = Some(Until::Before(instant("2024-02-01T00:00:00Z")));
    let slice = Slice { from: Some(instant("2024-01-01T00:00:00Z")), until, ..Slice::default() };
    let request = api().page_request(&request("invoices", slice, Some("a/b")));
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
fn a_page_is_as_small_as_its_request_says() {
    let small = PageRequest { page_limit: Some(25), ..request("plans", Slice::default(), None) };
    assert_eq!(api().page_request(&small).url, "https://api.withorb.com/v1/plans?limit=25");
    assert!(
        !api().page_request(&request("subscription_usage", Slice::default(), None)).url.contains("limit")
    );
}

#[test]
fn a_parents_id_cannot_leave_its_place_in_the_path() {
    let slice = Slice { parent: Some("../x?".into()), ..Slice::default() };
    let request = api().page_request(&request("credits_ledger_entries", slice, None));
    assert_eq!(request.url, "https://api.withorb.com/v1/customers/..%2Fx%3F/credits/ledger?limit=1000");
}

#[test]
fn a_page_is_followed_exactly_if_there_is_more() {
    let request = request("customers", Slice::default(), None);
    let decode = |pagination: &str| {
        let body = format!(r#"{{"data":[{{"id":"a"}}],"pagination_metadata":{pagination}}}"#);
        api().decode_page(&request, body.as_bytes()).map(|page| page.next_token)
    };
    assert_eq!(decode(r#"{"has_more":true,"next_cursor":"t"}"#), Ok(Some("t".into())));
    assert_eq!(decode(r#"{"has_more":false,"next_cursor":null}"#), Ok(None));
    assert_eq!(decode(r#"{"has_more":false}"#), Ok(None));
    assert!(
        decode(r#"{"has_more":true,"next_cursor":null}"#).unwrap_err().to_string().contains("next_cursor")
    );
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
            api().decode_page(&request("customers", Slice::default(), None), body.as_bytes()).is_err(),
            "{body}"
        );
    }
}

#[test]
fn a_page_is_read_as_any_parser_reads_it_where_names_come_twice() {
    let request = request("customers", Slice::default(), None);
    let decode = |body: &str| api().decode_page(&request, body.as_bytes());
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
    // The records of the first list have been read when the second begins.
    let twice = r#"{"data":[{"id":"a"}],"data":[{"id":"b"}],"pagination_metadata":{"has_more":false}}"#;
    assert!(decode(twice).unwrap_err().to_string().contains("two lists"));
    let kind = r#"{"type":"x","type":"https://docs.withorb.com/reference/error-responses#404-feature-not-available"}"#;
    assert!(matches!(api().judge(&answer(404, kind)), Verdict::Unavailable(_)));
}

#[test]
fn usage_is_never_asked_for_by_a_page_token_and_never_cut_off_in_silence() {
    let slice = Slice { parent: Some("s".into()), part: Some("m".into()), ..Slice::default() };
    let sent = api().page_request(&request("subscription_usage", slice.clone(), Some("token")));
    assert!(!sent.url.contains("cursor") && !sent.url.contains("limit"), "{sent}");
    let decode = |pagination: &str| {
        let body = format!(r#"{{"data":[],"pagination_metadata":{pagination}}}"#);
        api().decode_page(&request("subscription_usage", slice.clone(), None), body.as_bytes())
    };
    assert_eq!(decode("null").unwrap().next_token, None);
    assert_eq!(decode(r#"{"has_more":false,"next_cursor":null}"#).unwrap().next_token, None);
    for token in ["null", "\"t\""] {
        let page = decode(&format!(r#"{{"has_more":true,"next_cursor":{token}}}"#)).unwrap();
        assert!(page.is_cut_off && page.next_token.is_none());
    }
    assert!(
        api().decode_page(&request("subscription_usage", slice.clone(), None), br#"{"data":[]}"#).is_ok()
    );
}

#[test]
fn a_full_page_of_a_list_that_says_nothing_of_further_ones_is_cut_off() {
    let request = request("event_volumes", Slice::default(), None);
    let is_cut_off = |count: usize| {
        let hour = r#"{"count":1,"timeframe_start":"2024-05-30T00:00:00Z"}"#;
        let body = format!(r#"{{"data":[{}]}}"#, vec![hour; count].join(","));
        api().decode_page(&request, body.as_bytes()).unwrap().is_cut_off
    };
    assert_eq!([0, 99, 100].map(is_cut_off), [false, false, true]);
}
