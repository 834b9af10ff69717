//! A connector with its configuration: what can be asked of it, and readers of its streams.

use std::sync::Arc;

use crate::bindings::{Instance, ReaderHandle};
use crate::catalog::ConfiguredStream;
use crate::config::{Config, SealedConfig};
use crate::connector::Connector;
use crate::contract::{Batch, Stream};
use crate::document::Document;
use crate::error::Result;
use crate::http::AllowedHosts;
use crate::message::StreamDescriptor;
use crate::secrets::Secrets;

/// A configured connector. Every question is answered by an instance of its own, which is gone afterwards.
#[derive(Clone, Debug)]
pub struct Source {
    connector: Connector,
    config: Config,
    secrets: Arc<Secrets>,
    allowed: Arc<AllowedHosts>,
}

/// A read of one stream under way. Dropping it ends the read.
pub struct Reader {
    instance: Instance,
    handle: ReaderHandle,
}

impl Source {
    pub(crate) fn new(connector: Connector, config: SealedConfig, allowed: AllowedHosts) -> Self {
        let SealedConfig { config, secrets } = config;
        Self { connector, config, secrets: Arc::new(secrets), allowed: Arc::new(allowed) }
    }

    async fn instantiate(&self, stream: Option<&Arc<StreamDescriptor>>) -> Result<Instance> {
        self.connector.instantiate(&self.allowed, &self.secrets, stream).await
    }

    /// Tries whether the source can be reached.
    ///
    /// # Errors
    ///
    /// Why not, as the connector says; a system error if it crashes.
    pub async fn check(&self) -> Result<()> {
        self.instantiate(None).await?.check(self.config.as_str()).await
    }

    /// Lists the streams that can be read.
    ///
    /// # Errors
    ///
    /// As the connector says; a system error if it crashes.
    pub async fn discover(&self) -> Result<Vec<Stream>> {
        self.instantiate(None).await?.discover(self.config.as_str()).await
    }

    /// Opens a read of one stream, continuing from `state` if given.
    ///
    /// # Errors
    ///
    /// As the connector says: it does not understand the configuration, the stream or the state. A system error if
    /// it crashes.
    pub async fn read(&self, stream: &ConfiguredStream, state: Option<&Document>) -> Result<Reader> {
        let ConfiguredStream { descriptor, sync_mode } = stream;
        let mut instance = self.instantiate(Some(descriptor)).await?;
        let state = state.map(Document::as_str);
        let handle = instance.read(self.config.as_str(), &descriptor.name, *sync_mode, state).await?;
        Ok(Reader { instance, handle })
    }
}

impl Reader {
    /// The next records, or none when the stream has been read to its end. Not to be called after an error.
    ///
    /// # Errors
    ///
    /// As the connector says; a system error if it crashes or returns what is not a record.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        self.instance.next_batch(self.handle).await
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("handle", &self.handle).finish_non_exhaustive()
    }
}
