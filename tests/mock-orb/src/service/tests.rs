use super::*;

#[test]
fn keys_travel_as_bearer_tokens() {
    let key = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        bearer(&headers)
    };
    assert_eq!(key("Bearer abc").as_deref(), Some("abc"));
    assert_eq!(key("bearer abc").as_deref(), Some("abc"));
    assert_eq!(key("Basic abc"), None);
    assert_eq!(key("abc"), None);
}

#[test]
fn retry_after_is_rounded_up() {
    let wait = Duration::from_millis(1_001);
    assert_eq!(retry_after(RetryAfter::Seconds, wait).as_deref(), Some("2"));
    assert_eq!(retry_after(RetryAfter::Absent, wait), None);
    assert!(retry_after(RetryAfter::Date, wait).unwrap().ends_with(" GMT"));
    assert_eq!(http_date(Timestamp::UNIX_EPOCH).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
}
