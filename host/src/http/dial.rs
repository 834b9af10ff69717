//! Connections: one pool for a whole run, made when the first request wants it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::Verifier;

use crate::limits::Limits;

/// How the host introduces itself where the connector does not.
const USER_AGENT: &str = concat!("host/", env!("CARGO_PKG_VERSION"));
/// How long a connection is kept for the next request: at or below what servers and load balancers commonly keep it
/// (60 to 75 s), so that the host and not the server ends it.
const IDLE: Duration = Duration::from_secs(60);

/// Hands out the client. Clones share it, and so its connections.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    connect: Duration,
    clients: Arc<Clients>,
}

/// One client that can speak TLS and one that cannot, so that a run which only ever speaks to a test server or a
/// gateway does without root certificates.
#[derive(Debug, Default)]
struct Clients {
    secure: OnceLock<Result<Client, String>>,
    plain: OnceLock<Result<Client, String>>,
}

impl Dialer {
    /// Opens nothing yet: what makes no request does not pay for it.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { connect: limits.connect, clients: Arc::default() }
    }

    /// The client for requests to `url`.
    ///
    /// # Errors
    ///
    /// Why there can be none, for instance that the system has no root certificates.
    pub(super) fn client(&self, url: &Url) -> Result<&Client, String> {
        let client = match url.scheme() {
            "https" => self.clients.secure.get_or_init(|| open(self.connect, trust_system()?)),
            _ => self.clients.plain.get_or_init(|| open(self.connect, trust_nobody()?)),
        };
        client.as_ref().map_err(Clone::clone)
    }
}

fn open(connect: Duration, tls: ClientConfig) -> Result<Client, String> {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(connect)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| format!("no HTTP client can be made: {error}"))
}

/// TLS with the roots of the operating system, among which an administrator puts those of a company.
fn trust_system() -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(provider.clone())
        .map_err(|error| format!("the system's root certificates cannot be loaded: {error}"))?;
    let mut config =
        tls(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    // reqwest leaves a TLS configuration that it is given as it is.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// TLS that never succeeds, for the client that never uses it.
fn trust_nobody() -> Result<ClientConfig, String> {
    let tls = tls(Arc::new(ring::default_provider()))?;
    Ok(tls.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn tls(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}
