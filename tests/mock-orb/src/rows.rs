//! Reads and changes the records of resources that [`crate::resource`] describes.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::account::Account;
use crate::collection::Collection;
use crate::edit::RecordError;
use crate::facet::Facet;
use crate::field::{is_object, lookup, replaced};
use crate::owner::{OwnedBy, Owner};
use crate::resource::{Answer, Call, List, RESOURCES, Resource};
use crate::shelf::{Key, Row, Shelf};
use crate::timeline::later;

/// How an account lacks a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Orb does not know the path: 404, `url-not-found`.
    UrlNotFound,
    /// The account may not use it: 404, `feature-not-available`.
    FeatureNotAvailable,
}

impl Account {
    /// The names of all resources but `ping`, as [`Account::make_unavailable`] takes them. Those
    /// that are lists of records can be changed with [`Account::insert_row`] and its kin.
    #[must_use]
    pub fn resource_names() -> Vec<&'static str> {
        let first = Collection::ALL.iter().map(|collection| collection.segment());
        let others = ["credits_ledger_entries", "subscription_usage", "event_search"];
        first.chain(others).chain(RESOURCES.iter().map(|resource| resource.name)).collect()
    }

    /// Answers requests for a resource with a 404 from now on.
    ///
    /// # Errors
    ///
    /// If there is no such resource.
    pub fn make_unavailable(&mut self, resource: &str, how: Unavailable) -> Result<(), RecordError> {
        let names = Account::resource_names();
        let name = names.into_iter().find(|name| *name == resource);
        let unknown = || RecordError::Unknown { resource: "Resource", id: resource.to_owned() };
        self.unavailable.insert(name.ok_or_else(unknown)?, how);
        Ok(())
    }

    /// The JSON texts of all records of a resource, in their order and including those that are
    /// only listed on demand; empty if there is no such list or owner. Lists of the account have
    /// the owner `""`.
    #[must_use]
    pub fn rows(&self, resource: &str, owner_id: &str) -> Vec<String> {
        let Ok((list, owner)) = self.list_of(resource, owner_id) else { return Vec::new() };
        let shelf = self.row_shelf(resource, list, &owner);
        shelf.all().map(|(key, row)| self.row_text(list, &owner, key, row)).collect()
    }

    /// Stores a record of a resource, to be served exactly as this text, and returns its
    /// identifier. `at` is its place in the list. Replaces any record with the same identifier.
    ///
    /// # Errors
    ///
    /// If there is no such list or owner, or the text is not an object with an identifier.
    pub fn insert_row(
        &mut self,
        resource: &str,
        owner_id: &str,
        at: Timestamp,
        record: impl Into<String>,
    ) -> Result<String, RecordError> {
        let (list, owner) = self.list_of(resource, owner_id)?;
        let record = record.into();
        if !is_object(&record) {
            return Err(RecordError::NotAnObject);
        }
        let id = lookup(&record, &[list.key]).ok_or(RecordError::FieldMissing(list.key))?;
        let at = if list.ascending { mirrored(at) } else { at };
        self.changeable_rows(resource, list, &owner).insert(&id, at, None, record);
        Ok(id)
    }

    /// Replaces or adds one top-level field of a record; the record keeps its place.
    ///
    /// # Errors
    ///
    /// If there is no such list, owner or record.
    pub fn set_row_field(
        &mut self,
        resource: &str,
        owner_id: &str,
        id: &str,
        field: &str,
        json: &str,
    ) -> Result<(), RecordError> {
        let (list, owner) = self.list_of(resource, owner_id)?;
        let unknown = || RecordError::Unknown { resource: "Row", id: id.to_owned() };
        self.changeable_rows(resource, list, &owner);
        let shelf = self.row_shelf(resource, list, &owner);
        let (key, row) = shelf.find(id).ok_or_else(unknown)?;
        let text = self.row_text(list, &owner, key, row);
        let text = replaced(&text, field, json).ok_or(RecordError::NotAnObject)?;
        self.changeable_rows(resource, list, &owner).rewrite(key, text);
        Ok(())
    }

    /// Removes a record. Returns whether it existed.
    pub fn remove_row(&mut self, resource: &str, owner_id: &str, id: &str) -> bool {
        let Ok((list, owner)) = self.list_of(resource, owner_id) else { return false };
        self.changeable_rows(resource, list, &owner).remove(id)
    }

    pub(crate) fn row_shelf<'a>(&'a self, resource: &str, list: &List, owner: &Owner) -> Cow<'a, Shelf> {
        if let Some(shelf) = self.lists.get(&(resource.to_owned(), owner.id.clone())) {
            return Cow::Borrowed(shelf);
        }
        let count = if owner.index.is_some() { (list.count)(&self.blueprint, owner) } else { 0 };
        let date = |index| {
            let at = (list.date)(&self.blueprint, owner, index);
            if list.ascending { mirrored(at) } else { at }
        };
        Cow::Owned(Shelf::generated(count, date))
    }

    /// A list, stored from now on instead of generated.
    fn changeable_rows(&mut self, resource: &str, list: &List, owner: &Owner) -> &mut Shelf {
        let place = (resource.to_owned(), owner.id.clone());
        if !self.lists.contains_key(&place) {
            let shelf = self.row_shelf(resource, list, owner).into_owned();
            let shelf = shelf.indexed(|index| (list.id)(&self.blueprint, owner, index));
            self.lists.insert(place.clone(), shelf);
        }
        self.lists.entry(place).or_default()
    }

    pub(crate) fn row_text(&self, list: &List, owner: &Owner, key: Key, row: &Row) -> String {
        match row {
            Row::Written(text) => text.to_string(),
            Row::Generated(index) => {
                let mut text = String::new();
                let at = if list.ascending { mirrored(key.at) } else { key.at };
                (list.write)(&self.blueprint, owner, *index, at, &mut text);
                text
            }
        }
    }

    /// The text of a row, if a request selects it.
    pub(crate) fn selected_row(&self, list: &List, call: &Call<'_>, key: Key, row: &Row) -> Option<String> {
        let text = self.row_text(list, call.owner, key, row);
        if let Some((parameter, is_hidden)) = list.hidden
            && call.value(parameter) != Some("true")
            && is_hidden(&text, self.settings().last)
        {
            return None;
        }
        // A changed record keeps its place, and so its index; one stored by hand has none.
        let index = key.sequence - 1;
        let is_generated = call.owner.index.is_some() && index < (list.count)(&self.blueprint, call.owner);
        let default = list.default_facet.map(|(_, default)| default.to_owned());
        let unrecorded = |facet| match list.unrecorded? {
            unrecorded if is_generated => unrecorded(&self.blueprint, call.owner, index, facet),
            _ => default.clone().filter(|_| list.default_facet.is_some_and(|(known, _)| known == facet)),
        };
        let value = |facet: Facet| facet.read(&text).or_else(|| unrecorded(facet));
        let tests = &call.filter.tests;
        if let Some((facet, default)) = list.default_facet
            && !tests.iter().any(|test| test.facet() == facet)
            && value(facet).is_some_and(|value| value != default)
        {
            return None;
        }
        if !tests.iter().all(|test| value(test.facet()).is_some_and(|value| test.accepts(&value))) {
            return None;
        }
        Some(match list.form {
            Some(form) => form(call, text),
            None => text,
        })
    }

    fn list_of(&self, resource: &str, owner_id: &str) -> Result<(&'static List, Owner), RecordError> {
        let unknown = |id: &str| RecordError::Unknown { resource: "Resource", id: id.to_owned() };
        let found = Resource::named(resource).ok_or_else(|| unknown(resource))?;
        let Answer::List(list) = &found.answer else { return Err(unknown(resource)) };
        let owner = self.owner_of_list(found, owner_id);
        Ok((list, owner.ok_or_else(|| unknown(owner_id))?))
    }

    /// The owner of one of a resource's lists, by its identifier.
    pub(crate) fn owner_of_list(&self, resource: &Resource, owner_id: &str) -> Option<Owner> {
        match resource.owner {
            OwnedBy::Account => Some(Owner::account()),
            OwnedBy::Path(kind) => self.owner(kind, owner_id),
            OwnedBy::Query(kinds) => kinds.iter().find_map(|(_, kind)| self.owner(*kind, owner_id)),
        }
    }
}

/// Turns the order of instants around, for lists with the oldest record first.
fn mirrored(at: Timestamp) -> Timestamp {
    later(Timestamp::UNIX_EPOCH, -at.duration_since(Timestamp::UNIX_EPOCH))
}
