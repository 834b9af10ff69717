//! Reads records as text, and parses only the fields that a stream needs.
//!
//! Values are emitted byte for byte as the server sent them. Only top-level fields are moved, added
//! or removed.

use std::{borrow::Cow, ops::Range};

use json_text::{Fields, Json, Object, Scanner};
use memchr::memchr2;
use time::{SignedDuration, Timestamp};

use crate::{instant::parse_instant, problem::Problem};

/// Bytes reserved for the fields of one hoisted object: three names and identifiers.
const HOISTED: usize = 256;

/// The number of fields of a typical record.
const USUAL: usize = 32;

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// A JSON object on one line.
    pub json: String,
    /// The value of the cursor field. `None` if it is absent or not a timestamp.
    pub position: Option<Timestamp>,
    /// Whether the record can still change, as [`Unsettled`] says.
    pub unsettled: bool,
}

/// Copies fields of a nested object to the top level. If the object is null or absent, so are the
/// fields.
#[derive(Debug, Clone, Copy)]
pub struct Hoist {
    /// The top-level field that holds the object.
    pub object: &'static str,
    /// The name of each field in the object, and its new name at the top level.
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
    /// Whether such a record is emitted. If not, it is omitted until it has settled.
    pub emitted: bool,
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
    /// Fields to copy from nested objects.
    pub hoists: &'static [Hoist],
    /// Fields to add at the end: name and JSON text.
    pub added: &'a [(&'static str, String)],
}

impl Record {
    /// Creates a settled record from the JSON text of an object.
    pub fn new(json: String, position: Option<Timestamp>) -> Self {
        Self { json: on_one_line(json), position, unsettled: false }
    }

    /// Reads the next object into a record.
    ///
    /// # Errors
    /// If the next value is not a JSON object.
    pub fn scan(scanner: &mut Scanner<'_>, shape: &Shape<'_>) -> Result<Self, Problem> {
        let start = scanner.position();
        let (mut cursor, mut status) = (None, None);
        // Of several fields with one name, the last counts.
        let look_at = |name: Json<'_>, value| {
            if shape.cursor.is_some_and(|field| name.is(field)) {
                cursor = Some(value);
            } else if shape.unsettled.is_some_and(|unsettled| name.is(unsettled.field)) {
                status = Some(value);
            }
        };
        let json = if shape.hoists.is_empty() && shape.added.is_empty() {
            scanner.object(look_at)?;
            scanner.since(start).to_owned()
        } else {
            let reshaped = Reshaped::scan(scanner, shape, look_at)?;
            reshaped.finish(scanner.since(start).len())
        };
        let position = cursor.and_then(Json::text).as_deref().and_then(parse_instant);
        let is_unsettled = |unsettled: &Unsettled| {
            status.is_some_and(|status| unsettled.values.iter().any(|value| status.is(value)))
        };
        let unsettled = shape.unsettled.is_some_and(is_unsettled);
        Ok(Self { unsettled, ..Self::new(json, position) })
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

/// A record whose fields are moved or that gets further ones.
struct Reshaped<'a, 's> {
    shape: &'s Shape<'s>,
    /// The fields that stay where they are.
    kept: Vec<(Json<'a>, Json<'a>)>,
    /// The hoisted values, in the order of `shape.hoists`.
    hoisted: Vec<Option<Json<'a>>>,
    /// Bytes of the objects that are removed.
    left_out: usize,
}

impl<'a, 's> Reshaped<'a, 's> {
    /// Scans the next object, and the nested objects with hoisted fields, in one pass. Calls
    /// `look_at` with each top-level field.
    fn scan(
        scanner: &mut Scanner<'a>,
        shape: &'s Shape<'s>,
        mut look_at: impl FnMut(Json<'a>, Json<'a>),
    ) -> Result<Self, Problem> {
        let hoists = shape.hoists;
        let mut kept = Vec::with_capacity(USUAL);
        let mut hoisted = vec![None; hoists.iter().map(|hoist| hoist.fields.len()).sum()];
        let mut left_out = 0;
        let is_hoisted = |name: Json<'a>| hoists.iter().any(|hoist| name.is(hoist.object));
        let is_made = |name: Json<'a>| {
            hoists.iter().any(|hoist| hoist.fields.iter().any(|(_, to)| name.is(to)))
                || shape.added.iter().any(|(added, _)| name.is(added))
        };
        // The object that was entered last: its name, as it stands in the text, and where its
        // values go.
        let mut entered: Option<(*const u8, &Hoist, Range<usize>)> = None;
        let mut begin = |outer: Json<'a>, hoisted: &mut [Option<Json<'a>>]| {
            let name = outer.get().as_ptr();
            if let Some((_, hoist, place)) = entered.as_ref().filter(|(entered, ..)| *entered == name) {
                return Some((*hoist, place.clone()));
            }
            let mut at = 0;
            let hoist = hoists.iter().find(|hoist| {
                at += hoist.fields.len();
                outer.is(hoist.object)
            })?;
            let place = at - hoist.fields.len()..at;
            // Of several objects with one name, the last counts.
            hoisted[place.clone()].fill(None);
            entered = Some((name, hoist, place.clone()));
            Some((hoist, place))
        };
        scanner.object_and_inner(is_hoisted, |outer, name, value| match outer {
            Some(outer) => {
                let Some((hoist, place)) = begin(outer, &mut hoisted) else { return };
                for (slot, (from, _)) in hoisted[place].iter_mut().zip(hoist.fields) {
                    if name.is(from) {
                        *slot = Some(value);
                    }
                }
            }
            None => {
                look_at(name, value);
                match begin(name, &mut hoisted) {
                    Some((hoist, _)) if !hoist.keep => left_out += value.get().len(),
                    None if is_made(name) => {}
                    _ => kept.push((name, value)),
                }
            }
        })?;
        Ok(Self { shape, kept, hoisted, left_out })
    }

    /// Returns the record's text. `length` is the length of the scanned object.
    fn finish(self, length: usize) -> String {
        let hoists = self.shape.hoists;
        let made = HOISTED * (hoists.len() + self.shape.added.len());
        let mut object = Object::with_capacity(length.saturating_sub(self.left_out) + made);
        for (name, value) in self.kept {
            object.carry(name, value.get());
        }
        let names = hoists.iter().flat_map(|hoist| hoist.fields);
        for ((_, to), value) in names.zip(self.hoisted) {
            object.push_plain(to, value.map_or("null", Json::get));
        }
        for (name, value) in self.shape.added {
            object.push_plain(name, value);
        }
        object.finish()
    }
}

/// Removes line breaks. Valid JSON has them only between tokens.
fn on_one_line(mut json: String) -> String {
    if memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        json.retain(|character| !matches!(character, '\n' | '\r'));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Shape<'_> = Shape { cursor: Some("created_at"), unsettled: None, hoists: &[], added: &[] };

    const OWNER: Hoist =
        Hoist { object: "owner", fields: &[("id", "owner_id"), ("name", "owner_name")], keep: false };

    const HOISTING: Shape<'_> = Shape { hoists: &[OWNER], ..PLAIN };

    const PENDING: Unsettled =
        Unsettled { field: "status", values: &["pending", "open"], emitted: false, at_most: None };

    const HOLDING: Shape<'_> = Shape { unsettled: Some(&PENDING), ..PLAIN };

    fn decode(json: &str, shape: &Shape<'_>) -> Record {
        Record::scan(&mut Scanner::new(json), shape).unwrap()
    }

    #[test]
    fn a_record_without_reshape_is_carried_byte_for_byte() {
        let json = r#"{ "id":"a" ,"n":1.10,"big":12345678901234567890.1e-7,"é\u00e9":"\ud83d\ude00","n":2}"#;
        assert_eq!(decode(json, &PLAIN).json, json);
    }

    #[test]
    fn line_breaks_between_tokens_are_dropped_and_escaped_ones_kept() {
        let record = decode("{\r\n  \"id\": \"a\\nb\"\n}", &PLAIN);
        assert_eq!(record.json, "{  \"id\": \"a\\nb\"}");
    }

    #[test]
    fn hoisted_values_keep_their_text_and_other_fields_their_order() {
        let json = r#"{"z":1.0,"owner":{"name":"A\tB","id":123,"more":[]},"a":{"b":1e5}}"#;
        let expected = r#"{"z":1.0,"a":{"b":1e5},"owner_id":123,"owner_name":"A\tB"}"#;
        assert_eq!(decode(json, &HOISTING).json, expected);
    }

    #[test]
    fn an_object_can_be_kept_beside_its_hoisted_fields() {
        let shape = Shape { hoists: &[Hoist { keep: true, ..OWNER }], ..PLAIN };
        let expected = r#"{"owner":{"id":1,"name":"A"},"z":2,"owner_id":1,"owner_name":"A"}"#;
        assert_eq!(decode(r#"{"owner":{"id":1,"name":"A"},"z":2}"#, &shape).json, expected);
    }

    #[test]
    fn added_fields_stand_at_the_end_and_replace_those_of_their_name() {
        let added = [("parent_id", "\"p\"".to_owned())];
        let shape = Shape { added: &added, ..HOISTING };
        let record = decode(r#"{"parent_id":1,"owner":{"id":2},"a":1.0}"#, &shape);
        assert_eq!(record.json, r#"{"a":1.0,"owner_id":2,"owner_name":null,"parent_id":"p"}"#);
    }

    #[test]
    fn a_null_or_absent_object_gives_null_fields() {
        let expected = r#"{"id":"a","owner_id":null,"owner_name":null}"#;
        assert_eq!(decode(r#"{"id":"a","owner":null}"#, &HOISTING).json, expected);
        assert_eq!(decode(r#"{"id":"a"}"#, &HOISTING).json, expected);
        assert_eq!(decode(r#"{}"#, &HOISTING).json, r#"{"owner_id":null,"owner_name":null}"#);
    }

    #[test]
    fn a_name_that_comes_twice_counts_as_it_comes_last_and_is_hoisted_once() {
        let json = r#"{"owner":{"id":1,"name":"old"},"owner_id":9,"created_at":"2023-01-01T00:00:00Z",
            "owner":{"id":2,"\u0069d":3},"created_at":"2024-01-01T00:00:00Z","owner_name":8}"#;
        let record = decode(json, &HOISTING);
        assert!(record.json.ends_with(r#","owner_id":3,"owner_name":null}"#), "{}", record.json);
        assert_eq!(record.json.matches("owner").count(), 2, "{}", record.json);
        assert_eq!(record.position, parse_instant("2024-01-01T00:00:00Z"));
        for last in ["null", "[1]", "7", "{}"] {
            let record = decode(&format!(r#"{{"owner":{{"id":1}},"owner":{last}}}"#), &HOISTING);
            assert_eq!(record.json, r#"{"owner_id":null,"owner_name":null}"#);
        }
        assert!(decode(r#"{"status":"committed","status":"pending"}"#, &HOLDING).unsettled);
        assert!(!decode(r#"{"status":"pending","status":"committed"}"#, &HOLDING).unsettled);
        let twice = decode(r#"{"created_at":"2024-01-01T00:00:00Z","created_at":null}"#, &HOLDING);
        assert_eq!(twice.position, None);
        let named = decode(r#"{"id":"a","deleted":false,"id":"b","deleted":true}"#, &HOLDING);
        assert_eq!((named.text("id").as_deref(), named.is_true("deleted")), (Some("b"), true));
    }

    #[test]
    fn a_record_without_a_readable_time_has_no_position() {
        for json in ["{}", r#"{"created_at":null}"#, r#"{"created_at":5}"#, r#"{"created_at":"soon"}"#] {
            assert_eq!(decode(json, &PLAIN).position, None, "{json}");
        }
    }

    #[test]
    fn a_record_that_can_still_change_is_unsettled() {
        assert!(decode(r#"{"status":"pending"}"#, &HOLDING).unsettled);
        assert!(decode(r#"{"status":"open"}"#, &HOLDING).unsettled);
        assert!(!decode(r#"{"status":"committed"}"#, &HOLDING).unsettled);
        assert!(!decode(r#"{}"#, &HOLDING).unsettled);
    }

    #[test]
    fn what_is_not_an_object_is_no_record() {
        for json in ["[]", "1", "null", "\"x\""] {
            assert!(Record::scan(&mut Scanner::new(json), &PLAIN).is_err(), "{json}");
        }
    }
}
