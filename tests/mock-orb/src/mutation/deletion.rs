//! What is deleted. Orb documents no event for any deletion.

use super::{Change, Outcome};
use crate::account::Account;
use crate::blueprint::Origin;
use crate::collection::Collection;
use crate::costs::subscriptions_of;
use crate::edit::RecordError;
use crate::facet::Facet;
use crate::field::lookup;
use crate::shelf::{Key, Row};
use crate::webhook_log::Event;

pub(super) fn delete_invoice(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let event = account.event_of("invoice.edited", Collection::Invoices, change.id);
    account.remove(Collection::Invoices, change.id);
    Ok(told(account, vec![event]).into())
}

pub(super) fn delete_customer(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    let mut events = Vec::new();
    for id in subscriptions_of(account, change.id) {
        events.push(account.event_of("subscription.ended", Collection::Subscriptions, &id));
        account.remove(Collection::Subscriptions, &id);
    }
    for id in drafts_of(account, change.id) {
        events.push(account.event_of("invoice.edited", Collection::Invoices, &id));
        account.remove(Collection::Invoices, &id);
    }
    account.begin_customer_deletion(change.id)?;
    events.push(account.event_of("customer.edited", Collection::Customers, change.id));
    Ok(told(account, events).into())
}

pub(super) fn erase_customer(account: &mut Account, change: &Change<'_>) -> Result<Outcome, RecordError> {
    account.remove(Collection::Customers, change.id);
    Ok(Outcome::default())
}

fn told(account: &Account, events: Vec<Event>) -> Vec<Event> {
    if account.mutation_options.silent_deletions { Vec::new() } else { events }
}

fn drafts_of(account: &Account, customer_id: &str) -> Vec<String> {
    let is = |(key, row): &(Key, &Row), facet: Facet, wanted: &str| {
        let value = match row {
            Row::Written(text) => facet.read(text),
            Row::Generated(index) => {
                account.blueprint.facet(Origin::Collection(Collection::Invoices), *index, key.at, facet)
            }
        };
        value.as_deref() == Some(wanted)
    };
    let all = account.shelf(Collection::Invoices).all();
    let drafts = all.filter(|it| is(it, Facet::Status, "draft") && is(it, Facet::CustomerId, customer_id));
    drafts
        .filter_map(|(_, row)| match row {
            Row::Written(text) => lookup(text, &["id"]),
            Row::Generated(index) => Some(account.blueprint.id(Collection::Invoices, *index)),
        })
        .collect()
}
