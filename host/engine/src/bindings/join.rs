//! Joins the generated bindings of one version of the contract to the engine: offers the imports,
//! calls the exports, and converts types. The versions differ in few types so far, so this is a
//! macro, which each version's module uses with `generated` and `selection` in scope.

/// How a stream can be selected, as far as the version says so.
pub(super) struct Selection {
    pub(super) group: Option<String>,
    pub(super) by_default: bool,
    pub(super) requests: Option<String>,
}

/// Implements a version of the contract.
macro_rules! join {
    () => {
        use wasmtime::Store;
        use wasmtime::component::{HasSelf, Instance, Linker, ResourceAny};

        use self::generated::SourceConnector;
        use self::generated::elt::connector::log::Level as WitLevel;
        use self::generated::elt::connector::{log, progress, types};
        use crate::bindings::{Answer, RawBatch, Refusal};
        use crate::declaration;
        use crate::error::{Error, FailureType, Result};
        use crate::events::Level;
        use crate::store::StoreData;
        use crate::types::{Specification, Stream, SyncMode};

        /// Offers what the contract itself gives a connector.
        pub(super) fn add_to_linker(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
            SourceConnector::add_to_linker::<StoreData, HasSelf<StoreData>>(linker, |data| data)
        }

        /// The functions that a running connector exports.
        pub(crate) struct Exports(SourceConnector);

        impl Exports {
            pub(super) fn new(store: &mut Store<StoreData>, instance: &Instance) -> wasmtime::Result<Self> {
                SourceConnector::new(store, instance).map(Self)
            }

            pub(super) async fn spec(
                &self,
                store: &mut Store<StoreData>,
            ) -> wasmtime::Result<Result<Specification>> {
                Ok(declaration::specification(self.0.elt_connector_source().call_spec(store).await?))
            }

            pub(super) async fn check(&self, store: &mut Store<StoreData>, config: &str) -> Answer<()> {
                Ok(self.0.elt_connector_source().call_check(store, config).await?.map_err(Refusal::from))
            }

            pub(super) async fn discover(
                &self,
                store: &mut Store<StoreData>,
                config: &str,
            ) -> Answer<Result<Vec<Stream>>> {
                let streams = self.0.elt_connector_source().call_discover(store, config).await?;
                Ok(streams.map(declaration::streams).map_err(Refusal::from))
            }

            pub(super) async fn read(
                &self,
                store: &mut Store<StoreData>,
                config: &str,
                stream: &str,
                sync_mode: SyncMode,
                state: Option<&str>,
            ) -> Answer<ResourceAny> {
                let stream = types::ConfiguredStream { name: stream.to_owned(), sync_mode: sync_mode.into() };
                let reader = self.0.elt_connector_source().call_read(store, config, &stream, state).await?;
                Ok(reader.map_err(Refusal::from))
            }

            pub(super) async fn next_batch(
                &self,
                store: &mut Store<StoreData>,
                reader: ResourceAny,
            ) -> Answer<Option<RawBatch>> {
                let batch = self.0.elt_connector_source().reader().call_next_batch(store, reader).await?;
                let raw = |types::Batch { records, checkpoint }| RawBatch { records, checkpoint };
                Ok(batch.map(|batch| batch.map(raw)).map_err(Refusal::from))
            }
        }

        impl log::Host for StoreData {
            async fn log(&mut self, level: WitLevel, message: String) {
                let level = match level {
                    WitLevel::Trace => Level::Trace,
                    WitLevel::Debug => Level::Debug,
                    WitLevel::Info => Level::Info,
                    WitLevel::Warn => Level::Warn,
                    WitLevel::Error => Level::Error,
                };
                self.log_line(level, &message).await;
            }
        }

        impl progress::Host for StoreData {
            async fn rate_limited(&mut self, until: u64) {
                self.rate_limited_until(until).await;
            }

            async fn slices(&mut self, done: u64, total: Option<u64>) {
                self.slices_read(done, total);
            }
        }

        impl types::Host for StoreData {}

        impl From<types::Error> for Refusal {
            fn from(error: types::Error) -> Self {
                let failure_type = match error.failure_type {
                    types::FailureType::Config => FailureType::Config,
                    types::FailureType::Transient => FailureType::Transient,
                    types::FailureType::System => FailureType::System,
                };
                Self { failure_type, message: error.message, internal_message: error.internal_message }
            }
        }

        impl TryFrom<types::Specification> for Specification {
            type Error = Error;

            fn try_from(specification: types::Specification) -> Result<Self> {
                Ok(Self {
                    config_schema: declaration::schema("the config schema", &specification.config_schema)?,
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
                let selection = selection(&stream);
                let what = declaration::schema_of(&stream.name)?;
                Ok(Self {
                    json_schema: declaration::schema(&what, &stream.json_schema)?,
                    name: stream.name,
                    supported_sync_modes: stream
                        .supported_sync_modes
                        .into_iter()
                        .map(SyncMode::from)
                        .collect(),
                    primary_key: stream.primary_key,
                    cursor_field: stream.cursor_field,
                    resumable: stream.resumable,
                    group: selection.group,
                    selected_by_default: selection.by_default,
                    requests: selection.requests,
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
    };
}

pub(super) use join;
