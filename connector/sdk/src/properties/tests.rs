//! Tests values, defaults and errors of each type.

use super::*;
use crate::{error::FailureType, testing::instant};

/// Reads the property `it` of a config with this value.
fn read<T>(
    value: &str,
    read: impl FnOnce(&Properties<'static>, &str) -> Result<Option<T>>,
) -> Result<Option<T>> {
    let text = format!("{{\"it\":{value}}}").leak();
    read(&Properties::decode(text).unwrap(), "it")
}

/// Returns the message for a value that cannot be read.
fn error<T: fmt::Debug>(
    value: &str,
    read: impl FnOnce(&Properties<'static>, &str) -> Result<Option<T>>,
) -> String {
    let error = self::read(value, read).unwrap_err();
    assert_eq!(error.failure_type, FailureType::Config);
    error.message
}

#[test]
fn what_is_no_object_is_no_config() {
    for text in ["", "[]", "1", "{"] {
        let error = Properties::decode(text).unwrap_err();
        assert!(error.message.starts_with("the config is not a JSON object: "), "{error}");
        assert_eq!(error.failure_type, FailureType::Config);
    }
}

#[test]
fn an_absent_property_is_none_unless_it_is_required() {
    let properties = Properties::decode(r#"{"null":null,"empty":""}"#).unwrap();
    for name in ["null", "empty", "absent"] {
        assert_eq!(properties.text(name), Ok(None));
        assert_eq!(properties.instant(name), Ok(None));
        assert_eq!(properties.url(name), Ok(None));
        assert_eq!(properties.secret(name), Ok(None));
        let error = properties.required(name, Properties::text).unwrap_err();
        assert_eq!(error.message, format!("config: {name} is a required property"));
    }
    assert_eq!((properties.flag("null"), properties.texts("null")), (Ok(None), Ok(None)));
    assert_eq!(properties.number("null", 0..=9), Ok(None));
}

#[test]
fn of_several_properties_with_one_name_the_last_counts() {
    let properties = Properties::decode(r#"{"key":1,"k\u0065y":"a"}"#).unwrap();
    assert_eq!(properties.required("key", Properties::text), Ok("a".to_owned()));
}

#[test]
fn a_value_of_another_type_is_an_error() {
    assert_eq!(error("7", Properties::text), "config: it must be a string");
    assert_eq!(error("7", Properties::secret), "config: it must be a string");
    assert_eq!(error("\"true\"", Properties::flag), "config: it must be true or false");
    assert_eq!(error("\"a\"", Properties::texts), "config: it must be a list of strings");
    assert_eq!(error("[1]", Properties::texts), "config: it must be a list of strings");
    for value in ["0", "65", "-1", "1.5", "99999999999", "\"4\""] {
        let message = error(value, |properties, name| properties.number(name, 1..=64));
        assert_eq!(message, "config: it must be a whole number from 1 to 64", "{value}");
    }
}

#[test]
fn a_whole_number_is_read_however_it_is_spelled() {
    for spelled in ["3", "3.0", "3e0", "0.3E1", "30e-1", "3.000"] {
        let number = read(spelled, |properties, name| properties.number(name, 0..=9));
        assert_eq!(number, Ok(Some(3)), "{spelled}");
    }
}

#[test]
fn a_list_has_each_string_once() {
    let texts = read(r#"["b","","a","b"]"#, Properties::texts).unwrap().unwrap();
    assert_eq!(texts, ["b", "a"]);
}

#[test]
fn choices_must_be_known() {
    let known = |properties: &Properties<'static>, name: &str| properties.choices(name, &["a", "b"]);
    assert_eq!(read(r#"["b"]"#, known), Ok(Some(vec!["b".to_owned()])));
    assert_eq!(read("[]", known), Ok(Some(Vec::new())));
    assert_eq!(error(r#"["b","c"]"#, known), r#"config: it has "c"; it may have: a, b"#);
}

#[test]
fn an_instant_is_in_utc_and_in_whole_seconds() {
    let expected = instant("2024-01-01T00:00:00Z");
    assert_eq!(read("\"2024-01-01T00:00:00Z\"", Properties::instant), Ok(Some(expected)));
    for text in
        ["2024-01-01", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00+00:00", "2024-01-01 00:00:00Z", "now"]
    {
        let message = error(&format!("{text:?}"), Properties::instant);
        assert_eq!(message, format!("config: it is {text:?}; it must look like 2022-03-01T00:00:00Z"));
    }
}

#[test]
fn a_url_has_a_host_and_no_slash_at_its_end() {
    let url = |text: &str| read(&format!("{text:?}"), Properties::url);
    assert_eq!(url(" http://127.0.0.1:8080/v1/ "), Ok(Some("http://127.0.0.1:8080/v1".to_owned())));
    for text in
        ["api.example.com", "ftp://host", "https://", "https:///v1", "https://user@host", "https://h?x=1"]
    {
        assert!(url(text).unwrap_err().message.starts_with("config: it must look like https://"), "{text}");
    }
}

#[test]
fn a_secret_can_be_sent_in_a_header_and_is_never_shown() {
    let secret = read("\" hidden \"", Properties::secret).unwrap().unwrap();
    assert_eq!(secret.expose(), "hidden");
    assert_eq!(read("\" \"", Properties::secret), Ok(None));
    for value in [r#""hid den""#, r#""hid\nden""#, "\"hidé\""] {
        let message = error(value, Properties::secret);
        assert!(message.contains("invalid character") && !message.contains("hid"), "{message}");
    }
}

#[test]
fn a_time_range_has_a_start_and_may_have_an_end_and_a_lookback_window() {
    let range = |text| Properties::decode(text).unwrap().time_range();
    let start = instant("2024-01-01T00:00:00Z");
    assert_eq!(range(r#"{"start_date":"2024-01-01T00:00:00Z"}"#), Ok(TimeRange::since(start)));
    let whole = range(
        r#"{"start_date":"2024-01-01T00:00:00Z","end_date":"2024-02-01T00:00:00Z","lookback_window_days":3}"#,
    );
    let end = Some(instant("2024-02-01T00:00:00Z"));
    assert_eq!(whole, Ok(TimeRange { start, end, lookback: SignedDuration::days(3) }));
    let instant = r#"{"start_date":"2024-01-01T00:00:00Z","end_date":"2024-01-01T00:00:00Z"}"#;
    assert_eq!(range(instant), Ok(TimeRange { end: Some(start), ..TimeRange::since(start) }));
    let error = |text| range(text).unwrap_err().message;
    assert_eq!(error("{}"), "config: start_date is a required property");
    let reversed = r#"{"start_date":"2024-01-01T00:00:00Z","end_date":"2023-01-01T00:00:00Z"}"#;
    assert_eq!(error(reversed), "config: end_date is before start_date");
}
