//! The generated bindings of `elt:connector`, and where their types become this crate's own.
//!
//! No other file sees what `bindgen!` makes. In come calls and our words; out go the connector's words as ours, and
//! whatever it does wrong as an [`Error`].

use std::collections::HashSet;

use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker, ResourceAny, ResourceTableError};
use wasmtime_wasi::I32Exit;

use self::generated::elt::connector::log::Level as WitLevel;
use self::generated::elt::connector::{log, progress, types};
use self::generated::{SourceConnector, SourceConnectorPre};
use crate::address_space;
use crate::breach::Limit;
use crate::call::{self, Bounds};
use crate::contract::{Batch, Level, Specification, Stream, SyncMode};
use crate::ctx::Ctx;
use crate::document::Document;
use crate::error::{Error, FailureType, Result};
use crate::record::Record;

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "source-connector",
        imports: { default: async },
        exports: { default: async },
    });
}

/// The interface that a connector exports.
pub(crate) const SOURCE: &str = "elt:connector/source";
/// The version of the package that it belongs to.
pub(crate) const VERSION: &str = "0.2.0";

/// A component whose imports and exports are those of a connector.
pub(crate) struct Prepared(SourceConnectorPre<Ctx>);

/// A running connector.
pub(crate) struct Instance {
    bounds: Bounds,
    /// None once it has crashed or was stopped: what is left of it is not fit for another call.
    live: Option<Live>,
}

struct Live {
    store: Store<Ctx>,
    exports: SourceConnector,
}

/// A reader within an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReaderHandle(ResourceAny);

/// Offers what the contract itself gives a connector.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    SourceConnector::add_to_linker::<Ctx, HasSelf<Ctx>>(linker, |ctx| ctx)
}

impl Prepared {
    /// Matches the imports of `component` with what `linker` offers, and looks for its exports.
    pub(crate) fn new(linker: &Linker<Ctx>, component: &Component) -> wasmtime::Result<Self> {
        SourceConnectorPre::new(linker.instantiate_pre(component)?).map(Self)
    }

    /// Starts a connector.
    ///
    /// # Errors
    ///
    /// A system error if it crashes or breaks a limit while it starts, a config error if its functions are not those
    /// of the contract.
    pub(crate) async fn instantiate(&self, ctx: Ctx) -> Result<Instance> {
        let bounds = ctx.bounds.clone();
        let mut store = Store::new(self.0.engine(), ctx);
        store.limiter(|ctx| ctx);
        store.set_hostcall_fuel(bounds.limits.batch);
        call::interrupt(&mut store);
        let started = bounds.call(self.0.instance_pre().instantiate_async(&mut store)).await;
        let instance = told("the start", started, &bounds, &store)?;
        let exports = SourceConnector::new(&mut store, &instance).map_err(|error| {
            Error::config(format!("the component has another form of {SOURCE}@{VERSION} than this host"))
                .with_internal(format!("{error:#}"))
                .with_hint("build the connector and the host from the same wit files")
        })?;
        Ok(Instance { bounds, live: Some(Live { store, exports }) })
    }
}

/// Calls one function of the contract within bounds, and drops the instance if that fails.
macro_rules! call {
    ($instance:ident, $name:literal, |$store:ident, $source:ident| $call:expr) => {{
        let Some(Live { store: $store, exports }) = &mut $instance.live else {
            return Err(Error::system("the connector was stopped"));
        };
        let $source = exports.elt_connector_source();
        let answer = $instance.bounds.call($call).await;
        told(concat!("`", $name, "`"), answer, &$instance.bounds, $store)
            .inspect_err(|_| $instance.live = None)
    }};
}

impl Instance {
    pub(crate) async fn spec(&mut self) -> Result<Specification> {
        call!(self, "spec", |store, source| source.call_spec(&mut *store))?.try_into()
    }

    pub(crate) async fn check(&mut self, config: &str) -> Result<()> {
        let checked = call!(self, "check", |store, source| source.call_check(&mut *store, config))?;
        checked.map_err(|error| self.error(&error))
    }

    pub(crate) async fn discover(&mut self, config: &str) -> Result<Vec<Stream>> {
        let streams = call!(self, "discover", |store, source| source.call_discover(&mut *store, config))?;
        let streams = streams.map_err(|error| self.error(&error))?;
        let streams = streams.into_iter().map(Stream::try_from).collect::<Result<Vec<_>>>()?;
        distinct(&streams)?;
        Ok(streams)
    }

    pub(crate) async fn read(
        &mut self,
        config: &str,
        stream: &str,
        sync_mode: SyncMode,
        state: Option<&str>,
    ) -> Result<ReaderHandle> {
        let stream = types::ConfiguredStream { name: stream.to_owned(), sync_mode: sync_mode.into() };
        let reader =
            call!(self, "read", |store, source| source.call_read(&mut *store, config, &stream, state))?;
        Ok(ReaderHandle(reader.map_err(|error| self.error(&error))?))
    }

    pub(crate) async fn next_batch(&mut self, reader: ReaderHandle) -> Result<Option<Batch>> {
        let batch = call!(self, "next-batch", |store, source| source
            .reader()
            .call_next_batch(&mut *store, reader.0))?;
        let batch = batch.map_err(|error| self.error(&error))?;
        let longest = batch.iter().flat_map(|batch| &batch.records).map(String::len).max();
        if longest > Some(self.bounds.limits.record) {
            self.live = None;
            return Err(self.bounds.error(Limit::Record));
        }
        batch.map(Batch::try_from).transpose()
    }

    /// What the connector says went wrong.
    fn error(&self, error: &types::Error) -> Error {
        let failure_type = match error.failure_type {
            types::FailureType::Config => FailureType::Config,
            types::FailureType::Transient => FailureType::Transient,
            types::FailureType::System => FailureType::System,
        };
        let told = Error::new(failure_type, self.bounds.text(&error.message));
        self.bounds.obstacles.explain(match &error.internal_message {
            Some(internal) => told.with_internal(self.bounds.text(internal)),
            None => told,
        })
    }
}

/// Whether streams can be told from each other and read at all.
fn distinct(streams: &[Stream]) -> Result<()> {
    let mut seen = HashSet::new();
    for Stream { name, supported_sync_modes, .. } in streams {
        let problem = if name.is_empty() {
            "has no name".to_owned()
        } else if supported_sync_modes.is_empty() {
            format!("is called `{name}` and can be read in no sync mode")
        } else if !seen.insert(name) {
            format!("is called `{name}` like another")
        } else {
            continue;
        };
        return Err(Error::system(format!("the connector has a stream that {problem}")));
    }
    Ok(())
}

/// What became of a call: its answer, or the error of a connector that broke a limit or crashed. The text of a trap
/// and the end of what the connector wrote to stderr are for an engineer.
fn told<T>(
    place: &str,
    answer: Result<wasmtime::Result<T>, Limit>,
    bounds: &Bounds,
    store: &Store<Ctx>,
) -> Result<T> {
    let error = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(limit) => return Err(bounds.error(limit)),
    };
    if let Some(limit) = broken(&error) {
        return Err(bounds.error(limit));
    }
    if let Some(refused) = address_space::refusal(&error) {
        return Err(refused);
    }
    let message = match error.downcast_ref() {
        Some(I32Exit(code)) => format!("the connector exited with code {code} in {place}"),
        None => format!("the connector crashed in {place}"),
    };
    let internal = match store.data().stderr.tail().as_str() {
        "" => format!("{error:#}"),
        stderr => format!("{error:#}\nstderr of the connector: {stderr}"),
    };
    Err(Error::system(message).with_internal(bounds.text(&internal)))
}

/// The limit that wasmtime itself found broken.
fn broken(error: &wasmtime::Error) -> Option<Limit> {
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Some(Limit::Handles);
    }
    // These errors have no public types.
    let says = |text: &str| error.chain().any(|cause| cause.to_string().contains(text));
    if says("fuel allocated for hostcalls") {
        return Some(Limit::Batch);
    }
    says("total size of fields exceeds limit").then_some(Limit::Headers)
}

impl log::Host for Ctx {
    async fn log(&mut self, level: WitLevel, message: String) {
        let level = match level {
            WitLevel::Trace => Level::Trace,
            WitLevel::Debug => Level::Debug,
            WitLevel::Info => Level::Info,
            WitLevel::Warn => Level::Warn,
            WitLevel::Error => Level::Error,
        };
        self.say(level, &message).await;
    }
}

impl progress::Host for Ctx {
    async fn rate_limited(&mut self, until: u64) {
        self.tell_rate_limit(until).await;
    }

    async fn slices(&mut self, done: u64, total: Option<u64>) {
        self.tell_slices(done, total);
    }
}

impl types::Host for Ctx {}

impl TryFrom<types::Specification> for Specification {
    type Error = Error;

    fn try_from(specification: types::Specification) -> Result<Self> {
        Ok(Self {
            config_schema: document("the configuration schema", &specification.config_schema)?,
            name: specification.name,
            version: specification.version,
            documentation_url: specification.documentation_url,
            allowed_hosts: specification.allowed_hosts,
        })
    }
}

impl TryFrom<types::Stream> for Stream {
    type Error = Error;

    fn try_from(stream: types::Stream) -> Result<Self> {
        Ok(Self {
            json_schema: document(
                &format!("the schema of the stream `{}`", stream.name),
                &stream.json_schema,
            )?,
            name: stream.name,
            supported_sync_modes: stream.supported_sync_modes.into_iter().map(SyncMode::from).collect(),
            primary_key: stream.primary_key,
            cursor_field: stream.cursor_field,
            resumable: stream.resumable,
        })
    }
}

impl TryFrom<types::Batch> for Batch {
    type Error = Error;

    fn try_from(batch: types::Batch) -> Result<Self> {
        let records = batch.records.into_iter().map(Record::parse).collect::<Result<_, _>>();
        Ok(Self {
            records: records.map_err(|problem| {
                Error::system(format!("the connector returned a record that {problem}"))
            })?,
            checkpoint: batch.checkpoint.map(|text| document("a checkpoint", &text)).transpose()?,
        })
    }
}

impl From<types::SyncMode> for SyncMode {
    fn from(mode: types::SyncMode) -> Self {
        match mode {
            types::SyncMode::FullRefresh => Self::FullRefresh,
            types::SyncMode::Incremental => Self::Incremental,
        }
    }
}

impl From<SyncMode> for types::SyncMode {
    fn from(mode: SyncMode) -> Self {
        match mode {
            SyncMode::FullRefresh => Self::FullRefresh,
            SyncMode::Incremental => Self::Incremental,
        }
    }
}

fn document(what: &str, text: &str) -> Result<Document> {
    Document::parse(text)
        .map_err(|problem| Error::system(format!("{what} that the connector returned {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        let world = include_str!("../../wit/world.wit");
        assert!(world.contains(&format!("package elt:connector@{VERSION};")));
    }

    #[test]
    fn one_bad_record_fails_its_batch() {
        let batch = types::Batch { records: vec!["{}".to_owned(), "[]".to_owned()], checkpoint: None };
        let error = Batch::try_from(batch).unwrap_err();
        assert_eq!(error.failure_type(), FailureType::System);
        assert_eq!(
            error.message(),
            "the connector returned a record that must be a JSON object, but is a list"
        );
    }
}
