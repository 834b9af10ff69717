//! Parses Airbyte's configured catalog, and matches it with the streams that a connector has.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use elt_host::excerpt::few;
use elt_host::types::{JsonObject, Stream, SyncMode};
use elt_host::{Error, Result};
use serde::Deserialize;

use crate::file;
use crate::message::StreamDescriptor;
use crate::object::Object;

/// Streams of the connector that an error lists at most.
const LISTED: usize = 50;

/// The streams to read, in the order to read them in.
#[derive(Clone, Debug)]
pub struct ConfiguredCatalog {
    streams: Vec<ConfiguredStream>,
}

/// A stream to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredStream {
    /// The name and namespace that messages about it have.
    pub descriptor: Arc<StreamDescriptor>,
    /// How to read it.
    pub sync_mode: SyncMode,
}

/// The part of Airbyte's `ConfiguredAirbyteCatalog` that concerns a source. Fields are optional so
/// that a missing one gets a helpful error. Unknown ones are for the destination.
#[derive(Deserialize)]
struct WireCatalog {
    streams: Option<Vec<Object<WireEntry>>>,
}

#[derive(Deserialize)]
struct WireEntry {
    stream: Option<Object<WireStream>>,
    sync_mode: Option<String>,
    /// Not part of a configured catalog, but of a catalog.
    json_schema: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct WireStream {
    name: Option<String>,
    namespace: Option<String>,
}

impl ConfiguredCatalog {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read or is not a configured catalog.
    pub fn load(path: &Path) -> Result<Self> {
        let text = file::load("the catalog file", path)?;
        parse(&text, &format!("the catalog file {}", path.display()))
    }

    /// Parses a configured catalog.
    ///
    /// # Errors
    ///
    /// A config error if it is not one, names a stream twice or has a sync mode that does not
    /// exist.
    pub fn parse(text: &str) -> Result<Self> {
        parse(text, "the catalog")
    }

    /// The streams as they were configured, in their order.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn streams(&self) -> &[ConfiguredStream] {
        &self.streams
    }

    /// Matches the streams with those that the connector has. A stream that is configured as
    /// incremental and does not support that is read in full: there are clients that configure
    /// every stream as incremental.
    ///
    /// # Errors
    ///
    /// A config error that names a stream which the connector does not have.
    pub fn resolve(&self, available: &[Stream]) -> Result<Vec<ConfiguredStream>> {
        let resolve = |configured: &ConfiguredStream| {
            let name = &configured.descriptor.name;
            let stream = available.iter().find(|stream| stream.name == *name).ok_or_else(|| {
                let known = few(available.iter().map(|stream| &stream.name), LISTED);
                Error::config(format!(
                    "the catalog has a stream `{name}`, which this connector does not have"
                ))
                .with_hint(format!("its streams are {known}"))
            })?;
            let sync_mode = match configured.sync_mode {
                SyncMode::Incremental if !stream.supported_sync_modes.contains(&SyncMode::Incremental) => {
                    SyncMode::FullRefresh
                }
                mode => mode,
            };
            Ok(ConfiguredStream { descriptor: configured.descriptor.clone(), sync_mode })
        };
        self.streams.iter().map(resolve).collect()
    }
}

fn parse(text: &str, what: &str) -> Result<ConfiguredCatalog> {
    let document = JsonObject::parse(text).map_err(|problem| Error::config(format!("{what} {problem}")))?;
    let catalog: WireCatalog = serde_json::from_str(document.as_str())
        .map_err(|error| Error::config(format!("{what} is not a configured catalog: {error}")))?;
    let entries = catalog.streams.ok_or_else(|| {
        Error::config(format!("{what} is not a configured catalog: it has no list of `streams`"))
    })?;
    let mut seen = HashSet::new();
    let mut streams = Vec::with_capacity(entries.len());
    for (index, Object(entry)) in entries.into_iter().enumerate() {
        let stream = parse_stream(entry)
            .map_err(|problem| Error::config(format!("{what}: `streams[{index}]` {problem}")))?;
        if !seen.insert(stream.descriptor.clone()) {
            let name = &stream.descriptor.name;
            return Err(Error::config(format!("{what} has the stream `{name}` twice")));
        }
        streams.push(stream);
    }
    Ok(ConfiguredCatalog { streams })
}

/// Parses one entry. The error is a predicate about the entry.
fn parse_stream(entry: WireEntry) -> Result<ConfiguredStream, String> {
    let Some(Object(stream)) = entry.stream else {
        return Err(if entry.json_schema.is_some() {
            "is a stream as `discover` prints it; in a configured catalog it stands in a field `stream`, \
             beside its `sync_mode`"
                .to_owned()
        } else {
            "has no `stream`".to_owned()
        });
    };
    let name = stream.name.ok_or("has a `stream` without a `name`")?;
    let sync_mode = match entry.sync_mode.as_deref() {
        Some("full_refresh") => SyncMode::FullRefresh,
        Some("incremental") => SyncMode::Incremental,
        Some(other) => {
            return Err(format!(
                "(`{name}`) has the unknown sync_mode `{other}`; it may be full_refresh or incremental"
            ));
        }
        None => return Err(format!("(`{name}`) has no `sync_mode`; it may be full_refresh or incremental")),
    };
    let descriptor = Arc::new(StreamDescriptor::new(name, stream.namespace));
    Ok(ConfiguredStream { descriptor, sync_mode })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::bare;

    fn available(name: &str, modes: &[SyncMode]) -> Stream {
        Stream { supported_sync_modes: modes.to_vec(), ..bare(name) }
    }

    fn problem(text: &str) -> String {
        ConfiguredCatalog::parse(text).unwrap_err().message().to_owned()
    }

    #[test]
    fn what_real_clients_write_is_accepted() {
        let text = r#"{"streams":[{
            "stream":{"name":"customers","namespace":null,"json_schema":{},"supported_sync_modes":["full_refresh"],
                      "source_defined_cursor":null},
            "sync_mode":"incremental","destination_sync_mode":"append_dedup","cursor_field":null,"primary_key":null,
            "generation_id":null,"include_files":false},
            {"stream":{"name":"customers","namespace":"test"},"sync_mode":"full_refresh"}]}"#;
        let streams = ConfiguredCatalog::parse(text).unwrap().streams;
        assert_eq!(streams[0].descriptor.namespace, None);
        assert_eq!(streams[0].sync_mode, SyncMode::Incremental);
        assert_eq!(streams[1].descriptor.namespace.as_deref(), Some("test"));
    }

    #[test]
    fn an_empty_namespace_is_none() {
        let entry =
            |namespace: &str| format!(r#"{{"stream":{{"name":"a"{namespace}}},"sync_mode":"incremental"}}"#);
        for namespace in ["", r#","namespace":"""#, r#","namespace":null"#] {
            let text = format!(r#"{{"streams":[{}]}}"#, entry(namespace));
            let streams = ConfiguredCatalog::parse(&text).unwrap().streams;
            assert_eq!(streams[0].descriptor.namespace, None, "{text}");
        }
        assert_eq!(
            problem(&format!(r#"{{"streams":[{},{}]}}"#, entry(r#","namespace":"""#), entry(""))),
            "the catalog has the stream `a` twice"
        );
    }

    #[test]
    fn incremental_becomes_full_refresh_where_a_stream_cannot_do_it() {
        let text = r#"{"streams":[{"stream":{"name":"plans"},"sync_mode":"incremental"},
                                  {"stream":{"name":"customers"},"sync_mode":"incremental"}]}"#;
        let streams = ConfiguredCatalog::parse(text)
            .unwrap()
            .resolve(&[
                available("customers", &[SyncMode::FullRefresh, SyncMode::Incremental]),
                available("plans", &[SyncMode::FullRefresh]),
            ])
            .unwrap();
        let modes: Vec<_> = streams.iter().map(|stream| stream.sync_mode).collect();
        assert_eq!(modes, [SyncMode::FullRefresh, SyncMode::Incremental]);
    }

    #[test]
    fn a_stream_that_is_not_there_is_named_with_those_that_are() {
        let text = r#"{"streams":[{"stream":{"name":"costumers"},"sync_mode":"full_refresh"}]}"#;
        let error = ConfiguredCatalog::parse(text)
            .unwrap()
            .resolve(&[available("customers", &[SyncMode::FullRefresh]), available("plans", &[])])
            .unwrap_err();
        assert_eq!(
            error.message(),
            "the catalog has a stream `costumers`, which this connector does not have"
        );
        assert_eq!(error.hint(), Some("its streams are customers, plans"));
    }

    #[test]
    fn every_other_mistake_is_a_config_error_that_names_it() {
        assert_eq!(
            problem("{"),
            "the catalog is not valid JSON: EOF while parsing an object at line 1 column 1"
        );
        assert_eq!(problem("[1]"), "the catalog must be a JSON object, but is a list");
        assert!(
            problem(r#"{"streams":3}"#).starts_with("the catalog is not a configured catalog: invalid type")
        );
        assert_eq!(problem("{}"), "the catalog is not a configured catalog: it has no list of `streams`");
        for list in [r#"["a","incremental"]"#, r#"{"stream":["a","b"],"sync_mode":"incremental"}"#] {
            let problem = problem(&format!(r#"{{"streams":[{list}]}}"#));
            assert!(problem.contains("invalid type: sequence, expected an object at line 1"), "{problem}");
        }
        assert_eq!(problem(r#"{"streams":[{}]}"#), "the catalog: `streams[0]` has no `stream`");
        assert!(
            problem(r#"{"streams":[{"name":"a","json_schema":{}}]}"#).contains("as `discover` prints it")
        );
        assert_eq!(
            problem(r#"{"streams":[{"stream":{"name":"a"},"sync_mode":"fast"}]}"#),
            "the catalog: `streams[0]` (`a`) has the unknown sync_mode `fast`; it may be full_refresh or incremental"
        );
        let twice = r#"{"stream":{"name":"a"},"sync_mode":"incremental"}"#;
        assert_eq!(
            problem(&format!(r#"{{"streams":[{twice},{twice}]}}"#)),
            "the catalog has the stream `a` twice"
        );
    }
}
