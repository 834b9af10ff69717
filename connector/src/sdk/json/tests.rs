//! `serde_json` is the measure.

use super::*;

#[test]
fn what_is_json_is_taken_apart_and_what_is_not_is_an_error_as_serde_json_says() {
    for text in [
        r#"{}"#,
        "[]",
        " [ ] ",
        r#" { "a" : [ 1 , {} ] , "b":null }  "#,
        r#"[1.5e-3,-0,"x\n",true,[[]],{"a":{"b":[]}}]"#,
        "",
        " ",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]]",
        "[01]",
        "[\"\u{1}\"]",
        r#"["\x"]"#,
        "[nul]",
        "[1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{1:1}"#,
        r#"{"a":1]"#,
        r#"{"a":1}x"#,
        "{\u{c}}",
    ] {
        let parts = match text.trim_start().chars().next() {
            Some('{') => {
                let mut scanner = Scanner::new(text);
                let mut read = || {
                    scanner.open('{')?;
                    while scanner.name()?.is_some() {
                        scanner.value()?;
                    }
                    scanner.end()
                };
                read()
            }
            _ => {
                let mut scanner = Scanner::new(text);
                scanner.list().and_then(|_| scanner.end())
            }
        };
        let is_json = serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert_eq!(parts.is_ok(), is_json, "{text}: {parts:?}");
        assert_eq!(Json::parse(text).is_ok(), is_json, "{text}");
    }
}

#[test]
fn strings_are_what_serde_json_says_they_are() {
    for text in [
        r#""""#,
        r#""a é 😀""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""x\u00e9\u0041y""#,
        r#""\ud83d\ude00\u0000""#,
        r#""\u00e9\ud83d\ude00é""#,
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
        r#""\ude00\ud83d""#,
        r#""\ud83d\ud83d\ude00""#,
        "1",
        "null",
        "[]",
    ] {
        let expected = serde_json::from_str::<String>(text).ok();
        assert_eq!(Json::parse(text).unwrap().text().map(Cow::into_owned), expected, "{text}");
        if let Some(expected) = expected {
            assert_eq!(Json::parse(&quoted(&expected)).unwrap().text().unwrap(), expected);
        }
    }
}

#[test]
fn a_field_is_found_by_its_name_whatever_its_escapes() {
    let object = Json::parse(r#"{"a":{"b":1},"\u0062":[2],"b":3}"#).unwrap();
    assert_eq!(object.field("b").map(Json::get), Some("[2]"));
    assert_eq!(object.field("a").and_then(|a| a.field("b")).map(Json::get), Some("1"));
    assert_eq!(object.field("c"), None);
    assert_eq!(object.field("a").and_then(Json::list), None);
}
