use serde_json::json;

use super::*;

fn resolved(schema: &Value) -> ResolvedSchema {
    ResolvedSchema::of(schema).unwrap()
}

/// Seals by a schema, and shows each value in brackets in the place of its token.
fn sealed(schema: &Value, config: &str) -> String {
    let (text, secrets) = seal(config, &resolved(schema), Handling::Seal).unwrap();
    let brackets =
        |text: String, secret: &Secret| text.replace(&secret.token, &format!("<{}>", secret.value));
    secrets.list().iter().fold(text, brackets)
}

#[test]
fn only_what_is_marked_is_sealed_and_the_rest_is_kept_to_the_last_digit() {
    let schema = json!({"properties": {"key": {"airbyte_secret": true}, "days": {"type": "number"}}});
    assert_eq!(
        sealed(&schema, r#"{"z":1.50,"key":"k","days":3e400,"other":"k\u00e9y"}"#),
        r#"{"z":1.50,"key":"<k>","days":3e400,"other":"k\u00e9y"}"#
    );
    assert_eq!(sealed(&schema, "{}"), "{}");
}

#[test]
fn nested_secrets_are_found() {
    let schema = json!({
        "properties": {
            "login": {"oneOf": [{"properties": {"kind": {}}}, {"properties": {"token": {"airbyte_secret": true}}}]},
            "many": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
            "named": {"additionalProperties": {"$ref": "#/definitions/secret"}},
            "whole": {"airbyte_secret": true},
        },
        "definitions": {"secret": {"airbyte_secret": true, "anyOf": [{"$ref": "#/definitions/secret"}]}},
    });
    assert_eq!(
        sealed(
            &schema,
            r#"{"login":{"kind":"a","token":"b"},"many":[{"token":"c"},{"token":""}],"named":{"x":"d"},"whole":{"a":["e",7,null,true]}}"#
        ),
        r#"{"login":{"kind":"a","token":"<b>"},"many":[{"token":"<c>"},{"token":""}],"named":{"x":"<d>"},"whole":{"a":["<e>","<7>",null,true]}}"#
    );
}

#[test]
fn a_repeated_name_is_sealed_each_time() {
    let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
    assert_eq!(sealed(&schema, r#"{"key":"a","key":"b"}"#), r#"{"key":"<a>","key":"<b>"}"#);
}

#[test]
fn white_space_around_a_secret_is_taken_off() {
    let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
    assert_eq!(sealed(&schema, r#"{"key":" \ta b\r\n"}"#), r#"{"key":"<a b>"}"#);
    assert_eq!(sealed(&schema, r#"{"key":" \n"}"#), r#"{"key":" \n"}"#);
}

#[test]
fn what_a_header_cannot_carry_is_named_with_its_property_and_place_and_without_the_secret() {
    let schema = json!({"properties": {
        "key": {"airbyte_secret": true},
        "logins": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
    }});
    let problem = |config: &Value| {
        let config = config.to_string();
        let error = seal(&config, &resolved(&schema), Handling::Seal).unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::Config);
        assert!(!error.message().contains("sesame") && error.message().contains("copy it again"));
        error.message().to_owned()
    };
    for (character, what) in [
        ('\t', "a tab"),
        ('\n', "a line break"),
        ('\r', "a line break"),
        ('\0', "U+0000"),
        ('\u{7f}', "U+007F"),
        ('\u{a0}', "U+00A0"),
        ('\u{e9}', "U+00E9"),
        ('\u{200b}', "U+200B"),
        ('\u{feff}', "U+FEFF"),
        ('\u{1f511}', "U+1F511"),
    ] {
        let problem = problem(&json!({ "key": format!(" sesame{character}open\n") }));
        assert!(problem.contains("`key` has") && problem.contains("its character 8;"), "{problem}");
        assert!(problem.contains(what), "{problem}");
    }
    assert!(problem(&json!({ "key": "\u{feff}sesame" })).contains("its character 1;"));
    let nested = problem(&json!({ "logins": [{}, { "token": "sesame\u{a0}" }] }));
    assert!(nested.contains("`logins.1.token`"), "{nested}");
}

#[test]
fn what_is_exposed_stays_as_it_was_written() {
    let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
    let config = r#"{"key":" -----BEGIN\n\u00e9\n-----END\n "}"#;
    let (text, secrets) = seal(config, &resolved(&schema), Handling::Expose).unwrap();
    assert_eq!(text, config);
    assert_eq!(secrets.list()[0].value, "-----BEGIN\n\u{e9}\n-----END");
}

#[test]
fn one_value_has_one_token() {
    let schema = json!({"additionalProperties": {"airbyte_secret": true}});
    let (text, secrets) = seal(r#"{"a":"x","b":"x"}"#, &resolved(&schema), Handling::Seal).unwrap();
    assert_eq!(secrets.list().len(), 1);
    assert_eq!(text.matches(&secrets.list()[0].token).count(), 2);
}

#[test]
fn a_secret_is_found_wherever_the_schema_marks_it() {
    let mark = json!({"airbyte_secret": true});
    let key = json!({"properties": {"key": {"airbyte_secret": true}}});
    for schema in [
        json!({"allOf": [key]}),
        json!({"anyOf": [{}, key]}),
        json!({"oneOf": [true, key]}),
        json!({"not": {"not": key}}),
        json!({"if": key}),
        json!({"if": {}, "then": key}),
        json!({"if": {}, "else": key}),
        json!({"dependencies": {"key": key, "other": ["key"]}}),
        json!({"dependentSchemas": {"key": key}}),
        json!({"patternProperties": {"^k": mark}}),
        json!({"additionalProperties": mark}),
        json!({"unevaluatedProperties": mark}),
        json!({"properties": {"key": {"airbyte_secret": "true"}}}),
        json!({"properties": {"key": {"$ref": "#/definitions/a"}}, "definitions": {"a": mark}}),
        json!({"properties": {"key": {"$ref": "#/$defs/a%62"}}, "$defs": {"ab": mark}}),
        json!({"properties": {"key": {"$ref": "#a"}}, "definitions": {"x": {"$id": "#a", "airbyte_secret": true}}}),
        json!({"properties": {"key": {"$ref": "#a"}}, "$defs": {"x": {"$anchor": "a", "airbyte_secret": true}}}),
        json!({"properties": {"key": {"$ref": "a.json"}}, "$defs": {"x": {"$id": "a.json", "airbyte_secret": true}}}),
        json!({"$id": "http://h/s", "properties": {"key": {"$ref": "/a#/definitions/b"}},
                "definitions": {"x": {"$id": "a", "definitions": {"b": mark}}}}),
        json!({"properties": {"key": {"$ref": "#/properties/other", "airbyte_secret": true}, "other": {}}}),
        json!({"properties": {"key": {"allOf": [{"$ref": "#/x-own/deep"}]}}, "x-own": {"deep": {"$ref": "#/x-own/more"}, "more": mark}}),
        json!({"$ref": "#/definitions/whole", "definitions": {"whole": key}}),
    ] {
        assert_eq!(sealed(&schema, r#"{"key":"k"}"#), r#"{"key":"<k>"}"#, "{schema}");
    }
    for (schema, expected) in [
        (json!({"items": mark}), r#"["<a>","<b>"]"#),
        (json!({"items": [{}, mark]}), r#"["<a>","<b>"]"#),
        (json!({"prefixItems": [{}, mark]}), r#"["<a>","<b>"]"#),
        (json!({"items": [{}], "additionalItems": mark}), r#"["<a>","<b>"]"#),
        (json!({"contains": mark}), r#"["<a>","<b>"]"#),
        (json!({"unevaluatedItems": mark}), r#"["<a>","<b>"]"#),
        (mark.clone(), r#"["<a>","<b>"]"#),
        (json!({"items": {"properties": {"airbyte_secret": mark}}}), r#"["a","b"]"#),
    ] {
        let schema = json!({"properties": {"list": schema}});
        assert_eq!(sealed(&schema, r#"{"list":["a","b"]}"#), format!(r#"{{"list":{expected}}}"#), "{schema}");
    }
}

#[test]
fn names_that_are_secrets_cannot_be_sealed() {
    let schema = resolved(&json!({"properties": {"keys": {"propertyNames": {"airbyte_secret": true}}}}));
    let error = seal(r#"{"keys":{"k":1}}"#, &schema, Handling::Seal).unwrap_err();
    assert_eq!(error.failure_type(), crate::FailureType::System);
    assert!(seal(r#"{"other":{"k":1}}"#, &schema, Handling::Seal).is_ok());
}
