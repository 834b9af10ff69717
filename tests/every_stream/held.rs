//! Derives what each stream must return from what the server holds, independently of the connector.
//!
//! Lists are taken from the emulator's library. What the emulator computes, such as costs, is
//! requested from it as plainly as possible: whole, and one object after the other.

use mock_orb::{Collection, MockOrb, Timestamp};

pub(super) use super::{
    rows::{Fields, instant, sorted, text},
    server::{END, START},
};
use super::{
    rows::{PRICE_OF_ROW, add, at, hoist, list, nested, quoted},
    server::Server,
};
use crate::support::shape;

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

/// The ids that are copied out of a price, and out of an alert.
const PRICE: &[(&str, &str)] = &[("item.id", "item_id"), ("billable_metric.id", "billable_metric_id")];
const ALERT: &[(&str, &str)] =
    &[("plan.id", "plan_id"), ("metric.id", "billable_metric_id"), ("license_type.id", "license_type_id")];

/// What rows out of a subscription have of it.
const OF_SUBSCRIPTION: &[(&str, &str)] =
    &[("id", "subscription_id"), ("created_at", "created_at"), ("customer.id", "customer_id")];
