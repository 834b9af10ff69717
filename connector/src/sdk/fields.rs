//! The top-level fields of a JSON object, without understanding their values.
//!
//! In: the text of an object. Out: its fields in their order, each value as the text it has; and the other way round.
//! All JSON of this program passes here, so none is ever a tree of values: a tree would cost every number and every key
//! order its text, and the component a sixth of its size.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields of an object in their order.
#[derive(Debug)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Takes an object apart.
    ///
    /// # Errors
    /// If the text is not a JSON object.
    pub fn decode(json: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// Every field: its name and the text of its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The text of a field's value; none if there is no such field.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// As [`Fields::raw`], but what is null counts as absent.
    pub fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    /// The string in a field; none if it is absent or not a string.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        as_text(self.raw(name)?)
    }

    /// The truth value in a field; none if it is absent or not one.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.raw(name)?.get().parse().ok()
    }

    /// The fields of an object in a field; none if it is absent or not an object.
    pub fn object(&self, name: &str) -> Option<Self> {
        Self::decode(self.raw(name)?.get()).ok()
    }

    /// The elements of a list in a field, which is empty if it is absent or not a list.
    pub fn list(&self, name: &str) -> Vec<&'a RawValue> {
        self.raw(name).and_then(as_list).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// The string that a value is; none if it is something else.
pub fn as_text(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

/// The elements of the list that a value is; none if it is something else.
pub fn as_list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// The text of a JSON string.
pub fn quoted(text: &str) -> String {
    // Writing a string to memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}

/// The text of a JSON list of these texts.
pub fn listed(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object that is put together from texts.
#[derive(Debug, Default)]
pub struct Object(String);

impl Object {
    /// Adds a field whose value is this JSON text.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(value);
    }

    /// Adds a field whose value is a string.
    pub fn push_text(&mut self, name: &str, value: &str) {
        self.push(name, &quoted(value));
    }

    /// The text of the object.
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
        for json in ["{}", r#"{"b":1.10,"a":{"x":[1e5]},"\"quoted\"":null}"#] {
            let fields = Fields::decode(json).unwrap();
            let mut object = Object::default();
            fields.iter().for_each(|(name, value)| object.push(name, value.get()));
            assert_eq!(object.finish(), json);
        }
    }

    #[test]
    fn a_field_of_another_type_is_as_good_as_none() {
        let fields = Fields::decode(r#"{"a":1}"#).unwrap();
        assert_eq!(fields.text("a"), None);
        assert!(fields.object("a").is_none() && fields.list("a").is_empty() && fields.raw("b").is_none());
    }
}
