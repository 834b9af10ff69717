//! Connections: a destination and how far it may reach come in, the client that keeps connections there goes out.
//!
//! Clients are made when the first request wants them and shared by all instances of a connector, with their
//! connections. Instances may have different grants, so there are several pools, of which a request takes one by its
//! own grant:
//!
//! - `public` judges every address that it dials, so whoever finds a connection there could have opened it;
//! - `private` dials any address, and is only for requests to a host that was granted with any address;
//! - `proxied` dials the proxy alone, which resolves names itself.
//!
//! A pool has connections by scheme, host and port, so one to a host is never used for another. TLS sessions are
//! resumed within a pool.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use super::network::Network;
use super::policy::Reach;
use super::resolve::Resolver;
use super::target::Target;
use crate::limits::Limits;

/// How the host introduces itself where the connector does not.
const USER_AGENT: &str = concat!("host/", env!("CARGO_PKG_VERSION"));
/// How long a connection is kept for the next request: at or below what servers and load balancers commonly keep it
/// (60 to 75 s), so that the host and not the server ends it.
const IDLE: Duration = Duration::from_secs(60);
/// Fields of a response at most, whatever their size: beyond about 24,000 the type that holds them gives up.
const FIELDS: usize = 16_384;

/// Hands out clients. Clones share them, and so their connections.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    connect: Duration,
    headers: usize,
    network: Arc<Network>,
    clients: Arc<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    public: Pair,
    private: Pair,
    proxied: OnceLock<Result<Client, NoRoute>>,
    /// Roots are read once.
    verifier: OnceLock<Result<Arc<dyn ServerCertVerifier>, String>>,
}

/// One client that can speak TLS and one that cannot, so that a run which only ever speaks to a test server or a
/// gateway does without root certificates.
#[derive(Debug, Default)]
struct Pair {
    secure: OnceLock<Result<Client, NoRoute>>,
    plain: OnceLock<Result<Client, NoRoute>>,
}

/// Which way a request goes.
#[derive(Debug)]
pub(super) struct Route<'d> {
    pub(super) client: &'d Client,
    /// The proxy on the way.
    pub(super) proxy: Option<String>,
}

/// Why there is no way.
#[derive(Clone, Debug)]
pub(super) enum NoRoute {
    /// What the operator set, or the system has, is of no use: a clause.
    Setup(String),
    /// The HTTP client cannot be made.
    Client(String),
}

impl Dialer {
    /// Opens nothing yet: what makes no request does not pay for it.
    pub(crate) fn new(limits: &Limits, network: Network) -> Self {
        Self {
            connect: limits.connect,
            headers: limits.headers,
            network: Arc::new(network),
            clients: Arc::default(),
        }
    }

    /// The way for requests to `target`, which was judged to have `reach`.
    ///
    /// # Errors
    ///
    /// Why there can be none, for instance that the system has no root certificates.
    pub(super) fn route(&self, target: &Target, reach: Reach) -> Result<Route<'_>, NoRoute> {
        let proxy = self.network.proxy.as_ref().filter(|_| !target.is_local());
        let proxy = proxy.map(|proxy| proxy.intercepts(&target.url)).transpose().map_err(NoRoute::Setup)?;
        if let Some(name) = proxy.flatten() {
            // It may speak TLS itself.
            let client = self.clients.proxied.get_or_init(|| self.open(Reach::Private, self.trust()?, true));
            return Ok(Route { client: made(client)?, proxy: Some(name) });
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
        Ok(Route { client: made(client)?, proxy: None })
    }

    /// What the person who watches is to know of `network` when a certificate is refused or nobody
    /// answers.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    fn open(&self, reach: Reach, tls: ClientConfig, proxied: bool) -> Result<Client, NoRoute> {
        // A field is 32 bytes and its name at least. HTTP/2 is given more than is allowed, so that the door finds out
        // by how much: the protocol merely resets the stream.
        let fields = (self.headers / 33).clamp(1, FIELDS);
        let header_list = u32::try_from(self.headers.saturating_mul(2)).unwrap_or(u32::MAX);
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Resolver { reach })
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            // Of a request that was sent. One that was not, because a pooled connection turned out to be closed, is
            // sent on another.
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(self.connect)
            .pool_idle_timeout(IDLE)
            .http1_max_headers(fields)
            // Old gateways fold long fields. The line breaks become spaces (RFC 9112, 5.2).
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http2_max_header_list_size(header_list);
        if let Some(proxy) = self.network.proxy.as_ref().filter(|_| proxied) {
            for rule in proxy.rules().map_err(NoRoute::Setup)? {
                builder = builder.proxy(rule);
            }
        }
        // The error could quote the proxy.
        builder.build().map_err(|_| NoRoute::Client("no HTTP client can be made".to_owned()))
    }

    /// TLS with the roots of the operating system, among which an administrator puts those of a
    /// company, or with those in the place of them that the environment names; and with those that
    /// the operator named besides.
    fn trust(&self) -> Result<ClientConfig, NoRoute> {
        let provider = Arc::new(ring::default_provider());
        let verifier = self.clients.verifier.get_or_init(|| self.verifier(&provider)).clone();
        let mut config = tls(provider)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.map_err(NoRoute::Setup)?)
            .with_no_client_auth();
        // reqwest leaves a TLS configuration that it is given as it is.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
        let Network { roots, named, .. } = &*self.network;
        let Some(named) = named else {
            let verifier = Verifier::new_with_extra_roots(roots.clone(), provider.clone());
            return verifier.map(|verifier| Arc::new(verifier) as _).map_err(|error| {
                format!(
                    "the system's root certificates cannot be loaded: {error}{}",
                    self.network.trust_hint()
                )
            });
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(named.load()?.into_iter().chain(roots.clone()));
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build();
        verifier
            .map(|verifier| verifier as _)
            .map_err(|error| format!("no certificate can be trusted: {error}"))
    }
}

/// A client that was made before, or why it could not be.
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
