//! Which values of a configuration are secrets: a configuration and its schema come in, the same configuration with a
//! token in the place of each secret goes out.
//!
//! A value is a secret if anything that the schema says about its place carries `airbyte_secret`, whichever of several
//! alternatives applies; so is everything within it. All else stays as it was written, to the last digit.

use std::collections::HashSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Result;
use crate::secrets::{Secret, Secrets};

/// Keywords of JSON Schema whose value is a schema for the same place, or a list of such, or an object of such.
const SAME_PLACE: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies", "dependentSchemas"];
/// Keywords whose value is a schema for the members of an object, or an object of such.
const MEMBERS: [&str; 3] = ["additionalProperties", "patternProperties", "unevaluatedProperties"];
/// Keywords whose value is a schema for the elements of a list, or a list of such.
const ELEMENTS: [&str; 5] = ["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"];

/// Seals one configuration.
struct Sealer<'s> {
    schema: &'s Value,
    seal: fn(&str) -> Result<Secret>,
    secrets: Vec<Secret>,
    sealed: String,
}

/// Makes the secrets of `config`, an object that `schema` describes, and the configuration without them. `seal` makes
/// a secret of a value.
///
/// # Errors
///
/// Those of `seal`.
pub(crate) fn seal(
    config: &RawValue,
    schema: &Value,
    seal: fn(&str) -> Result<Secret>,
) -> Result<(String, Secrets)> {
    let mut sealer = Sealer { schema, seal, secrets: Vec::new(), sealed: String::new() };
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
            self.seal_value(value, &schemas, secret)?;
        }
        self.sealed += if separator == "{" { "{}" } else { "}" };
        Ok(())
    }

    fn seal_list(&mut self, list: &RawValue, schemas: &[&'s Value], secret: bool) -> Result<()> {
        let schemas: Vec<_> = schemas.iter().flat_map(|schema| below(schema, &ELEMENTS)).collect();
        let elements: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
        let mut separator = "[";
        for element in &elements {
            self.sealed += separator;
            separator = ",";
            self.seal_value(element, &schemas, secret)?;
        }
        self.sealed += if elements.is_empty() { "[]" } else { "]" };
        Ok(())
    }

    /// Seals text or a number. White space around it stays, for the connector to find fault with.
    fn seal_scalar(&mut self, value: &RawValue) -> Result<()> {
        let text = serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned());
        let core = text.trim_ascii();
        if core.is_empty() {
            self.sealed += value.get();
            return Ok(());
        }
        let known = self.secrets.iter().find(|secret| secret.value == core);
        let secret = known.map_or_else(|| (self.seal)(core), |secret| Ok(secret.clone()))?;
        self.sealed += &Value::from(text.replacen(core, &secret.token, 1)).to_string();
        if known.is_none() {
            self.secrets.push(secret);
        }
        Ok(())
    }
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

    /// Seals by a schema; a token is its value in brackets.
    fn sealed(schema: &Value, config: &str) -> String {
        let bracket = |value: &str| Ok(Secret { token: format!("<{value}>"), value: value.to_owned() });
        seal(serde_json::from_str(config).unwrap(), schema, bracket).unwrap().0
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
    fn white_space_around_a_secret_is_left_for_the_connector_to_see() {
        let schema = json!({"properties": {"key": {"airbyte_secret": true}}});
        assert_eq!(sealed(&schema, r#"{"key":" a b\n"}"#), r#"{"key":" <a b>\n"}"#);
    }

    #[test]
    fn one_value_has_one_token() {
        let schema = json!({"additionalProperties": {"airbyte_secret": true}});
        let (text, secrets) =
            seal(serde_json::from_str(r#"{"a":"x","b":"x"}"#).unwrap(), &schema, Secret::seal).unwrap();
        assert_eq!(secrets.list().len(), 1);
        assert_eq!(text.matches(&secrets.list()[0].token).count(), 2);
    }
}
