//! The table of streams. A stream is added by a row here, a schema in `schemas/`, and a row in README's table.
//!
//! Names, primary keys, cursor fields and reshapes are those of Airbyte's Orb connector; paths, filters and limits are
//! from Orb's API reference (<https://docs.withorb.com/api-reference>).

use crate::{config::Config, events, ledger, usage};
use elt_sdk::{
    record::Record,
    slice::Slice,
    stream::{Bounds, Hoist, Parents, Shape, Slicing, Stream},
};

/// A row of the table: a stream, and what of it depends on the config.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The facts.
    pub stream: &'static Stream,
    /// Query parameters that the config adds to the request for a slice.
    pub query: fn(&Config, &Slice) -> Vec<(&'static str, String)>,
    /// The slices of one parent's list.
    pub slices: fn(&Config, &Record, &Slice) -> Vec<Slice>,
    /// Properties that the config adds to the schema of a record, each with its JSON text.
    pub properties: fn(&Config) -> Vec<(String, String)>,
    /// Fields that the config adds to the primary key.
    pub primary_key: fn(&Config) -> Vec<String>,
}

impl Row {
    /// A stream of which nothing depends on the config.
    const fn of(stream: &'static Stream) -> Self {
        Self {
            stream,
            query: |_, _| Vec::new(),
            slices: |_, _, whole| vec![whole.clone()],
            properties: |_| Vec::new(),
            primary_key: |_| Vec::new(),
        }
    }
}

/// All streams, in the order they are discovered.
pub static STREAMS: [Row; 6] = [
    Row::of(&CUSTOMERS),
    Row::of(&SUBSCRIPTIONS),
    Row::of(&PLANS),
    Row { query: |config, _| config.draft_filter(), ..Row::of(&INVOICES) },
    Row {
        query: ledger::query,
        slices: ledger::slices,
        properties: events::properties,
        ..Row::of(&CREDITS_LEDGER_ENTRIES)
    },
    Row {
        query: usage::query,
        slices: usage::slices,
        properties: usage::properties,
        primary_key: usage::primary_key,
        ..Row::of(&SUBSCRIPTION_USAGE)
    },
];

/// The row of the stream with this name.
pub fn row(name: &str) -> Option<&'static Row> {
    STREAMS.iter().find(|row| row.stream.name == name)
}

/// What most lists have in common. The most records that Orb puts on a page is 100; more is refused, not clamped.
const LIST: Stream = Stream {
    name: "",
    path: "",
    primary_key: &["id"],
    cursor_field: "created_at",
    page_limit: Some(100),
    bounds: Bounds { from: "created_at[gte]", including: "created_at[lte]", before: "created_at[lt]" },
    filters: &[],
    slicing: Slicing::Windows,
    shape: Shape::Whole,
    is_enriched: false,
    provisional: None,
    schema: "",
};

static CUSTOMERS: Stream = Stream { name: "customers", path: "customers", schema: "customers.json", ..LIST };

static SUBSCRIPTIONS: Stream = Stream {
    name: "subscriptions",
    path: "subscriptions",
    shape: Shape::Hoisted(&[
        Hoist {
            object: "customer",
            fields: &[("id", "customer_id"), ("external_customer_id", "external_customer_id")],
        },
        // All but the id are more than Airbyte's connector has. They stand nowhere else in a subscription.
        Hoist {
            object: "plan",
            fields: &[
                ("id", "plan_id"),
                ("version", "plan_version"),
                ("name", "plan_name"),
                ("external_plan_id", "external_plan_id"),
            ],
        },
    ]),
    schema: "subscriptions.json",
    ..LIST
};

/// Subscriptions as parents, with the plan that their usage is cut by.
static WHOLE_SUBSCRIPTIONS: Stream = Stream { shape: Shape::Whole, ..SUBSCRIPTIONS };

static PLANS: Stream = Stream { name: "plans", path: "plans", schema: "plans.json", ..LIST };

static INVOICES: Stream = Stream {
    name: "invoices",
    path: "invoices",
    cursor_field: "invoice_date",
    bounds: Bounds { from: "invoice_date[gte]", including: "invoice_date[lte]", before: "invoice_date[lt]" },
    // Orb leaves void invoices out unless asked for them.
    filters: &[("status[]", "void"), ("status[]", "paid"), ("status[]", "issued"), ("status[]", "synced")],
    schema: "invoices.json",
    ..LIST
};

static CREDITS_LEDGER_ENTRIES: Stream = Stream {
    name: "credits_ledger_entries",
    path: "customers/{parent}/credits/ledger",
    // Since July 2026; 500 before.
    page_limit: Some(1000),
    slicing: Slicing::Parents(Parents {
        stream: &CUSTOMERS,
        id: "id",
        key: "customer_id",
        deleted: Some("deleted"),
        grace: None,
    }),
    shape: Shape::Hoisted(&[
        // `external_customer_id` and `filters` are more than Airbyte's connector has, and stand nowhere else.
        Hoist {
            object: "customer",
            fields: &[("id", "customer_id"), ("external_customer_id", "external_customer_id")],
        },
        Hoist {
            object: "credit_block",
            fields: &[
                ("expiry_date", "block_expiry_date"),
                ("id", "credit_block_id"),
                ("per_unit_cost_basis", "credit_block_per_unit_cost_basis"),
                ("filters", "credit_block_filters"),
            ],
        },
    ]),
    is_enriched: true,
    // Pending entries are asked for too, though not emitted, so that the cursor waits for them: one that is committed
    // later keeps its old `created_at`.
    provisional: Some(("entry_status", "pending")),
    schema: "credits_ledger_entries.json",
    ..LIST
};

static SUBSCRIPTION_USAGE: Stream = Stream {
    name: "subscription_usage",
    path: "subscriptions/{parent}/usage",
    primary_key: &["subscription_id", "billable_metric_id", "timeframe_start"],
    cursor_field: "timeframe_start",
    page_limit: None,
    bounds: Bounds { from: "timeframe_start", including: "timeframe_end", before: "timeframe_end" },
    filters: &[("granularity", "day"), ("view_mode", "periodic")],
    slicing: Slicing::Parents(Parents {
        stream: &WHOLE_SUBSCRIPTIONS,
        id: "id",
        key: "subscription_id",
        deleted: None,
        grace: Some(usage::GRACE),
    }),
    shape: Shape::Nested(usage::records),
    schema: "subscription_usage.json",
    ..LIST
};

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::schemas::SCHEMAS;
    use elt_sdk::schema::resolve;

    fn schema(stream: &Stream) -> Value {
        let schema = resolve(stream.schema, SCHEMAS, &[]).unwrap();
        serde_json::from_str(&schema).unwrap()
    }

    #[test]
    fn the_readme_has_the_name_and_path_of_every_stream() {
        for Row { stream, .. } in &STREAMS {
            let cells = format!("| `{}` | `{}` |", stream.name, stream.path);
            assert!(include_str!("../../../README.md").contains(&cells), "{cells}");
        }
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = STREAMS.iter().map(|row| row.stream.name).collect();
        assert_eq!(names.len(), STREAMS.len());
    }

    #[test]
    fn keys_cursors_and_hoisted_fields_are_in_the_schema() {
        for Row { stream, .. } in &STREAMS {
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
        for Row { stream, .. } in &STREAMS {
            let properties = &schema(stream)["properties"];
            assert_eq!(properties[stream.cursor_field]["format"], "date-time", "{}", stream.name);
            for name in stream.primary_key {
                assert_eq!(properties[name]["type"], "string", "{}: {name}", stream.name);
            }
        }
    }

    #[test]
    fn a_path_names_its_parent_exactly_if_there_is_one() {
        for Row { stream, .. } in &STREAMS {
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
