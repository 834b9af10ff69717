//! The scanner of JSON agrees with `serde_json`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use json_text::{Fields, Json, Scanner, compact, map_strings};
use serde_json::Value;
use serde_json::value::RawValue;

/// A text is JSON if `serde_json` says so, has the same fields, of which the last of each name
/// counts, and the same strings. What is rewritten means the same.
pub fn json(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let raw = serde_json::from_str::<&RawValue>(text);
    let own = Json::parse(text);
    // serde_json gives up where values are nested too deep.
    let is_too_deep = |error: &serde_json::Error| error.to_string().starts_with("recursion limit");
    if raw.as_ref().err().is_some_and(is_too_deep) {
        return;
    }
    assert_eq!(own.is_ok(), raw.is_ok(), "{own:?}, {raw:?}");
    let (Ok(own), Ok(raw)) = (own, raw) else { return };
    assert_eq!(own.get(), raw.get());
    assert_eq!(own.text().map(Cow::into_owned), serde_json::from_str::<String>(text).ok());
    assert_eq!(own.list().map(raws), serde_json::from_str::<Vec<&RawValue>>(text).ok().map(gets));
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        has_fields(text, own, &fields);
    }
    means_the_same(text);
}

fn raws(list: Vec<Json<'_>>) -> Vec<&str> {
    list.into_iter().map(Json::get).collect()
}

fn gets(list: Vec<&RawValue>) -> Vec<&str> {
    list.into_iter().map(RawValue::get).collect()
}

fn has_fields(text: &str, object: Json<'_>, fields: &BTreeMap<String, &RawValue>) {
    let decoded = Fields::decode(text).expect("it is an object");
    let mut read = BTreeMap::new();
    let scanned = Scanner::new(text).object(|name, value| {
        read.insert(name.text().map(Cow::into_owned), value.get());
    });
    assert!(scanned.is_ok());
    assert_eq!(read.len(), fields.len());
    for (name, value) in fields {
        assert_eq!(object.field(name).map(Json::get), Some(value.get()), "{name}");
        assert_eq!(decoded.raw(name).map(Json::get), Some(value.get()), "{name}");
        assert_eq!(read.get(&Some(name.clone())), Some(&value.get()), "{name}");
        let value = object.field(name).expect("it was found");
        assert_eq!(value.is("a"), serde_json::from_str::<String>(value.get()).is_ok_and(|text| text == "a"));
        let number = serde_json::from_str::<i64>(value.get()).ok();
        assert!(number.is_none() || value.integer() == number, "{name}");
        // A float is exact for whole numbers that are not too large.
        let float = serde_json::from_str::<f64>(value.get()).ok();
        if let (Some(whole), Some(float)) = (value.integer(), float)
            && whole.unsigned_abs() < 1 << 53
        {
            assert!((float - whole as f64).abs() < 1e-3 && value.is_zero() == (whole == 0), "{name}");
        }
    }
}

fn means_the_same(text: &str) {
    assert_eq!(map_strings(text, |string| string.into()), text);
    let compacted = compact(text);
    let is_space = |character: char| character.is_ascii_whitespace();
    let mut strings = Vec::new();
    map_strings(&compacted, |string| {
        strings.push(string.to_owned());
        string.into()
    });
    let within: usize = strings.iter().map(|string| string.matches(is_space).count()).sum();
    assert_eq!(compacted.matches(is_space).count(), within, "space is left between tokens");
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    assert_eq!(parse(&compacted), parse(text));
}
