//! Resolves references between schemas: `{"$ref": "shared/price.json"}` is replaced by that schema.
//! Keywords beside the reference replace those of that schema, and properties beside it are added
//! to its properties. Clients of a catalog expect a schema without references.

use std::rc::Rc;

use json_text::{Fields, Json, Object, compact, listed};

use crate::problem::Problem;

/// The name and the JSON text of every schema.
pub type Schemas<'a> = &'a [(&'a str, &'a str)];

/// The deepest chain of references. A longer one counts as a circle.
const MAX_DEPTH: usize = 8;

/// The keyword that names the fields of an object.
const PROPERTIES: &str = "properties";

/// Returns a schema without references. `further` properties (name and JSON text) are added at the
/// top level and replace those of the same name.
///
/// # Errors
/// If a schema is missing, is not an object, or refers to itself.
pub fn resolve(name: &str, schemas: Schemas<'_>, further: &[(String, String)]) -> Result<String, Problem> {
    Resolver::new(schemas).resolve(name, further)
}

/// Resolves schemas, each once.
#[derive(Debug)]
pub struct Resolver<'a> {
    schemas: Schemas<'a>,
    resolved: Vec<(&'a str, Rc<str>)>,
}

impl<'a> Resolver<'a> {
    /// Creates a resolver of these schemas.
    pub fn new(schemas: Schemas<'a>) -> Self {
        Self { schemas, resolved: Vec::new() }
    }

    /// As [`resolve`].
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn resolve(&mut self, name: &str, further: &[(String, String)]) -> Result<String, Problem> {
        let schema = self.file(name, 0)?;
        if !schema.starts_with('{') {
            return Err(Problem::new(format!("{name} is not an object")));
        }
        if further.is_empty() {
            return Ok(schema.to_string());
        }
        let mut properties = Object::default();
        further.iter().for_each(|(name, property)| properties.push(name, property));
        let mut object = Object::default();
        object.push_plain(PROPERTIES, &properties.finish());
        Ok(merged(Json::checked(&schema), Json::checked(&object.finish())))
    }

    fn file(&mut self, name: &str, depth: usize) -> Result<Rc<str>, Problem> {
        if let Some((_, schema)) = self.resolved.iter().find(|(resolved, _)| *resolved == name) {
            return Ok(Rc::clone(schema));
        }
        if depth > MAX_DEPTH {
            return Err(Problem::new(format!("{name} refers to itself")));
        }
        let found = self.schemas.iter().find(|(candidate, _)| *candidate == name);
        let (name, text) = found.ok_or_else(|| format!("there is no schema {name}"))?;
        let schema = Json::parse(text)
            .map_err(|problem| Problem::from(problem).within(format!("the schema {name}")))?;
        let schema: Rc<str> = self.value(schema, depth)?.into();
        self.resolved.push((name, Rc::clone(&schema)));
        Ok(schema)
    }

    fn value(&mut self, value: Json<'_>, depth: usize) -> Result<String, Problem> {
        if !value.get().contains("\"$ref\"") {
            return Ok(compact(value.get()));
        }
        if let Some(fields) = Fields::of(value) {
            let (mut base, mut object) = (None, Object::default());
            for (name, value) in fields.iter() {
                match value.text().filter(|_| name.is("$ref")) {
                    Some(name) => base = Some(self.file(&name, depth + 1)?),
                    None => object.carry(name, &self.value(value, depth)?),
                }
            }
            let object = object.finish();
            Ok(match base {
                Some(base) => merged(Json::checked(&base), Json::checked(&object)),
                None => object,
            })
        } else if let Some(items) = value.list() {
            let items: Result<Vec<_>, _> = items.into_iter().map(|item| self.value(item, depth)).collect();
            Ok(listed(items?.into_iter()))
        } else {
            Ok(value.get().to_owned())
        }
    }
}

/// Returns the members of `base`, replaced by those of `over` that have the same name, and then the
/// further members of `over`. Properties are merged in the same way instead of being replaced.
fn merged(base: Json<'_>, over: Json<'_>) -> String {
    let (Some(base), Some(over)) = (Fields::of(base), Fields::of(over)) else { return over.get().to_owned() };
    let mut object = Object::default();
    for (name, value) in base.iter() {
        match over.iter().find(|(candidate, _)| candidate.get() == name.get()) {
            Some((_, new)) if name.is(PROPERTIES) => object.carry(name, &merged(value, new)),
            Some((_, new)) => object.carry(name, new.get()),
            None => object.carry(name, value.get()),
        }
    }
    for (name, value) in over.iter() {
        if !base.iter().any(|(candidate, _)| candidate.get() == name.get()) {
            object.carry(name, value.get());
        }
    }
    object.finish()
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
    fn what_stands_beside_a_reference_is_added_to_the_schema_or_replaces_it() {
        let schemas = [
            (
                "it.json",
                r#"{"$ref":"a.json","type":"object","properties":{"z":{"$ref":"b.json","title":"Z"},"y":1}}"#,
            ),
            ("a.json", r#"{"type":["null","object"],"properties":{"x":0,"y":0},"title":"A"}"#),
            ("b.json", r#"{"type":"string"}"#),
        ];
        assert_eq!(
            resolve("it.json", &schemas, &[]).unwrap(),
            r#"{"type":"object","properties":{"x":0,"y":1,"z":{"type":"string","title":"Z"}},"title":"A"}"#
        );
    }

    #[test]
    fn a_keyword_beside_a_reference_replaces_the_whole_of_the_other_one() {
        let schemas = [
            ("it.json", r#"{"$ref":"a.json","items":{"type":"string"}}"#),
            ("a.json", r#"{"items":{"type":"object","properties":{"x":1}}}"#),
        ];
        assert_eq!(resolve("it.json", &schemas, &[]).unwrap(), r#"{"items":{"type":"string"}}"#);
    }

    #[test]
    fn references_follow_each_other_up_to_the_deepest_chain() {
        let chain = |references: usize| {
            let names: Vec<_> = (0..=references).map(|number| format!("{number}.json")).collect();
            let mut texts: Vec<_> =
                names[1..].iter().map(|next| format!(r#"{{"x":{{"$ref":{next:?}}}}}"#)).collect();
            texts.push("{}".into());
            let schemas: Vec<_> =
                names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
            resolve("0.json", &schemas, &[])
        };
        assert!(chain(MAX_DEPTH).unwrap().starts_with(r#"{"x":{"x":{"x":"#));
        let error = chain(MAX_DEPTH + 1).unwrap_err().to_string();
        assert!(error.contains("refers to itself"), "{error}");
    }

    #[test]
    fn a_field_may_have_the_name_of_a_keyword() {
        let schemas = [
            ("it.json", r#"{"$ref":"a.json","properties":{"properties":{"type":"null"}}}"#),
            ("a.json", r#"{"properties":{"properties":{"type":"string"},"title":{"type":"string"}}}"#),
        ];
        assert_eq!(
            resolve("it.json", &schemas, &[]).unwrap(),
            r#"{"properties":{"properties":{"type":"null"},"title":{"type":"string"}}}"#
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
