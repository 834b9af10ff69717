//! Checks every row against its schema, README and a scripted Orb.

mod facts;
mod reads;
mod schemas;

use std::{collections::BTreeSet, rc::Rc};

use serde_json::Value;

use super::{core::CREDITS_LEDGER_ENTRIES, *};
use crate::{schemas::SCHEMAS, source::Orb};
use elt_sdk::{
    connector::Connector,
    http::Request,
    rows::Rows,
    schema::resolve,
    stream::{Place, TimeForm},
    testing::{World, answer},
};

fn schema(stream: &Stream<Config>) -> Value {
    let schema = resolve(stream.schema, SCHEMAS, &[]).unwrap();
    serde_json::from_str(&schema).unwrap()
}

/// The names of the fields that a row makes, besides those of its config.
fn made(stream: &Stream<Config>) -> Vec<&'static str> {
    let hoisted = stream.carry.hoists.iter().flat_map(|hoist| hoist.fields).map(|(_, to)| *to);
    let added = stream.carry.parent_as.into_iter().chain(stream.carry.part_as);
    let copied = match stream.rows {
        Rows::Nested(nested) => nested.copied,
        _ => &[],
    };
    hoisted.chain(added).chain(copied.iter().map(|(_, to)| *to)).collect()
}

fn without_words(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("description");
    }
    schema
}

/// What Orb documents of a list: its path, the parameters that it requires, and those that it
/// allows besides. `[t]` stands for the four bounds of a time.
type Documented = (&'static str, &'static [&'static str], &'static [&'static str]);

const PAGES: &[&str] = &["limit", "cursor"];
const PAGES_BY_TIME: &[&str] = &["limit", "cursor", "created_at[t]"];
const OF_INVOICES: &[&str] =
    &["limit", "cursor", "invoice_date[t]", "status[]", "customer_id", "is_recurring"];

/// Orb's OpenAPI document of August 2026, and what only its SDK or its documentation has.
const DOCUMENTED: &[Documented] = &[
    ("customers", &[], PAGES_BY_TIME),
    ("customers/{}/credits/ledger", &[], &["limit", "cursor", "created_at[t]", "currency", "entry_status"]),
    (
        "customers/{}/credits",
        &[],
        &["limit", "cursor", "currency", "include_all_blocks", "effective_date[t]"],
    ),
    ("customers/{}/credits/top_ups", &[], PAGES),
    ("customers/{}/balance_transactions", &[], &["limit", "cursor", "operation_time[t]"]),
    ("customers/{}/costs", &[], &["timeframe_start", "timeframe_end", "view_mode", "currency"]),
    ("subscriptions", &[], &["limit", "cursor", "created_at[t]", "status", "customer_id[]"]),
    ("subscriptions/summary", &[], &["limit", "cursor", "created_at[t]", "status", "plan_id"]),
    ("subscriptions/{}/costs", &[], &["timeframe_start", "timeframe_end", "view_mode", "currency"]),
    ("subscriptions/{}/schedule", &[], &["limit", "cursor", "start_date[t]"]),
    (
        "subscriptions/{}/usage",
        &[],
        &["timeframe_start", "timeframe_end", "view_mode", "granularity", "billable_metric_id", "group_by"],
    ),
    ("plans", &[], &["limit", "cursor", "created_at[t]", "status"]),
    ("plans/{}/versions/{}", &[], &[]),
    ("plans/{}/migrations", &[], PAGES),
    ("invoices", &[], OF_INVOICES),
    ("invoices/summary", &[], OF_INVOICES),
    ("invoices/upcoming", &["subscription_id"], &[]),
    ("credit_notes", &[], PAGES_BY_TIME),
    ("credit_blocks/{}/invoices", &[], &[]),
    ("coupons", &[], &["limit", "cursor", "show_archived", "redemption_code"]),
    ("coupons/{}/subscriptions", &[], PAGES),
    ("items", &[], PAGES),
    ("metrics", &[], &["limit", "cursor", "created_at[t]", "status"]),
    ("prices", &[], PAGES),
    ("dimensional_price_groups", &[], PAGES),
    ("dimensional_price_groups/{}/prices", &[], &["limit", "cursor", "status"]),
    ("license_types", &[], PAGES),
    ("licenses", &["subscription_id"], &["limit", "cursor", "license_type_id", "status"]),
    (
        "licenses/usage",
        &["subscription_id", "license_type_id"],
        &["limit", "cursor", "start_date", "end_date", "group_by"],
    ),
    ("subscription_changes", &[], &["limit", "cursor", "status", "customer_id"]),
    ("events/backfills", &[], PAGES),
    ("events/volume", &["timeframe_start"], &["limit", "cursor", "timeframe_end"]),
    // One of the two is required.
    ("alerts", &[], &["limit", "cursor", "created_at[t]", "customer_id", "subscription_id"]),
    ("webhook_endpoints", &[], PAGES),
    ("webhook_events", &[], &["limit", "cursor", "created_at[t]", "event_type", "include_payload"]),
];

/// Returns what is documented of a path. The one with the most fixed segments counts.
fn documented(path: &str) -> &'static Documented {
    let matches = |pattern: &str| {
        let (path, pattern): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
        path.len() == pattern.len()
            && path.iter().zip(&pattern).all(|(is, wanted)| *wanted == "{}" || wanted == is)
    };
    let found = DOCUMENTED.iter().filter(|(pattern, ..)| matches(pattern));
    found.min_by_key(|(pattern, ..)| pattern.matches("{}").count()).unwrap_or_else(|| panic!("{path}"))
}

/// The path and the decoded query of a URL.
fn parts_of(url: &str) -> (String, Vec<(String, String)>) {
    let decode = |text: &str| {
        let codes = [("%5B", "["), ("%5D", "]"), ("%3A", ":"), ("%2B", "+"), ("%2C", ",")];
        codes.iter().fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
    };
    let (path, query) = url.trim_start_matches("http://h/").split_once('?').unwrap_or((url, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let path = path.trim_start_matches("http://h/").to_owned();
    (path, query.map(|(name, value)| (decode(name), decode(value))).collect())
}

/// An object that can be an element of any list. Its time is two days before the read.
const ANY: &str = r#"{"id":"ID","created_at":"2024-05-30T00:00:00Z","invoice_date":"2024-05-30T00:00:00Z",
    "start_date":"2024-05-30","timeframe_start":"2024-05-30T00:00:00Z","timeframe_end":"2024-05-31T00:00:00Z",
    "status":"active","entry_status":"committed","currency":"USD","version":2,"license_id":"l","price_id":"p",
    "invoice_id":"i","customer":{"id":"c","external_customer_id":"e"},"subscription":{"id":"s"},
    "invoice":{"id":"i"},"credit_note":{"id":"n"},"metric":{"id":"m"},"license_type":{"id":"t"},
    "item":{"id":"it"},"billable_metric":{"id":"m","name":"M"},"credit_block":{"id":"b"},
    "plan":{"id":"pl","version":2,"name":"P","external_plan_id":"ep","prices":[{"license_type":{"id":"t"}}]},
    "price":PRICE,"prices":[PRICE],"price_intervals":[{"id":"pi","price":PRICE}],
    "adjustment_intervals":[{"id":"ai"}],"line_items":[{"id":"li","price":PRICE}],
    "payment_attempts":[{"id":"pa"}],"invoices":[{"id":"i","customer":{"id":"c"},"subscription":{"id":"s"}}],
    "redeemed_coupon":{"coupon_id":"co","start_date":"2024-01-01T00:00:00Z"},
    "usage":[{"quantity":1,"timeframe_start":"2024-05-30T00:00:00Z","timeframe_end":"2024-05-31T00:00:00Z"}],
    "per_price_costs":[{"price_id":"p","subtotal":"1.10","total":"1.00","price":PRICE}]}"#;

const PRICE: &str =
    r#"{"id":"p","name":"N","currency":"USD","item":{"id":"it"},"billable_metric":{"id":"m"}}"#;

/// An Orb that refuses what it does not document, and has one element in each list.
fn orb(request: &Request) -> elt_sdk::http::Response {
    let (path, query) = parts_of(&request.url);
    let (_, required, allowed) = documented(&path);
    for (name, value) in &query {
        let bound = name.split_once('[').filter(|(_, bound)| ["gte]", "gt]", "lt]", "lte]"].contains(bound));
        let name = bound.map_or_else(|| name.clone(), |(name, _)| format!("{name}[t]"));
        assert!(required.contains(&&*name) || allowed.contains(&&*name), "{path}: {name}");
        let most = if path.ends_with("/ledger") { 1000 } else { 100 };
        assert!(name != "limit" || value.parse::<u32>().unwrap() <= most, "{path}: {value}");
    }
    let names: BTreeSet<&str> = query.iter().map(|(name, _)| &**name).collect();
    assert!(required.iter().all(|name| names.contains(name)), "{path}: {names:?}");
    assert!(path != "alerts" || names.contains("customer_id") ^ names.contains("subscription_id"));
    let element = ANY.replace("ID", &format!("of-{}", path.replace('/', "-"))).replace("PRICE", PRICE);
    let version = path.rsplit_once("/versions/").map(|(_, version)| version.parse::<u32>().unwrap());
    match &*path {
        _ if version.is_some_and(|version| version > 3) => {
            answer(404, r#"{"type":"https://docs.withorb.com/x#404-resource-not-found"}"#)
        }
        "invoices/upcoming" => answer(200, element),
        _ if version.is_some() || path.starts_with("credit_blocks/") => answer(200, element),
        "events/volume" => answer(200, format!(r#"{{"data":[{element}]}}"#)),
        _ => answer(
            200,
            format!(
                r#"{{"data":[{element}],"pagination_metadata":{{"has_more":false,"next_cursor":null}}}}"#
            ),
        ),
    }
}

/// Returns whether [`ANY`] has a value for a made field. What costs are asked for in is open unless
/// the config says so.
fn is_known(stream: &Stream<Config>, name: &str) -> bool {
    let is_open = stream.carry.part_as == Some(name) && stream.group == "costs";
    !is_open && !name.starts_with("block_") && !name.starts_with("credit_block_")
}

/// Reads a stream with this config, and returns its records and what was asked of its own list.
fn read(stream: &str, config: &str) -> (Vec<Value>, Vec<String>) {
    let row = STREAMS.iter().find(|row| row.name == stream).unwrap();
    let base = r#""api_key":"hidden","start_date":"2024-05-25T00:00:00Z","api_url":"http://h""#;
    let world = World::new(|request| Ok(orb(request)));
    let connector = Connector::<Orb>::new(world.platform(), Rc::default());
    let mut reader = connector.read(&format!("{{{base}{config}}}"), stream, None).unwrap();
    let mut records = Vec::new();
    while let Some(batch) = world.run(reader.next_batch()).unwrap() {
        records.extend(batch.records.iter().map(|record| serde_json::from_str::<Value>(record).unwrap()));
    }
    let last = row.path.rsplit('/').next().unwrap();
    let asked = world
        .requests
        .borrow()
        .iter()
        .map(|request| parts_of(request.trim_start_matches("GET ")))
        .collect::<Vec<_>>();
    let is_own = |(path, _): &&(String, Vec<(String, String)>)| path.ends_with(last) || last == "{part}";
    let text = |(_, query): &(String, Vec<(String, String)>)| {
        let pairs = query.iter().filter(|(name, _)| name != "limit");
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    (records, asked.iter().filter(is_own).map(text).collect())
}

/// A server with one invoice of each status, of which drafts are the newest.
fn invoices(request: &Request) -> elt_sdk::http::Response {
    let (_, query) = parts_of(&request.url);
    let asked = |status: &str| query.iter().any(|(name, value)| name == "status[]" && value == status);
    let invoice = |(status, day): (&str, u32)| {
        format!(
            r#"{{"id":"{status}","status":"{status}","invoice_date":"2024-05-{day}T00:00:00Z","line_items":[{{"id":"line-{status}"}}]}}"#
        )
    };
    let all = [("draft", 30), ("paid", 29), ("issued", 28), ("synced", 27), ("void", 26)];
    let wanted: Vec<String> = all.into_iter().filter(|(status, _)| asked(status)).map(invoice).collect();
    let page = r#""pagination_metadata":{"has_more":false,"next_cursor":null}"#;
    answer(200, format!(r#"{{"data":[{}],{page}}}"#, wanted.join(",")))
}

#[test]
fn the_table_in_the_readme_is_this_one() {
    let quote = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let row = |stream: &&Stream<Config>| {
        let Stream { name, path, primary_key, cursor, group, requests, .. } = stream;
        let (key, cursor) = (quote(primary_key), quote(cursor.as_slice()));
        format!("| `{name}` | `{path}` | {key} | {cursor} | {group} | {requests} |\n")
    };
    let table: String = STREAMS.iter().map(row).collect();
    assert!(include_str!("../../../../README.md").contains(&table), "it must have\n{table}");
}

#[test]
fn each_stream_has_a_paragraph_for_its_users() {
    for stream in STREAMS {
        let heading = format!("\n### `{}`\n", stream.name);
        assert!(include_str!("../../../../docs/streams.md").contains(&heading), "{heading}");
    }
}

#[test]
fn names_are_unique() {
    let names: BTreeSet<_> = STREAMS.iter().map(|stream| stream.name).collect();
    assert_eq!(names.len(), STREAMS.len());
}

#[test]
fn every_stream_is_in_a_known_group_and_the_first_ones_are_those_of_airbytes_connector() {
    let groups = ["core", "billing", "costs", "catalog", "admin"];
    let of = |stream: &&Stream<Config>| groups.iter().position(|group| *group == stream.group).unwrap();
    assert!(STREAMS.iter().map(of).is_sorted());
    let core = STREAMS.iter().filter(|stream| stream.group == "core").map(|stream| stream.name);
    let expected =
        ["customers", "subscriptions", "plans", "invoices", "credits_ledger_entries", "subscription_usage"];
    assert_eq!(core.collect::<Vec<_>>(), expected);
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
fn a_row_of_costs_is_one_price_on_one_day() {
    let (records, _) = read("subscription_costs", "");
    let expected = r#"{"price_id":"p","subtotal":"1.10","total":"1.00","price_name":"N","price_currency":"USD",
        "item_id":"it","billable_metric_id":"m","timeframe_start":"2024-05-30T00:00:00Z",
        "timeframe_end":"2024-05-31T00:00:00Z","subscription_id":"of-subscriptions","currency":null}"#;
    assert_eq!(records, [serde_json::from_str::<Value>(expected).unwrap()]);
}
