//! Lists that exist once per record of another stream, or once per value of a filter.

use std::fmt;

use super::Stream;
use crate::{record::Record, slice::Slice};

/// The stream whose records each have a list.
pub struct Parents<C: 'static> {
    /// The parents. All of them are read, whatever their age. They may be partitioned by parents
    /// themselves.
    pub stream: &'static Stream<C>,
    /// The field of the parent that identifies it.
    pub id: &'static str,
    /// The name of that id in states written by other connectors.
    pub key: &'static str,
    /// Where a request holds the id.
    pub place: Place,
    /// A field that is `true` if the parent is being deleted and no longer has a list.
    pub deleted: Option<&'static str>,
    /// Cuts the given slice of a parent's list into further slices. Returns none to skip the
    /// parent.
    pub slices: fn(&C, &Record, &Slice) -> Vec<Slice>,
}

impl<C> Parents<C> {
    /// Parents that are identified by `id`, each with a list whose path holds that id. `key` is its
    /// name in states written by other connectors.
    pub const fn by_id(stream: &'static Stream<C>, key: &'static str) -> Self {
        let slices = |_: &C, _: &Record, whole: &Slice| vec![whole.clone()];
        Self { stream, id: "id", key, place: Place::Path, deleted: None, slices }
    }
}

/// The parts of a list, which is requested once per part.
pub struct Parts<C: 'static> {
    /// Where a request holds the part.
    pub place: Place,
    /// The parts, given the parent if there is one. `None` requests the list without naming a part.
    pub values: fn(&C, Option<&Record>) -> Vec<Option<String>>,
}

/// Where a request holds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query parameter of this name.
    Query(&'static str),
}

impl<C> fmt::Debug for Parents<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parents").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Parts<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("place", &self.place).finish_non_exhaustive()
    }
}
