//! Resolves references between schemas: `{"$ref": "shared/price.json"}` is replaced by that schema.
//! Clients of a catalog expect a schema without references.

use json_text::{Fields, Json, Object, listed};

use crate::problem::Problem;

/// The name and the JSON text of every schema.
pub type Schemas<'a> = &'a [(&'a str, &'a str)];

/// The deepest chain of references. A longer one is taken for a circle.
const MAX_DEPTH: usize = 8;

/// Returns a schema without references. `further` properties (name and JSON text) are added at the
/// top level and replace those of the same name.
///
/// # Errors
/// If a schema is missing, is not an object, or refers to itself.
pub fn resolve(name: &str, schemas: Schemas<'_>, further: &[(String, String)]) -> Result<String, Problem> {
    let schema = Fields::of(find(name, schemas)?).ok_or_else(|| format!("{name} is not an object"))?;
    let is_replaced = |name: Json<'_>| further.iter().any(|(candidate, _)| name.is(candidate));
    let mut object = Object::default();
    for (name, value) in schema.iter() {
        if !name.is("properties") {
            object.carry(name, &resolve_value(value, schemas, 0)?);
            continue;
        }
        let mut properties = Object::default();
        for (name, property) in Fields::of(value).iter().flat_map(Fields::iter) {
            if !is_replaced(name) {
                properties.carry(name, &resolve_value(property, schemas, 0)?);
            }
        }
        further.iter().for_each(|(name, property)| properties.push(name, property));
        object.carry(name, &properties.finish());
    }
    Ok(object.finish())
}

fn find<'a>(name: &str, schemas: Schemas<'a>) -> Result<Json<'a>, Problem> {
    let found = schemas.iter().find(|(candidate, _)| *candidate == name);
    let (_, text) = found.ok_or_else(|| format!("there is no schema {name}"))?;
    Json::parse(text).map_err(|problem| Problem::from(problem).within(format!("the schema {name}")))
}

fn resolve_value(value: Json<'_>, schemas: Schemas<'_>, depth: usize) -> Result<String, Problem> {
    if let Some(fields) = Fields::of(value) {
        if let Some(name) = fields.text("$ref") {
            if depth == MAX_DEPTH {
                return Err(Problem::new(format!("{name} refers to itself")));
            }
            return resolve_value(find(&name, schemas)?, schemas, depth + 1);
        }
        let mut object = Object::default();
        for (name, value) in fields.iter() {
            object.carry(name, &resolve_value(value, schemas, depth)?);
        }
        Ok(object.finish())
    } else if let Some(items) = value.list() {
        let items: Result<Vec<_>, _> =
            items.into_iter().map(|item| resolve_value(item, schemas, depth)).collect();
        Ok(listed(items?.into_iter()))
    } else {
        Ok(value.get().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_however_deep() {
        let schemas = [
            ("it.json", r#"{"properties": {"x": {"$ref": "a.json"}}}"#),
            ("a.json", r#"{"type": "array", "items": {"$ref": "b.json"}, "enum": [ 1.0, {} ]}"#),
            ("b.json", "{\n  \"type\": \"null\"\n}\n"),
        ];
        assert_eq!(
            resolve("it.json", &schemas, &[("y".into(), "true".into())]).unwrap(),
            r#"{"properties":{"x":{"type":"array","items":{"type":"null"},"enum":[1.0,{}]},"y":true}}"#
        );
        assert_eq!(
            resolve("it.json", &schemas, &[("x".into(), "true".into())]).unwrap(),
            r#"{"properties":{"x":true}}"#
        );
    }

    #[test]
    fn a_reference_to_nothing_or_in_a_circle_is_an_error() {
        let error = |schemas| resolve("it.json", schemas, &[]).unwrap_err().to_string();
        assert!(error(&[]).contains("it.json"));
        let missing = [("it.json", r#"{"x":{"$ref":"a.json"}}"#)];
        assert!(error(&missing).contains("a.json"));
        assert!(error(&[missing[0], ("a.json", r#"{"$ref":"a.json"}"#)]).contains("itself"));
    }
}
