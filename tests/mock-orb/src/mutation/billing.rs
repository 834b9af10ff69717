//! What happens to customers and their subscriptions.

use jiff::Timestamp;

use super::edited::{Edited, pair, previous};
use super::{Change, Outcome};
use crate::account::Account;
use crate::collection::Collection;
use crate::costs::subscriptions_of;
use crate::dice::Salt;
use crate::edit::RecordError;
use crate::field::{items, lookup};
use crate::instant::{Spelling, midnight, utc_date};
use crate::object::{Object, write_object};
use crate::record::{alert, schedule, subscription};
use crate::webhook_log::Subject;

const CUSTOMERS: Collection = Collection::Customers;
const SUBSCRIPTIONS: Collection = Collection::Subscriptions;

/// How many of a plan's prices a subscription gets, as generated ones have.
const PRICES: usize = 2;

pub(super) fn create_customer(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let id = account.create_customer(change.at);
    let event = account.event_of("customer.created", CUSTOMERS, &id);
    Ok(Outcome { events: vec![event], id: Some(id) })
}

pub(super) fn edit_customer(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut customer = account.edited(CUSTOMERS, change.id)?;
    let properties = previous(&customer, &["name", "metadata"]);
    customer.text("name", &format!("Édité №{}", change.number));
    customer.set("metadata", &pair("edit", &change.number.to_string()));
    let text = customer.0.clone();
    account.store(CUSTOMERS, change.id, customer)?;
    if account.mutation_options.refresh_embedded {
        for id in subscriptions_of(account, change.id) {
            account.set_field(SUBSCRIPTIONS, &id, "customer", &text)?;
        }
    }
    Ok(vec![account.event_of("customer.edited", CUSTOMERS, change.id).with(properties)].into())
}

pub(super) fn create_subscription(
    account: &mut Account,
    change: &Change<'_>,
) -> Result<Outcome, RecordError> {
    // One that has ended would have ended before it began.
    while subscription::status(account.next_index) == "ended" {
        account.next_index += 1;
    }
    let id = account.create_subscription_for(change.id, change.at)?;
    let event = account.event_of("subscription.created", SUBSCRIPTIONS, &id);
    Ok(Outcome { events: vec![event], id: Some(id) })
}

pub(super) fn edit_subscription(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut subscription = account.edited(SUBSCRIPTIONS, change.id)?;
    let properties = previous(&subscription, &["metadata", "net_terms"]);
    subscription.set("metadata", &pair("edit", &change.number.to_string()));
    subscription.set("net_terms", &(change.number % 90).to_string());
    account.store(SUBSCRIPTIONS, change.id, subscription)?;
    Ok(vec![account.event_of("subscription.edited", SUBSCRIPTIONS, change.id).with(properties)].into())
}

pub(super) fn end_subscription(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut subscription = account.edited(SUBSCRIPTIONS, change.id)?;
    let start = subscription.get(&["start_date"]).and_then(|text| text.parse().ok());
    // One that never began ends when it would have begun.
    let end = start.map_or(change.at, |start| change.at.max(start));
    subscription.text("status", "ended").instant("end_date", end);
    subscription.nulls(&["current_billing_period_start_date", "current_billing_period_end_date"]);
    let intervals: Vec<String> = ended(&subscription, end);
    subscription.set("price_intervals", &format!("[{}]", intervals.join(",")));
    account.store(SUBSCRIPTIONS, change.id, subscription)?;
    Ok(vec![account.event_of("subscription.ended", SUBSCRIPTIONS, change.id)].into())
}

pub(super) fn renew_subscription(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    const PERIOD: [&str; 2] = ["current_billing_period_start_date", "current_billing_period_end_date"];
    let mut subscription = account.edited(SUBSCRIPTIONS, change.id)?;
    let end = subscription.get(&PERIOD[1..]).and_then(|text| text.parse::<Timestamp>().ok());
    let end = end.ok_or_else(|| change.refused("renew_subscription", "it has no billing period"))?;
    // All billing periods are calendar months in UTC.
    let next = utc_date(end).last_of_month().tomorrow();
    let next = next.map_err(|_| change.refused("renew_subscription", "time ends"))?;
    subscription.instant(PERIOD[0], end).instant(PERIOD[1], midnight(next));
    account.store(SUBSCRIPTIONS, change.id, subscription)?;
    Ok(Outcome::default())
}

pub(super) fn change_plan(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut subscription = account.edited(SUBSCRIPTIONS, change.id)?;
    let old = subscription.get(&["plan", "id"]);
    let others: Vec<String> =
        account.ids(Collection::Plans).into_iter().filter(|id| Some(id) != old.as_ref()).collect();
    let id = match change.value {
        Some(id) => id.to_owned(),
        None => {
            let other = others.get(change.pick(others.len() as u64) as usize).cloned();
            other.ok_or_else(|| change.refused("change_plan", "there is no other plan"))?
        }
    };
    let plan = account.edited(Collection::Plans, &id)?;
    let before = subscription.0.clone();
    let intervals = items(&before, &["price_intervals"]);
    let model = intervals.first().map(|interval| Edited((*interval).to_owned()));
    let mut intervals = ended(&subscription, change.at);
    for (slot, price) in items(&plan.0, &["prices"]).into_iter().take(PRICES).enumerate() {
        let Some(mut interval) = model.clone() else { continue };
        let number = change.fresh() * PRICES as u64 + slot as u64;
        interval.text("id", &account.blueprint.dice.id(Salt::Interval, number));
        interval.instant("start_date", change.at).nulls(&["end_date", "fixed_fee_quantity_transitions"]);
        interval.set("price", price);
        intervals.push(interval.0);
    }
    subscription.set("plan", &plan.0).set("name", plan.json(&["name"]));
    subscription.set("price_intervals", &format!("[{}]", intervals.join(",")));
    subscription.set("active_plan_phase_order", "null");
    account.repriced.entry(change.id.to_owned()).or_insert(before);
    account.store(SUBSCRIPTIONS, change.id, subscription)?;
    schedule_plan(account, change, &plan)?;
    let properties = pair("previous_plan_id", old.as_deref().unwrap_or_default());
    Ok(vec![account.event_of("subscription.plan_changed", SUBSCRIPTIONS, change.id).with(properties)].into())
}

pub(super) fn disable_alert(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let unknown = || RecordError::Unknown { resource: "Alert", id: change.id.to_owned() };
    let (owner, text) = account.alert(change.id).ok_or_else(unknown)?;
    account.set_row_field(alert::RESOURCE.name, &owner.id, change.id, "enabled", "false")?;
    let mut alert = Edited(text);
    alert.set("enabled", "false");
    let mut properties = String::new();
    write_object(&mut properties, |object| {
        object.text("reason", "user").raw("alert_configuration", &alert.0);
    });
    let event = account.event_of("subscription.alert_disabled", SUBSCRIPTIONS, &owner.id);
    debug_assert!(matches!(event.subject, Subject::Subscription(_)));
    Ok(vec![event.with(properties)].into())
}

/// The price intervals of a subscription, of which none lasts beyond an instant.
fn ended(subscription: &Edited, end: Timestamp) -> Vec<String> {
    let intervals = items(&subscription.0, &["price_intervals"]).into_iter();
    intervals
        .map(|interval| {
            let mut interval = Edited(interval.to_owned());
            if interval.get(&["end_date"]).is_none() {
                interval.instant("end_date", end);
            }
            interval.nulls(&["current_billing_period_start_date", "current_billing_period_end_date"]);
            interval.0
        })
        .collect()
}

/// Notes in a subscription's schedule that it has another plan from now on.
fn schedule_plan(account: &mut Account, change: &Change<'_>, plan: &Edited) -> Result<(), RecordError> {
    let name = schedule::RESOURCE.name;
    let rows = account.rows(name, change.id);
    let open = rows.iter().find(|row| lookup(row, &["end_date"]).is_none());
    if let Some(start) = open.and_then(|row| lookup(row, &["start_date"])) {
        account.set_row_field(name, change.id, &start, "end_date", &super::edited::spelled(change.at))?;
    }
    let mut row = String::new();
    write_object(&mut row, |item| {
        item.instant("start_date", change.at, Spelling::Offset).raw("end_date", "null");
        item.instant("created_at", change.at, Spelling::Zulu);
        item.object("plan", |minified: &mut Object<'_>| {
            for field in ["id", "external_plan_id", "name"] {
                minified.raw(field, plan.json(&[field]));
            }
        });
    });
    account.insert_row(name, change.id, change.at, row)?;
    Ok(())
}
