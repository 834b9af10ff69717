//! The facts of one stream. A source is a table of these; adding a stream adds a row.

use time::SignedDuration;

use crate::{record::Record, slice::Ask};
use json_text::Json;

/// One row of a source's table of streams.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    /// Unique name.
    pub name: &'static str,
    /// Path of the list below the base URL; `{parent}` stands for the id of the parent.
    pub path: &'static str,
    /// Top-level fields that identify a record.
    pub primary_key: &'static [&'static str],
    /// Top-level field by which the stream is ordered and filtered.
    pub cursor_field: &'static str,
    /// The most records that the server puts on one page; none if it does not page the list.
    pub page_limit: Option<u32>,
    /// How the list is filtered by the cursor field.
    pub bounds: Bounds,
    /// Query parameters that every request for a page carries.
    pub filters: &'static [(&'static str, &'static str)],
    /// How the stream is cut.
    pub slicing: Slicing,
    /// How an element of the list becomes records.
    pub shape: Shape,
    /// Whether a page takes further requests before it is handed on.
    pub is_enriched: bool,
    /// A top-level field and the value it has while a record can still change. Such a record is not emitted, and the
    /// cursor is held below it until it has settled.
    pub provisional: Option<(&'static str, &'static str)>,
    /// Name of the JSON Schema of a record, in which `{"$ref": "name.json"}` stands for another one.
    pub schema: &'static str,
}

/// The query parameters that filter a list by time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Wants records at this instant and later.
    pub from: &'static str,
    /// Wants records up to this instant and at it.
    pub including: &'static str,
    /// Wants records before this instant.
    pub before: &'static str,
}

/// How an element of a list becomes records.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// It is the record.
    Whole,
    /// It is the record, once fields of nested objects have been moved to its top.
    Hoisted(&'static [Hoist]),
    /// It holds records, which are made by this function.
    Nested(fn(Json<'_>, &Ask) -> Result<Vec<Record>, String>),
}

/// How a stream is cut into slices.
#[derive(Debug, Clone, Copy)]
pub enum Slicing {
    /// By time: the server filters the list by the cursor field.
    Windows,
    /// By the records of another stream: there is one list per parent.
    Parents(Parents),
}

/// The records of another stream, each of which has a list of its own.
#[derive(Debug, Clone, Copy)]
pub struct Parents {
    /// The stream whose records are the parents; all of them, whatever their age.
    pub stream: &'static Stream,
    /// The field of the parent that fills `{parent}` in the path.
    pub id: &'static str,
    /// Under which name that id stands in a child record, and in states that other connectors wrote.
    pub key: &'static str,
    /// A field that is `true` in a parent which is being deleted and has no list any more.
    pub deleted: Option<&'static str>,
    /// How long a record can still change after its instant, if that cannot be seen in it. The lists are then read up to
    /// now, and the cursor stays that far behind.
    pub grace: Option<SignedDuration>,
}

/// Moves fields of a nested object to the top and removes the object. If it is null or absent, the fields are null.
#[derive(Debug, Clone, Copy)]
pub struct Hoist {
    /// The top-level field that holds the object.
    pub object: &'static str,
    /// Name in the object, and name at the top.
    pub fields: &'static [(&'static str, &'static str)],
}
