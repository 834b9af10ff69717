//! An HTTP client configured like the host's: pooled, without redirects.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// How long to keep an idle connection, as in the host.
const IDLE: Duration = Duration::from_secs(60);

/// A client without TLS, which is all that the benchmarks need.
pub(crate) fn client() -> Result<Client, String> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| error.to_string())
}

/// Reads the whole body of a response into one buffer.
pub(crate) async fn body(response: Response) -> reqwest::Result<Vec<u8>> {
    let length = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut whole = Vec::with_capacity(length.unwrap_or_default());
    let mut body = reqwest::Body::from(response);
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            whole.extend_from_slice(data);
        }
    }
    Ok(whole)
}
