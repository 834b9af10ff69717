//! A loaded connector, which can be asked what it is, and configured.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::component::ComponentInfo;
use crate::error::{Error, Result};
use crate::events::Events;
use crate::http::{AllowedHosts, HttpClients, Network, OutboundHttp};
use crate::instance::{Instance, Prepared};
use crate::limits::{Limit, Limits};
use crate::redaction::Redaction;
use crate::reporter::Reporter;
use crate::secrets::Secrets;
use crate::store::StoreData;
use crate::types::Specification;

/// A loaded connector, of which any number of instances can run. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    shared: Arc<Shared>,
    events: Arc<dyn Events>,
}

struct Shared {
    prepared: Prepared,
    info: ComponentInfo,
    limits: Limits,
    specification: OnceCell<Specification>,
}

impl Connector {
    pub(crate) fn new(prepared: Prepared, info: ComponentInfo, limits: Limits) -> Self {
        let specification = OnceCell::new();
        Self { shared: Arc::new(Shared { prepared, info, limits, specification }), events: Arc::new(()) }
    }

    /// Reports what happens while the connector is asked for its specification, and in all sessions
    /// that do not say otherwise, to `events`. Without this, nothing is reported.
    #[must_use]
    pub fn with_events(mut self, events: Arc<dyn Events>) -> Self {
        self.events = events;
        self
    }

    /// What its component says without being run.
    pub fn component(&self) -> &ComponentInfo {
        &self.shared.info
    }

    /// The limits of each instance.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Asks the connector what it is, once. It can reach nothing meanwhile, and no time passes for
    /// it, so that it cannot say something else each time.
    ///
    /// # Errors
    ///
    /// A system error if it crashes, makes a request, or returns what is not JSON or more than is
    /// accepted ([`Bound`](crate::declaration::Bound)).
    pub async fn spec(&self) -> Result<Specification> {
        let ask = async || {
            let clients = HttpClients::new(&self.shared.limits, Network::default());
            let reporter = Reporter::new(self.events.clone(), Redaction::default());
            let (allowed, secrets) = (Arc::<AllowedHosts>::default(), Arc::<Secrets>::default());
            // How long a request takes, or that it fails, would be a source of chance.
            let limits = Limits { requests: 0, ..self.shared.limits.clone() };
            let total = self.shared.prepared.total.clone();
            let outbound = OutboundHttp::new(clients, allowed, secrets, limits, reporter, total);
            let mut instance = self.shared.prepared.start(StoreData::frozen(outbound)).await?;
            instance.spec().await.map_err(|error| match error.limit() {
                Some(Limit::Requests) => {
                    Error::system("the connector makes a request when it is asked for its specification")
                }
                _ => error,
            })
        };
        self.shared.specification.get_or_try_init(ask).await.cloned()
    }

    /// Where events go.
    pub(crate) fn events(&self) -> &Arc<dyn Events> {
        &self.events
    }

    /// Starts an instance. `reads` says whether it is to read a stream.
    pub(crate) async fn start(
        &self,
        clients: HttpClients,
        allowed: Arc<AllowedHosts>,
        secrets: Arc<Secrets>,
        reporter: Reporter,
        reads: bool,
    ) -> Result<Instance> {
        let (limits, total) = (self.shared.limits.clone(), self.shared.prepared.total.clone());
        let outbound = OutboundHttp::new(clients, allowed, secrets, limits, reporter, total);
        self.shared.prepared.start(StoreData::new(outbound, reads)).await
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("interface", &self.shared.info.interface)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
