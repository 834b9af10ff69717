//! Validates a config by the JSON Schema of its connector, and says what is wrong property by
//! property.
//!
//! Values are never shown: any of them may be a secret.

use std::error::Error as StdError;
use std::time::Duration;

use boon::{Compiler, Draft, ErrorKind, InstanceToken, Schemas, Type, UrlLoader, ValidationError};
use serde_json::Value;

use crate::deadline::within;
use crate::error::{Error, Result};
use crate::json_object::kind;
use crate::schema::{ResolvedSchema, SCHEMA_URL};
use crate::types::Specification;

/// How long validation may take. With Orb's schema it takes less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(5);

/// Problems that one error names at most.
const TOLD: usize = 5;

/// What is wrong with one property.
#[derive(Debug, PartialEq, Eq)]
struct Problem {
    text: String,
    /// The description of the property in the schema.
    description: Option<String>,
}

/// Validates the text of a config by the schema of `specification`.
///
/// # Errors
///
/// A config error that names what is wrong, a system error if the schema cannot be used.
pub(crate) async fn validate(config: &str, specification: &Specification) -> Result<()> {
    let schema: Value = serde_json::from_str(specification.config_schema.as_str()).map_err(|error| {
        Error::system("the schema of the configuration cannot be read").with_internal(error)
    })?;
    // The validator follows the references that the search for secrets follows, and no others.
    let schema = ResolvedSchema::of(schema)?.into_value();
    // It is valid JSON, so a number must be too large.
    let config: Value = serde_json::from_str(config)
        .map_err(|_| Error::config("the configuration has a number that is too large"))?;
    let problems = within(PATIENCE, move || problems(&config, &schema)).await.ok_or_else(|| {
        Error::system("the schema of the configuration cannot be used: it takes too long or fails")
    })?;
    let problems = problems.map_err(|reason| {
        Error::system("the schema of the config is not valid JSON Schema").with_internal(reason)
    })?;
    let Some(first) = problems.first() else { return Ok(()) };
    let texts: Vec<_> = problems.iter().map(|problem| problem.text.as_str()).collect();
    let error = Error::config(format!("the configuration is not valid: {}", texts.join("; ")));
    Err(match &first.description {
        Some(description) => error.with_hint(description),
        None => error,
    })
}

/// Fetches nothing: a schema may refer to its own parts only.
struct Nowhere;

impl UrlLoader for Nowhere {
    fn load(&self, url: &str) -> std::result::Result<Value, Box<dyn StdError>> {
        Err(format!("{url} is not part of the schema").into())
    }
}

fn problems(config: &Value, schema: &Value) -> Result<Vec<Problem>, String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.use_loader(Box::new(Nowhere));
    compiler.set_default_draft(Draft::V7);
    compiler.enable_format_assertions();
    compiler.add_resource(SCHEMA_URL, schema.clone()).map_err(|error| error.to_string())?;
    let index = compiler.compile(SCHEMA_URL, &mut schemas).map_err(|error| error.to_string())?;
    let Err(error) = schemas.validate(config, index) else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    collect(&error, config, schema, &mut problems);
    problems.truncate(TOLD);
    Ok(problems)
}

/// Collects the leaves of a tree of errors, which say what is wrong.
fn collect(error: &ValidationError<'_, '_>, config: &Value, schema: &Value, problems: &mut Vec<Problem>) {
    match &error.kind {
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf => {
            for cause in &error.causes {
                collect(cause, config, schema, problems);
            }
        }
        ErrorKind::Required { want } => {
            for missing in want {
                problems.push(problem(error, Some(missing), "is missing", schema));
            }
        }
        kind => problems.push(problem(error, None, &predicate(kind, value_at(error, config)), schema)),
    }
}

/// What is wrong with a value, as a predicate.
fn predicate(error: &ErrorKind<'_, '_>, value: &Value) -> String {
    match error {
        ErrorKind::Type { want, .. } => {
            let wanted: Vec<_> = want.iter().map(name).collect();
            format!("must be {}, but is {}", wanted.join(" or "), kind(&value.to_string()))
        }
        ErrorKind::Pattern { want, .. } => format!("does not match {want}"),
        ErrorKind::Format { want, .. } => format!("is no valid {want}"),
        ErrorKind::Minimum { want, .. } => format!("must be at least {want}"),
        ErrorKind::Maximum { want, .. } => format!("must be at most {want}"),
        ErrorKind::MinLength { want, .. } => format!("must have at least {want} characters"),
        ErrorKind::MaxLength { want, .. } => format!("must have at most {want} characters"),
        ErrorKind::MinItems { want, .. } => format!("must have at least {want} elements"),
        ErrorKind::MaxItems { want, .. } => format!("must have at most {want} elements"),
        ErrorKind::Enum { want } => {
            let wanted: Vec<_> = want.iter().map(ToString::to_string).collect();
            format!("must be one of {}", wanted.join(", "))
        }
        ErrorKind::Const { want } => format!("must be {want}"),
        _ => "is not what the schema allows".to_owned(),
    }
}

fn value_at<'v>(error: &ValidationError<'_, '_>, config: &'v Value) -> &'v Value {
    error.instance_location.tokens.iter().fold(config, |value, token| match token {
        InstanceToken::Prop(name) => &value[name.as_ref()],
        InstanceToken::Item(index) => &value[index],
    })
}

fn problem(
    error: &ValidationError<'_, '_>,
    missing: Option<&str>,
    predicate: &str,
    schema: &Value,
) -> Problem {
    let tokens = error.instance_location.tokens.iter().map(|token| match token {
        InstanceToken::Prop(name) => name.to_string(),
        InstanceToken::Item(index) => index.to_string(),
    });
    let names: Vec<_> = tokens.chain(missing.map(str::to_owned)).collect();
    let place = if names.is_empty() { "it".to_owned() } else { format!("`{}`", names.join(".")) };
    // Found only for a property that is in no list and in no alternative.
    let node = names.iter().fold(schema, |node, name| &node["properties"][name]);
    let description = node["description"].as_str().map(str::to_owned);
    Problem { text: format!("{place} {predicate}"), description }
}

/// A type with its article.
fn name(kind: Type) -> &'static str {
    match kind {
        Type::Array => "a list",
        Type::Boolean => "a boolean",
        Type::Integer => "an integer",
        Type::Null => "null",
        Type::Number => "a number",
        Type::Object => "an object",
        Type::String => "a string",
    }
}

#[cfg(test)]
mod tests {
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
        error.message().strip_prefix("the configuration is not valid: ").unwrap().to_owned()
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

    #[tokio::test]
    async fn a_hostile_schema_does_no_harm() {
        // The result does not matter, but that there is one.
        for schema in [
            r##"{"$ref": "#"}"##.to_owned(),
            r##"{"allOf": [{"$ref": "#"}, {"$ref": "#"}]}"##.to_owned(),
            r##"{"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"}"##.to_owned(),
            r##"{"not": {"$ref": "#"}}"##.to_owned(),
            r##"{"properties": {"key": {"anyOf": [{"$ref": "#/properties/key"}]}}}"##.to_owned(),
            format!(r#"{{"properties": {{"key": {{"pattern": "{}"}}}}}}"#, "(a*)*".repeat(1000)),
            r#"{"properties": {"key": {"pattern": "((((a{1000}){1000}){1000}){1000})"}}}"#.to_owned(),
        ] {
            let _ = validate(r#"{"key": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}"#, &specification(&schema)).await;
        }
    }
}
