//! One record: carried as text, and looked at only where a stream needs it.
//!
//! In: the raw JSON text of an object on a page. Out: the text that is emitted (values byte for byte as they came, only
//! top-level keys moved), and the record's position in its stream.

use std::borrow::Cow;

use memchr::memchr2;
use time::Timestamp;

use crate::{
    instant::parse_instant,
    stream::{Hoist, Shape, Stream},
};
use json_text::{Fields, Json, Object, Scanner};

/// Bytes that the fields of one nested object take at most, as a rule: three names and identifiers.
const HOISTED: usize = 256;

/// As many fields as most records have.
const USUAL: usize = 32;

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// One JSON object on one line.
    pub json: String,
    /// The value of the cursor field; none if it is absent or not a timestamp.
    pub position: Option<Timestamp>,
    /// Whether the record can still change, so that it must not be emitted yet.
    pub provisional: bool,
}

impl Record {
    /// A settled record of the text of an object.
    pub fn new(json: String, position: Option<Timestamp>) -> Self {
        Self { json: on_one_line(json), position, provisional: false }
    }

    /// Makes a record of the object that comes next, as a stream wants it.
    ///
    /// # Errors
    /// If it is not a JSON object.
    pub fn scan(scanner: &mut Scanner<'_>, stream: &Stream) -> Result<Self, String> {
        let start = scanner.position();
        let (mut cursor, mut status) = (None, None);
        // Of several fields with one name, the last counts.
        let look_at = |name: Json<'_>, value| {
            if name.is(stream.cursor_field) {
                cursor = Some(value);
            } else if stream.provisional.is_some_and(|(field, _)| name.is(field)) {
                status = Some(value);
            }
        };
        let json = match stream.shape {
            Shape::Hoisted(hoists) => {
                let hoisted = Hoisted::scan(scanner, hoists, look_at)?;
                hoisted.finish(scanner.since(start).len())
            }
            Shape::Whole | Shape::Nested(_) => {
                scanner.object(look_at)?;
                scanner.since(start).to_owned()
            }
        };
        let position = cursor.and_then(Json::text).as_deref().and_then(parse_instant);
        let provisional =
            stream.provisional.is_some_and(|(_, value)| status.is_some_and(|status| status.is(value)));
        Ok(Self { provisional, ..Self::new(json, position) })
    }

    /// The top-level fields; none if the text is not that of an object.
    pub fn fields(&self) -> Option<Fields<'_>> {
        Fields::of(Json::checked(&self.json))
    }

    /// The text of a top-level field; none if it is absent or not a string.
    pub fn text(&self, name: &str) -> Option<String> {
        Json::checked(&self.json).field(name)?.text().map(Cow::into_owned)
    }

    /// Whether a top-level field is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        Json::checked(&self.json).field(name).is_some_and(|value| value.get() == "true")
    }
}

/// A record of which fields of nested objects are moved to its end, and the objects left out.
struct Hoisted<'a> {
    hoists: &'static [Hoist],
    /// The fields that stay where they are.
    kept: Vec<(Json<'a>, Json<'a>)>,
    /// The values that are moved, in the order of `hoists`.
    moved: Vec<Option<Json<'a>>>,
    /// Bytes of the objects.
    left_out: usize,
}

impl<'a> Hoisted<'a> {
    /// Takes apart the object that comes next and those in it that are wanted, each byte once. `look_at` is given the fields
    /// of the object.
    fn scan(
        scanner: &mut Scanner<'a>,
        hoists: &'static [Hoist],
        mut look_at: impl FnMut(Json<'a>, Json<'a>),
    ) -> Result<Self, String> {
        let (mut kept, mut inner) = (Vec::with_capacity(USUAL), Vec::with_capacity(USUAL));
        let (mut moved, mut left_out) = (vec![None; hoists.iter().map(|hoist| hoist.fields.len()).sum()], 0);
        let is_moved = |name: Json<'a>| hoists.iter().any(|hoist| name.is(hoist.object));
        let is_made =
            |name: Json<'a>| hoists.iter().any(|hoist| hoist.fields.iter().any(|(_, to)| name.is(to)));
        scanner.object_and_inner(is_moved, |outer, name, value| {
            if outer.is_some() {
                inner.push((name, value));
                return;
            }
            look_at(name, value);
            let mut at = 0;
            for hoist in hoists {
                if name.is(hoist.object) {
                    for (slot, (from, _)) in moved[at..].iter_mut().zip(hoist.fields) {
                        // Of several fields with one name, the last counts; and so it does of several objects.
                        let found = inner.iter().rev().find(|(name, _): &&(Json<'_>, _)| name.is(from));
                        *slot = found.map(|(_, value)| *value);
                    }
                    inner.clear();
                    left_out += value.get().len();
                    return;
                }
                at += hoist.fields.len();
            }
            if !is_made(name) {
                kept.push((name, value));
            }
        })?;
        Ok(Self { hoists, kept, moved, left_out })
    }

    /// The record, which had so many bytes.
    fn finish(self, length: usize) -> String {
        let capacity = length.saturating_sub(self.left_out) + HOISTED * self.hoists.len();
        let mut object = Object::with_capacity(capacity);
        for (name, value) in self.kept {
            object.carry(name, value.get());
        }
        let names = self.hoists.iter().flat_map(|hoist| hoist.fields);
        for ((_, to), value) in names.zip(self.moved) {
            object.push(to, value.map_or("null", Json::get));
        }
        object.finish()
    }
}

/// A line break can stand in valid JSON only between tokens, where it means nothing.
fn on_one_line(mut json: String) -> String {
    if memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        json.retain(|character| !matches!(character, '\n' | '\r'));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::stream;

    fn decode(json: &str, stream: &Stream) -> Record {
        Record::scan(&mut Scanner::new(json), stream).unwrap()
    }

    fn hoisting() -> Stream {
        let owner = Hoist { object: "owner", fields: &[("id", "owner_id"), ("name", "owner_name")] };
        Stream { shape: Shape::Hoisted(Box::leak(Box::new([owner]))), ..stream() }
    }

    #[test]
    fn a_record_without_reshape_is_carried_byte_for_byte() {
        let json = r#"{ "id":"a" ,"n":1.10,"big":12345678901234567890.1e-7,"é\u00e9":"\ud83d\ude00","n":2}"#;
        assert_eq!(decode(json, &stream()).json, json);
    }

    #[test]
    fn line_breaks_between_tokens_are_dropped_and_escaped_ones_kept() {
        let record = decode("{\r\n  \"id\": \"a\\nb\"\n}", &stream());
        assert_eq!(record.json, "{  \"id\": \"a\\nb\"}");
    }

    #[test]
    fn hoisted_values_keep_their_text_and_other_fields_their_order() {
        let json = r#"{"z":1.0,"owner":{"name":"A\tB","id":123,"more":[]},"a":{"b":1e5}}"#;
        let expected = r#"{"z":1.0,"a":{"b":1e5},"owner_id":123,"owner_name":"A\tB"}"#;
        assert_eq!(decode(json, &hoisting()).json, expected);
    }

    #[test]
    fn a_null_or_absent_object_gives_null_fields() {
        let expected = r#"{"id":"a","owner_id":null,"owner_name":null}"#;
        assert_eq!(decode(r#"{"id":"a","owner":null}"#, &hoisting()).json, expected);
        assert_eq!(decode(r#"{"id":"a"}"#, &hoisting()).json, expected);
        assert_eq!(decode(r#"{}"#, &hoisting()).json, r#"{"owner_id":null,"owner_name":null}"#);
    }

    #[test]
    fn a_name_that_comes_twice_counts_as_it_comes_last_and_is_hoisted_once() {
        let json = r#"{"owner":{"id":1,"name":"old"},"owner_id":9,"created_at":"2023-01-01T00:00:00Z",
            "owner":{"id":2,"\u0069d":3},"created_at":"2024-01-01T00:00:00Z","owner_name":8}"#;
        let record = decode(json, &hoisting());
        assert!(record.json.ends_with(r#","owner_id":3,"owner_name":null}"#), "{}", record.json);
        assert_eq!(record.json.matches("owner").count(), 2, "{}", record.json);
        assert_eq!(record.position, parse_instant("2024-01-01T00:00:00Z"));
        for last in ["null", "[1]", "7", "{}"] {
            let record = decode(&format!(r#"{{"owner":{{"id":1}},"owner":{last}}}"#), &hoisting());
            assert_eq!(record.json, r#"{"owner_id":null,"owner_name":null}"#);
        }
        let stream = Stream { provisional: Some(("status", "pending")), ..stream() };
        assert!(decode(r#"{"status":"committed","status":"pending"}"#, &stream).provisional);
        assert!(!decode(r#"{"status":"pending","status":"committed"}"#, &stream).provisional);
        let twice = decode(r#"{"created_at":"2024-01-01T00:00:00Z","created_at":null}"#, &stream);
        assert_eq!(twice.position, None);
        let named = decode(r#"{"id":"a","deleted":false,"id":"b","deleted":true}"#, &stream);
        assert_eq!((named.text("id").as_deref(), named.is_true("deleted")), (Some("b"), true));
    }

    #[test]
    fn a_record_without_a_readable_time_has_no_position() {
        for json in ["{}", r#"{"created_at":null}"#, r#"{"created_at":5}"#, r#"{"created_at":"soon"}"#] {
            assert_eq!(decode(json, &stream()).position, None, "{json}");
        }
    }

    #[test]
    fn a_record_that_can_still_change_is_provisional() {
        let stream = Stream { provisional: Some(("status", "pending")), ..stream() };
        assert!(decode(r#"{"status":"pending"}"#, &stream).provisional);
        assert!(!decode(r#"{"status":"committed"}"#, &stream).provisional);
        assert!(!decode(r#"{}"#, &stream).provisional);
    }

    #[test]
    fn what_is_not_an_object_is_no_record() {
        for json in ["[]", "1", "null", "\"x\""] {
            assert!(Record::scan(&mut Scanner::new(json), &stream()).is_err(), "{json}");
        }
    }
}
