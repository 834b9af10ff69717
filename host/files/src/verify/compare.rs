//! Compares the two sides of a stream, by key.

use std::collections::{HashMap, hash_map};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use json_text::{Fields, Json, Object, compact, listed, quoted};

use super::report::Comparison;
use super::spill::{Entry, Spill};

/// Bytes of records that are compared in memory.
const IN_MEMORY: u64 = 16 << 20;
/// Portions that larger ones are divided into. A power of two.
const PORTIONS: u64 = 16;
/// How often portions are divided. If it does not help, they are versions of few records, and only
/// the newest stay in memory.
const DEPTH: u32 = 6;
/// The field that says that a record was deleted, if it is true.
const DELETED: &str = "deleted";

/// The records of both sides.
pub(super) struct Sides {
    pub(super) source: Spill,
    pub(super) folder: Spill,
}

/// The newest record of each key, with its place in time.
type Newest = HashMap<String, (i64, String)>;

/// Compares the newest record of each key.
pub(super) fn compare(sides: Sides, depth: u32, comparison: &mut Comparison) -> io::Result<()> {
    if sides.source.bytes() + sides.folder.bytes() <= IN_MEMORY || depth == DEPTH {
        return in_memory(sides, comparison);
    }
    let (mut source, mut folder) = (divided(sides.source, depth)?, divided(sides.folder, depth)?);
    while let (Some(source), Some(folder)) = (source.pop(), folder.pop()) {
        compare(Sides { source, folder }, depth + 1, comparison)?;
    }
    Ok(())
}

fn divided(spill: Spill, depth: u32) -> io::Result<Vec<Spill>> {
    let mut portions: Vec<_> = (0..PORTIONS).map(|_| Spill::default()).collect();
    spill.read(|Entry { key, order, record }| {
        let mut hasher = DefaultHasher::new();
        (depth, &key).hash(&mut hasher);
        let portion = usize::try_from(hasher.finish() % PORTIONS).unwrap_or_default();
        portions[portion].push(&key, order, &record)
    })?;
    Ok(portions)
}

fn in_memory(sides: Sides, comparison: &mut Comparison) -> io::Result<()> {
    let (source, mut folder) = (newest(sides.source)?, newest(sides.folder)?);
    comparison.source += source.len() as u64;
    comparison.folder += folder.len() as u64;
    for (key, (_, record)) in source {
        match folder.remove(&key) {
            Some((_, stored)) => {
                let fields = differences(&record, &stored);
                if !fields.is_empty() {
                    comparison.differs(key, fields);
                }
            }
            None => comparison.lacks(key),
        }
    }
    for key in folder.into_keys() {
        comparison.exceeds(key);
    }
    Ok(())
}

/// The newest record of each key, without those that were deleted.
fn newest(spill: Spill) -> io::Result<Newest> {
    let mut newest = Newest::new();
    spill.read(|Entry { key, order, record }| {
        match newest.entry(key) {
            hash_map::Entry::Vacant(place) => {
                place.insert((order, record));
            }
            hash_map::Entry::Occupied(mut place) if place.get().0 <= order => {
                place.insert((order, record));
            }
            hash_map::Entry::Occupied(_) => {}
        }
        Ok(())
    })?;
    newest.retain(|_, (_, record)| {
        Json::checked(record).field(DELETED).is_none_or(|deleted| deleted.get() != "true")
    });
    Ok(newest)
}

/// A record in a form that is the same however it was stored: without nulls, its fields in order,
/// and strings with the escapes that they need.
pub(super) fn normal(mut fields: Vec<(String, String)>) -> String {
    fields.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut object = Object::default();
    for (name, value) in fields.iter().filter(|(_, value)| value != "null") {
        object.push(name, &scalar(Json::checked(value)));
    }
    object.finish()
}

/// A string with the escapes that it needs. Other values as they are, without white space.
fn scalar(value: Json<'_>) -> String {
    match value.text() {
        Some(text) => quoted(&text),
        None => compact(value.get()),
    }
}

/// The key of a record. Where the stream has none, all of it.
pub(super) fn key(paths: &[Vec<String>], record: &str) -> String {
    if paths.is_empty() {
        return record.to_owned();
    }
    let value = |path: &Vec<String>| {
        let value = path.iter().try_fold(Json::checked(record), |value, name| value.field(name));
        value.map_or_else(|| "null".to_owned(), scalar)
    };
    listed(paths.iter().map(value))
}

/// The fields in which two records differ.
fn differences(source: &str, stored: &str) -> Vec<String> {
    if source == stored {
        return Vec::new();
    }
    let (Ok(one), Ok(other)) = (Fields::decode(source), Fields::decode(stored)) else {
        return vec![String::new()];
    };
    let mut names: Vec<String> =
        one.iter().chain(other.iter()).filter_map(|(name, _)| name.text().map(Into::into)).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| match (one.raw(name), other.raw(name)) {
        (Some(one), Some(other)) => !is_same(one, other),
        _ => true,
    });
    names
}

/// Whether two values are the same, but for the order of fields and the escapes of strings. Numbers
/// are the same if they are written alike.
fn is_same(one: Json<'_>, other: Json<'_>) -> bool {
    if one == other {
        return true;
    }
    match (one.list(), other.list()) {
        (Some(one), Some(other)) => {
            return one.len() == other.len()
                && one.into_iter().zip(other).all(|(one, other)| is_same(one, other));
        }
        (None, None) => {}
        _ => return false,
    }
    match (Fields::of(one), Fields::of(other)) {
        (Some(one), Some(other)) => {
            let text = |name: Json<'_>| name.text().map_or_else(|| name.get().to_owned(), Into::into);
            one.iter().count() == other.iter().count()
                && one
                    .iter()
                    .all(|(name, value)| other.raw(&text(name)).is_some_and(|other| is_same(value, other)))
        }
        (None, None) => one.text().zip(other.text()).is_some_and(|(one, other)| one == other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elt_airbyte::StreamDescriptor;

    fn record(text: &str) -> String {
        let fields = Fields::decode(text).unwrap();
        let fields = fields.iter().map(|(name, value)| (name.text().unwrap().into(), value.get().to_owned()));
        normal(fields.collect())
    }

    fn spill(records: &[&str]) -> Spill {
        let mut spill = Spill::default();
        for (order, text) in records.iter().enumerate() {
            let record = record(text);
            let key = key(&[vec!["id".to_owned()]], &record);
            spill.push(&key, order.try_into().unwrap(), &record).unwrap();
        }
        spill
    }

    fn compared(source: &[&str], folder: &[&str], depth: u32) -> (u64, u64, u64) {
        let mut comparison = Comparison::of(&StreamDescriptor::new("a", None));
        let sides = Sides { source: spill(source), folder: spill(folder) };
        compare(sides, depth, &mut comparison).unwrap();
        (comparison.missing.count, comparison.surplus.count, comparison.different.count)
    }

    #[test]
    fn the_newest_row_of_each_key_counts() {
        let source = [r#"{"id":"1","n":1.10,"x":null}"#, r#"{"id":"\u0032","n":2}"#, r#"{"id":"3","n":3}"#];
        let same =
            [r#"{"id":"1","n":1}"#, r#"{"n":2,"id":"2"}"#, r#"{"id":"3","n":3}"#, r#"{"id":"1","n":1.10}"#];
        assert_eq!(compared(&source, &same, 0), (0, 0, 0));
        let other = [r#"{"id":"1","n":1.1}"#, r#"{"id":"2","n":2}"#, r#"{"id":"4"}"#];
        assert_eq!(compared(&source, &other, 0), (1, 1, 1));
        assert_eq!(compared(&source, &[], 0), (3, 0, 0));
        assert_eq!(compared(&[], &source, 0), (0, 3, 0));
    }

    #[test]
    fn what_was_deleted_is_not_there() {
        let gone = [r#"{"id":"1","n":1}"#, r#"{"id":"1","deleted":true}"#];
        assert_eq!(compared(&[], &gone, 0), (0, 0, 0));
        assert_eq!(compared(&gone[1..], &gone, 0), (0, 0, 0));
        assert_eq!(compared(&gone[..1], &gone, 0), (1, 0, 0));
    }

    #[test]
    fn portions_are_compared_as_the_whole_is() {
        let text = |count: usize, n: usize| -> Vec<String> {
            (0..count)
                .map(|id| format!(r#"{{"id":"{id}","n":{}}}"#, if id % 7 == 0 { n } else { 0 }))
                .collect()
        };
        let (source, folder) = (text(2000, 0), text(1990, 1));
        let refer = |texts: &'static [String]| texts.iter().map(String::as_str).collect::<Vec<_>>();
        let (source, folder) = (refer(source.leak()), refer(folder.leak()));
        let mut comparison = Comparison::of(&StreamDescriptor::new("a", None));
        let (source, folder) = (divided(spill(&source), 0).unwrap(), divided(spill(&folder), 0).unwrap());
        assert!(source.iter().filter(|portion| portion.bytes() > 0).count() > 8);
        for (source, folder) in source.into_iter().zip(folder) {
            compare(Sides { source, folder }, 1, &mut comparison).unwrap();
        }
        let counts = (comparison.missing.count, comparison.surplus.count, comparison.different.count);
        assert_eq!(counts, (10, 0, 285));
        assert_eq!(comparison.fields.get("n"), Some(&285));
    }

    #[test]
    fn values_are_compared_by_what_they_say() {
        let same = |one: &str, other: &str| is_same(Json::checked(one), Json::checked(other));
        for (one, other) in [
            (r#"{"a":1,"b":[1,"\u00e9"]}"#, r#"{"b": [1, "é"], "a":1}"#),
            (r#""\/""#, r#""/""#),
            ("[]", "[]"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in
            [("1", "1.0"), ("[1]", "[1,2]"), (r#"{"a":1}"#, r#"{"a":1,"b":2}"#), ("[]", "{}"), ("1", "\"1\"")]
        {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
