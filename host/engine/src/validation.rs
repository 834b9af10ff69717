//! Validates a config by the JSON Schema of its connector, and says what is wrong property by
//! property.
//!
//! Values are never shown: any of them may be a secret. The schema is a stranger's, so what it
//! makes of a config is bounded before it is validated ([`Graph`]), and what it says is cut off
//! where it is too long.

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

/// Checks that the schema of a config can be used: that it is not too large, and that its
/// references can be followed.
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
mod tests;
