//! Selects the streams to read where no catalog does.

use std::sync::Arc;

use elt_airbyte::{ConfiguredStream, StreamDescriptor};
use elt_host::excerpt::few;
use elt_host::types::{Stream, SyncMode};
use elt_host::{Error, Result};

use crate::args::Choice;

/// Streams of the connector that an error lists at most.
const LISTED: usize = 50;

/// All streams, or those that are named, each incrementally if it supports that and no flag says
/// otherwise.
///
/// # Errors
///
/// A config error that names a stream which is not available.
pub(crate) fn select(available: &[Stream], choice: &Choice) -> Result<Vec<ConfiguredStream>> {
    let mut selected: Vec<&Stream> = Vec::new();
    for name in &choice.streams {
        let Some(stream) = available.iter().find(|stream| stream.name == *name) else {
            let known = few(available.iter().map(|stream| &stream.name), LISTED);
            return Err(Error::config(format!(
                "--streams names a stream `{name}`, which this connector does not have"
            ))
            .with_hint(format!("its streams are {known}")));
        };
        if !selected.iter().any(|selected| selected.name == *name) {
            selected.push(stream);
        }
    }
    if choice.streams.is_empty() {
        selected.extend(available);
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

#[cfg(test)]
mod tests {
    use elt_host::types::JsonObject;

    use super::*;

    fn stream(name: &str, modes: &[SyncMode]) -> Stream {
        Stream {
            name: name.to_owned(),
            json_schema: JsonObject::parse("{}").unwrap(),
            supported_sync_modes: modes.to_vec(),
            primary_key: vec![],
            cursor_field: vec![],
            resumable: false,
        }
    }

    fn selected(names: &[&str], full_refresh: bool) -> Result<Vec<(String, SyncMode)>> {
        let both = [SyncMode::FullRefresh, SyncMode::Incremental];
        let available = [stream("a", &both), stream("b", &both[..1]), stream("c", &both)];
        let streams = names.iter().map(|name| (*name).to_owned()).collect();
        let selected = select(&available, &Choice { catalog: None, streams, full_refresh })?;
        Ok(selected.into_iter().map(|stream| (stream.descriptor.name.clone(), stream.sync_mode)).collect())
    }

    #[test]
    fn every_stream_is_read_incrementally_if_it_can() {
        use SyncMode::{FullRefresh, Incremental};
        let all = |modes: [SyncMode; 3]| ["a", "b", "c"].map(str::to_owned).into_iter().zip(modes).collect();
        assert_eq!(selected(&[], false), Ok(all([Incremental, FullRefresh, Incremental])));
        assert_eq!(selected(&[], true), Ok(all([FullRefresh; 3])));
    }

    #[test]
    fn named_streams_are_read_once_and_in_their_order() {
        let names: Vec<_> =
            selected(&["c", "a", "c"], false).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["c", "a"]);
    }

    #[test]
    fn a_name_that_is_unknown_brings_those_that_are_known() {
        let error = selected(&["a", "d"], false).unwrap_err();
        assert_eq!(error.message(), "--streams names a stream `d`, which this connector does not have");
        assert_eq!(error.hint(), Some("its streams are a, b, c"));
    }
}
