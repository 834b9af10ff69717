//! What a connector may reach and see: hosts, network and secrets.

pub use crate::http::{AllowedHosts, GrantedBy, HostPattern, Network, Origin, Proxy};

use crate::config::SealedConfig;
use crate::error::Result;
use crate::types::Specification;

/// What a session allows its connector.
///
/// By default a connector reaches the hosts that its specification asks for, if they have public
/// addresses; it gets tokens in place of the secrets of its config; and the network is reached
/// directly.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The only hosts to allow. `None` if the connector's own list counts.
    granted: Option<Vec<HostPattern>>,
    private_network: bool,
    exposes_secrets: bool,
    network: Network,
}

impl Policy {
    /// Allows these hosts, and not those that the connector asks for.
    #[must_use]
    pub fn allow_only(mut self, hosts: Vec<HostPattern>) -> Self {
        self.granted = Some(hosts);
        self
    }

    /// Lets the hosts of [`allow_only`](Self::allow_only) that are named without a wildcard have
    /// any address, also on this machine and its network.
    #[must_use]
    pub fn allow_private_network(mut self, allow: bool) -> Self {
        self.private_network = allow;
        self
    }

    /// Gives the connector the secrets of its config instead of tokens. It may then do with them
    /// what it likes.
    #[must_use]
    pub fn expose_secrets(mut self, expose: bool) -> Self {
        self.exposes_secrets = expose;
        self
    }

    /// Reaches the internet as `network` says.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Whether the connector gets the secrets of its config.
    pub(crate) fn exposes_secrets(&self) -> bool {
        self.exposes_secrets
    }

    /// How the internet is reached.
    pub(crate) fn into_network(self) -> Network {
        self.network
    }

    /// The hosts that are allowed to a connector with this config.
    pub(crate) fn allowed_hosts(
        &self,
        specification: &Specification,
        config: &SealedConfig,
    ) -> Result<AllowedHosts> {
        match &self.granted {
            Some(hosts) => Ok(AllowedHosts::granted(hosts.clone(), self.private_network)),
            None => AllowedHosts::requested(specification, config),
        }
    }
}
