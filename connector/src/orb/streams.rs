//! The table of streams. A stream is added by a row here, a schema in `schemas/`, and a row in README's table.
//!
//! Names, primary keys, cursor fields and reshapes are those of Airbyte's Orb connector; paths, filters and limits are
//! from Orb's API reference (<https://docs.withorb.com/api-reference>).

use crate::sdk::stream::{Bounds, Hoist, Parents, Shape, Slicing, Stream};

/// The most records that Orb puts on a page; more is refused, not clamped.
const PAGE_LIMIT: Option<u32> = Some(100);

/// The same for a credits ledger, since July 2026.
const LEDGER_PAGE_LIMIT: Option<u32> = Some(1000);

const CREATED_AT: Bounds =
    Bounds { from: "created_at[gte]", including: "created_at[lte]", before: "created_at[lt]" };

const INVOICE_DATE: Bounds =
    Bounds { from: "invoice_date[gte]", including: "invoice_date[lte]", before: "invoice_date[lt]" };

static CUSTOMERS: Stream = Stream {
    name: "customers",
    path: "customers",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: PAGE_LIMIT,
    bounds: CREATED_AT,
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    provisional: None,
    schema: include_str!("../../schemas/customers.json"),
};

static SUBSCRIPTIONS: Stream = Stream {
    name: "subscriptions",
    path: "subscriptions",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: PAGE_LIMIT,
    bounds: CREATED_AT,
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Hoisted(&[
        Hoist {
            object: "customer",
            fields: &[("id", "customer_id"), ("external_customer_id", "external_customer_id")],
        },
        Hoist { object: "plan", fields: &[("id", "plan_id")] },
    ]),
    provisional: None,
    schema: include_str!("../../schemas/subscriptions.json"),
};

static PLANS: Stream = Stream {
    name: "plans",
    path: "plans",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: PAGE_LIMIT,
    bounds: CREATED_AT,
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    provisional: None,
    schema: include_str!("../../schemas/plans.json"),
};

static INVOICES: Stream = Stream {
    name: "invoices",
    path: "invoices",
    primary_key: &["id"],
    cursor_field: "invoice_date",
    page_limit: PAGE_LIMIT,
    bounds: INVOICE_DATE,
    // Orb leaves void invoices out unless asked for them; drafts are not invoices yet.
    filters: &[("status[]", "void"), ("status[]", "paid"), ("status[]", "issued"), ("status[]", "synced")],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    provisional: None,
    schema: include_str!("../../schemas/invoices.json"),
};

static CREDITS_LEDGER_ENTRIES: Stream = Stream {
    name: "credits_ledger_entries",
    path: "customers/{parent}/credits/ledger",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: LEDGER_PAGE_LIMIT,
    bounds: CREATED_AT,
    filters: &[],
    slicing: Slicing::Parents(Parents {
        stream: &CUSTOMERS,
        id: "id",
        key: "customer_id",
        deleted: Some("deleted"),
        grace: None,
    }),
    shape: Shape::Hoisted(&[
        Hoist { object: "customer", fields: &[("id", "customer_id")] },
        Hoist {
            object: "credit_block",
            fields: &[
                ("expiry_date", "block_expiry_date"),
                ("id", "credit_block_id"),
                ("per_unit_cost_basis", "credit_block_per_unit_cost_basis"),
            ],
        },
    ]),
    // Pending entries are asked for too, though not emitted, so that the cursor waits for them: one that is committed
    // later keeps its old `created_at`.
    provisional: Some(("entry_status", "pending")),
    schema: include_str!("../../schemas/credits_ledger_entries.json"),
};

/// All streams, in the order they are discovered.
pub static STREAMS: [&Stream; 5] = [&CUSTOMERS, &SUBSCRIPTIONS, &PLANS, &INVOICES, &CREDITS_LEDGER_ENTRIES];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{orb::schemas::SHARED, sdk::schema::resolve};

    fn schema(stream: &Stream) -> Value {
        serde_json::from_str(&resolve(stream.schema, SHARED).unwrap()).unwrap()
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = STREAMS.iter().map(|stream| stream.name).collect();
        assert_eq!(names.len(), STREAMS.len());
    }

    #[test]
    fn keys_cursors_and_hoisted_fields_are_in_the_schema() {
        for stream in STREAMS {
            let properties = &schema(stream)["properties"];
            let hoists = if let Shape::Hoisted(hoists) = stream.shape { hoists } else { &[] };
            let hoisted = hoists.iter().flat_map(|hoist| hoist.fields.iter().map(|(_, to)| to));
            for name in stream.primary_key.iter().chain([&stream.cursor_field]).chain(hoisted) {
                assert!(properties.get(name).is_some(), "{}: {name}", stream.name);
            }
            for hoist in hoists {
                assert!(properties.get(hoist.object).is_none(), "{}: {}", stream.name, hoist.object);
            }
        }
    }

    #[test]
    fn cursor_fields_are_timestamps_and_primary_keys_are_never_null() {
        for stream in STREAMS {
            let properties = &schema(stream)["properties"];
            assert_eq!(properties[stream.cursor_field]["format"], "date-time", "{}", stream.name);
            for name in stream.primary_key {
                assert_eq!(properties[name]["type"], "string", "{}: {name}", stream.name);
            }
        }
    }

    #[test]
    fn a_path_names_its_parent_exactly_if_there_is_one() {
        for stream in STREAMS {
            let has_parent = matches!(stream.slicing, Slicing::Parents(_));
            assert_eq!(stream.path.contains("{parent}"), has_parent, "{}", stream.name);
        }
    }

    #[test]
    fn an_invoice_in_a_ledger_entry_has_the_fields_of_an_invoice() {
        let shapes = |value: &Value| -> std::collections::BTreeMap<String, Value> {
            let fields = value["properties"].as_object().unwrap();
            fields
                .iter()
                .map(|(name, field)| (name.clone(), without_words(field)))
                .filter(|(name, _)| name != "id")
                .collect()
        };
        let ledger = schema(&CREDITS_LEDGER_ENTRIES);
        let embedded = &ledger["properties"]["created_invoices"]["items"];
        assert_eq!(shapes(embedded), shapes(&schema(&INVOICES)));
    }

    fn without_words(schema: &Value) -> Value {
        let mut schema = schema.clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("description");
        }
        schema
    }
}
