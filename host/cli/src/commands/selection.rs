//! Selects the streams to read where no catalog does.

use std::sync::Arc;

use elt_airbyte::{ConfiguredStream, StreamDescriptor};
use elt_host::excerpt::few;
use elt_host::types::{Stream, SyncMode};
use elt_host::{Error, Result};

use crate::args::Choice;

/// The name that selects every stream.
const ALL: &str = "all";

/// Streams or groups of the connector that an error lists at most.
const LISTED: usize = 50;

/// The streams of `choice`, each incrementally if it supports that and no flag says otherwise. A
/// name is that of a stream, of a group, or `all`. Without names, the streams are those that the
/// connector selects by default.
///
/// # Errors
///
/// A config error that names what is neither a stream nor a group.
pub(crate) fn select(available: &[Stream], choice: &Choice) -> Result<Vec<ConfiguredStream>> {
    let mut selected: Vec<&Stream> = Vec::new();
    for name in &choice.streams {
        let named = named(available, name);
        if named.is_empty() {
            return Err(unknown(available, name));
        }
        for stream in named {
            if !selected.iter().any(|selected| selected.name == stream.name) {
                selected.push(stream);
            }
        }
    }
    if choice.streams.is_empty() {
        selected.extend(available.iter().filter(|stream| stream.selected_by_default));
    }
    let configured = |stream: &Stream| ConfiguredStream {
        descriptor: Arc::new(StreamDescriptor { name: stream.name.clone(), namespace: None }),
        sync_mode: match stream.supported_sync_modes.contains(&SyncMode::Incremental) {
            true if !choice.full_refresh => SyncMode::Incremental,
            _ => SyncMode::FullRefresh,
        },
    };
    Ok(selected.into_iter().map(configured).collect())
}

/// The streams that a name stands for. A stream comes before a group of the same name.
fn named<'a>(available: &'a [Stream], name: &str) -> Vec<&'a Stream> {
    if let Some(stream) = available.iter().find(|stream| stream.name == name) {
        return vec![stream];
    }
    let is_meant = |stream: &&Stream| name == ALL || stream.group.as_deref() == Some(name);
    available.iter().filter(is_meant).collect()
}

fn unknown(available: &[Stream], name: &str) -> Error {
    let names = few(available.iter().map(|stream| &stream.name), LISTED);
    let mut groups: Vec<_> = available.iter().filter_map(|stream| stream.group.as_deref()).collect();
    groups.sort_unstable();
    groups.dedup();
    let groups = match groups.is_empty() {
        true => String::new(),
        false => format!("; its groups are {}", few(groups, LISTED)),
    };
    Error::config(format!(
        "--streams names `{name}`, which is neither a stream nor a group of this connector"
    ))
    .with_hint(format!("its streams are {names}{groups}"))
}

#[cfg(test)]
mod tests {
    use elt_host::types::JsonObject;

    use super::*;

    fn stream(name: &str, group: Option<&str>, modes: &[SyncMode]) -> Stream {
        Stream {
            name: name.to_owned(),
            json_schema: JsonObject::parse("{}").unwrap(),
            supported_sync_modes: modes.to_vec(),
            primary_key: vec![],
            cursor_field: vec![],
            resumable: false,
            group: group.map(str::to_owned),
            selected_by_default: group != Some("costs"),
            requests: None,
        }
    }

    fn selected(names: &[&str], full_refresh: bool) -> Result<Vec<(String, SyncMode)>> {
        let both = [SyncMode::FullRefresh, SyncMode::Incremental];
        let available = [
            stream("a", None, &both),
            stream("b", Some("core"), &both[..1]),
            stream("c", Some("core"), &both),
            stream("d", Some("costs"), &both),
        ];
        let streams = names.iter().map(|name| (*name).to_owned()).collect();
        let selected = select(&available, &Choice { catalog: None, streams, full_refresh })?;
        Ok(selected.into_iter().map(|stream| (stream.descriptor.name.clone(), stream.sync_mode)).collect())
    }

    fn names(names: &[&str]) -> Vec<String> {
        selected(names, false).unwrap().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn the_default_streams_are_read_incrementally_if_they_can() {
        use SyncMode::{FullRefresh, Incremental};
        let all = |modes: [SyncMode; 3]| ["a", "b", "c"].map(str::to_owned).into_iter().zip(modes).collect();
        assert_eq!(selected(&[], false), Ok(all([Incremental, FullRefresh, Incremental])));
        assert_eq!(selected(&[], true), Ok(all([FullRefresh; 3])));
    }

    #[test]
    fn named_streams_are_read_once_and_in_their_order() {
        assert_eq!(names(&["c", "a", "c"]), ["c", "a"]);
    }

    #[test]
    fn a_group_stands_for_its_streams_and_all_for_every_stream() {
        assert_eq!(names(&["costs", "core"]), ["d", "b", "c"]);
        assert_eq!(names(&["c", "core"]), ["c", "b"]);
        assert_eq!(names(&["all"]), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_name_that_is_unknown_brings_those_that_are_known() {
        let error = selected(&["a", "e"], false).unwrap_err();
        let expected = "--streams names `e`, which is neither a stream nor a group of this connector";
        assert_eq!(error.message(), expected);
        assert_eq!(error.hint(), Some("its streams are a, b, c, d; its groups are core, costs"));
    }
}
