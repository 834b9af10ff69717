//! Generates documented `SubscriptionChangeListResponse` objects: changes that are pending, applied
//! or cancelled.

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::facet::Facet;
use crate::field::{lookup, without};
use crate::instant::Spelling;
use crate::object::write_object;
use crate::owner::{OwnedBy, Owner};
use crate::parameter::{CURSOR, LIMIT, Parameters, Rule, parameter};
use crate::record::{customer, subscription};
use crate::resource::{Answer, List, Resource};
use crate::timeline::later;

pub(crate) static RESOURCE: Resource = Resource {
    name: "subscription_changes",
    path: "subscription_changes",
    owner: OwnedBy::Account,
    parameters: Parameters {
        table: &[
            LIMIT,
            CURSOR,
            parameter("customer_id", Rule::Text(Facet::CustomerId)),
            parameter("external_customer_id", Rule::Text(Facet::ExternalCustomerId)),
            parameter("status", Rule::Word(Facet::Status, &STATUSES)),
        ],
        maximum_limit: 100,
        // "Returns a list of pending subscription changes."
        default_statuses: Some(&["pending"]),
    },
    answer: Answer::List(List {
        count: |blueprint, _| count(blueprint),
        date: |blueprint, _, index| blueprint.timeline.at(index, count(blueprint)),
        id: |blueprint, _, index| blueprint.dice.id(Salt::Change, index),
        write: |blueprint, _, index, at, out| write(blueprint, index, at, out),
        unrecorded: Some(|blueprint, _, index, facet| {
            let customer = subscription::customer_index(blueprint, changed(index));
            match facet {
                Facet::CustomerId => Some(blueprint.id(Collection::Customers, customer)),
                Facet::ExternalCustomerId => customer::external_id(customer),
                _ => None,
            }
        }),
        ..List::EMPTY
    }),
};

const STATUSES: [&str; 3] = ["pending", "applied", "cancelled"];

fn count(blueprint: &Blueprint) -> u64 {
    blueprint.count(Collection::Subscriptions).div_ceil(2)
}

/// The subscription that a change is about.
fn changed(index: u64) -> u64 {
    index * 2
}

/// Writes a single change, `SubscriptionChangeResponse`, which tells more than the list does.
pub(crate) fn detail(account: &Account, id: &str) -> Option<String> {
    let row = account.row(&RESOURCE, &Owner::account(), id)?;
    let index = account.blueprint.dice.index_of(Salt::Change, id).unwrap_or(0);
    let subscription = lookup(&row, &["subscription_id"]);
    let subscription = subscription.and_then(|id| account.record(Collection::Subscriptions, &id));
    let mut text = without(&row, &["subscription_id"]);
    text.truncate(text.trim_end().trim_end_matches('}').len());
    let mut rest = String::new();
    write_object(&mut rest, |change| {
        change.raw("subscription", subscription.as_deref().unwrap_or("null"));
        change.text("change_type", if index.is_multiple_of(2) { "plan_change" } else { "cancellation" });
        match index % 3 {
            0 => {}
            1 => {
                change.nulls(&["effective_date", "change_option", "plan_id", "billing_cycle_alignment"]);
            }
            _ => {
                let at = account.settings().last;
                change.instant("effective_date", at, Spelling::Zulu).text("change_option", "immediate");
                let plan = subscription.as_deref().and_then(|text| lookup(text, &["plan", "id"]));
                change.optional_text("plan_id", Some(plan.as_deref().unwrap_or("0042")));
                change.text("billing_cycle_alignment", "unchanged");
            }
        }
    });
    text.push(',');
    text.push_str(rest.strip_prefix('{')?);
    Some(text)
}

fn write(blueprint: &Blueprint, index: u64, at: Timestamp, out: &mut String) {
    let status = STATUSES[index as usize % STATUSES.len()];
    let done = later(at, SignedDuration::from_mins(7)).min(blueprint.timeline.last());
    write_object(out, |change| {
        change.text("id", &blueprint.dice.id(Salt::Change, index)).text("status", status);
        change.instant("expiration_time", later(at, SignedDuration::from_hours(24)), Spelling::Offset);
        // Null for a subscription that the change would create.
        let exists = status != "pending" || !index.is_multiple_of(2);
        let id = exists.then(|| blueprint.id(Collection::Subscriptions, changed(index)));
        change.optional_text("subscription_id", id.as_deref());
        match (status, index % 2) {
            ("pending", 0) => {}
            ("applied", 0) => {
                change.instant("applied_at", done, Spelling::Offset);
            }
            _ => {
                change.optional_instant("applied_at", (status == "applied").then_some(done));
                change.optional_instant("cancelled_at", (status == "cancelled").then_some(done));
            }
        }
    });
}
