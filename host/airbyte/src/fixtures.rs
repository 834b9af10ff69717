//! A stream for the tests of this crate.

use elt_host::types::{JsonObject, Stream};

/// A stream that has a name and nothing else.
pub(crate) fn bare(name: &str) -> Stream {
    Stream {
        name: name.to_owned(),
        json_schema: JsonObject::parse("{}").unwrap(),
        supported_sync_modes: vec![],
        primary_key: vec![],
        cursor_field: vec![],
        resumable: false,
        group: None,
        selected_by_default: true,
        requests: None,
    }
}
