//! Walks the JSON Schema of a config: which schemas apply to a place, and where secrets are.

use std::collections::HashSet;

use serde_json::Value;

/// Keywords of JSON Schema whose value is a schema for the same place, or a list or an object of
/// such schemas.
pub(crate) const SAME_PLACE: [&str; 9] =
    ["allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies", "dependentSchemas"];
/// Keywords whose value is a schema for the members of an object, or an object of such schemas.
pub(crate) const MEMBERS: [&str; 3] = ["additionalProperties", "patternProperties", "unevaluatedProperties"];
/// Keywords whose value is a schema for the elements of a list, or a list of such schemas.
pub(crate) const ELEMENTS: [&str; 5] =
    ["items", "prefixItems", "additionalItems", "contains", "unevaluatedItems"];

/// Schemas that are searched for secrets at most. Schemas that refer to each other can describe any
/// number of places.
const MOST_SCHEMAS: usize = 10_000;

/// Where a config that `schema` describes has secrets, as paths with dots. `*` is any member or
/// element.
pub(crate) fn secret_places(schema: &Value) -> Vec<String> {
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
    /// The schemas on the way to the current one. One that is within itself would have no end of
    /// places.
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

/// These schemas, and all that they refer to or combine.
pub(crate) fn expand<'s>(root: &'s Value, schemas: &[&'s Value]) -> Vec<&'s Value> {
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
pub(crate) fn below<'s>(schema: &'s Value, keywords: &[&str]) -> Vec<&'s Value> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_places_of_secrets_can_be_listed() {
        let schema = json!({
            "properties": {
                "login": {"oneOf": [{"properties": {"token": {"airbyte_secret": true}}}, {"$ref": "#"}]},
                "many": {"items": {"properties": {"token": {"airbyte_secret": true}}}},
                "days": {},
            },
        });
        assert_eq!(secret_places(&schema), ["login.token", "many.*.token"]);
    }

    #[test]
    fn schemas_that_multiply_are_listed_up_to_a_bound() {
        let mut definitions = serde_json::Map::new();
        for level in 0..40 {
            let next = json!({ "$ref": format!("#/definitions/{}", level + 1) });
            definitions.insert(level.to_string(), json!({ "properties": { "a": next, "b": next } }));
        }
        let schema = json!({ "$ref": "#/definitions/0", "definitions": definitions });
        assert_eq!(secret_places(&schema), ["and more"]);
    }
}
