//! Reads and replaces fields of stored JSON text, and leaves all other text unchanged.

use std::collections::HashMap;

use serde_json::value::RawValue;

pub(crate) type Fields<'a> = HashMap<String, &'a RawValue>;

/// The top-level fields of an object; none of anything else.
pub(crate) fn fields(record: &str) -> Fields<'_> {
    serde_json::from_str(record).unwrap_or_default()
}

/// Whether a text is a single JSON object. Its numbers may be of any size.
pub(crate) fn is_object(record: &str) -> bool {
    serde_json::from_str::<Fields<'_>>(record).is_ok()
}

/// A top-level field's value, borrowed from the text.
fn value_of<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    let fields: Fields<'a> = serde_json::from_str(record).ok()?;
    fields.get(name).map(|value| value.get())
}

/// The value at the end of a path of names, borrowed from the text.
pub(crate) fn find<'a>(record: &'a str, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(record, |value, name| value_of(value, name))
}

/// The items of the list at the end of a path; empty if there is no list.
pub(crate) fn items<'a>(record: &'a str, path: &[&str]) -> Vec<&'a str> {
    let list: Option<Vec<&RawValue>> = find(record, path).and_then(|list| serde_json::from_str(list).ok());
    list.unwrap_or_default().into_iter().map(RawValue::get).collect()
}

/// The text of a string, the digits of a number, or the word of a boolean; `None` for null, absent
/// values, objects and lists.
pub(crate) fn lookup(record: &str, path: &[&str]) -> Option<String> {
    let value = find(record, path)?;
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'n' | b'{' | b'[' => None,
        _ => Some(value.to_owned()),
    }
}

/// Replaces or adds a top-level field; `None` if the record is not an object.
pub(crate) fn replaced(record: &str, name: &str, json: &str) -> Option<String> {
    if let Some(value) = value_of(record, name) {
        // A borrowed raw value is a slice of the text it was parsed from.
        let start = value.as_ptr() as usize - record.as_ptr() as usize;
        return Some(format!("{}{json}{}", &record[..start], &record[start + value.len()..]));
    }
    let fields: Fields<'_> = serde_json::from_str(record).ok()?;
    let body = record.trim_end().strip_suffix('}')?;
    let separator = if fields.is_empty() { "" } else { "," };
    Some(format!("{body}{separator}{}:{json}}}", serde_json::Value::from(name)))
}

/// The text of an object without some of its top-level fields.
pub(crate) fn without(record: &str, names: &[&str]) -> String {
    let fields = fields(record);
    let mut cuts: Vec<(usize, usize)> = names
        .iter()
        .filter_map(|name| {
            let value = fields.get(*name)?.get();
            let end = value.as_ptr() as usize - record.as_ptr() as usize + value.len();
            let start = record[..end - value.len()].rfind(&format!("\"{name}\""))?;
            Some((start, end))
        })
        .collect();
    cuts.sort_unstable();
    let mut out = String::with_capacity(record.len());
    let mut position = 0;
    for (start, end) in cuts {
        out.push_str(&record[position..start]);
        // A comma goes with each field: the one after it, or for the last field the one before.
        let rest = record[end..].trim_start();
        position = match rest.strip_prefix(',') {
            Some(rest) => record.len() - rest.len(),
            None => {
                out.truncate(out.trim_end().trim_end_matches(',').len());
                end
            }
        };
    }
    out.push_str(&record[position..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"id":"a\u0041","n": 1.10 ,"deep":{"x":null,"y":"1e5"},"n2":1e-7}"#;

    #[test]
    fn scalars_are_found_as_they_are_written() {
        assert_eq!(lookup(RECORD, &["id"]).as_deref(), Some("aA"));
        assert_eq!(lookup(RECORD, &["n"]).as_deref(), Some("1.10"));
        assert_eq!(lookup(RECORD, &["deep", "y"]).as_deref(), Some("1e5"));
        assert_eq!(lookup(RECORD, &["deep", "x"]), None);
        assert_eq!(lookup(RECORD, &["deep"]), None);
        assert_eq!(lookup(RECORD, &["missing", "y"]), None);
        assert_eq!(find(RECORD, &["deep"]), Some(r#"{"x":null,"y":"1e5"}"#));
    }

    #[test]
    fn items_are_those_of_a_list_only() {
        let record = r#"{"a":{"list":[1.10, "x" ,{"y":null}]},"b":null}"#;
        assert_eq!(items(record, &["a", "list"]), ["1.10", "\"x\"", r#"{"y":null}"#]);
        assert!(items(record, &["a"]).is_empty() && items(record, &["b", "list"]).is_empty());
    }

    #[test]
    fn fields_are_cut_with_their_commas() {
        let record = r#"{"a":1.10,"b":{"a":2}, "c" : [3] }"#;
        assert_eq!(without(record, &["a"]), r#"{"b":{"a":2}, "c" : [3] }"#);
        assert_eq!(without(record, &["b", "none"]), r#"{"a":1.10, "c" : [3] }"#);
        assert_eq!(without(record, &["c"]), r#"{"a":1.10,"b":{"a":2} }"#);
        assert_eq!(without(record, &["c", "b"]), r#"{"a":1.10 }"#);
    }

    #[test]
    fn an_edit_touches_one_value_only() {
        let edited = replaced(RECORD, "n", "2.00").unwrap();
        assert_eq!(edited, RECORD.replace("1.10", "2.00"));
        let edited = replaced(RECORD, "deep", "null").unwrap();
        assert_eq!(edited, RECORD.replace(r#"{"x":null,"y":"1e5"}"#, "null"));
        assert_eq!(replaced("{ }", "a", "1").as_deref(), Some(r#"{ "a":1}"#));
        assert_eq!(replaced("{\"b\":2}\n", "a", "1").as_deref(), Some(r#"{"b":2,"a":1}"#));
        assert_eq!(replaced("[]", "a", "1"), None);
    }
}
