//! Derives what each stream must return from what the server holds, independently of the connector.
//!
//! Lists are taken from the emulator's library. What the emulator computes, such as costs, is
//! requested from it as plainly as possible: whole, and one object after the other.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use mock_orb::{Collection, DEFAULT_API_KEY, MockOrb, Timestamp};
use serde_json::value::RawValue;

use crate::support::shape::{self, fields};

/// A record as names and the exact texts of their values.
pub(super) type Fields = BTreeMap<String, String>;

/// The range that is read: all of the emulator's year, and what is dated after it by some minutes.
pub(super) const START: &str = "2024-01-01T00:00:00Z";
pub(super) const END: &str = "2025-01-02T00:00:00Z";

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What a read of a stream from the beginning must return, sorted.
pub(super) fn held(orb: &MockOrb, stream: &str) -> Vec<Fields> {
    let server = Server(orb);
    let of_account = |name| server.rows(name, "");
    let ids = |collection| orb.account().ids(collection);
    let subscriptions = || server.records(Collection::Subscriptions);
    let invoices = || server.records(Collection::Invoices);
    // The rows of each owner, with its id.
    let owned = |resource: &str, owners: Vec<String>, name: &str| -> Vec<Fields> {
        let rows = |id: &String| {
            let rows = server.rows(resource, id);
            rows.into_iter().map(|row| add(row, name, &quoted(id))).collect::<Vec<_>>()
        };
        owners.iter().flat_map(rows).collect()
    };
    let rows = match stream {
        "customers" | "subscriptions" | "plans" | "invoices" | "credits_ledger_entries" => {
            shape::expected(&orb.account(), stream).into_iter().collect()
        }
        "items"
        | "coupons"
        | "dimensional_price_groups"
        | "license_types"
        | "event_backfills"
        | "subscription_changes"
        | "webhook_endpoints"
        | "webhook_events" => of_account(stream),
        "billable_metrics" => hoist(of_account(stream), &[("item.id", "item_id")]),
        "prices" => hoist(of_account(stream), PRICE),
        "credit_notes" => hoist(of_account(stream), &[("customer.id", "customer_id")]),
        "credit_note_line_items" => {
            let outer = [
                ("id", "credit_note_id"),
                ("created_at", "created_at"),
                ("invoice_id", "invoice_id"),
                ("customer.id", "customer_id"),
            ];
            nested(&of_account("credit_notes"), "line_items", &outer)
        }
        "invoice_line_items" => {
            let issued: Vec<_> =
                invoices().into_iter().filter(|invoice| invoice["status"] != "\"draft\"").collect();
            let outer = [
                ("id", "invoice_id"),
                ("invoice_date", "invoice_date"),
                ("status", "invoice_status"),
                ("customer.id", "customer_id"),
                ("subscription.id", "subscription_id"),
                ("currency", "currency"),
            ];
            hoist(nested(&issued, "line_items", &outer), PRICE_OF_ROW)
        }
        "invoice_payment_attempts" => {
            let outer =
                [("id", "invoice_id"), ("invoice_date", "invoice_date"), ("customer.id", "customer_id")];
            nested(&invoices(), "payment_attempts", &outer)
        }
        "invoice_summaries" => {
            let statuses =
                ["issued", "paid", "synced", "void"].map(|status| format!("status%5B%5D={status}"));
            let rows = server.list("invoices/summary", &statuses.join("&"));
            hoist(rows, &[("customer.id", "customer_id"), ("subscription.id", "subscription_id")])
        }
        "upcoming_invoices" => {
            let of = |id: String| {
                let invoice = server.object(&format!("invoices/upcoming?subscription_id={id}"))?;
                Some(add(invoice, "subscription_id", &quoted(&id)))
            };
            let rows = ids(Collection::Subscriptions).into_iter().filter_map(of).collect();
            hoist(rows, &[("customer.id", "customer_id")])
        }
        "credit_blocks" => server.credit_blocks(),
        "credit_block_invoices" => {
            let of = |block: Fields| {
                let answer =
                    server.object(&format!("credit_blocks/{}/invoices", text(&block, "id"))).unwrap();
                let invoices = list(&answer["invoices"]).into_iter();
                invoices.map(|row| add(row, "credit_block_id", &block["id"])).collect::<Vec<_>>()
            };
            let rows = server.credit_blocks().into_iter().flat_map(of).collect();
            hoist(rows, &[("customer.id", "customer_id"), ("subscription.id", "subscription_id")])
        }
        "credit_top_ups" => owned(stream, ids(Collection::Customers), "customer_id"),
        "customer_balance_transactions" => {
            let rows = owned(stream, ids(Collection::Customers), "customer_id");
            hoist(rows, &[("invoice.id", "invoice_id"), ("credit_note.id", "credit_note_id")])
        }
        "subscription_summaries" => {
            let rows = server.list("subscriptions/summary", "");
            hoist(rows, &[("customer.id", "customer_id"), ("plan.id", "plan_id")])
        }
        "subscription_schedules" => {
            let rows = owned(stream, ids(Collection::Subscriptions), "subscription_id");
            hoist(rows, &[("plan.id", "plan_id")])
        }
        "subscription_price_intervals" => {
            hoist(nested(&subscriptions(), "price_intervals", OF_SUBSCRIPTION), PRICE_OF_ROW)
        }
        "subscription_adjustment_intervals" => {
            nested(&subscriptions(), "adjustment_intervals", OF_SUBSCRIPTION)
        }
        "coupon_redemptions" => {
            let outer = [("id", "subscription_id"), ("customer.id", "customer_id")];
            nested(&subscriptions(), "redeemed_coupon", &outer)
        }
        "coupon_subscriptions" => {
            let of = |coupon: Fields| {
                let path = format!("coupons/{}/subscriptions", text(&coupon, "id"));
                let row = |mut subscription: Fields| {
                    let more = [
                        ("coupon_id", coupon["id"].clone()),
                        ("subscription_id", subscription["id"].clone()),
                        ("customer_id", at(&subscription, "customer.id")),
                        ("plan_id", at(&subscription, "plan.id")),
                    ];
                    let kept = ["id", "created_at", "status", "start_date", "end_date", "redeemed_coupon"];
                    subscription.retain(|name, _| kept.contains(&name.as_str()));
                    subscription.extend(more.map(|(name, value)| (name.to_owned(), value)));
                    subscription
                };
                server.list(&path, "").into_iter().map(row).collect::<Vec<_>>()
            };
            of_account("coupons").into_iter().flat_map(of).collect()
        }
        "licenses" => {
            let of = |id: String| server.rows("licenses", &id);
            ids(Collection::Subscriptions).into_iter().flat_map(of).collect()
        }
        "subscription_costs" => {
            let of = |subscription: Fields| {
                let born: Timestamp = text(&subscription, "start_date").parse().unwrap();
                let path = format!("subscriptions/{}/costs", text(&subscription, "id"));
                let rows = server.costs(&path, born >= instant(START)).into_iter();
                rows.map(|row| add(row, "subscription_id", &subscription["id"])).collect::<Vec<_>>()
            };
            subscriptions().into_iter().flat_map(of).collect()
        }
        "customer_costs" => {
            let of = |id: String| {
                let rows = server.costs(&format!("customers/{id}/costs"), false).into_iter();
                rows.map(|row| add(row, "customer_id", &quoted(&id))).collect::<Vec<_>>()
            };
            ids(Collection::Customers).into_iter().flat_map(of).collect()
        }
        "license_usage" => {
            let of = |id: String| {
                let mut types: Vec<String> =
                    server.rows("licenses", &id).iter().map(|row| text(row, "license_type_id")).collect();
                types.sort();
                types.dedup();
                let usage = |license_type: &String| {
                    let days = format!("start_date={}&end_date={}", &START[..10], &END[..10]);
                    let of = format!("subscription_id={id}&license_type_id={license_type}");
                    server.list("licenses/usage", &format!("{of}&{days}&group_by=license,day"))
                };
                types.iter().flat_map(usage).collect::<Vec<_>>()
            };
            ids(Collection::Subscriptions).into_iter().flat_map(of).collect()
        }
        "event_volumes" => server.volumes(instant(START), instant(END)),
        "plan_prices" => {
            let outer = [("id", "plan_id"), ("version", "plan_version")];
            hoist(nested(&server.records(Collection::Plans), "prices", &outer), PRICE)
        }
        "plan_versions" => {
            let of = |id: String| {
                let version = |number| server.object(&format!("plans/{id}/versions/{number}"));
                let versions: Vec<_> = (1..).map_while(version).collect();
                versions.into_iter().map(move |row| add(row, "plan_id", &quoted(&id)))
            };
            ids(Collection::Plans).into_iter().flat_map(of).collect()
        }
        "plan_migrations" => {
            ids(Collection::Plans).iter().flat_map(|id| server.rows("plan_migrations", id)).collect()
        }
        "dimensional_price_group_prices" => {
            let groups = of_account("dimensional_price_groups").iter().map(|row| text(row, "id")).collect();
            hoist(owned(stream, groups, "dimensional_price_group_id"), PRICE)
        }
        "customer_alerts" => {
            let rows = owned("alerts", ids(Collection::Customers), "customer_id");
            hoist(hoist(rows, &[("subscription.id", "subscription_id")]), ALERT)
        }
        "subscription_alerts" => {
            let rows = owned("alerts", ids(Collection::Subscriptions), "subscription_id");
            hoist(hoist(rows, &[("customer.id", "customer_id")]), ALERT)
        }
        other => panic!("it is not known what {other} must return"),
    };
    sorted(rows)
}

/// The ids that are copied out of a price, an element with a price, and an alert.
const PRICE: &[(&str, &str)] = &[("item.id", "item_id"), ("billable_metric.id", "billable_metric_id")];
const PRICE_OF_ROW: &[(&str, &str)] = &[
    ("price.id", "price_id"),
    ("price.item.id", "item_id"),
    ("price.billable_metric.id", "billable_metric_id"),
];
const ALERT: &[(&str, &str)] =
    &[("plan.id", "plan_id"), ("metric.id", "billable_metric_id"), ("license_type.id", "license_type_id")];

/// What rows out of a subscription have of it.
const OF_SUBSCRIPTION: &[(&str, &str)] =
    &[("id", "subscription_id"), ("created_at", "created_at"), ("customer.id", "customer_id")];

pub(super) fn sorted(mut rows: Vec<Fields>) -> Vec<Fields> {
    rows.sort();
    rows
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A field's text without quotes.
pub(super) fn text(row: &Fields, name: &str) -> String {
    row[name].trim_matches('"').to_owned()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Adds a field, unless the server sent it.
fn add(mut row: Fields, name: &str, value: &str) -> Fields {
    if row.get(name).is_none_or(|sent| sent == "null") {
        row.insert(name.to_owned(), value.to_owned());
    }
    row
}

/// The value at a path such as `price.item.id`, or null.
fn at(row: &Fields, path: &str) -> String {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let value = row.get(name).cloned().unwrap_or_else(|| "null".to_owned());
    match rest {
        Some(rest) if value != "null" => at(&fields(&value), rest),
        _ => value,
    }
}

/// Copies values from inside the objects of each row.
fn hoist(rows: Vec<Fields>, names: &[(&str, &str)]) -> Vec<Fields> {
    let hoisted = |row: Fields| {
        names.iter().fold(row, |row, (path, name)| {
            let value = at(&row, path);
            add(row, name, &value)
        })
    };
    rows.into_iter().map(hoisted).collect()
}

/// The elements of a list.
fn list(json: &str) -> Vec<Fields> {
    let elements: Vec<Box<RawValue>> = serde_json::from_str(json).unwrap();
    elements.iter().map(|element| fields(element.get())).collect()
}

/// The elements of a list, or the only object, inside each row, with values of the row.
fn nested(rows: &[Fields], field: &str, outer: &[(&str, &str)]) -> Vec<Fields> {
    let elements = |row: &Fields| {
        let inner = match &row[field] {
            object if object.starts_with('{') => vec![fields(object)],
            null if null == "null" => Vec::new(),
            elements => list(elements),
        };
        let with =
            |element| outer.iter().fold(element, |element, (path, name)| add(element, name, &at(row, path)));
        inner.into_iter().map(with).collect::<Vec<_>>()
    };
    rows.iter().flat_map(elements).collect()
}

struct Server<'a>(&'a MockOrb);

impl Server<'_> {
    fn rows(&self, resource: &str, owner: &str) -> Vec<Fields> {
        self.0.account().rows(resource, owner).iter().map(|row| fields(row)).collect()
    }

    fn records(&self, collection: Collection) -> Vec<Fields> {
        self.0.account().records(collection).iter().map(|row| fields(row)).collect()
    }

    /// The body of a successful answer.
    fn get(&self, path_and_query: &str) -> Option<String> {
        let mut connection = TcpStream::connect(self.0.address()).unwrap();
        let head = format!(
            "GET /v1/{path_and_query} HTTP/1.1\r\nhost: orb\r\nauthorization: Bearer {DEFAULT_API_KEY}\r\n\
             connection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        head.starts_with("HTTP/1.1 200 ").then(|| body.to_owned())
    }

    fn object(&self, path_and_query: &str) -> Option<Fields> {
        self.get(path_and_query).map(|body| fields(&body))
    }

    /// The elements of all pages.
    fn list(&self, path: &str, query: &str) -> Vec<Fields> {
        let (mut elements, mut cursor) = (Vec::new(), String::new());
        loop {
            let asked = format!("{path}?{query}&limit=100{cursor}");
            let answer =
                self.object(&asked.replace("?&", "?")).unwrap_or_else(|| panic!("{asked} is refused"));
            elements.extend(list(&answer["data"]));
            match at(&answer, "pagination_metadata.next_cursor") {
                null if null == "null" => return elements,
                next => {
                    let token = next.trim_matches('"').replace('+', "%2B");
                    cursor = format!("&cursor={token}");
                }
            }
        }
    }

    /// The blocks in Orb's default currency.
    fn credit_blocks(&self) -> Vec<Fields> {
        let of = |id: String| {
            let rows = self.list(&format!("customers/{id}/credits"), "include_all_blocks=true");
            rows.into_iter()
                .map(move |row| add(add(row, "customer_id", &quoted(&id)), "currency", "\"credits\""))
        };
        let customers = self.0.account().customer_ids();
        customers.into_iter().flat_map(of).collect()
    }

    /// The costs of each price on each day. A day that begins before the range is a row only if
    /// `is_born` in the range.
    fn costs(&self, path: &str, is_born: bool) -> Vec<Fields> {
        let mut days = BTreeMap::new();
        for (start, end) in [("2023-12-30T00:00:00Z", "2024-07-02T00:00:00Z"), ("2024-06-29T00:00:00Z", END)]
        {
            let timeframe = format!("timeframe_start={start}&timeframe_end={end}");
            let answer = self.object(&format!("{path}?view_mode=periodic&{timeframe}")).unwrap();
            for day in list(&answer["data"]) {
                days.insert(instant(&text(&day, "timeframe_start")), day);
            }
        }
        let is_kept = |at: &Timestamp| (is_born || *at >= instant(START)) && *at < instant(END);
        let rows = days.iter().filter(|(at, _)| is_kept(at)).flat_map(|(_, day)| {
            let outer = [("timeframe_start", "timeframe_start"), ("timeframe_end", "timeframe_end")];
            nested(std::slice::from_ref(day), "per_price_costs", &outer)
        });
        let row = |row: Fields| {
            let names = [("price.name", "price_name"), ("price.currency", "price_currency")];
            let mut row = hoist(hoist(vec![row], &names), &PRICE_OF_ROW[1..]).remove(0);
            row.remove("price");
            row.insert("currency".to_owned(), "null".to_owned());
            row
        };
        rows.map(row).collect()
    }

    /// The events of each hour, requested day by day.
    fn volumes(&self, mut start: Timestamp, end: Timestamp) -> Vec<Fields> {
        let mut hours = Vec::new();
        while start < end {
            let next = end.min(start + 24 * HOUR);
            let timeframe = format!("timeframe_start={start}&timeframe_end={next}&limit=100");
            hours.extend(list(&self.object(&format!("events/volume?{timeframe}")).unwrap()["data"]));
            start = next;
        }
        hours
    }
}
