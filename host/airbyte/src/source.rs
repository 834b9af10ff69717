//! A connector whose events, errors and secrets go to a channel of messages, and the seam at which
//! tests replace it.

use std::sync::Arc;

use elt_host::policy::AllowedHosts;
use elt_host::types::{Batch, JsonObject, Specification, Stream};
use elt_host::{Connector, Disclosure, Reader, Result, Session, SessionBuilder};

use crate::catalog::ConfiguredStream;
use crate::channel::Sender;
use crate::events::ChannelEvents;

/// A session that speaks through a channel: what its connector logs becomes messages, its secrets
/// are masked in all messages, and its errors are worded as the program words them.
#[derive(Clone, Debug)]
pub struct Source {
    session: Session,
    sender: Sender,
}

/// Streams that can be read. A [`Source`] is this, and so is the script of a test.
pub trait StreamSource: Send + Sync + 'static {
    /// A read of one stream.
    type Batches: BatchSource + Send;

    /// Opens a read of one stream, which continues from `state` if there is one.
    fn open(
        &self,
        stream: &ConfiguredStream,
        state: Option<&JsonObject>,
    ) -> impl Future<Output = Result<Self::Batches>> + Send;
}

/// A read of one stream.
pub trait BatchSource {
    /// The next records, or `None` at the end of the stream.
    fn pull(&mut self) -> impl Future<Output = Result<Option<Batch>>> + Send;
}

/// A connector that reports to `sender`.
#[must_use]
pub fn reporting_to(connector: Connector, sender: &Sender) -> Connector {
    connector.with_events(Arc::new(ChannelEvents::new(sender.clone())))
}

impl Source {
    /// Opens a session that speaks through the channel of `sender`.
    ///
    /// # Errors
    ///
    /// As [`SessionBuilder::open`].
    pub async fn open(session: SessionBuilder, sender: &Sender) -> Result<Self> {
        let events = Arc::new(ChannelEvents::new(sender.clone()));
        let session = session.events(events).open().await.map_err(sender.advice().error)?;
        // Before the connector is given the config.
        sender.mask(session.redaction());
        Ok(Self { session, sender: sender.clone() })
    }

    /// The same source, which can reach no host.
    #[must_use]
    pub fn offline(&self) -> Self {
        Self { session: self.session.offline(), sender: self.sender.clone() }
    }

    /// What the connector says about itself.
    pub fn specification(&self) -> &Specification {
        self.session.specification()
    }

    /// The hosts that the connector may reach.
    pub fn allowed_hosts(&self) -> &AllowedHosts {
        self.session.allowed_hosts()
    }

    /// As [`Session::disclosure`].
    pub fn disclosure(&self) -> &Disclosure {
        self.session.disclosure()
    }

    /// As [`Session::unmasked_secrets`].
    pub fn unmasked_secrets(&self) -> &[String] {
        self.session.unmasked_secrets()
    }

    /// Tries whether the source can be reached.
    ///
    /// # Errors
    ///
    /// As [`Session::check`].
    pub async fn check(&self) -> Result<()> {
        self.session.check().await.map_err(self.sender.advice().error)
    }

    /// Lists the streams that can be read.
    ///
    /// # Errors
    ///
    /// As [`Session::discover`].
    pub async fn discover(&self) -> Result<Vec<Stream>> {
        self.session.discover().await.map_err(self.sender.advice().error)
    }
}

/// A read of one stream of a [`Source`].
#[derive(Debug)]
pub struct SourceReader {
    reader: Reader,
    sender: Sender,
}

impl StreamSource for Source {
    type Batches = SourceReader;

    async fn open(&self, stream: &ConfiguredStream, state: Option<&JsonObject>) -> Result<SourceReader> {
        let ConfiguredStream { descriptor, sync_mode } = stream;
        let events = ChannelEvents::of_stream(self.sender.clone(), descriptor.clone());
        let session = self.session.with_events(Arc::new(events));
        let reader = session.read(&descriptor.name, *sync_mode, state).await;
        let reader = reader.map_err(self.sender.advice().error)?;
        Ok(SourceReader { reader, sender: self.sender.clone() })
    }
}

impl BatchSource for SourceReader {
    async fn pull(&mut self) -> Result<Option<Batch>> {
        self.reader.next_batch().await.map_err(self.sender.advice().error)
    }
}
