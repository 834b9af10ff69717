mod escapes;

use super::*;
use crate::error::Error;

const KEY: &str = "sk_live_0123456789";

fn redaction(values: &[&str]) -> Redaction {
    let secret = |value: &&str| Secret {
        token: format!("token-of-{value}"),
        value: (*value).to_owned(),
        property: "key".to_owned(),
    };
    Redaction::of(&values.iter().map(secret).collect::<Vec<_>>())
}

/// Masks as in data, whether the values are unmistakable or not.
fn json(values: &[&str], text: &str) -> String {
    mask_json(&redaction(values).prose, text)
}

/// What becomes of a record.
fn record(values: &[&str], text: &str) -> String {
    let record = Record::parse(text.to_owned()).unwrap();
    redaction(values).record(&record).unwrap_or(record).as_str().to_owned()
}

#[test]
fn json_stays_json() {
    assert_eq!(json(&["key1"], r#"{"a":"xkey1y","key1":1.50}"#), r#"{"a":"x****y","****":1.50}"#);
    for unchanged in [
        (&["true", "null"][..], r#"{"a":true,"b":null}"#),
        (&["12345"], r#"{"a":12345,"b":-1.123456}"#),
        (&[r#"x","y"#], r#"{"a":"x","y":"\"x"}"#),
        // The n is half of an escape.
        (&["nabc"], r#"{"a":"x\nabc"}"#),
    ] {
        assert_eq!(json(unchanged.0, unchanged.1), unchanged.1);
    }
    assert_eq!(
        json(&[r#"abc""#, r"cde\"], r#"{"a":"xabc","b":"cde\"","c":"cde\\"}"#),
        r#"{"a":"xabc","b":"cde\"","c":"****"}"#
    );
    assert_eq!(json(&["key1"], r#"{"a":"\ud800key1","b":"\ud800"}"#), r#"{"a":"\ud800****","b":"\ud800"}"#);
    assert_eq!(json(&[r#"a"bc"#], r#"{"a":"{\"b\":\"a\\\"bc\"}"}"#), r#"{"a":"{\"b\":\"****\"}"}"#);
}

#[test]
fn every_text_of_an_error_is_masked() {
    let error = redaction(&["type", "0000"]).error(&Error::system("a type").with_internal("0000"));
    assert_eq!((error.message(), error.internal_message()), ("a ****", Some(MASK)));
}

#[test]
fn the_secrets_of_several_sessions_are_masked_together() {
    let both = redaction(&["first"]).and(&redaction(&["second"]));
    assert_eq!(both.text("first, second, third"), "****, ****, third");
    assert_eq!(Redaction::default().and(&Redaction::default()).text("anything"), "anything");
}

#[test]
fn records_are_altered_only_by_what_can_only_be_a_secret() {
    let ordinary = ["test", "name", "1234", "2024", "true", "null", "credits_ledger_entries"];
    let text = r#"{"name":"c-test-1","n":1234,"at":"2024-01-01T00:00:00Z","kind":"credits_ledger_entries","x":"dGVzdA=="}"#;
    assert_eq!(record(&ordinary, text), text);
    assert_eq!(record(&[KEY, "test"], &format!(r#"{{"a":"test {KEY}"}}"#)), r#"{"a":"test ****"}"#);
    assert_eq!(record(&["test"], r#"{"a":"token-of-test"}"#), r#"{"a":"****"}"#);
    assert_eq!(redaction(&ordinary).text("a test of 1234"), "a **** of ****");
}

#[test]
fn a_state_is_never_altered() {
    let state = |text: String| JsonObject::parse(&text).unwrap();
    let ordinary = state(r#"{"created_at":"2024-01-01T00:00:00Z","n":1234}"#.to_owned());
    assert_eq!(redaction(&["2024", "1234", "created_at"]).check_state(&ordinary), Ok(()));
    for text in [format!(r#"{{"a":["{KEY}"]}}"#), format!(r#"{{"{KEY}":1}}"#)] {
        assert_eq!(redaction(&[KEY]).check_state(&state(text)), Err(SecretFound::InState));
    }
    assert_eq!(
        redaction(&["test"]).check_state(&state(r#"{"a":"token-of-test"}"#.to_owned())),
        Err(SecretFound::InState)
    );
}

#[test]
fn a_secret_that_is_exposed_and_ordinary_is_not_taken_for_a_token() {
    let redaction = Redaction::of(&[Secret::expose("2024")]);
    assert_eq!(redaction.check_state(&JsonObject::parse(r#"{"at":"2024-01-01"}"#).unwrap()), Ok(()));
}

#[test]
fn of_two_the_longer_is_masked() {
    assert_eq!(redaction(&["long", "longer"]).text("a longer one"), "a **** one");
}

#[test]
fn what_is_masked_is_not_shown_for_debugging() {
    assert_eq!(
        format!("{:?}", redaction(&[KEY, "word"])),
        "Redaction { prose: Needles(4), data: Needles(3) }"
    );
}

#[test]
fn what_is_too_short_to_be_meant_is_shown() {
    assert_eq!(redaction(&["abc", ""]).text("abc"), "abc");
}

/// A key with characters that everything escapes.
const ODD: &str = "sk/Live+0123456789&x<y";

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn base64_hides_nothing_whatever_is_around_the_secret() {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    for before in ["", "u", "us", "use", "user:"] {
        for after in ["", "!", ":end"] {
            let whole = format!("{before}{ODD}{after}");
            for text in [BASE64_STANDARD.encode(&whole), BASE64_URL_SAFE_NO_PAD.encode(&whole)] {
                assert_eq!(redaction(&[ODD]).text(&format!("Basic {text}.")), "Basic ****.", "{whole}");
                assert_eq!(
                    record(&[ODD], &format!(r#"{{"a":"Basic {text}"}}"#)),
                    r#"{"a":"Basic ****"}"#,
                    "{whole}"
                );
                let escaped = text.replace('/', r"\/");
                assert_eq!(redaction(&[ODD]).text(&escaped), "****", "{whole}");
            }
        }
    }
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    let text = |values: &[&str], text: &str| redaction(values).text(text).into_owned();
    for values in [["acme", "acme-0123-real"], ["acme-0123-real", "acme"]] {
        assert_eq!(text(&values, "an acme-0123-real one, acme"), "an **** one, ****");
    }
    assert_eq!(text(&["abcdef", "defghi", "ghijkl"], "-abcdefghijkl-"), "-****-");
    assert_eq!(text(&["aaaa"], "-aaaaaa-"), "-****-");
}

#[test]
fn masking_makes_no_secret_of_what_is_left() {
    assert_eq!(redaction(&["first", "ab****cd"]).text("abfirstcd"), MASK);
    assert_eq!(redaction(&["first", "ab****cd", "x****y"]).text("xabfirstcdy"), MASK);
    assert_eq!(redaction(&["first", "****"]).text("the first"), "the ****");
}

#[test]
fn case_matters_to_programs_and_not_to_people() {
    assert_eq!(redaction(&[KEY]).text("https://SK_LIVE_0123456789.example"), "https://****.example");
    let text = r#"{"a":"SK_LIVE_0123456789"}"#;
    assert_eq!(record(&[KEY], text), text);
}

#[test]
fn what_needs_no_search_gets_none() {
    let redaction = redaction(&[KEY]);
    for text in
        [r#"{"a":"line\nbreak \"quoted\" \u00e4 100% \t 20%"}"#, r#"{"a":"R&D, a&nbsp;b, %zz %3 \r\n"}"#]
    {
        assert!(!redaction.data.may_be_in(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_name_with_a_secret_in_it_is_refused() {
    let redaction = redaction(&[ODD, "test"]);
    for name in [ODD, "x-sk%2fLive+0123456789&x<y", "token-of-test"] {
        assert_eq!(redaction.check_name(name), Err(SecretFound::InName), "{name}");
    }
    assert_eq!(redaction.check_name("a test"), Ok(()));
    let stream = |name: &str, field: &str, schema: &str| Stream {
        name: name.to_owned(),
        json_schema: JsonObject::parse(schema).unwrap(),
        supported_sync_modes: vec![],
        primary_key: vec![vec![field.to_owned()]],
        cursor_field: vec![],
        resumable: false,
        group: None,
        selected_by_default: true,
        requests: None,
    };
    let schema = r#"{"properties":{"sk\/Live+0123456789\u0026x<y":{}}}"#;
    assert_eq!(redaction.check_streams(&[stream("test", "a", "{}")]), Ok(()));
    let plain = || stream("a", "b", "{}");
    for named in [
        stream(ODD, "a", "{}"),
        stream("a", ODD, "{}"),
        stream("a", "b", schema),
        Stream { cursor_field: vec![ODD.to_owned()], ..plain() },
        Stream { group: Some(ODD.to_owned()), ..plain() },
        Stream { requests: Some(format!("one for each {ODD}")), ..plain() },
    ] {
        assert_eq!(redaction.check_streams(&[named]), Err(SecretFound::InName));
    }
}

#[test]
fn a_secret_of_several_lines_is_masked_when_they_are_one() {
    let key = "-----BEGIN-----\nabc/def\n-----END-----\n";
    for text in [key, "-----BEGIN----- abc/def -----END-----", r"-----BEGIN-----\nabc\/def\n-----END-----\n"]
    {
        let masked = redaction(&[key]).text(text).into_owned();
        assert!(!masked.contains("abc"), "{masked}");
    }
}
