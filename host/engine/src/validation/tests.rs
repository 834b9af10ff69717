use super::*;
use crate::json_object::JsonObject;

fn specification(schema: &str) -> Specification {
    Specification {
        name: "things".to_owned(),
        version: "1.0.0".to_owned(),
        config_schema: JsonObject::parse(schema).unwrap(),
        documentation_url: None,
        allowed_hosts: vec![],
    }
}

const THINGS: &str = r#"{
    "type": "object",
    "required": ["key", "since"],
    "additionalProperties": true,
    "properties": {
        "key": {"type": "string", "airbyte_secret": true},
        "since": {
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
            "format": "date-time",
            "description": "An instant, such as 2022-03-01T00:00:00Z."
        },
        "days": {"type": "integer", "minimum": 0, "maximum": 9},
        "keys": {"type": "array", "items": {"type": "string"}},
        "size": {"enum": ["s", "l"]},
        "mode": {"oneOf": [{"const": "a"}, {"const": "b"}]}
    }
}"#;

async fn problem(config: &str) -> String {
    let error = validate(config, &specification(THINGS)).await.unwrap_err();
    assert_eq!(error.failure_type(), crate::FailureType::Config);
    error.message().strip_prefix("the config is not valid: ").unwrap().to_owned()
}

#[tokio::test]
async fn what_the_schema_allows_is_valid_and_so_is_what_it_does_not_know() {
    let config = r#"{"key": "k", "since": "2024-01-01T00:00:00Z", "days": 9, "keys": [], "more": null}"#;
    validate(config, &specification(THINGS)).await.unwrap();
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_fraction_or_an_exponent() {
    for days in ["3", "3.0", "3e0", "0.3e1"] {
        let config = format!(r#"{{"key": "k", "since": "2024-01-01T00:00:00Z", "days": {days}}}"#);
        validate(&config, &specification(THINGS)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_property_and_without_its_value() {
    let with = |more: &str| format!(r#"{{"key": "k", "since": "2024-01-01T00:00:00Z", {more}}}"#);
    assert_eq!(problem("{}").await, "`key` is missing; `since` is missing");
    assert_eq!(
        problem(r#"{"key": 4711, "since": "2024-01-01T00:00:00Z"}"#).await,
        "`key` must be a string, but is a number"
    );
    assert_eq!(problem(&with(r#""days": -1"#)).await, "`days` must be at least 0");
    assert_eq!(problem(&with(r#""days": 10"#)).await, "`days` must be at most 9");
    assert_eq!(problem(&with(r#""days": 1.5"#)).await, "`days` must be an integer, but is a number");
    assert_eq!(problem(&with(r#""days": null"#)).await, "`days` must be an integer, but is null");
    assert_eq!(problem(&with(r#""keys": ["a", 1]"#)).await, "`keys.1` must be a string, but is a number");
    assert_eq!(problem(&with(r#""mode": "sesame""#)).await, "`mode` is not what the schema allows");
    assert_eq!(problem(&with(r#""size": "sesame""#)).await, r#"`size` must be one of "s", "l""#);
}

#[tokio::test]
async fn what_the_schema_says_of_a_property_is_the_hint() {
    let config = r#"{"key": "k", "since": "yesterday"}"#;
    let error = validate(config, &specification(THINGS)).await.unwrap_err();
    assert!(error.message().contains("`since` does not match ^[0-9]{4}-"), "{error}");
    assert_eq!(error.hint(), Some("An instant, such as 2022-03-01T00:00:00Z."));
    assert_eq!(
        problem(r#"{"key": "k", "since": "2024-02-30T00:00:00Z"}"#).await,
        "`since` is no valid date-time"
    );
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_is_a_defect_of_the_connector() {
    for schema in [
        r#"{"type": "nothing"}"#,
        r#"{"properties": {"a": {"pattern": "("}}}"#,
        r#"{"$ref": "http://127.0.0.1:1/schema.json"}"#,
        r#"{"$ref": "file:///etc/passwd"}"#,
        r##"{"$ref": "#/definitions/none"}"##,
    ] {
        let error = validate("{}", &specification(schema)).await.unwrap_err();
        assert_eq!(error.failure_type(), crate::FailureType::System, "{schema}: {error}");
    }
}

/// The message of a schema that is not used.
async fn refused(schema: &str, config: &str) -> String {
    let error = validate(config, &specification(schema)).await.unwrap_err();
    assert_eq!(error.failure_type(), crate::FailureType::System, "{error}");
    error.message().strip_prefix("the config schema cannot be used: it ").unwrap().to_owned()
}

/// Definitions of which each is made from the reference to the next.
fn chain(count: usize, link: impl Fn(&str) -> String) -> String {
    let next = |number: usize| format!(r##"{{"$ref": "#/definitions/{number}"}}"##);
    let definitions: Vec<_> =
        (0..count).map(|number| format!(r#""{number}": {}"#, link(&next(number + 1)))).collect();
    format!(r#"{{"allOf": [{}], "definitions": {{{}, "{count}": {{}}}}}}"#, next(0), definitions.join(","))
}

#[tokio::test]
async fn a_hostile_schema_is_refused_before_it_is_used() {
    let circle = "has references in it that go round in a circle";
    for schema in [
        r##"{"$ref": "#"}"##,
        r##"{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}"##,
        r##"{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"}"##,
        r##"{"not": {"$ref": "#"}}"##,
        r##"{"properties": {"key": {"anyOf": [{"$ref": "#/properties/key"}]}}}"##,
    ] {
        assert_eq!(refused(schema, r#"{"key": "a"}"#).await, circle, "{schema}");
    }
    for pattern in [&"(a*)*".repeat(150_000), "((((a{1000}){1000}){1000}){1000})"] {
        let schema = format!(r#"{{"properties": {{"key": {{"pattern": "{pattern}"}}}}}}"#);
        assert_eq!(refused(&schema, "{}").await, "has regular expressions that are too large");
    }
    let long = chain(400, |next| format!(r#"{{"allOf": [{next}]}}"#));
    assert_eq!(refused(&long, "{}").await, "leads through more than 500 schemas within each other");
    let doubling = chain(40, |next| format!(r#"{{"anyOf": [{next}, {next}]}}"#));
    assert_eq!(refused(&doubling, "{}").await, "takes more than 200000 steps to check this config");
}

#[tokio::test]
async fn a_schema_at_the_bounds_fits_the_stack_and_the_time() {
    // Within a config that is not valid, so that every level has an error.
    let long = chain(240, |next| format!(r#"{{"allOf": [{next}, {{"type": "array"}}]}}"#));
    let error = validate("{}", &specification(&long)).await.unwrap_err();
    assert_eq!(
        error.message(),
        "the config is not valid: it must be a list, but is an object",
        "the same of each level"
    );
    let doubling = chain(14, |next| format!(r#"{{"anyOf": [{next}, {next}, {{"type": "array"}}]}}"#))
        .replace("{}}}", r#"{"type": "array"}}}"#);
    let error = validate("{}", &specification(&doubling)).await.unwrap_err();
    assert_eq!(error.failure_type(), crate::FailureType::Config, "{error}");
}

#[tokio::test]
async fn what_is_wrong_is_listed_up_to_a_bound_and_the_rest_is_counted() {
    let required: Vec<_> = (0..5_000).map(|number| format!(r#""p{number}""#)).collect();
    let schema = format!(r#"{{"required": [{}]}}"#, required.join(","));
    let error = validate("{}", &specification(&schema)).await.unwrap_err();
    let message = error.message();
    assert!(message.contains("`p0` is missing; ") && message.ends_with("`p19` is missing; and 4980 more"));
    let long = "x".repeat(100_000);
    let schema = format!(
        r#"{{"required": ["{long}"], "properties": {{
            "a": {{"enum": ["{long}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]}},
            "b": {{"const": "{long}"}},
            "c": {{"type": "string", "pattern": "^{long}$"}}
        }}}}"#
    );
    let error = validate(r#"{"a": 0, "b": 0, "c": "c"}"#, &specification(&schema)).await.unwrap_err();
    assert!(error.message().len() < 2_000 && error.message().contains("bytes more)"), "{error}");
    assert!(error.message().contains("19 and 2 more"), "{error}");
}
