//! The facts of one stream. A source is a table of these; adding a stream adds a row.

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
    /// The most records that the server puts on one page.
    pub page_limit: u32,
    /// Query parameters that every request for a page carries.
    pub filters: &'static [(&'static str, &'static str)],
    /// How the stream is cut.
    pub slicing: Slicing,
    /// What is lifted out of nested objects.
    pub hoists: &'static [Hoist],
    /// A top-level field and the value it has while a record can still change. Such a record is not emitted, and the
    /// cursor is held below it until it has settled.
    pub provisional: Option<(&'static str, &'static str)>,
    /// JSON Schema of a record, in which `{"$ref": "name.json"}` stands for a shared schema.
    pub schema: &'static str,
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
}

/// Moves fields of a nested object to the top and removes the object. If it is null or absent, the fields are null.
#[derive(Debug, Clone, Copy)]
pub struct Hoist {
    /// The top-level field that holds the object.
    pub object: &'static str,
    /// Name in the object, and name at the top.
    pub fields: &'static [(&'static str, &'static str)],
}
