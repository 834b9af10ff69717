//! Embeds the files of `schemas/`.

/// A table of files of `schemas/`: each file's name there, and its JSON text.
macro_rules! schemas {
    ($($name:literal),* $(,)?) => {
        [$(($name, compacted!(concat!("../schemas/", $name)))),*]
    };
}

/// Embeds a JSON file, compacted.
macro_rules! compacted {
    ($path:expr) => {{
        const TEXT: &str = include_str!($path);
        const LENGTH: usize = compact::<0>(TEXT).1;
        const BYTES: [u8; LENGTH] = compact(TEXT).0;
        match str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => panic!("the file is UTF-8"),
        }
    }};
}

/// The JSON Schema of the config.
pub const SPEC: &str = compacted!("../spec.json");

/// Returns the first `N` bytes of a JSON text without the white space between its tokens, and the
/// length of that text. The compiler runs this, so the files can be indented and orb.wasm is 18 kB
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
    "billable_metrics.json",
    "coupon_redemptions.json",
    "coupon_subscriptions.json",
    "coupons.json",
    "credit_block_invoices.json",
    "credit_blocks.json",
    "credit_note_line_items.json",
    "credit_notes.json",
    "credit_top_ups.json",
    "credits_ledger_entries.json",
    "customer_alerts.json",
    "customer_balance_transactions.json",
    "customer_costs.json",
    "customers.json",
    "dimensional_price_group_prices.json",
    "dimensional_price_groups.json",
    "event_backfills.json",
    "event_volumes.json",
    "invoice_line_items.json",
    "invoice_payment_attempts.json",
    "invoice_summaries.json",
    "invoices.json",
    "items.json",
    "license_types.json",
    "license_usage.json",
    "licenses.json",
    "plan_migrations.json",
    "plan_prices.json",
    "plan_versions.json",
    "plans.json",
    "prices.json",
    "shared/address.json",
    "shared/adjustment.json",
    "shared/adjustment_interval.json",
    "shared/alert.json",
    "shared/auto_collection.json",
    "shared/cost.json",
    "shared/coupon_redemption.json",
    "shared/credit_allocation.json",
    "shared/credit_note_discount.json",
    "shared/credit_note_line_item.json",
    "shared/credit_note_summary.json",
    "shared/customer_balance_transaction.json",
    "shared/customer_ref.json",
    "shared/discount.json",
    "shared/duration.json",
    "shared/invoice.json",
    "shared/invoice_line_item.json",
    "shared/invoice_summary.json",
    "shared/item.json",
    "shared/license_type.json",
    "shared/lower_bound_tier.json",
    "shared/maximum.json",
    "shared/minimum.json",
    "shared/payment_attempt.json",
    "shared/percentage_tier.json",
    "shared/plan_phase.json",
    "shared/plan_ref.json",
    "shared/price.json",
    "shared/price_filter.json",
    "shared/price_interval.json",
    "shared/reference.json",
    "shared/tax_amount.json",
    "shared/tax_id.json",
    "shared/unit_range_tier.json",
    "subscription_adjustment_intervals.json",
    "subscription_alerts.json",
    "subscription_changes.json",
    "subscription_costs.json",
    "subscription_price_intervals.json",
    "subscription_schedules.json",
    "subscription_summaries.json",
    "subscription_usage.json",
    "subscriptions.json",
    "upcoming_invoices.json",
    "webhook_endpoints.json",
    "webhook_events.json",
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
            let reference = format!(r#""$ref":"{name}""#);
            let is_shared = SCHEMAS.iter().any(|(_, schema)| schema.contains(&reference));
            assert!(is_shared || STREAMS.iter().any(|stream| stream.schema == *name), "{name}");
        }
    }
}
