//! Reads and writes the top-level fields of a JSON object.
//!
//! Values are kept as text and are not parsed.
//!
//! If an object has a name twice, [`Fields`] holds only the last field of that name, as most JSON
//! parsers do.
//!
//! Functions with many callers are never inlined. Inlining would add 7 kB to the component and no
//! speed.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{Json, Problem, Scanner, quoted};

/// The fields of an object, in order and without duplicate names.
#[derive(Debug)]
pub struct Fields<'a>(Vec<(Json<'a>, Json<'a>)>);

/// The initial capacity: the fields of a typical object. Spare capacity costs less than growing.
const USUAL: usize = 32;

/// Up to this many fields, compare all names pairwise first. That is fast, and duplicates are rare.
const FEW: usize = 48;

impl<'a> Fields<'a> {
    /// Parses the text of an object.
    ///
    /// # Errors
    /// If the text is not JSON, or not an object.
    pub fn decode(text: &'a str) -> Result<Self, Problem> {
        let (mut fields, mut scanner) = (Vec::with_capacity(USUAL), Scanner::new(text));
        scanner.object(|name, value| fields.push((name, value)))?;
        scanner.end()?;
        keep_last(&mut fields);
        Ok(Self(fields))
    }

    /// Returns the fields of an object. `None` if the value is not an object.
    #[inline(never)]
    pub fn of(value: Json<'a>) -> Option<Self> {
        value.get().starts_with('{').then(|| Self::decode(value.get()).ok()).flatten()
    }

    /// Iterates over the fields: the name (a JSON string) and the value.
    pub fn iter(&self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        self.0.iter().copied()
    }

    /// Returns the value of a field. `None` if it is absent.
    #[inline(never)]
    pub fn raw(&self, name: &str) -> Option<Json<'a>> {
        self.iter().find(|(candidate, _)| candidate.is(name)).map(|(_, value)| value)
    }

    /// As [`Fields::raw`], but null counts as absent.
    pub fn value(&self, name: &str) -> Option<Json<'a>> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    /// Returns the string in a field. `None` if it is absent or not a string.
    #[inline(never)]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.raw(name)?.text()
    }

    /// Returns the boolean in a field. `None` if it is absent or not a boolean.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.raw(name)?.get().parse().ok()
    }

    /// Returns the fields of the object in a field. `None` if it is absent or not an object.
    pub fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.raw(name)?)
    }

    /// Returns the elements of the list in a field. Empty if it is absent or not a list.
    pub fn list(&self, name: &str) -> Vec<Json<'a>> {
        self.raw(name).and_then(Json::list).unwrap_or_default()
    }
}

/// Removes fields whose name occurs again later.
fn keep_last<'a>(fields: &mut Vec<(Json<'a>, Json<'a>)>) {
    let is_plain = fields.iter().all(|(name, _)| !name.get().contains('\\'));
    let comes_again = |(index, (name, _)): (usize, &(Json<'a>, Json<'a>))| {
        fields[index + 1..].iter().any(|(later, _)| later == name)
    };
    if is_plain && fields.len() <= FEW && !fields.iter().enumerate().any(comes_again) {
        return;
    }
    // A name with an unpaired surrogate cannot be unescaped, so it only equals one that is spelled
    // the same.
    let mut seen = BTreeSet::new();
    let mut is_last: Vec<bool> = fields
        .iter()
        .rev()
        .map(|(name, _)| seen.insert(name.text().map_or_else(|| name.get().to_owned(), Cow::into_owned)))
        .collect();
    fields.retain(|_| is_last.pop().unwrap_or(true));
}

/// Builds a JSON object from texts.
#[derive(Debug, Default)]
pub struct Object(String);

impl Object {
    /// Creates an empty object with this capacity in bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds a field with a name from another object, and JSON text as its value.
    pub fn carry(&mut self, name: Json<'_>, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(name.get());
        self.0.push(':');
        self.0.push_str(value);
    }

    /// Adds a field with JSON text as its value.
    #[inline(never)]
    pub fn push(&mut self, name: &str, value: &str) {
        self.carry(Json::checked(&quoted(name)), value);
    }

    /// As [`Object::push`], for a name that needs no escapes.
    pub fn push_plain(&mut self, name: &str, value: &str) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(value);
    }

    /// Adds a field with a string as its value.
    pub fn push_text(&mut self, name: &str, value: &str) {
        self.push(name, &quoted(value));
    }

    /// Returns the text of the object.
    #[inline(never)]
    pub fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_taken_apart_and_put_together_is_the_same() {
        for json in ["{}", r#"{"b":1.10,"a":{"x":[1e5]},"\"quoted\"":null,"\u00e9":2,"c":3}"#] {
            let fields = Fields::decode(json).unwrap();
            let mut object = Object::default();
            fields.iter().for_each(|(name, value)| object.carry(name, value.get()));
            assert_eq!(object.finish(), json);
        }
    }

    #[test]
    fn of_several_fields_with_one_name_the_last_is_kept() {
        let many: String = (0..100).map(|number| format!(r#""f{number}":0,"\u0061":{number},"#)).collect();
        for (json, expected) in [
            (r#"{"a":1,"b":2,"a":3}"#.to_owned(), "3"),
            (r#"{"\u0061":1,"b":2,"a":3}"#.to_owned(), "3"),
            (r#"{"b":2,"a":1,"a":null,"\u0061":"x"}"#.to_owned(), "\"x\""),
            (format!(r#"{{{many}"a":"last"}}"#), "\"last\""),
        ] {
            let fields = Fields::decode(&json).unwrap();
            assert_eq!(fields.raw("a").map(Json::get), Some(expected), "{json}");
            assert_eq!(fields.iter().filter(|(name, _)| name.is("a")).count(), 1, "{json}");
            assert!(fields.raw("b").is_some() || fields.raw("f99").is_some());
        }
    }

    #[test]
    fn a_field_of_another_type_is_as_good_as_none() {
        let fields = Fields::decode(r#"{"a":1}"#).unwrap();
        assert_eq!(fields.text("a"), None);
        assert!(fields.object("a").is_none() && fields.list("a").is_empty() && fields.raw("b").is_none());
    }
}
