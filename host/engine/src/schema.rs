//! Walks the JSON Schema of a config: which schemas apply to a place, and where secrets are.

mod complexity;
mod pattern;
mod reference;

use std::collections::HashSet;

use serde_json::Value;

use crate::excerpt::label;
use crate::types::Specification;

pub(crate) use self::complexity::{Graph, Problem, check_size};
pub(crate) use self::reference::{ResolvedSchema, SCHEMA_URL};

/// What a keyword of JSON Schema has as its value.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A schema.
    One,
    /// A list of schemas.
    List,
    /// A schema, or a list of such.
    OneOrList,
    /// An object whose members are schemas.
    Map,
}

use Shape::{List, Map, One, OneOrList};

/// Keywords of JSON Schema.
pub(crate) type Keywords = [(&'static str, Shape)];

/// Keywords whose schemas apply to the same place.
const SAME_PLACE: [(&str, Shape); 9] = [
    ("allOf", List),
    ("anyOf", List),
    ("oneOf", List),
    ("not", One),
    ("if", One),
    ("then", One),
    ("else", One),
    ("dependencies", Map),
    ("dependentSchemas", Map),
];
/// Keywords whose schemas apply to members of an object, beside `properties`.
pub(crate) const MEMBERS: [(&str, Shape); 3] =
    [("additionalProperties", One), ("patternProperties", Map), ("unevaluatedProperties", One)];
/// Keywords whose schemas apply to the names of the members of an object.
pub(crate) const NAMES: [(&str, Shape); 1] = [("propertyNames", One)];
/// Keywords whose schemas apply to elements of a list.
pub(crate) const ELEMENTS: [(&str, Shape); 5] = [
    ("items", OneOrList),
    ("prefixItems", List),
    ("additionalItems", One),
    ("contains", One),
    ("unevaluatedItems", One),
];
/// Keywords whose schemas apply to members by their names, to what is within a text, or nowhere by
/// themselves.
const OTHERS: [(&str, Shape); 4] =
    [("properties", Map), ("contentSchema", One), ("definitions", Map), ("$defs", Map)];

/// Every schema that is directly within `schema`.
fn subschemas(schema: &Value) -> impl Iterator<Item = &Value> {
    let all: [&Keywords; 5] = [&SAME_PLACE, &MEMBERS, &NAMES, &ELEMENTS, &OTHERS];
    all.into_iter().flat_map(|keywords| below(schema, keywords))
}

/// The schemas that any of these keywords of `schema` has.
pub(crate) fn below<'s>(schema: &'s Value, keywords: &Keywords) -> Vec<&'s Value> {
    let mut found = Vec::new();
    for (keyword, shape) in keywords {
        match (schema.get(keyword), shape) {
            (Some(Value::Array(list)), List | OneOrList) => found.extend(list),
            (Some(Value::Object(object)), Map) => found.extend(object.values()),
            (Some(value), One | OneOrList) => found.push(value),
            _ => {}
        }
    }
    found
}

/// Whether `schema` marks its place as a secret. Some write the mark as text.
pub(crate) fn is_secret(schema: &Value) -> bool {
    match schema.get("airbyte_secret") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(marked)) => *marked,
        Some(Value::String(text)) => !text.trim().eq_ignore_ascii_case("false"),
        Some(_) => true,
    }
}

/// Schemas that are searched for secrets at most. Schemas that refer to each other can describe any
/// number of places.
const MOST_SCHEMAS: usize = 10_000;
/// Names that lead to a place at most. Deeper ones are not listed.
const DEEPEST: usize = 100;
/// Places that are listed at most.
const MOST_PLACES: usize = 1_000;

impl Specification {
    /// Where the config has secrets, as paths with dots. `*` is any member or element.
    pub fn secrets(&self) -> Vec<String> {
        let schema = serde_json::from_str(self.config_schema.as_str()).ok();
        let schema = schema.and_then(|schema| ResolvedSchema::of(&schema).ok());
        schema.map(|schema| secret_places(&schema)).unwrap_or_default()
    }
}

/// Where a config that `schema` describes has secrets, as paths with dots. `*` is any member or
/// element.
pub(crate) fn secret_places(schema: &ResolvedSchema) -> Vec<String> {
    let mut search =
        Search { schema, above: HashSet::new(), left: MOST_SCHEMAS, is_whole: true, places: Vec::new() };
    search.collect(&[schema.root()], &[]);
    search.places.dedup();
    if !search.is_whole {
        search.places.push("and more".to_owned());
    }
    search.places
}

/// A search for the places of secrets.
struct Search<'s> {
    schema: &'s ResolvedSchema,
    /// The schemas on the way to the current one. One that is within itself would have no end of
    /// places.
    above: HashSet<*const Value>,
    /// Schemas that may still be looked at.
    left: usize,
    /// Whether nothing was left out.
    is_whole: bool,
    places: Vec<String>,
}

impl<'s> Search<'s> {
    /// `path` has the names that lead to the place of `schemas`.
    fn collect(&mut self, schemas: &[&'s Value], path: &[&'s str]) {
        for schema in expand(self.schema, schemas) {
            if self.left == 0 || self.places.len() == MOST_PLACES || path.len() > DEEPEST {
                self.is_whole = false;
                return;
            }
            self.left -= 1;
            if is_secret(schema) {
                self.places.push(label(&path.join(".")));
                continue;
            }
            if !self.above.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            for (name, property) in properties {
                self.collect(&[property], &[path, &[name]].concat());
            }
            let any: Vec<_> = [below(schema, &MEMBERS), below(schema, &ELEMENTS)].concat();
            self.collect(&any, &[path, &["*"]].concat());
            self.above.remove(&std::ptr::from_ref(schema));
        }
    }
}

/// These parts of `whole`, and all that they refer to or combine.
pub(crate) fn expand<'s>(whole: &'s ResolvedSchema, schemas: &[&'s Value]) -> Vec<&'s Value> {
    let mut pending = schemas.to_vec();
    let mut seen = HashSet::new();
    let mut expanded = Vec::new();
    while let Some(schema) = pending.pop() {
        // A schema may refer to itself.
        if !schema.is_object() || !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        expanded.push(schema);
        pending.extend(below(schema, &SAME_PLACE));
        pending.extend(whole.target(schema));
    }
    expanded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(schema: &Value) -> Vec<String> {
        secret_places(&ResolvedSchema::of(schema).unwrap())
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
        definitions.insert("40".to_owned(), json!({}));
        let schema = json!({ "$ref": "#/definitions/0", "definitions": definitions });
        assert_eq!(places(&schema), ["and more"]);
    }

    #[test]
    fn a_mark_may_be_text_and_anything_but_false_is_one() {
        for marked in [json!(true), json!("true"), json!("True"), json!("yes"), json!(1), json!({})] {
            assert!(is_secret(&json!({ "airbyte_secret": marked })), "{marked}");
        }
        for unmarked in [json!(false), json!("false"), json!(" False "), json!(null)] {
            assert!(!is_secret(&json!({ "airbyte_secret": unmarked })), "{unmarked}");
        }
        assert!(!is_secret(&json!({})) && !is_secret(&json!(true)));
    }
}
