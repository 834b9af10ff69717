//! Puts shared schemas into the schema of a stream.
//!
//! In: schemas in which `{"$ref": "shared/price.json"}` stands for another one. Out: one schema without references,
//! which is what clients of a catalog understand.

use crate::sdk::{
    fields::{Fields, Object},
    json::{Json, listed},
};

/// A shared schema: the name it is referred to by, and its text.
pub type SharedSchema = (&'static str, &'static str);

/// The text of a schema without the space between its tokens, which people need and programs do not: a fifth of it. Done by
/// the compiler, so that nothing has to be built first.
macro_rules! compact {
    ($text:expr) => {
        const {
            const TEXT: &str = $text;
            const LENGTH: usize = $crate::sdk::schema::compact_bytes::<0>(TEXT).1;
            const COMPACT: [u8; LENGTH] = $crate::sdk::schema::compact_bytes(TEXT).0;
            match str::from_utf8(&COMPACT) {
                Ok(text) => text,
                Err(_) => panic!("only space was left out"),
            }
        }
    };
}
pub(crate) use compact;

/// The first `N` bytes of a compact text, and how many it has.
pub(crate) const fn compact_bytes<const N: usize>(text: &str) -> ([u8; N], usize) {
    let (bytes, mut compact) = (text.as_bytes(), [0; N]);
    let (mut index, mut length, mut in_string) = (0, 0, false);
    while index < bytes.len() {
        let byte = bytes[index];
        if byte == b'"' && !(in_string && bytes[index - 1] == b'\\') {
            in_string = !in_string;
        }
        if in_string || !byte.is_ascii_whitespace() {
            if length < N {
                compact[length] = byte;
            }
            length += 1;
        }
        index += 1;
    }
    (compact, length)
}

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
    let is_replaced = |name: Json<'_>| further.iter().any(|(candidate, _)| name.is(candidate));
    let mut object = Object::default();
    for (name, value) in Fields::decode(schema)?.iter() {
        if !name.is("properties") {
            object.carry(name, &resolve_value(value, shared, 0)?);
            continue;
        }
        let mut properties = Object::default();
        for (name, property) in Fields::of(value).iter().flat_map(Fields::iter) {
            if !is_replaced(name) {
                properties.carry(name, &resolve_value(property, shared, 0)?);
            }
        }
        further.iter().for_each(|(name, property)| properties.push(name, property));
        object.carry(name, &properties.finish());
    }
    Ok(object.finish())
}

fn resolve_value(value: Json<'_>, shared: &[SharedSchema], depth: usize) -> Result<String, String> {
    if let Some(fields) = Fields::of(value) {
        if let Some(name) = fields.text("$ref") {
            if depth == MAX_DEPTH {
                return Err(format!("{name} refers to itself"));
            }
            let found = shared.iter().find(|(candidate, _)| *candidate == name);
            let (_, text) = found.ok_or_else(|| format!("there is no shared schema {name}"))?;
            return resolve_value(Json::parse(text)?, shared, depth + 1);
        }
        let mut object = Object::default();
        for (name, value) in fields.iter() {
            object.carry(name, &resolve_value(value, shared, depth)?);
        }
        Ok(object.finish())
    } else if let Some(items) = value.list() {
        let items: Result<Vec<_>, _> =
            items.into_iter().map(|item| resolve_value(item, shared, depth)).collect();
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
        let shared =
            [("a.json", r#"{"type":"array","items":{"$ref":"b.json"}}"#), ("b.json", r#"{"type":"null"}"#)];
        let resolved =
            resolve(r#"{"properties":{"x":{"$ref":"a.json"}}}"#, &shared, &[("y".into(), "true".into())])
                .unwrap();
        assert_eq!(resolved, r#"{"properties":{"x":{"type":"array","items":{"type":"null"}},"y":true}}"#);
    }

    #[test]
    fn a_compact_text_has_no_space_but_in_strings() {
        assert_eq!(compact!("{\n  \"a b\" : [ 1,\t\"\\\" é\" ]\r\n}\n"), "{\"a b\":[1,\"\\\" é\"]}");
    }

    #[test]
    fn a_reference_to_nothing_or_in_a_circle_is_an_error() {
        assert!(resolve(r#"{"items":{"$ref":"c.json"}}"#, &[], &[]).unwrap_err().contains("c.json"));
        let circle = [("a.json", r#"{"$ref":"a.json"}"#)];
        assert!(resolve(r#"{"items":{"$ref":"a.json"}}"#, &circle, &[]).unwrap_err().contains("itself"));
    }
}
