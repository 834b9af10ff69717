//! Rows as the tests expect them: fields that are copied, added and taken out of lists.

use std::collections::BTreeMap;

use mock_orb::Timestamp;
use serde_json::value::RawValue;

use crate::support::shape::fields;

/// A record as names and the exact texts of their values.
pub(super) type Fields = BTreeMap<String, String>;

/// The ids that are copied out of an element with a price.
pub(super) const PRICE_OF_ROW: &[(&str, &str)] = &[
    ("price.id", "price_id"),
    ("price.item.id", "item_id"),
    ("price.billable_metric.id", "billable_metric_id"),
];

pub(super) fn sorted(mut rows: Vec<Fields>) -> Vec<Fields> {
    rows.sort();
    rows
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A field's text without quotes.
pub(super) fn text(row: &Fields, name: &str) -> String {
    row[name].trim_matches('"').to_owned()
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Adds a field, unless the server sent it.
pub(super) fn add(mut row: Fields, name: &str, value: &str) -> Fields {
    if row.get(name).is_none_or(|sent| sent == "null") {
        row.insert(name.to_owned(), value.to_owned());
    }
    row
}

/// The value at a path such as `price.item.id`, or null.
pub(super) fn at(row: &Fields, path: &str) -> String {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = row.get(name).cloned().unwrap_or_else(|| "null".to_owned());
    match rest {
        Some(rest) if value != "null" => at(&fields(&value), rest),
        _ => value,
    }
}

/// Copies values from inside the objects of each row.
pub(super) fn hoist(rows: Vec<Fields>, names: &[(&str, &str)]) -> Vec<Fields> {
    let hoisted = |row: Fields| {
        names.iter().fold(row, |row, (path, name)| {
            let value = at(&row, path);
            add(row, name, &value)
        })
    };
    rows.into_iter().map(hoisted).collect()
}

/// The elements of a list.
pub(super) fn list(json: &str) -> Vec<Fields> {
    let elements: Vec<Box<RawValue>> = serde_json::from_str(json).unwrap();
    elements.iter().map(|element| fields(element.get())).collect()
}

/// The elements of a list, or the only object, inside each row, with values of the row.
pub(super) fn nested(rows: &[Fields], field: &str, outer: &[(&str, &str)]) -> Vec<Fields> {
    let elements = |row: &Fields| {
        let inner = match &row[field] {
            object if object.starts_with('{') => vec![fields(object)],
            null if null == "null" => Vec::new(),
            elements => list(elements),
        };
        let with =
            |element| outer.iter().fold(element, |element, (path, name)| add(element, name, &at(row, path)));
        inner.into_iter().map(with).collect::<Vec<_>>()
    };
    rows.iter().flat_map(elements).collect()
}
