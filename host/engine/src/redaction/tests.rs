use super::*;

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
    mask_json(redaction(values).prose.matcher.as_deref().unwrap(), text)
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
    assert_eq!(json(&["key1"], r#"{"a":"\ud800key1","b":"\ud800"}"#), r#"{"a":"****","b":"\ud800"}"#);
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
        assert_eq!(redaction(&[KEY]).check_state(&state(text)), Err(SecretInState));
    }
    assert_eq!(
        redaction(&["test"]).check_state(&state(r#"{"a":"token-of-test"}"#.to_owned())),
        Err(SecretInState)
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
fn what_is_too_short_to_be_meant_is_shown() {
    assert_eq!(redaction(&["abc", ""]).text("abc"), "abc");
}
