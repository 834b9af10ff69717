//! Validates a config by the JSON Schema of its connector, and says what is wrong property by
//! property.
//!
//! Values are never shown: any of them may be a secret. The schema is a stranger's, so what it makes
//! of a config is bounded before it is validated ([`Graph`]), and what it says is cut off where it
//! is too long.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use boon::{Compiler, Draft, ErrorKind, InstanceToken, Schemas, Type, UrlLoader, ValidationError};
use serde_json::Value;

use crate::deadline::within;
use crate::error::{Error, Result};
use crate::excerpt::{few, label};
use crate::redaction::Redaction;
use crate::schema::{self, Graph, ResolvedSchema, SCHEMA_URL};
use crate::types::Specification;

/// How long validation may take. With Orb's schema it takes less than a millisecond, and with what
/// the bounds of a schema leave room for, about a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Violations that one error names at most. The others are counted.
const TOLD: usize = 20;
/// Alternatives of an enumeration that one error names at most.
const ALTERNATIVES: usize = 20;
/// Bytes of the description of a property that are shown.
const DESCRIPTION: usize = 2_048;

/// Why a config cannot be validated by a schema.
#[derive(Debug)]
enum Problem {
    /// The schema has a number that is too large.
    Number(serde_json::Error),
    /// It is more than is looked at.
    Complex(schema::Problem),
    /// It is not valid JSON Schema.
    Invalid(String),
    /// It takes too long, or the validator fails.
    Unfinished,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Number(error) => Self::system("the config schema cannot be read").with_internal(error),
            Problem::Complex(problem) => {
                Self::system(format!("the config schema cannot be used: it {problem}"))
            }
            Problem::Invalid(reason) => Self::system("the schema of the config is not valid JSON Schema")
                .with_internal(Redaction::default().message(&reason)),
            Problem::Unfinished => {
                Self::system("the config schema cannot be used: it takes too long or fails")
            }
        }
    }
}

impl From<schema::Problem> for Problem {
    fn from(problem: schema::Problem) -> Self {
        Self::Complex(problem)
    }
}

/// What is wrong with one property.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    text: String,
    /// The description of the property in the schema.
    description: Option<String>,
}

/// What is wrong with a config.
#[derive(Debug, Default)]
struct Violations {
    /// The first of them, each different.
    told: Vec<Violation>,
    /// How many more there are.
    more: usize,
}

impl Violations {
    /// Notes one. Past the first few, its text is not even made.
    fn add(&mut self, violation: impl FnOnce() -> Violation) {
        if self.told.len() == TOLD {
            self.more += 1;
            return;
        }
        let violation = violation();
        if !self.told.contains(&violation) {
            self.told.push(violation);
        }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.told.iter().map(|violation| violation.text.as_str()).collect();
        f.write_str(&texts.join("; "))?;
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

/// Checks that the schema of a config can be used: that it is not too large, and that its references
/// can be followed.
///
/// # Errors
///
/// A system error that says what is wrong with it.
pub(crate) fn check_schema(specification: &Specification) -> Result<()> {
    let schema = resolved(specification)?;
    Graph::of(&schema).map_err(Problem::Complex)?;
    Ok(())
}

/// The schema of a config, in which every reference is resolved.
fn resolved(specification: &Specification) -> Result<ResolvedSchema> {
    let schema: Value =
        serde_json::from_str(specification.config_schema.as_str()).map_err(Problem::Number)?;
    schema::check_size(&schema).map_err(Problem::Complex)?;
    // The validator follows the references that the search for secrets follows, and no others.
    Ok(ResolvedSchema::of(&schema)?)
}

/// Validates the text of a config by the schema of `specification`.
///
/// # Errors
///
/// A config error that names what is wrong, a system error if the schema cannot be used.
pub(crate) async fn validate(config: &str, specification: &Specification) -> Result<()> {
    let schema = resolved(specification)?;
    // It is valid JSON, so a number must be too large.
    let config: Value = serde_json::from_str(config)
        .map_err(|_| Error::config("the config has a number that is too large"))?;
    let violations = within(PATIENCE, move || violations(&config, schema)).await;
    let violations = violations.ok_or(Problem::Unfinished)??;
    let Some(first) = violations.told.first() else { return Ok(()) };
    let error = Error::config(format!("the config is not valid: {violations}"));
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

fn violations(config: &Value, schema: ResolvedSchema) -> Result<Violations, Problem> {
    Graph::of(&schema)?.check(config)?;
    let schema = schema.into_value();
    let invalid = |error: boon::CompileError| Problem::Invalid(error.to_string());
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.use_loader(Box::new(Nowhere));
    compiler.set_default_draft(Draft::V7);
    compiler.enable_format_assertions();
    compiler.add_resource(SCHEMA_URL, schema.clone()).map_err(invalid)?;
    let index = compiler.compile(SCHEMA_URL, &mut schemas).map_err(invalid)?;
    let mut violations = Violations::default();
    if let Err(error) = schemas.validate(config, index) {
        collect(&error, config, &schema, &mut violations);
    }
    Ok(violations)
}

/// Collects the leaves of a tree of errors, which say what is wrong.
fn collect(error: &ValidationError<'_, '_>, config: &Value, schema: &Value, violations: &mut Violations) {
    match &error.kind {
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf => {
            for cause in &error.causes {
                collect(cause, config, schema, violations);
            }
        }
        ErrorKind::Required { want } => {
            for missing in want {
                violations.add(|| violation(error, Some(missing), "is missing", schema));
            }
        }
        kind => violations.add(|| violation(error, None, &predicate(kind, value_at(error, config)), schema)),
    }
}

/// What is wrong with a value, as a predicate.
fn predicate(error: &ErrorKind<'_, '_>, value: &Value) -> String {
    match error {
        ErrorKind::Type { want, .. } => {
            let wanted: Vec<_> = want.iter().map(name).collect();
            format!("must be {}, but is {}", wanted.join(" or "), kind(value))
        }
        ErrorKind::Pattern { want, .. } => format!("does not match {}", label(want)),
        ErrorKind::Format { want, .. } => format!("is no valid {want}"),
        ErrorKind::Minimum { want, .. } => format!("must be at least {want}"),
        ErrorKind::Maximum { want, .. } => format!("must be at most {want}"),
        ErrorKind::MinLength { want, .. } => format!("must have at least {want} characters"),
        ErrorKind::MaxLength { want, .. } => format!("must have at most {want} characters"),
        ErrorKind::MinItems { want, .. } => format!("must have at least {want} elements"),
        ErrorKind::MaxItems { want, .. } => format!("must have at most {want} elements"),
        ErrorKind::Enum { want } => {
            let wanted = want.iter().map(|value| label(&value.to_string()));
            format!("must be one of {}", few(wanted, ALTERNATIVES))
        }
        ErrorKind::Const { want } => format!("must be {}", label(&want.to_string())),
        _ => "is not what the schema allows".to_owned(),
    }
}

fn value_at<'v>(error: &ValidationError<'_, '_>, config: &'v Value) -> &'v Value {
    error.instance_location.tokens.iter().fold(config, |value, token| match token {
        InstanceToken::Prop(name) => &value[name.as_ref()],
        InstanceToken::Item(index) => &value[index],
    })
}

fn violation(
    error: &ValidationError<'_, '_>,
    missing: Option<&str>,
    predicate: &str,
    schema: &Value,
) -> Violation {
    let tokens = error.instance_location.tokens.iter().map(|token| match token {
        InstanceToken::Prop(name) => name.to_string(),
        InstanceToken::Item(index) => index.to_string(),
    });
    let names: Vec<_> = tokens.chain(missing.map(label)).collect();
    let place = if names.is_empty() { "it".to_owned() } else { format!("`{}`", names.join(".")) };
    // Found only for a property that is in no list and in no alternative.
    let node = names.iter().fold(schema, |node, name| &node["properties"][name]);
    let description = node["description"].as_str();
    let description = description.map(|text| Redaction::default().excerpt(text, DESCRIPTION));
    Violation { text: format!("{place} {predicate}"), description }
}

/// The kind of a value, with its article.
fn kind(value: &Value) -> &'static str {
    name(match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::String,
        Value::Array(_) => Type::Array,
        Value::Object(_) => Type::Object,
    })
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
        format!(
            r#"{{"allOf": [{}], "definitions": {{{}, "{count}": {{}}}}}}"#,
            next(0),
            definitions.join(",")
        )
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
        assert!(
            message.contains("`p0` is missing; ") && message.ends_with("`p19` is missing; and 4980 more")
        );
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
}
