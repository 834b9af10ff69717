//! Embeds the files of `schemas/`, in a form that takes less than half of their size.

use std::borrow::Cow;

/// Phrases that are frequent in the schemas. Each is stored as one byte: 128 for the first, 129 for
/// the second, and so on.
const PHRASES: [&str; 24] = [
    ",\"format\":\"date-time\",\"airbyte_type\":\"timestamp_with_timezone\"",
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":",
    "[\"null\",\"object\"],\"additionalProperties\":true",
    "\"object\",\"additionalProperties\":true",
    ":{\"type\":[\"null\",\"string\"]",
    ":{\"type\":[\"null\",",
    ":{\"type\":\"string\"",
    ":{\"type\":",
    ":{\"$ref\":\"shared/",
    ",\"description\":\"",
    ",\"properties\":{",
    "\"array\",\"items\"",
    ",\"items\"",
    "external_",
    "subscription",
    "adjustment",
    "customer",
    "invoice",
    "minimum",
    "maximum",
    "amount",
    ".json\"}",
    "\"},\"",
    "},\"",
];

/// A table of files of `schemas/`: each file's name there, and its abbreviated text.
macro_rules! schemas {
    ($($name:literal),* $(,)?) => {
        [$(($name, {
            const TEXT: &str = include_str!(concat!("../schemas/", $name));
            const COMPACT: [u8; compact::<0>(TEXT).1] = compact(TEXT).0;
            const SHORT: [u8; abbreviate::<0>(&COMPACT).1] = abbreviate(&COMPACT).0;
            &SHORT
        })),*]
    };
}

/// The first `N` bytes of JSON text without the white space between its tokens, and how many bytes
/// there are of it. The compiler runs this.
const fn compact<const N: usize>(json: &str) -> ([u8; N], usize) {
    let json = json.as_bytes();
    let (mut compacted, mut length) = ([0; N], 0);
    let (mut in_string, mut escaped) = (false, false);
    let mut index = 0;
    while index < json.len() {
        let byte = json[index];
        assert!(byte < 128, "a schema is ASCII, so that other bytes can stand for phrases");
        if in_string || !byte.is_ascii_whitespace() {
            if length < N {
                compacted[length] = byte;
            }
            length += 1;
        }
        if byte == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = byte == b'\\' && !escaped;
        index += 1;
    }
    (compacted, length)
}

/// The first `N` bytes of a text in which phrases are abbreviated, and how many bytes there are of
/// it. The compiler runs this.
const fn abbreviate<const N: usize>(text: &[u8]) -> ([u8; N], usize) {
    let (mut short, mut length, mut index) = ([0; N], 0, 0);
    while index < text.len() {
        let (byte, width) = match phrase_at(text, index) {
            Some(number) => (128 + number as u8, PHRASES[number].len()),
            None => (text[index], 1),
        };
        if length < N {
            short[length] = byte;
        }
        length += 1;
        index += width;
    }
    (short, length)
}

/// The first phrase that stands at `at`.
const fn phrase_at(text: &[u8], at: usize) -> Option<usize> {
    let mut number = 0;
    while number < PHRASES.len() {
        let (phrase, mut same) = (PHRASES[number].as_bytes(), 0);
        while same < phrase.len() && at + same < text.len() && text[at + same] == phrase[same] {
            same += 1;
        }
        if same == phrase.len() {
            return Some(number);
        }
        number += 1;
    }
    None
}

/// Returns the text of a schema, by the name that streams and `$ref` use for it.
pub fn schema(name: &str) -> Option<Cow<'static, str>> {
    let (_, short) = SCHEMAS.iter().find(|(candidate, _)| *candidate == name)?;
    let mut text = String::with_capacity(3 * short.len());
    for byte in *short {
        match PHRASES.get(usize::from(*byte).wrapping_sub(128)) {
            Some(phrase) => text.push_str(phrase),
            None => text.push(char::from(*byte)),
        }
    }
    Some(text.into())
}

/// Every schema, abbreviated, by the name that streams and `$ref` use for it.
static SCHEMAS: &[(&str, &[u8])] = &schemas![
    "credits_ledger_entries.json",
    "customers.json",
    "invoices.json",
    "plans.json",
    "shared/address.json",
    "shared/adjustment.json",
    "shared/auto_collection.json",
    "shared/credit_note_summary.json",
    "shared/customer_balance_transaction.json",
    "shared/customer_ref.json",
    "shared/discount.json",
    "shared/duration.json",
    "shared/invoice.json",
    "shared/invoice_line_item.json",
    "shared/lower_bound_tier.json",
    "shared/maximum.json",
    "shared/minimum.json",
    "shared/payment_attempt.json",
    "shared/percentage_tier.json",
    "shared/price.json",
    "shared/price_filter.json",
    "shared/tax_id.json",
    "shared/unit_range_tier.json",
    "subscription_usage.json",
    "subscriptions.json",
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use serde_json::Value;

    use super::*;
    use crate::streams::STREAMS;

    #[test]
    fn every_file_is_listed_once() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let files: BTreeSet<String> = ["", "shared/"]
            .into_iter()
            .flat_map(|below| {
                fs::read_dir(directory.join(below)).unwrap().map(move |file| (below, file.unwrap()))
            })
            .filter(|(_, file)| file.path().is_file())
            .map(|(below, file)| format!("{below}{}", file.file_name().to_str().unwrap()))
            .collect();
        let listed: BTreeSet<String> = SCHEMAS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, files);
        assert_eq!(SCHEMAS.len(), files.len());
    }

    #[test]
    fn nothing_but_white_space_between_tokens_is_lost() {
        let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for (name, _) in SCHEMAS {
            let file: Value = serde_json::from_str(&fs::read_to_string(schemas.join(name)).unwrap()).unwrap();
            assert_eq!(file.to_string(), schema(name).unwrap(), "{name}");
        }
        const TEXT: &str = "[ \"a \\\" \\\\\" ,\r\n\t1 ]";
        let (bytes, length) = compact::<{ TEXT.len() }>(TEXT);
        assert_eq!(&bytes[..length], br#"["a \" \\",1]"#);
    }

    #[test]
    fn every_schema_is_used() {
        for (name, _) in SCHEMAS {
            let reference = format!(r#"{{"$ref":"{name}"}}"#);
            let is_shared = SCHEMAS.iter().any(|(other, _)| schema(other).unwrap().contains(&reference));
            assert!(is_shared || STREAMS.iter().any(|stream| stream.schema == *name), "{name}");
        }
    }
}
