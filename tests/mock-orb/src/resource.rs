//! Describes the resources beyond the first six: a row of [`RESOURCES`] and a record file each.

use jiff::Timestamp;

use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::collection::Collection;
use crate::facet::Facet;
use crate::filter::Filter;
use crate::owner::{OwnedBy, Owner};
use crate::parameter::Parameters;
use crate::problem::Problem;
use crate::record::{
    alert, balance_transaction, billable_metric, coupon, credit_block, credit_note, event_backfill, item,
    license, license_type, plan_migration, price_group, price_list, schedule, subscription_change, summary,
    top_up, webhook,
};
use crate::shelf::Row;
use crate::{costs, event_volume, license_usage, plan_version, upcoming_invoice};

/// One endpoint: a `GET` path with its parameters and its answer.
#[derive(Debug)]
pub(crate) struct Resource {
    /// The name by which tests and options refer to it.
    pub(crate) name: &'static str,
    /// The path below the version. Each `{}` is a segment that the request chooses; the first is
    /// the identifier of the owner.
    pub(crate) path: &'static str,
    pub(crate) owner: OwnedBy,
    pub(crate) parameters: Parameters,
    pub(crate) answer: Answer,
}

/// How a resource answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Pages of generated records, which can be changed.
    List(List),
    /// Pages of a collection's records in another form.
    View(View),
    /// Anything else.
    Body(fn(&Call<'_>) -> Result<String, Problem>),
}

/// Whether a record is left out at an instant.
type IsHidden = fn(&str, Timestamp) -> bool;

/// A value of a generated record that the record does not show.
type Unrecorded = fn(&Blueprint, &Owner, u64, Facet) -> Option<String>;

/// A list of records, each a function of the account's blueprint, its owner and its index.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) count: fn(&Blueprint, &Owner) -> u64,
    /// What orders the list, newest first.
    pub(crate) date: fn(&Blueprint, &Owner, u64) -> Timestamp,
    pub(crate) id: fn(&Blueprint, &Owner, u64) -> String,
    pub(crate) write: fn(&Blueprint, &Owner, u64, Timestamp, &mut String),
    /// The field that identifies a record among those of its owner.
    pub(crate) key: &'static str,
    /// Whether the oldest record comes first.
    pub(crate) ascending: bool,
    /// The records that are left out unless this parameter is `true`.
    pub(crate) hidden: Option<(&'static str, IsHidden)>,
    /// Values that filters compare although the records do not show them.
    pub(crate) unrecorded: Option<Unrecorded>,
    /// What a filter compares with if the request does not set it.
    pub(crate) default_facet: Option<(Facet, &'static str)>,
    /// Changes a record as the request demands.
    pub(crate) form: Option<fn(&Call<'_>, String) -> String>,
}

impl List {
    /// An empty list, newest first, of records with an `id`.
    pub(crate) const EMPTY: List = List {
        count: |_, _| 0,
        date: |_, _, _| Timestamp::MIN,
        id: |_, _, _| String::new(),
        write: |_, _, _, _, _| {},
        key: "id",
        ascending: false,
        hidden: None,
        unrecorded: None,
        default_facet: None,
        form: None,
    };
}

/// The records of a collection, in another form.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) of: Collection,
    /// Which of them, for which owner.
    pub(crate) keep: fn(&Account, &Owner, &Row) -> bool,
    pub(crate) form: fn(&str) -> String,
}

/// A request for a resource, validated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) account: &'a Account,
    pub(crate) owner: &'a Owner,
    pub(crate) filter: &'a Filter,
    /// The segments that the request chose, decoded.
    pub(crate) segments: &'a [String],
    pub(crate) query: &'a [(String, String)],
    /// Whether a fault makes lists endless.
    pub(crate) repeat_token: bool,
}

impl Call<'_> {
    /// The value of a query parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Resource {
    /// The segments that a path below the version chooses, if it is one of this resource.
    pub(crate) fn matches(&self, path: &[&str]) -> Option<Vec<String>> {
        Resource::chosen(self.path, path)
    }

    /// The segments that a path chooses, if it is of this form.
    pub(crate) fn chosen(form: &str, path: &[&str]) -> Option<Vec<String>> {
        let wanted: Vec<&str> = form.split('/').collect();
        let fits = |(wanted, sent): (&&str, &&str)| wanted == sent || (*wanted == "{}" && !sent.is_empty());
        if wanted.len() != path.len() || !wanted.iter().zip(path).all(fits) {
            return None;
        }
        let chosen = wanted.iter().zip(path).filter(|(wanted, _)| **wanted == "{}");
        Some(chosen.map(|(_, sent)| (*sent).to_owned()).collect())
    }

    pub(crate) fn named(name: &str) -> Option<&'static Resource> {
        RESOURCES.iter().copied().find(|resource| resource.name == name)
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Resource) -> bool {
        self.name == other.name
    }
}

impl Eq for Resource {}

/// Every resource beyond the first six.
pub(crate) static RESOURCES: &[&Resource] = &[
    &item::RESOURCE,
    &billable_metric::RESOURCE,
    &price_list::RESOURCE,
    &coupon::RESOURCE,
    &coupon::SUBSCRIPTIONS,
    &credit_note::RESOURCE,
    &price_group::RESOURCE,
    &price_group::PRICES,
    &license_type::RESOURCE,
    &license::RESOURCE,
    &license_usage::RESOURCE,
    &event_backfill::RESOURCE,
    &event_volume::RESOURCE,
    &subscription_change::RESOURCE,
    &summary::INVOICES,
    &summary::SUBSCRIPTIONS,
    &upcoming_invoice::RESOURCE,
    &webhook::ENDPOINTS,
    &webhook::EVENTS,
    &credit_block::RESOURCE,
    &credit_block::INVOICES,
    &balance_transaction::RESOURCE,
    &top_up::RESOURCE,
    &alert::RESOURCE,
    &schedule::RESOURCE,
    &costs::OF_CUSTOMER,
    &costs::OF_SUBSCRIPTION,
    &plan_version::RESOURCE,
    &plan_migration::RESOURCE,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_paths_are_unique() {
        let names: HashSet<&str> = RESOURCES.iter().map(|resource| resource.name).collect();
        let paths: HashSet<&str> = RESOURCES.iter().map(|resource| resource.path).collect();
        assert_eq!((names.len(), paths.len()), (RESOURCES.len(), RESOURCES.len()));
    }

    #[test]
    fn a_path_has_a_place_for_each_owner_in_it() {
        for resource in RESOURCES {
            let owned = matches!(resource.owner, OwnedBy::Path(_));
            assert_eq!(resource.path.contains("{}"), owned, "{}", resource.path);
        }
    }

    #[test]
    fn segments_are_taken_from_their_places() {
        let versions = Resource::named("plan_versions").unwrap();
        assert_eq!(versions.matches(&["plans", "p", "versions", "3"]), Some(vec!["p".into(), "3".into()]));
        assert_eq!(versions.matches(&["plans", "", "versions", "3"]), None);
        assert_eq!(versions.matches(&["plans", "p", "versions"]), None);
    }
}
