//! What happens to plans, prices, metrics, items and coupons.

use super::edited::{Edited, pair, previous, quoted, spelled};
use super::{Change, Outcome};
use crate::account::Account;
use crate::blueprint::Origin;
use crate::collection::Collection;
use crate::edit::RecordError;
use crate::facet::Facet;
use crate::object::write_object;
use crate::record::{billable_metric, coupon, item, price_list};
use crate::shelf::{Key, Row};
use crate::webhook_log::{Event, Subject};

const PLANS: Collection = Collection::Plans;

pub(super) fn edit_plan(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut plan = account.edited(PLANS, change.id)?;
    let properties = previous(&plan, &["description", "metadata"]);
    plan.text("description", &format!("Edited №{}", change.number));
    plan.set("metadata", &pair("edit", &change.number.to_string()));
    store_plan(account, change.id, plan)?;
    Ok(vec![account.event_of("plan.edited", PLANS, change.id).with(properties)].into())
}

pub(super) fn add_plan_version(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut plan = account.edited(PLANS, change.id)?;
    let old = plan.get(&["version"]).and_then(|version| version.parse::<u64>().ok()).unwrap_or(1);
    let new = old + 1;
    plan.set("version", &new.to_string());
    store_plan(account, change.id, plan)?;
    let mut created = String::new();
    write_object(&mut created, |properties| {
        properties.number("plan_version_number", new).raw("plan_version_description", "null");
    });
    let mut set = String::new();
    write_object(&mut set, |properties| {
        properties.number("new_default_version_number", new);
        properties.number("previous_default_version_number", old);
    });
    let event = |kind| account.event_of(kind, PLANS, change.id);
    Ok(vec![event("plan.version_created").with(created), event("plan.default_version_set").with(set)].into())
}

pub(super) fn edit_price(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let metadata = pair("edit", &change.number.to_string());
    edit_row(
        account,
        change,
        price_list::RESOURCE.name,
        "metadata",
        &metadata,
        Some(("price.edited", "price")),
    )
}

pub(super) fn edit_metric(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let metadata = pair("edit", &change.number.to_string());
    let event = ("billable_metric.edited", "billable_metric");
    edit_row(account, change, billable_metric::RESOURCE.name, "metadata", &metadata, Some(event))
}

pub(super) fn edit_item(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let name = quoted(&format!("Edited №{}", change.number));
    edit_row(account, change, item::RESOURCE.name, "name", &name, None)
}

pub(super) fn archive_coupon(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    edit_row(account, change, coupon::RESOURCE.name, "archived_at", &spelled(change.at), None)
}

/// Sets a field of a listed record, and logs an event of a type about an object with a name.
fn edit_row(
    account: &mut Account,
    change: &Change<'_>,
    resource: &'static str,
    field: &str,
    json: &str,
    event: Option<(&'static str, &'static str)>,
) -> Result<Outcome, RecordError> {
    let unknown = || RecordError::Unknown { resource, id: change.id.to_owned() };
    let mut row = Edited(account.listed(resource, change.id).ok_or_else(unknown)?);
    let properties = previous(&row, &[field]);
    account.set_row_field(resource, "", change.id, field, json)?;
    row.set(field, json);
    let event = event.map(|(kind, name)| Event::new(kind, Subject::Other(name, row.0)).with(properties));
    Ok(event.into_iter().collect::<Vec<_>>().into())
}

fn store_plan(account: &mut Account, id: &str, plan: Edited) -> Result<(), RecordError> {
    let text = plan.0.clone();
    account.store(PLANS, id, plan)?;
    if account.mutation_options.refresh_embedded {
        for subscription in subscriptions_with(account, id) {
            account.set_field(Collection::Subscriptions, &subscription, "plan", &text)?;
        }
    }
    Ok(())
}

/// The subscriptions with a plan.
fn subscriptions_with(account: &Account, plan: &str) -> Vec<String> {
    let origin = Origin::Collection(Collection::Subscriptions);
    let has_plan = |(key, row): &(Key, &Row)| {
        let value = match row {
            Row::Written(text) => Facet::PlanId.read(text),
            Row::Generated(index) => account.blueprint.facet(origin, *index, key.at, Facet::PlanId),
        };
        value.as_deref() == Some(plan)
    };
    let found = account.shelf(Collection::Subscriptions).all().filter(has_plan);
    found
        .filter_map(|(_, row)| match row {
            Row::Written(text) => crate::field::lookup(text, &["id"]),
            Row::Generated(index) => Some(account.blueprint.id(Collection::Subscriptions, *index)),
        })
        .collect()
}
