//! Puts shared schemas into the schema of a stream.
//!
//! In: schemas in which `{"$ref": "shared/price.json"}` stands for another one. Out: one schema without references,
//! which is what clients of a catalog understand.

use serde_json::value::RawValue;

use crate::sdk::fields::{Fields, Object, listed};

/// A shared schema: the name it is referred to by, and its text.
pub type SharedSchema = (&'static str, &'static str);

/// Shared schemas refer to each other no deeper than this; more is a circle.
const MAX_DEPTH: usize = 8;

/// The schema with every reference replaced by what it names, and with further properties (name and JSON text) at its
/// top, in the place of those of the same name.
///
/// # Errors
/// Names the reference that has no schema, or says why a schema is not JSON.
pub fn resolve(
    schema: &str,
    shared: &[SharedSchema],
    further: &[(String, String)],
) -> Result<String, String> {
    let is_replaced = |name: &str| further.iter().any(|(candidate, _)| candidate == name);
    let mut object = Object::default();
    for (name, value) in decode(schema)?.iter() {
        if name != "properties" {
            object.push(name, &resolve_value(value.get(), shared, 0)?);
            continue;
        }
        let mut properties = Object::default();
        for (name, property) in decode(value.get())?.iter().filter(|(name, _)| !is_replaced(name)) {
            properties.push(name, &resolve_value(property.get(), shared, 0)?);
        }
        further.iter().for_each(|(name, property)| properties.push(name, property));
        object.push(name, &properties.finish());
    }
    Ok(object.finish())
}

fn resolve_value(text: &str, shared: &[SharedSchema], depth: usize) -> Result<String, String> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields = decode(text)?;
            if let Some(name) = fields.text("$ref") {
                if depth == MAX_DEPTH {
                    return Err(format!("{name} refers to itself"));
                }
                let found = shared.iter().find(|(candidate, _)| *candidate == name);
                let (_, text) = found.ok_or_else(|| format!("there is no shared schema {name}"))?;
                return resolve_value(text, shared, depth + 1);
            }
            let mut object = Object::default();
            for (name, value) in fields.iter() {
                object.push(name, &resolve_value(value.get(), shared, depth)?);
            }
            Ok(object.finish())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
            let items: Result<Vec<_>, _> =
                items.into_iter().map(|item| resolve_value(item.get(), shared, depth)).collect();
            Ok(listed(items?.into_iter()))
        }
        _ => Ok(text.to_owned()),
    }
}

fn decode(text: &str) -> Result<Fields<'_>, String> {
    Fields::decode(text).map_err(not_json)
}

#[expect(clippy::needless_pass_by_value, reason = "the form `map_err` wants")]
fn not_json(error: serde_json::Error) -> String {
    format!("a schema is not JSON: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_however_deep() {
        let shared =
            [("a.json", r#"{"type":"array","items":{"$ref":"b.json"}}"#), ("b.json", r#"{"type":"null"}"#)];
        let resolved =
            resolve(r#"{"properties":{"x":{"$ref":"a.json"}}}"#, &shared, &[("y".into(), "true".into())])
                .unwrap();
        assert_eq!(resolved, r#"{"properties":{"x":{"type":"array","items":{"type":"null"}},"y":true}}"#);
    }

    #[test]
    fn a_reference_to_nothing_or_in_a_circle_is_an_error() {
        assert!(resolve(r#"{"items":{"$ref":"c.json"}}"#, &[], &[]).unwrap_err().contains("c.json"));
        let circle = [("a.json", r#"{"$ref":"a.json"}"#)];
        assert!(resolve(r#"{"items":{"$ref":"a.json"}}"#, &circle, &[]).unwrap_err().contains("itself"));
    }
}
