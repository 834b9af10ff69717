//! Changes fields of a record's text, and stores the result.

use jiff::Timestamp;

use crate::account::Account;
use crate::collection::Collection;
use crate::edit::RecordError;
use crate::field::{find, lookup, replaced};
use crate::instant::{Spelling, write_instant};
use crate::object::{write_object, write_text};

/// A record's text under change. All that is not set stays as it was.
#[derive(Clone, Debug)]
pub(super) struct Edited(pub(super) String);

impl Edited {
    pub(super) fn set(&mut self, field: &str, json: &str) -> &mut Self {
        if let Some(text) = replaced(&self.0, field, json) {
            self.0 = text;
        }
        self
    }

    pub(super) fn text(&mut self, field: &str, value: &str) -> &mut Self {
        self.set(field, &quoted(value))
    }

    pub(super) fn instant(&mut self, field: &str, at: Timestamp) -> &mut Self {
        self.set(field, &spelled(at))
    }

    pub(super) fn nulls(&mut self, fields: &[&str]) -> &mut Self {
        for field in fields {
            self.set(field, "null");
        }
        self
    }

    /// Adds an item to the end of a list.
    pub(super) fn push(&mut self, field: &str, item: &str) -> &mut Self {
        let list = find(&self.0, &[field]).unwrap_or("[]");
        let rest = list.trim_end().strip_suffix(']').unwrap_or("[").trim_end();
        let separator = if rest.ends_with('[') { "" } else { "," };
        let list = format!("{rest}{separator}{item}]");
        self.set(field, &list)
    }

    /// The scalar at a path.
    pub(super) fn get(&self, path: &[&str]) -> Option<String> {
        lookup(&self.0, path)
    }

    /// The JSON at a path, or null.
    pub(super) fn json(&self, path: &[&str]) -> &str {
        find(&self.0, path).unwrap_or("null")
    }
}

impl Account {
    /// The text of a record to change.
    pub(super) fn edited(&self, collection: Collection, id: &str) -> Result<Edited, RecordError> {
        let unknown = || RecordError::Unknown { resource: collection.resource(), id: id.to_owned() };
        self.record(collection, id).map(Edited).ok_or_else(unknown)
    }

    /// Stores a changed record, in its place unless its date has changed.
    pub(super) fn store(
        &mut self,
        collection: Collection,
        id: &str,
        record: Edited,
    ) -> Result<(), RecordError> {
        let unknown = || RecordError::Unknown { resource: collection.resource(), id: id.to_owned() };
        let (key, _) = self.shelf(collection).find(id).ok_or_else(unknown)?;
        let at = record.get(&[collection.date_field()]).and_then(|text| text.parse::<Timestamp>().ok());
        if at.is_none_or(|at| at == key.at) {
            self.changeable(collection).rewrite(key, record.0);
        } else {
            self.insert(collection, record.0)?;
        }
        Ok(())
    }
}

pub(super) fn quoted(value: &str) -> String {
    let mut text = String::new();
    write_text(&mut text, value);
    text
}

pub(super) fn spelled(at: Timestamp) -> String {
    let mut text = String::from('"');
    write_instant(&mut text, at, Spelling::Offset);
    text.push('"');
    text
}

/// An object with one text in it.
pub(super) fn pair(name: &str, value: &str) -> String {
    let mut text = String::new();
    write_object(&mut text, |object| {
        object.text(name, value);
    });
    text
}

/// The properties of an edit: what some fields were before.
pub(super) fn previous(record: &Edited, fields: &[&str]) -> String {
    let mut text = String::new();
    write_object(&mut text, |properties| {
        properties.object("previous_attributes", |previous| {
            for field in fields {
                previous.raw(field, record.json(&[field]));
            }
        });
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_added_to_any_list() {
        for (list, expected) in [("[]", "[2]"), ("[ ]", "[2]"), ("[1.10]", "[1.10,2]"), ("null", "[2]")] {
            let mut record = Edited(format!("{{\"a\":{list}}}"));
            record.push("a", "2");
            assert_eq!(record.0.replace(' ', ""), format!("{{\"a\":{expected}}}"));
        }
        let mut record = Edited("{}".to_owned());
        record.push("a", "2");
        assert_eq!(record.0, "{\"a\":[2]}");
    }
}
