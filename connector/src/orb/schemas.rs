//! The schemas that several streams share, as they are referred to in `schemas/`.

use crate::sdk::schema::{SharedSchema, compact};

macro_rules! shared {
    ($($name:literal),* $(,)?) => {
        /// Each shared schema by its name.
        pub static SHARED: &[SharedSchema] = &[
            $((concat!("shared/", $name), compact!(include_str!(concat!("../../schemas/shared/", $name))))),*
        ];
    };
}

shared![
    "address.json",
    "adjustment.json",
    "auto_collection.json",
    "credit_note_summary.json",
    "customer_balance_transaction.json",
    "customer_ref.json",
    "discount.json",
    "duration.json",
    "invoice.json",
    "invoice_line_item.json",
    "lower_bound_tier.json",
    "maximum.json",
    "minimum.json",
    "payment_attempt.json",
    "percentage_tier.json",
    "price.json",
    "price_filter.json",
    "tax_id.json",
    "unit_range_tier.json",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orb::streams::STREAMS;

    #[test]
    fn every_schema_is_what_serde_json_writes() {
        let rows = STREAMS.iter().map(|row| (row.stream.name, row.stream.schema));
        for (name, text) in rows.chain(SHARED.iter().copied()) {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(value.to_string(), text, "{name}");
        }
    }

    #[test]
    fn every_shared_schema_is_used() {
        let texts = STREAMS.iter().map(|row| row.stream.schema).chain(SHARED.iter().map(|(_, text)| *text));
        let all: String = texts.collect();
        for (name, _) in SHARED {
            assert!(all.contains(&format!("{{\"$ref\":\"{name}\"}}")), "{name}");
        }
    }
}
