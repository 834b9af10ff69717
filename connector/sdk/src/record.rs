//! Reads records as text, and parses only the fields that a stream needs.
//!
//! Values are emitted byte for byte as the server sent them. Only top-level fields are moved, added
//! or removed.

mod origin;
mod reshaped;

use std::{borrow::Cow, rc::Rc};

use json_text::{Fields, Json, Scanner};
use memchr::memchr2;
use time::{SignedDuration, Timestamp};

pub use self::origin::{Digest, Origin, Traits};
use self::reshaped::Reshaped;
pub(crate) use self::{origin::Found, reshaped::inside};
use crate::{
    instant::{parse_date, parse_instant},
    problem::Problem,
};

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// A JSON object on one line. Empty in a [mark](Record::mark).
    pub json: String,
    /// The value of the cursor field. `None` if it is absent, and neither a timestamp nor a date.
    pub position: Option<Timestamp>,
    /// Whether the record can still change, as [`Unsettled`] says.
    pub unsettled: bool,
    /// Whether the record is not emitted. It still counts for the cursor.
    pub withheld: bool,
    /// The object that the record was made of, if the stream's row says how to find it again. Rows
    /// of one element share it.
    pub origin: Option<Rc<Origin>>,
}

/// Copies fields of a nested object to the top level. If the object is null or absent, the fields
/// are null. If the object stays, a field that the server sends under one of the new names counts
/// instead, unless it is null.
#[derive(Debug, Clone, Copy)]
pub struct Hoist {
    /// The top-level field that holds the object.
    pub object: &'static str,
    /// The name of each field in the object, and its new name at the top level. A dot leads into an
    /// object within the object: `item.id`.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether the object stays in the record.
    pub keep: bool,
}

/// Which records can still change. Such a record holds the cursor: later reads begin at or before
/// it until it has settled.
#[derive(Debug, Clone, Copy)]
pub struct Unsettled {
    /// The top-level field that says so.
    pub field: &'static str,
    /// The values of the field while the record can still change.
    pub values: &'static [&'static str],
    /// The longest time after its position that a record can change. An older one no longer holds
    /// the cursor.
    pub at_most: Option<SignedDuration>,
}

/// How to turn a JSON object into a record.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// The field that holds the position.
    pub cursor: Option<&'static str>,
    /// Which records can still change.
    pub unsettled: Option<&'a Unsettled>,
    /// Which fields tell what became of an object.
    pub traits: Option<&'a Traits>,
    /// The values of the field that says whether a record is unsettled or open, whose records are
    /// not emitted.
    pub withheld: &'static [&'static str],
    /// Fields to copy from nested objects.
    pub hoists: &'static [Hoist],
    /// Fields to add at the end: name and JSON text. A field that the server sends under that name
    /// counts instead, unless it is null.
    pub added: &'a [(&'static str, String)],
}

impl Record {
    /// Creates a settled record from the JSON text of an object.
    pub fn new(json: String, position: Option<Timestamp>) -> Self {
        Self { json: on_one_line(json), position, ..Self::default() }
    }

    /// Creates a record that is not emitted and only says that something was read at a position.
    pub fn mark(position: Option<Timestamp>) -> Self {
        Self { withheld: true, ..Self::new(String::new(), position) }
    }

    /// Reads the next object into a record.
    ///
    /// # Errors
    /// If the next value is not a JSON object.
    #[inline(never)]
    pub fn scan(scanner: &mut Scanner<'_>, shape: &Shape<'_>) -> Result<Self, Problem> {
        let start = scanner.position();
        let (mut cursor, mut status, mut found) = (None, None, Found::default());
        // Of several fields with one name, the last counts.
        let look_at = |name: Json<'_>, value| {
            if shape.cursor.is_some_and(|field| name.is(field)) {
                cursor = Some(value);
            } else if shape.unsettled.is_some_and(|unsettled| name.is(unsettled.field)) {
                status = Some(value);
            }
            if let Some(traits) = shape.traits {
                found.look_at(traits, name, value);
            }
        };
        let json = if shape.hoists.is_empty() && shape.added.is_empty() {
            scanner.object(look_at)?;
            scanner.since(start).to_owned()
        } else {
            let reshaped = Reshaped::scan(scanner, shape, look_at)?;
            reshaped.finish(scanner.since(start).len())
        };
        let position = cursor.and_then(position);
        let mut record = Self::new(json, position);
        if let Some(traits) = shape.traits {
            record.origin = found.origin(traits, &record.json).map(Rc::new);
        }
        Ok(record.with_status(status.or(found.status), shape))
    }

    /// Says whether the record can still change and is emitted, by the field that says so.
    #[must_use]
    pub(crate) fn with_status(mut self, status: Option<Json<'_>>, shape: &Shape<'_>) -> Self {
        let is_in =
            |values: &[&str]| status.is_some_and(|status| values.iter().any(|value| status.is(value)));
        self.unsettled = shape.unsettled.is_some_and(|unsettled| is_in(unsettled.values));
        self.withheld |= is_in(shape.withheld);
        self
    }

    /// Returns the top-level fields. `None` if the text is not an object.
    pub fn fields(&self) -> Option<Fields<'_>> {
        Fields::of(Json::checked(&self.json))
    }

    /// Returns the text of a top-level field. `None` if it is absent or not a string.
    pub fn text(&self, name: &str) -> Option<String> {
        Json::checked(&self.json).field(name)?.text().map(Cow::into_owned)
    }

    /// Returns whether a top-level field is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        Json::checked(&self.json).field(name).is_some_and(|value| value.get() == "true")
    }
}

/// Returns the instant in a cursor field. A date is the beginning of that day in UTC.
pub(crate) fn position(value: Json<'_>) -> Option<Timestamp> {
    let text = value.text()?;
    parse_instant(&text).or_else(|| parse_date(&text))
}

/// Removes line breaks. Valid JSON has them only between tokens.
fn on_one_line(mut json: String) -> String {
    if memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        json.retain(|character| !matches!(character, '\n' | '\r'));
    }
    json
}

#[cfg(test)]
mod tests;
