//! How a stream finds out what became of objects that it has read.

use std::fmt;

use time::SignedDuration;

use super::Stream;
use crate::record::Traits;

/// How a single object is requested. If it is gone and the row makes a record of each object, a
/// record with its identifier and `"deleted": true` says so.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// The path below the base URL. `{id}` stands for the identifier.
    pub path: &'static str,
    /// The field of the object that identifies it.
    pub id: &'static str,
}

/// Objects that will change, and that the server can list apart from the others. Each read looks at
/// all of them, and requests those by identifier that were open at the end of the last read and no
/// longer are. So it costs requests in proportion to what is open.
pub struct Open<C> {
    /// The field that says so.
    pub field: &'static str,
    /// The values of the field while an object is open.
    pub values: &'static [&'static str],
    /// The query parameter that filters by them.
    pub filter: &'static str,
    /// The longest time after its position that an object is looked at. `None` looks at none.
    pub at_most: fn(&C) -> Option<SignedDuration>,
}

/// A list of the events of an API. Each read requests those objects by identifier that events since
/// the last read name.
pub struct Feed<C: 'static> {
    /// The list of events, by time.
    pub stream: &'static Stream<C>,
    /// Whether the config wants it.
    pub is_wanted: fn(&C) -> bool,
    /// The field that holds the type of an event.
    pub event_type: &'static str,
    /// How types of events begin, and the paths in such events that may hold the identifier of an
    /// object of the stream.
    pub names: &'static [(&'static str, &'static [&'static str])],
}

impl<C> Stream<C> {
    /// Returns the fields that tell what became of an object.
    pub(crate) fn traits(&self) -> Option<Traits> {
        let open = self.open.as_ref().map(|open| (open.field, open.values));
        self.object.map(|object| Traits { id: object.id, open })
    }
}

impl<C> fmt::Debug for Open<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("values", &self.values).finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Feed<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("stream", &self.stream).finish_non_exhaustive()
    }
}
