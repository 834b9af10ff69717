//! Embeds the files of `schemas/`.

/// A table of files of `schemas/`: each file's name there, and its JSON text.
macro_rules! schemas {
    ($($name:literal),* $(,)?) => {
        [$(($name, {
            const TEXT: &str = include_str!(concat!("../schemas/", $name));
            const LENGTH: usize = compact::<0>(TEXT).1;
            const BYTES: [u8; LENGTH] = compact(TEXT).0;
            match str::from_utf8(&BYTES) {
                Ok(text) => text,
                Err(_) => panic!("the file is UTF-8"),
            }
        })),*]
    };
}

/// Returns the first `N` bytes of a JSON text without the white space between its tokens, and the
/// length of that text. The compiler runs this, so the files can be indented and orb.wasm is 14 kB
/// smaller.
const fn compact<const N: usize>(json: &str) -> ([u8; N], usize) {
    let mut compacted = [0; N];
    let mut length = 0;
    let (mut in_string, mut escaped) = (false, false);
    let mut index = 0;
    while index < json.len() {
        let byte = json.as_bytes()[index];
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

/// Every schema, by the name that streams and `$ref` use for it.
pub const SCHEMAS: &[(&str, &str)] = &schemas![
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
        for (name, text) in SCHEMAS {
            let file: Value = serde_json::from_str(&fs::read_to_string(schemas.join(name)).unwrap()).unwrap();
            assert_eq!(file.to_string(), *text, "{name}");
        }
        const TEXT: &str = "[ \"a \\\" \\\\\" ,\r\n\t1 ]";
        let (bytes, length) = compact::<{ TEXT.len() }>(TEXT);
        assert_eq!(&bytes[..length], br#"["a \" \\",1]"#);
    }

    #[test]
    fn every_schema_is_used() {
        for (name, _) in SCHEMAS {
            let reference = format!(r#"{{"$ref":"{name}"}}"#);
            let is_shared = SCHEMAS.iter().any(|(_, schema)| schema.contains(&reference));
            assert!(is_shared || STREAMS.iter().any(|stream| stream.schema == *name), "{name}");
        }
    }
}
