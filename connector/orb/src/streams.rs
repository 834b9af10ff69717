//! The table of streams. A new stream is a row here, a schema in `schemas/`, and a row in README's
//! table.
//!
//! Names, primary keys, cursor fields and hoisted fields are those of Airbyte's Orb connector.
//! Paths, filters and limits are from Orb's API reference
//! (<https://docs.withorb.com/api-reference>).

use elt_sdk::{
    record::{Hoist, Unsettled},
    stream::{Answer, Carry, Ends, Parents, Partition, Parts, Place, Stream, TimeFilter, TimeForm},
};

use crate::{
    config::Config,
    events, ledger,
    rates::{ANALYTICS, READ},
    timeframe, usage,
};

/// All streams, in the order in which they are discovered.
pub const STREAMS: &[&Stream<Config>] =
    &[&CUSTOMERS, &SUBSCRIPTIONS, &PLANS, &INVOICES, &CREDITS_LEDGER_ENTRIES, &SUBSCRIPTION_USAGE];

const _: () = Stream::check(STREAMS);

/// A filter by `created_at`.
const CREATED_AT: TimeFilter = TimeFilter {
    form: TimeForm::Instant,
    from: "created_at[gte]",
    including: "created_at[lte]",
    before: "created_at[lt]",
};

/// The columns that most lists share. Orb allows at most 100 records per page, and rejects higher
/// limits.
const LIST: Stream<Config> = Stream {
    cursor: Some("created_at"),
    time: Some(CREATED_AT),
    partition: Partition::Windows,
    page_limit: Some(100),
    rate: &READ,
    ..Stream::LIST
};

static CUSTOMERS: Stream<Config> =
    Stream { name: "customers", path: "customers", schema: "customers.json", ..LIST };

/// The fields of the customer that a subscription or a ledger entry belongs to.
const CUSTOMER: Hoist = Hoist {
    object: "customer",
    fields: &[("id", "customer_id"), ("external_customer_id", "external_customer_id")],
    keep: false,
};

static SUBSCRIPTIONS: Stream<Config> = Stream {
    name: "subscriptions",
    path: "subscriptions",
    schema: "subscriptions.json",
    carry: Carry {
        hoists: &[
            CUSTOMER,
            // Airbyte's connector has only the id. A subscription has the other fields nowhere
            // else.
            Hoist {
                object: "plan",
                fields: &[
                    ("id", "plan_id"),
                    ("version", "plan_version"),
                    ("name", "plan_name"),
                    ("external_plan_id", "external_plan_id"),
                ],
                keep: false,
            },
        ],
        ..Carry::NOTHING
    },
    ..LIST
};

/// Subscriptions as parents. They keep the plan, by which usage is filtered.
static WHOLE_SUBSCRIPTIONS: Stream<Config> = Stream { carry: Carry::NOTHING, ..SUBSCRIPTIONS };

static PLANS: Stream<Config> = Stream { name: "plans", path: "plans", schema: "plans.json", ..LIST };

static INVOICES: Stream<Config> = Stream {
    name: "invoices",
    path: "invoices",
    schema: "invoices.json",
    cursor: Some("invoice_date"),
    time: Some(TimeFilter {
        form: TimeForm::Instant,
        from: "invoice_date[gte]",
        including: "invoice_date[lte]",
        before: "invoice_date[lt]",
    }),
    // Orb omits void invoices by default.
    filters: &[("status[]", "void"), ("status[]", "paid"), ("status[]", "issued"), ("status[]", "synced")],
    query: |config, _| config.draft_filter(),
    ..LIST
};

static CREDITS_LEDGER_ENTRIES: Stream<Config> = Stream {
    name: "credits_ledger_entries",
    path: "customers/{parent}/credits/ledger",
    schema: "credits_ledger_entries.json",
    properties: events::properties,
    carry: Carry {
        hoists: &[
            // Airbyte's connector lacks `external_customer_id` and `filters`. An entry has
            // them nowhere else.
            CUSTOMER,
            Hoist {
                object: "credit_block",
                fields: &[
                    ("expiry_date", "block_expiry_date"),
                    ("id", "credit_block_id"),
                    ("per_unit_cost_basis", "credit_block_per_unit_cost_basis"),
                    ("filters", "credit_block_filters"),
                ],
                keep: false,
            },
        ],
        ..Carry::NOTHING
    },
    // Pending entries are requested but not emitted. They hold the cursor, because an entry that is
    // committed later keeps its old `created_at`.
    unsettled: Some(Unsettled { field: "entry_status", values: &["pending"], emitted: false, at_most: None }),
    enrich: Some(events::enrich),
    partition: Partition::Parents(Parents {
        stream: &CUSTOMERS,
        id: "id",
        key: "customer_id",
        place: Place::Path,
        deleted: Some("deleted"),
        slices: |_, _, whole| vec![whole.clone()],
    }),
    // A customer has one ledger per currency.
    parts: Some(Parts { place: Place::Query("currency"), values: ledger::currencies }),
    // Since July 2026; 500 before.
    page_limit: Some(1000),
    ..LIST
};

static SUBSCRIPTION_USAGE: Stream<Config> = Stream {
    name: "subscription_usage",
    path: "subscriptions/{parent}/usage",
    schema: "subscription_usage.json",
    properties: usage::properties,
    primary_key: &["subscription_id", "billable_metric_id", "timeframe_start"],
    key_fields: usage::key_fields,
    answer: Answer::Rows(usage::records),
    cursor: Some("timeframe_start"),
    time: Some(TimeFilter {
        form: TimeForm::Instant,
        from: "timeframe_start",
        including: "timeframe_end",
        before: "timeframe_end",
    }),
    grace: Some(usage::GRACE),
    partition: Partition::Parents(Parents {
        stream: &WHOLE_SUBSCRIPTIONS,
        id: "id",
        key: "subscription_id",
        place: Place::Path,
        deleted: None,
        slices: usage::slices,
    }),
    parts: Some(Parts { place: Place::Query("billable_metric_id"), values: usage::metrics }),
    filters: &[("granularity", "day"), ("view_mode", "periodic")],
    query: usage::query,
    page_limit: None,
    ends: Ends { too_large: timeframe::halves, ..Ends::USUAL },
    rate: &ANALYTICS,
    ..LIST
};

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::schemas::SCHEMAS;
    use elt_sdk::schema::resolve;

    fn schema(stream: &Stream<Config>) -> Value {
        let schema = resolve(stream.schema, SCHEMAS, &[]).unwrap();
        serde_json::from_str(&schema).unwrap()
    }

    #[test]
    fn the_readme_has_the_name_and_path_of_every_stream() {
        for stream in STREAMS {
            let cells = format!("| `{}` | `{}` |", stream.name, stream.path);
            assert!(include_str!("../../../README.md").contains(&cells), "{cells}");
        }
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
            let hoists = stream.carry.hoists;
            let hoisted = hoists.iter().flat_map(|hoist| hoist.fields.iter().map(|(_, to)| to));
            for name in stream.primary_key.iter().chain(&stream.cursor).chain(hoisted) {
                assert!(properties.get(name).is_some(), "{}: {name}", stream.name);
            }
            for hoist in hoists {
                assert_eq!(
                    properties.get(hoist.object).is_some(),
                    hoist.keep,
                    "{}: {}",
                    stream.name,
                    hoist.object
                );
            }
        }
    }

    #[test]
    fn cursor_fields_are_timestamps_and_primary_keys_are_never_null() {
        for stream in STREAMS {
            let properties = &schema(stream)["properties"];
            if let Some(cursor) = stream.cursor {
                assert_eq!(properties[cursor]["format"], "date-time", "{}", stream.name);
            }
            for name in stream.primary_key {
                assert!(properties[name]["type"].is_string(), "{}: {name}", stream.name);
            }
        }
    }

    #[test]
    fn a_path_has_a_place_for_the_parent_and_the_part_exactly_if_they_stand_there() {
        for stream in STREAMS {
            let is_in_path = |place: Option<Place>| place == Some(Place::Path);
            let parent = stream.parents().map(|parents| parents.place);
            let part = stream.parts.map(|parts| parts.place);
            assert_eq!(stream.path.contains("{parent}"), is_in_path(parent), "{}", stream.name);
            assert_eq!(stream.path.contains("{part}"), is_in_path(part), "{}", stream.name);
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
