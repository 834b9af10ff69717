//! Finds objects whose state allows an action.

use crate::account::Account;
use crate::blueprint::Origin;
use crate::collection::Collection;
use crate::facet::Facet;
use crate::field::lookup;
use crate::owner::Owner;
use crate::record::{alert, event_backfill};
use crate::resource::{Answer, Resource};
use crate::shelf::{Key, Row};

/// What an action applies to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// The account itself.
    Account,
    /// A customer that is not deleted.
    Customer,
    /// The stub of a deleted customer.
    DeletedCustomer,
    /// A subscription in one of these states, or in any if there are none.
    Subscription(&'static [&'static str]),
    Plan,
    /// An invoice in one of these states, or in any if there are none.
    Invoice(&'static [&'static str]),
    /// A record of an account-wide list that meets a condition.
    Row(&'static str, fn(&Account, &str) -> bool),
    /// An enabled alert of a subscription.
    Alert,
    /// A customer to backfill, or `all` of them.
    Backfilled,
}

impl Target {
    /// The name in errors.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Target::Account => "Account",
            Target::Customer | Target::DeletedCustomer | Target::Backfilled => "Customer",
            Target::Subscription(_) => "Subscription",
            Target::Plan => "Plan",
            Target::Invoice(_) => "Invoice",
            Target::Row(name, _) => name,
            Target::Alert => "Alert",
        }
    }

    /// The collection that has the targets, and their states.
    fn collection(self) -> Option<(Collection, &'static [&'static str])> {
        match self {
            Target::Customer | Target::DeletedCustomer | Target::Backfilled => {
                Some((Collection::Customers, &[]))
            }
            Target::Subscription(statuses) => Some((Collection::Subscriptions, statuses)),
            Target::Plan => Some((Collection::Plans, &[])),
            Target::Invoice(statuses) => Some((Collection::Invoices, statuses)),
            Target::Account | Target::Row(..) | Target::Alert => None,
        }
    }
}

/// Stands for all customers of a backfill.
pub(super) const ALL_CUSTOMERS: &str = "all";

impl Account {
    /// Whether an object exists and allows an action; if not, why. There is no reason if it does
    /// not exist.
    pub(super) fn check_target(&self, target: Target, id: &str) -> Result<(), Option<String>> {
        if let Some((collection, _)) = target.collection() {
            if matches!(target, Target::Backfilled) && id == ALL_CUSTOMERS {
                return Ok(());
            }
            let (key, row) = self.shelf(collection).find(id).ok_or(None)?;
            return match self.allows(target, key, row) {
                true => Ok(()),
                false => {
                    let text = self.text(Origin::Collection(collection), key, row);
                    let status = lookup(&text, &["status"]);
                    let deleted = if row.is_stub() { "deleted" } else { "not deleted" };
                    Err(Some(format!("it is {}", status.as_deref().unwrap_or(deleted))))
                }
            };
        }
        match target {
            Target::Row(name, allowed) => {
                let text = self.listed(name, id).ok_or(None)?;
                if allowed(self, &text) {
                    Ok(())
                } else {
                    Err(Some("its state does not allow it".to_owned()))
                }
            }
            Target::Alert => {
                let (owner, text) = self.alert(id).ok_or(None)?;
                let allowed = is_disableable(&owner.id, &text);
                if allowed { Ok(()) } else { Err(Some("it is disabled, or not a subscription's".to_owned())) }
            }
            _ => Ok(()),
        }
    }

    /// An object that allows an action, chosen by a number.
    pub(super) fn choose_target(&self, target: Target, number: u64) -> Option<String> {
        if let Some((collection, _)) = target.collection() {
            if matches!(target, Target::Backfilled) && number.is_multiple_of(5) {
                return Some(ALL_CUSTOMERS.to_owned());
            }
            let shelf = self.shelf(collection);
            let all: Vec<(Key, &Row)> =
                shelf.all().filter(|(key, row)| self.allows(target, *key, row)).collect();
            return match pick(&all, number)?.1 {
                Row::Generated(index) => Some(self.blueprint.id(collection, *index)),
                Row::Written(text) => lookup(text, &["id"]),
            };
        }
        match target {
            Target::Row(name, allowed) => {
                let rows = self.rows(name, "");
                let rows: Vec<&String> = rows.iter().filter(|text| allowed(self, text)).collect();
                lookup(pick(&rows, number)?, &["id"])
            }
            Target::Alert => {
                let subscriptions = self.ids(Collection::Subscriptions);
                let first = number as usize % subscriptions.len().max(1);
                let mut around = subscriptions.iter().cycle().skip(first).take(subscriptions.len());
                around.find_map(|id| {
                    let alerts = self.rows(alert::RESOURCE.name, id);
                    let alert = alerts.iter().find(|alert| is_disableable(id, alert))?;
                    lookup(alert, &["id"])
                })
            }
            _ => Some(String::new()),
        }
    }

    /// A record of an account-wide list.
    pub(super) fn listed(&self, name: &str, id: &str) -> Option<String> {
        let resource = Resource::named(name).filter(|it| matches!(it.answer, Answer::List(_)))?;
        self.row(resource, &Owner::account(), id)
    }

    /// The row of a backfill.
    pub(super) fn backfill(&self, id: &str) -> Option<String> {
        self.listed(event_backfill::RESOURCE.name, id)
    }

    fn allows(&self, target: Target, key: Key, row: &Row) -> bool {
        match target {
            Target::Customer | Target::Backfilled => !row.is_stub(),
            Target::DeletedCustomer => row.is_stub(),
            _ => {
                let Some((collection, statuses)) = target.collection() else { return false };
                let status = match row {
                    Row::Written(text) => Facet::Status.read(text),
                    Row::Generated(index) => {
                        let origin = Origin::Collection(collection);
                        self.blueprint.facet(origin, *index, key.at, Facet::Status)
                    }
                };
                statuses.is_empty() || status.is_some_and(|status| statuses.contains(&status.as_str()))
            }
        }
    }
}

/// Whether an alert is enabled and the subscription's own, not its plan's.
fn is_disableable(subscription: &str, alert: &str) -> bool {
    lookup(alert, &["enabled"]).as_deref() == Some("true")
        && lookup(alert, &["subscription", "id"]).as_deref() == Some(subscription)
}

fn pick<T>(all: &[T], number: u64) -> Option<&T> {
    all.get(number as usize % all.len().max(1))
}
