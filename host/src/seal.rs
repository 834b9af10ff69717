//! Which values of a configuration are secrets: a configuration and its schema come in, the same configuration with a
//! token in the place of each secret goes out.
//!
//! A value is a secret if anything that the schema says about its place carries `airbyte_secret`, whichever of several
//! alternatives applies; so is everything within it. All else stays as it was written, to the last digit.
//!
//! A sealed secret can only ever become part of a header, so what no header can carry is refused
//! here, where the name of the property is known. White space around it, as copying brings along,
//! is taken off.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::secrets::{Secret, Secrets};

/// Keywords of JSON Schema whose value is a schema for the same place, or a list of such, or an object of such.
const SAME_PLACE: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies", "dependentSchemas"];
/// Keywords whose value is a schema for the members of an object, or an object of such.
const MEMBERS: [&str; 3] = ["additionalProperties", "patternProperties", "unevaluatedProperties"];
/// Keywords whose value is a schema for the elements of a list, or a list of such.
const ELEMENTS: [&str; 5] = ["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"];

/// What a connector is given in the place of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handling {
    /// A token.
    Seal,
    /// The secret, as it was written.
    Expose,
}

/// Seals one configuration.
struct Sealer<'s> {
    schema: &'s Value,
    handling: Handling,
    secrets: Vec<Secret>,
    sealed: String,
    /// The names and numbers that lead to the value at hand.
    path: Vec<String>,
}

/// Makes the secrets of `config`, an object that `schema` describes, and the configuration as the
/// connector is given it.
///
/// # Errors
///
/// A config error that names a secret which cannot be sealed, because a header cannot carry it; a
/// system error if there are no random numbers.
pub(crate) fn seal(config: &RawValue, schema: &Value, handling: Handling) -> Result<(String, Secrets)> {
    let mut sealer =
        Sealer { schema, handling, secrets: Vec::new(), sealed: String::new(), path: Vec::new() };
    sealer.seal_value(config, &[schema], false)?;
    Ok((sealer.sealed, Secrets::new(sealer.secrets)))
}

/// Schemas that are looked at to list secrets. Those that refer to each other can describe any number of places.
const MOST_SCHEMAS: usize = 10_000;

/// Where the secrets of a configuration that `schema` describes stand, as paths with dots; `*` is any member or element.
pub(crate) fn places(schema: &Value) -> Vec<String> {
    let mut search = Search { root: schema, above: HashSet::new(), left: MOST_SCHEMAS, places: Vec::new() };
    search.collect(&[schema], "");
    search.places.dedup();
    if search.left == 0 {
        search.places.push("and more".to_owned());
    }
    search.places
}

/// A search for the places of secrets.
struct Search<'s> {
    root: &'s Value,
    /// The schemas on the way to the one at hand: one that is within itself has no end of places.
    above: HashSet<*const Value>,
    /// Schemas that may still be looked at.
    left: usize,
    places: Vec<String>,
}

impl<'s> Search<'s> {
    fn collect(&mut self, schemas: &[&'s Value], path: &str) {
        let below_path =
            |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for schema in expand(self.root, schemas) {
            let Some(left) = self.left.checked_sub(1) else { return };
            self.left = left;
            if schema["airbyte_secret"] == true {
                self.places.push(path.to_owned());
                continue;
            }
            if !self.above.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                self.collect(&[property], &below_path(name));
            }
            let any: Vec<_> = [below(schema, &MEMBERS), below(schema, &ELEMENTS)].concat();
            self.collect(&any, &below_path("*"));
            self.above.remove(&std::ptr::from_ref(schema));
        }
    }
}

impl<'s> Sealer<'s> {
    /// Takes one value, with what the schema says about its place, and whether it is within a secret.
    fn seal_value(&mut self, value: &RawValue, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let schemas = expand(self.schema, schemas);
        let secret = secret || schemas.iter().any(|schema| schema["airbyte_secret"] == true);
        match value.get().bytes().next() {
            Some(b'{') => self.seal_object(value, &schemas, secret),
            Some(b'[') => self.seal_list(value, &schemas, secret),
            Some(b'"' | b'-' | b'0'..=b'9') if secret => self.seal_scalar(value),
            _ => {
                self.sealed += value.get();
                Ok(())
            }
        }
    }

    fn seal_object(&mut self, object: &RawValue, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let mut separator = "{";
        for (name, value) in members(object) {
            self.sealed += separator;
            separator = ",";
            self.sealed += &Value::from(name.as_str()).to_string();
            self.sealed.push(':');
            let named = schemas.iter().filter_map(|schema| schema.get("properties")?.get(&name));
            let schemas: Vec<_> =
                named.chain(schemas.iter().flat_map(|schema| below(schema, &MEMBERS))).collect();
            self.path.push(name);
            self.seal_value(value, &schemas, secret)?;
            self.path.pop();
        }
        self.sealed += if separator == "{" { "{}" } else { "}" };
        Ok(())
    }

    fn seal_list(&mut self, list: &RawValue, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let schemas: Vec<_> = schemas.iter().flat_map(|schema| below(schema, &ELEMENTS)).collect();
        let elements: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
        let mut separator = "[";
        for (index, element) in elements.iter().enumerate() {
            self.sealed += separator;
            separator = ",";
            self.path.push(index.to_string());
            self.seal_value(element, &schemas, secret)?;
            self.path.pop();
        }
        self.sealed += if elements.is_empty() { "[]" } else { "]" };
        Ok(())
    }

    /// Seals text or a number. What is empty is no secret, and is left for the connector to find
    /// fault with.
    fn seal_scalar(&mut self, value: &RawValue) -> Result<()> {
        let text = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
        let core = text.trim_ascii();
        if core.is_empty() {
            self.sealed += value.get();
            return Ok(());
        }
        let property = self.path.join(".");
        if self.handling == Handling::Seal {
            check(&property, &text)?;
        }
        let known = self.secrets.iter().position(|secret| secret.value == core);
        let at = match known {
            Some(at) => at,
            None => {
                let secret = match self.handling {
                    Handling::Seal => Secret::seal(core)?,
                    Handling::Expose => Secret::expose(core),
                };
                self.secrets.push(secret.of(property));
                self.secrets.len() - 1
            }
        };
        self.sealed += &match self.handling {
            Handling::Seal => Value::from(self.secrets[at].token.as_str()).to_string(),
            Handling::Expose => value.get().to_owned(),
        };
        Ok(())
    }
}

/// Checks that a header can carry a secret everywhere: that between the white space around it, it
/// consists of printable ASCII. Other characters come from copying, and servers understand them
/// differently, if at all.
fn check(property: &str, text: &str) -> Result<()> {
    let printable = |character: char| matches!(character, ' '..='~');
    let leading = text.len() - text.trim_ascii_start().len();
    let before = text[..leading].chars().count();
    let found = text.trim_ascii().chars().enumerate().find(|(_, character)| !printable(*character));
    let Some((index, character)) = found else { return Ok(()) };
    let what = match character {
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        other if other.is_alphanumeric() => {
            format!("a character that is not ASCII (U+{:04X})", u32::from(other))
        }
        other => format!("a character that cannot be seen or is not ASCII (U+{:04X})", u32::from(other)),
    };
    Err(Error::config(format!(
        "the configuration is not valid: `{property}` has {what} as its character {}; copy it again from where it was \
         made, without what does not belong to it",
        before + index + 1
    ))
    .with_hint(
        "a secret is sent in a header, so it may have letters, digits, punctuation and spaces of ASCII only; a \
         connector that needs another one as it is can be given it by --expose-secrets",
    ))
}

/// The schemas, and all that they refer to or combine.
fn expand<'s>(root: &'s Value, schemas: &[&'s Value]) -> Vec<&'s Value> {
    let mut pending = schemas.to_vec();
    let mut seen = HashSet::new();
    let mut expanded = Vec::new();
    while let Some(schema) = pending.pop() {
        // A schema may refer to itself.
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        expanded.push(schema);
        pending.extend(below(schema, &SAME_PLACE));
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
        pending.extend(target.and_then(|pointer| root.pointer(pointer)));
    }
    expanded
}

/// The schemas below any of these keywords of `schema`, whether alone, in a list or in an object.
fn below<'s>(schema: &'s Value, keywords: &[&str]) -> Vec<&'s Value> {
    let mut found = Vec::new();
    for value in keywords.iter().filter_map(|keyword| schema.get(keyword)) {
        match value {
            Value::Array(list) => found.extend(list),
            Value::Object(object) => {
                found.push(value);
                found.extend(object.values().filter(|value| value.is_object()));
            }
            _ => {}
        }
    }
    found
}

/// The members of an object in their order, repeated names included: each may be the one that a connector reads.
fn members(object: &RawValue) -> Vec<(String, &RawValue)> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }

    // What was a document is one.
    serde_json::Deserializer::from_str(object.get()).deserialize_map(Members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Seals by a schema, and shows each value in brackets in the place of its token.
    fn sealed(schema: &Value, config: &str) -> String {
        let (text, secrets) = seal(serde_json::from_str(config).unwrap(), schema, Handling::Seal).unwrap();
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
    fn the_places_of_secrets_can_be_listed() {
        let schema = json!({
            "properties": {
                "login": {"oneOf": [{"properties": {"token": {"airbyte_secret": true}}}, {"$ref": "#"}]},
                "many": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
                "days": {},
            },
        });
        assert_eq!(places(&schema), ["login.token", "many.*.token"]);
    }

    #[test]
    fn schemas_that_multiply_are_listed_up_to_a_bound() {
        let mut definitions = serde_json::Map::new();
        for level in 0..40 {
            let next = json!({ "$ref": format!("#/definitions/{}", level + 1) });
            definitions.insert(level.to_string(), json!({ "properties": { "a": next, "b": next } }));
        }
        let schema = json!({ "$ref": "#/definitions/0", "definitions": definitions });
        assert_eq!(places(&schema), ["and more"]);
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
            let error = seal(serde_json::from_str(&config).unwrap(), &schema, Handling::Seal).unwrap_err();
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
        let (text, secrets) = seal(serde_json::from_str(config).unwrap(), &schema, Handling::Expose).unwrap();
        assert_eq!(text, config);
        assert_eq!(secrets.list()[0].value, "-----BEGIN\n\u{e9}\n-----END");
    }

    #[test]
    fn one_value_has_one_token() {
        let schema = json!({"additionalProperties": {"airbyte_secret": true}});
        let (text, secrets) =
            seal(serde_json::from_str(r#"{"a":"x","b":"x"}"#).unwrap(), &schema, Handling::Seal).unwrap();
        assert_eq!(secrets.list().len(), 1);
        assert_eq!(text.matches(&secrets.list()[0].token).count(), 2);
    }
}
