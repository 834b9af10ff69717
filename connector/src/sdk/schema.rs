//! Puts shared schemas into the schema of a stream.
//!
//! In: schemas in which `{"$ref": "shared/price.json"}` stands for another one. Out: one schema without references,
//! which is what clients of a catalog understand.

use serde_json::Value;

/// A shared schema: the name it is referred to by, and its text.
pub type SharedSchema = (&'static str, &'static str);

/// The schema with every reference replaced by what it names, and with further properties at its top.
///
/// # Errors
/// Names the reference that has no schema, or the schema that is not JSON.
pub fn resolve(
    schema: &str,
    shared: &[SharedSchema],
    properties: Vec<(String, Value)>,
) -> Result<String, String> {
    let mut value: Value =
        serde_json::from_str(schema).map_err(|error| format!("a schema is not JSON: {error}"))?;
    resolve_value(&mut value, shared, 0)?;
    for (name, property) in properties {
        value["properties"][name] = property;
    }
    Ok(value.to_string())
}

/// Shared schemas refer to each other no deeper than this; more is a circle.
const MAX_DEPTH: usize = 8;

fn resolve_value(value: &mut Value, shared: &[SharedSchema], depth: usize) -> Result<(), String> {
    match value {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(name) => {
                if depth == MAX_DEPTH {
                    return Err(format!("{name} refers to itself"));
                }
                let found = shared.iter().find(|(candidate, _)| *candidate == name);
                let (_, text) = found.ok_or_else(|| format!("there is no shared schema {name}"))?;
                *value =
                    serde_json::from_str(text).map_err(|error| format!("{name} is not JSON: {error}"))?;
                resolve_value(value, shared, depth + 1)
            }
            None => fields.values_mut().try_for_each(|field| resolve_value(field, shared, depth)),
        },
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve_value(item, shared, depth)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_however_deep() {
        let shared =
            [("a.json", r#"{"type":"array","items":{"$ref":"b.json"}}"#), ("b.json", r#"{"type":"null"}"#)];
        let resolved = resolve(
            r#"{"properties":{"x":{"$ref":"a.json"}}}"#,
            &shared,
            vec![("y".into(), Value::Bool(true))],
        )
        .unwrap();
        assert_eq!(resolved, r#"{"properties":{"x":{"type":"array","items":{"type":"null"}},"y":true}}"#);
    }

    #[test]
    fn a_reference_to_nothing_or_in_a_circle_is_an_error() {
        assert!(resolve(r#"{"$ref":"c.json"}"#, &[], Vec::new()).unwrap_err().contains("c.json"));
        let circle = [("a.json", r#"{"$ref":"a.json"}"#)];
        assert!(resolve(r#"{"$ref":"a.json"}"#, &circle, Vec::new()).unwrap_err().contains("itself"));
    }
}
