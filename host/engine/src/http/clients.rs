//! The HTTP clients of a session, with their pools of connections.
//!
//! Clients are made when the first request needs them. Each instance leases a set of its own, and
//! the instances of a session use them one after another.
//!
//! Sessions of one program may allow different hosts, and hosts may be allowed different addresses,
//! so there are several pools. What a request is allowed decides which it uses:
//!
//! - `public` checks every address that it connects to, so every session may use a connection that
//!   it finds there;
//! - `private` connects to any address, and is only for hosts that are allowed with any address;
//! - `proxied` connects to the proxy alone, which resolves names itself.
//!
//! A pool keeps connections by scheme, host and port, so a connection to one host is never used for
//! another. TLS sessions are resumed within a pool.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;
use tokio::runtime::Handle;

use super::address::Reach;
use super::connections::{self, Connections};
use super::lease::{Idle, Lease};
use super::lookups::Lookups;
use super::network::Network;
use super::resolve::Resolver;
use super::target::Target;
use crate::limits::Limits;
use crate::obstacle::Obstacle;

/// The user agent, unless the connector sends its own.
const USER_AGENT: &str = concat!("host/", env!("CARGO_PKG_VERSION"));
/// How long a connection is kept for the next request. Servers and load balancers commonly keep it
/// 60 to 75 s; with no more than that, the host closes it first.
const IDLE: Duration = Duration::from_secs(60);
/// Header fields of a response at most, whatever their size. Beyond about 24,000, `HeaderMap`
/// panics.
const FIELDS: usize = 16_384;

/// Hands out clients. Clones share them, and so their connections; leases do not.
#[derive(Clone, Debug)]
pub(crate) struct HttpClients {
    connect: Duration,
    headers: usize,
    network: Arc<Network>,
    lookups: Arc<Lookups>,
    connections: Arc<Connections>,
    clients: Arc<Lease<Clients>>,
    /// Clients of instances that have ended.
    idle: Idle<Clients>,
    /// Roots are read once.
    verifier: Arc<OnceLock<Result<Arc<dyn ServerCertVerifier>, Obstacle>>>,
}

#[derive(Debug, Default)]
struct Clients {
    public: Pair,
    private: Pair,
    proxied: OnceLock<Result<Client, NoRoute>>,
}

/// One client that can speak TLS and one that cannot, so that a run which only talks to a test
/// server or a gateway needs no root certificates.
#[derive(Debug, Default)]
struct Pair {
    secure: OnceLock<Result<Client, NoRoute>>,
    plain: OnceLock<Result<Client, NoRoute>>,
}

/// How a request reaches its server.
#[derive(Debug)]
pub(super) struct Route<'d> {
    pub(super) client: &'d Client,
    connections: &'d Handle,
    /// The proxy on the way.
    pub(super) proxy: Option<String>,
}

impl Route<'_> {
    /// Sends a request, and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// Those of the client.
    pub(super) async fn execute(&self, request: reqwest::Request) -> reqwest::Result<reqwest::Response> {
        connections::execute(self.connections, self.client, request).await
    }
}

/// Why a server cannot be reached.
#[derive(Clone, Debug)]
pub(super) enum NoRoute {
    /// What the operator set, or the system has, cannot be used.
    Setup(Obstacle),
    /// The HTTP client cannot be made.
    Client(String),
}

impl HttpClients {
    /// Opens nothing yet. Clients are made by the first request that needs them.
    pub(crate) fn new(limits: &Limits, network: Network) -> Self {
        Self {
            connect: limits.timeouts.connect,
            headers: limits.headers,
            network: Arc::new(network),
            clients: Arc::default(),
            // So that a request that waits in vain can still say so.
            lookups: Arc::new(Lookups::new(limits.timeouts.connect / 2)),
            connections: Arc::default(),
            idle: Idle::default(),
            verifier: Arc::default(),
        }
    }

    /// Clients for one instance alone, so that it cannot keep connections from others, or fill the
    /// windows of those of HTTP/2. Once it has ended, another gets them with their connections.
    pub(crate) fn lease(&self) -> Self {
        Self { clients: Arc::new(self.idle.lease()), ..self.clone() }
    }

    /// New clients in place of these, whose connections are closed as soon as they are done with.
    pub(super) fn renew(&self) -> Self {
        self.clients.discard();
        Self { clients: Arc::new(self.idle.fresh()), ..self.clone() }
    }

    /// The route for requests to `target`, which may have addresses of `reach`.
    ///
    /// # Errors
    ///
    /// If there is none, for instance because the system has no root certificates.
    pub(super) fn route(&self, target: &Target, reach: Reach) -> Result<Route<'_>, NoRoute> {
        let connections = self.connections.handle();
        let connections = connections
            .map_err(|error| NoRoute::Client(format!("no thread can be started for connections: {error}")))?;
        let proxy = self.network.proxy.as_ref().filter(|_| !target.is_local());
        let proxy = proxy.map(|proxy| proxy.intercepts(&target.url)).transpose();
        let proxy = proxy.map_err(|problem| NoRoute::Setup(Obstacle::of_setup(problem.to_string())))?;
        if let Some(name) = proxy.flatten() {
            // The proxy itself may speak TLS.
            let client = self.clients.proxied.get_or_init(|| self.open(Reach::Private, self.trust()?, true));
            return Ok(Route { client: made(client)?, connections, proxy: Some(name) });
        }
        let pair = match reach {
            Reach::Public => &self.clients.public,
            Reach::Private => &self.clients.private,
        };
        let client = if target.origin.scheme == "https" {
            pair.secure.get_or_init(|| self.open(reach, self.trust()?, false))
        } else {
            pair.plain.get_or_init(|| self.open(reach, trust_nobody()?, false))
        };
        Ok(Route { client: made(client)?, connections, proxy: None })
    }

    /// Waits until the connections have done what they had to do: one whose response has arrived
    /// is free for the next request a moment later.
    #[cfg(test)]
    pub(super) async fn settle(&self) {
        // They are served by one thread, in turn.
        let turns = async {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        };
        if let Ok(connections) = self.connections.handle() {
            let _ = connections.spawn(turns).await;
        }
    }

    /// The network settings, for errors about them.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    fn open(&self, reach: Reach, tls: ClientConfig, proxied: bool) -> Result<Client, NoRoute> {
        // A field counts 32 bytes and its name at least. HTTP/2 gets twice the limit, so that
        // `outbound` can report by how much it was exceeded: the protocol merely resets the stream.
        let fields = (self.headers / 33).clamp(1, FIELDS);
        let header_list = u32::try_from(self.headers.saturating_mul(2)).unwrap_or(u32::MAX);
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver { reach, lookups: self.lookups.clone() })
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            // This is about requests that were sent. A request that was not, because a pooled
            // connection turned out to be closed, is sent on another.
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(self.connect)
            .pool_idle_timeout(IDLE)
            .http1_max_headers(fields)
            // Old gateways fold long fields. The line breaks become spaces (RFC 9112, 5.2).
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http2_max_header_list_size(header_list);
        if let Some(proxy) = self.network.proxy.as_ref().filter(|_| proxied) {
            let rules = proxy.rules();
            for rule in rules.map_err(|problem| NoRoute::Setup(Obstacle::of_setup(problem.to_string())))? {
                builder = builder.proxy(rule);
            }
        }
        // The error could quote the proxy.
        builder.build().map_err(|_| NoRoute::Client("no HTTP client can be made".to_owned()))
    }

    /// TLS with the root certificates of the operating system, which include those that an
    /// administrator installed, or with those that the environment names in their place; and with
    /// those that the operator added.
    fn trust(&self) -> Result<ClientConfig, NoRoute> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.verifier.get_or_init(|| self.verifier(&provider)).clone();
        let mut config = tls(provider)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.map_err(NoRoute::Setup)?)
            .with_no_client_auth();
        // reqwest does not add ALPN to a TLS config that it did not make.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, Obstacle> {
        let Network { roots, named, .. } = &*self.network;
        let Some(named) = named else {
            let verifier = Verifier::new_with_extra_roots(roots.clone(), provider.clone());
            return verifier.map(|verifier| Arc::new(verifier) as _).map_err(|error| {
                let reason = format!("the system's root certificates cannot be loaded: {error}");
                Obstacle { remedy: self.network.trust_remedy(), ..Obstacle::of_setup(reason) }
            });
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(
            named
                .load()
                .map_err(|problem| Obstacle::of_setup(problem.to_string()))?
                .into_iter()
                .chain(roots.clone()),
        );
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build();
        verifier
            .map(|verifier| verifier as _)
            .map_err(|error| Obstacle::of_setup(format!("no certificate can be trusted: {error}")))
    }
}

/// A client that was made, or why it could not be.
fn made(client: &Result<Client, NoRoute>) -> Result<&Client, NoRoute> {
    client.as_ref().map_err(Clone::clone)
}

/// TLS that never succeeds, for the client that never uses it.
fn trust_nobody() -> Result<ClientConfig, NoRoute> {
    let tls = tls(Arc::new(ring::default_provider()))?;
    Ok(tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn tls(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, NoRoute> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NoRoute::Client(format!("TLS cannot be set up: {error}")))
}

#[cfg(test)]
mod tests;
