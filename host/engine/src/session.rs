//! A configured connector: checks it, discovers its streams, and reads them.

use std::sync::Arc;

use crate::config::Config;
use crate::connector::Connector;
use crate::disclosure::Disclosure;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::http::{AllowedHosts, HttpClients};
use crate::instance::{Instance, ReaderHandle};
use crate::json_object::JsonObject;
use crate::policy::Policy;
use crate::redaction::Redaction;
use crate::reporter::Reporter;
use crate::secrets::Secrets;
use crate::types::{Batch, Specification, Stream, SyncMode};

/// Settings of a [`Session`].
#[derive(Debug)]
pub struct SessionBuilder {
    connector: Connector,
    config: Config,
    policy: Policy,
    events: Arc<dyn Events>,
    validates: bool,
}

impl Connector {
    /// Begins a session with `config`.
    pub fn configure(&self, config: Config) -> SessionBuilder {
        SessionBuilder {
            connector: self.clone(),
            config,
            policy: Policy::default(),
            events: self.events().clone(),
            validates: true,
        }
    }
}

impl SessionBuilder {
    /// Allows the connector what `policy` says.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Reports to `events`, instead of those of the connector.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn Events>) -> Self {
        self.events = events;
        self
    }

    /// Takes the config as it is, without checking it by the connector's schema. For a config that
    /// is only a sample.
    #[must_use]
    pub fn without_validation(mut self) -> Self {
        self.validates = false;
        self
    }

    /// Opens the session: validates the config by the connector's schema, puts tokens in the place
    /// of its secrets, and works out which hosts are allowed. Makes no request.
    ///
    /// # Errors
    ///
    /// A config error that names what is wrong with the config, without quoting it. Otherwise as
    /// [`Connector::spec`].
    pub async fn open(self) -> Result<Session> {
        let Self { connector, config, policy, events, validates } = self;
        let specification = connector.spec().await?;
        if validates {
            config.validate(&specification).await?;
        }
        let sealed = match policy.exposes_secrets() {
            true => config.expose(&specification)?,
            false => config.seal(&specification)?,
        };
        let allowed = Arc::new(policy.allowed_hosts(&specification, &sealed)?);
        let disclosure = Disclosure::of(&allowed, &sealed);
        let unmasked_secrets = sealed.unmasked_in_records();
        let (config, secrets) = sealed.into_parts();
        let redaction = Redaction::of(secrets.list());
        let clients = HttpClients::new(connector.limits(), policy.into_network());
        let secrets = Arc::new(secrets);
        let shared = Shared {
            connector,
            specification,
            config,
            secrets,
            redaction,
            clients,
            unmasked_secrets,
            disclosure,
        };
        Ok(Session { shared: Arc::new(shared), allowed, events })
    }
}

/// A connector with its config, its permissions and its secrets. Every question is answered by an
/// instance of its own, which is gone afterwards. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Session {
    shared: Arc<Shared>,
    allowed: Arc<AllowedHosts>,
    events: Arc<dyn Events>,
}

#[derive(Debug)]
struct Shared {
    connector: Connector,
    specification: Specification,
    config: Config,
    secrets: Arc<Secrets>,
    redaction: Redaction,
    clients: HttpClients,
    unmasked_secrets: Vec<String>,
    disclosure: Disclosure,
}

impl Session {
    /// The same session, which reports to other events. So it is known which stream an event
    /// belongs to: give each reader events of its own.
    #[must_use]
    pub fn with_events(&self, events: Arc<dyn Events>) -> Self {
        Self { events, ..self.clone() }
    }

    /// The same session, which can reach no host.
    #[must_use]
    pub fn offline(&self) -> Self {
        Self { allowed: Arc::default(), ..self.clone() }
    }

    /// What the connector says about itself.
    pub fn specification(&self) -> &Specification {
        &self.shared.specification
    }

    /// The hosts that the connector may reach.
    pub fn allowed_hosts(&self) -> &AllowedHosts {
        &self.allowed
    }

    /// Masks the secrets of the config. Whatever the connector returns should pass through it
    /// before it is shown: servers repeat what they are sent. Texts of [`Events`] and errors of the
    /// session have passed through it already.
    pub fn redaction(&self) -> &Redaction {
        &self.shared.redaction
    }

    /// The properties of the config whose secrets are masked in texts for people, but not in
    /// records, because they are too short or plain to be told apart from other data.
    pub fn unmasked_secrets(&self) -> &[String] {
        &self.shared.unmasked_secrets
    }

    /// Which secrets may go to hosts that the connector named, and not the user. Nothing was sent
    /// yet. Whoever has not looked at the specification of the connector (see
    /// [`Specification::digest`]) should be told.
    pub fn disclosure(&self) -> &Disclosure {
        &self.shared.disclosure
    }

    /// Tries whether the source can be reached.
    ///
    /// # Errors
    ///
    /// Why not, as the connector says. A system error if it crashes.
    pub async fn check(&self) -> Result<()> {
        self.start(false).await?.check(self.shared.config.as_str()).await
    }

    /// Lists the streams that can be read.
    ///
    /// # Errors
    ///
    /// As the connector says. A system error if it crashes, or if a name or a schema has a secret
    /// in it.
    pub async fn discover(&self) -> Result<Vec<Stream>> {
        let streams = self.start(false).await?.discover(self.shared.config.as_str()).await?;
        self.redaction().check_streams(&streams).map_err(|found| Error::system(found.to_string()))?;
        Ok(streams)
    }

    /// Opens a reader of one stream. `state` is the last checkpoint of an earlier read; without
    /// one, the stream is read from its beginning.
    ///
    /// # Errors
    ///
    /// As the connector says: it does not understand the config, the stream or the state. A system
    /// error if it crashes.
    pub async fn read(
        &self,
        stream: &str,
        sync_mode: SyncMode,
        state: Option<&JsonObject>,
    ) -> Result<Reader> {
        let mut instance = self.start(true).await?;
        let state = state.map(JsonObject::as_str);
        let handle = instance.read(self.shared.config.as_str(), stream, sync_mode, state).await?;
        Ok(Reader { instance, handle, stopping: Stopping::No, is_complete: false })
    }

    async fn start(&self, reads: bool) -> Result<Instance> {
        let Shared { connector, secrets, redaction, clients, .. } = &*self.shared;
        let reporter = Reporter::new(self.events.clone(), redaction.clone());
        connector.start(clients.lease(), self.allowed.clone(), secrets.clone(), reporter, reads).await
    }
}

/// A read of one stream. Dropping it ends the read.
pub struct Reader {
    instance: Instance,
    handle: ReaderHandle,
    stopping: Stopping,
    is_complete: bool,
}

/// How a read ends before the end of its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopping {
    No,
    /// The connector ends it.
    ByConnector,
    /// It ends at the next checkpoint, because the connector does not know how to stop.
    AtCheckpoint,
    Ended,
}

impl Reader {
    /// The next records, or `None` when the stream has been read to its end or the read was
    /// stopped. Must not be called after an error.
    ///
    /// # Errors
    ///
    /// As the connector says. A system error if it crashes or returns what is not a record.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        if self.stopping == Stopping::Ended {
            return Ok(None);
        }
        let batch = self.instance.next_batch(self.handle).await?;
        match &batch {
            None if self.stopping == Stopping::ByConnector => {
                self.is_complete = self.instance.is_complete(self.handle).await?;
            }
            None => self.is_complete = true,
            Some(batch) if self.stopping == Stopping::AtCheckpoint && batch.checkpoint.is_some() => {
                self.stopping = Stopping::Ended;
            }
            Some(_) => {}
        }
        Ok(batch)
    }

    /// Ends the read soon, so that a later one that continues it reads nothing twice. The connector
    /// finishes what it has begun. [`Reader::next_batch`] returns the rest, a checkpoint that
    /// covers all records, and then `None`. A stream that cannot be continued (see
    /// [`Stream::resumable`]) is read to its end. To end a read at once, drop the reader.
    ///
    /// A connector of version 0.2 of the contract does not know how to stop: the read ends at its
    /// next checkpoint, and what it has in flight is lost.
    ///
    /// # Errors
    ///
    /// A system error if the connector crashes.
    pub async fn stop(&mut self) -> Result<()> {
        if self.stopping == Stopping::No && !self.is_complete {
            let is_known = self.instance.stop(self.handle).await?;
            self.stopping = if is_known { Stopping::ByConnector } else { Stopping::AtCheckpoint };
        }
        Ok(())
    }

    /// Whether the stream has been read to its end. False until [`Reader::next_batch`] has returned
    /// `None`, and afterwards if the read was stopped before.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("handle", &self.handle).finish_non_exhaustive()
    }
}
