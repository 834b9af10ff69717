//! Serves single records of resources by their identifier: the same text that their lists have.

use crate::account::Account;
use crate::collection::Collection;
use crate::dice::Salt;
use crate::field::{items, lookup};
use crate::owner::{Kind, Owner};
use crate::record::{
    alert, billable_metric, coupon, credit_block, credit_note, event_backfill, item, license, license_type,
    plan_migration, price, price_group, price_list, subscription_change, webhook,
};
use crate::resource::{Answer, Resource};

/// One endpoint: a `GET` path whose last segment is the identifier of a record.
#[derive(Debug)]
pub(crate) struct Single {
    /// The resource whose lists have the record. It is available if and only if they are.
    pub(crate) list: &'static Resource,
    /// The path below the version.
    path: &'static str,
    /// The name in Orb's error messages.
    pub(crate) name: &'static str,
    find: Find,
}

/// How to find the record.
#[derive(Debug)]
enum Find {
    /// In the one list of the account.
    Listed,
    /// By the segments that the request chose; the last is the identifier.
    By(fn(&Account, &[String]) -> Option<String>),
}

impl Single {
    /// The endpoint that a path below the version selects, and the segments that it chooses.
    pub(crate) fn parse(path: &[&str]) -> Option<(&'static Single, Vec<String>)> {
        SINGLES.iter().find_map(|single| Some((single, Resource::chosen(single.path, path)?)))
    }

    /// The text of the record; `None` if it does not exist.
    pub(crate) fn find(&self, account: &Account, segments: &[String]) -> Option<String> {
        match self.find {
            Find::Listed => account.row(self.list, &Owner::account(), segments.last()?),
            Find::By(find) => find(account, segments),
        }
    }
}

impl PartialEq for Single {
    fn eq(&self, other: &Single) -> bool {
        self.path == other.path
    }
}

impl Eq for Single {}

/// All but those of customers, plans, subscriptions and invoices.
static SINGLES: &[Single] = &[
    listed(&item::RESOURCE, "items/{}", "Item"),
    listed(&billable_metric::RESOURCE, "metrics/{}", "BillableMetric"),
    found(&price_list::RESOURCE, "prices/{}", "Price", |account, segments| price(account, &segments[0])),
    listed(&coupon::RESOURCE, "coupons/{}", "Coupon"),
    listed(&credit_note::RESOURCE, "credit_notes/{}", "CreditNote"),
    listed(&price_group::RESOURCE, "dimensional_price_groups/{}", "DimensionalPriceGroup"),
    listed(&license_type::RESOURCE, "license_types/{}", "LicenseType"),
    found(&license::RESOURCE, "licenses/{}", "License", |account, segments| {
        let owner = |index: u64| account.blueprint.id(Collection::Subscriptions, index >> 32);
        let index = account.blueprint.dice.index_of(Salt::License, &segments[0]);
        Some(account.owned_row(&license::RESOURCE, &segments[0], index.map(owner))?.1)
    }),
    listed(&event_backfill::RESOURCE, "events/backfills/{}", "Backfill"),
    found(&alert::RESOURCE, "alerts/{}", "Alert", |account, segments| Some(account.alert(&segments[0])?.1)),
    found(&plan_migration::RESOURCE, "plans/{}/migrations/{}", "PlanVersionChange", |account, segments| {
        let plan = account.owner(Kind::Plan, &segments[0])?;
        account.row(&plan_migration::RESOURCE, &plan, &segments[1])
    }),
    found(&credit_block::RESOURCE, "credit_blocks/{}", "CreditBlock", |account, segments| {
        credit_block::text(account, &account.owner(Kind::CreditBlock, &segments[0])?)
    }),
    found(&subscription_change::RESOURCE, "subscription_changes/{}", "SubscriptionChange", |account, id| {
        subscription_change::detail(account, &id[0])
    }),
    // Known to newer clients, but absent from the published document.
    listed(&webhook::ENDPOINTS, "webhook_endpoints/{}", "WebhookEndpoint"),
    // Known only to Orb's documentation.
    listed(&webhook::EVENTS, "webhook_events/{}", "WebhookEvent"),
];

const fn listed(list: &'static Resource, path: &'static str, name: &'static str) -> Single {
    Single { list, path, name, find: Find::Listed }
}

const fn found(
    list: &'static Resource,
    path: &'static str,
    name: &'static str,
    find: fn(&Account, &[String]) -> Option<String>,
) -> Single {
    Single { list, path, name, find: Find::By(find) }
}

/// An add-on price, or a price of a plan or of a group.
fn price(account: &Account, id: &str) -> Option<String> {
    let blueprint = &account.blueprint;
    let of_plan = || {
        let plan = blueprint.dice.index_of(Salt::Price, id)? / price::SLOTS;
        let plan = account.record(Collection::Plans, &blueprint.id(Collection::Plans, plan))?;
        let prices = items(&plan, &["prices"]).into_iter();
        prices.filter(|price| lookup(price, &["id"]).as_deref() == Some(id)).map(str::to_owned).next()
    };
    let of_group = || {
        let groups = account.rows(price_group::RESOURCE.name, "");
        groups.iter().find_map(|group| {
            let group = account.owner(Kind::PriceGroup, &lookup(group, &["id"])?)?;
            account.row(&price_group::PRICES, &group, id)
        })
    };
    account.row(&price_list::RESOURCE, &Owner::account(), id).or_else(of_plan).or_else(of_group)
}

impl Account {
    /// The text of one record of a resource; `None` if the owner has none with this identifier.
    pub(crate) fn row(&self, resource: &Resource, owner: &Owner, id: &str) -> Option<String> {
        let Answer::List(list) = &resource.answer else { return None };
        if let Some(shelf) = self.lists.get(&(resource.name.to_owned(), owner.id.clone())) {
            let (key, row) = shelf.find(id)?;
            return Some(self.row_text(list, owner, key, row));
        }
        owner.index?;
        let mut all = 0..(list.count)(&self.blueprint, owner);
        let index = all.find(|index| (list.id)(&self.blueprint, owner, *index) == id)?;
        let mut text = String::new();
        (list.write)(&self.blueprint, owner, index, (list.date)(&self.blueprint, owner, index), &mut text);
        Some(text)
    }

    /// A record of a resource that is listed by owner, and that owner: one whose list has been
    /// changed, or the one from which a generated record derives.
    fn owned_row(&self, resource: &Resource, id: &str, generated: Option<String>) -> Option<(Owner, String)> {
        let changed = self.lists.iter().filter(|((name, _), _)| name == resource.name);
        let changed = changed.filter(|(_, shelf)| shelf.find(id).is_some()).map(|((_, owner), _)| owner);
        // The first of several, because the order of changed lists is random.
        changed.min().cloned().into_iter().chain(generated).find_map(|owner| {
            let owner = self.owner_of_list(resource, &owner)?;
            let text = self.row(resource, &owner, id)?;
            Some((owner, text))
        })
    }

    /// An alert, and a customer or subscription that lists it.
    pub(crate) fn alert(&self, id: &str) -> Option<(Owner, String)> {
        let generated = alert::owner_of(self, id);
        self.owned_row(&alert::RESOURCE, id, generated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_has_the_path_of_a_single_record() {
        for single in SINGLES {
            let path: Vec<&str> = single.path.split('/').collect();
            let taken = crate::resource::RESOURCES.iter().find(|list| list.matches(&path).is_some());
            assert_eq!(taken.map(|list| list.name), None, "{}", single.path);
            assert!(single.path.ends_with("/{}"));
        }
    }
}
