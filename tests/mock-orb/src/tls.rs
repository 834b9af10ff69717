//! Generates a certificate for each server, and accepts TLS connections.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HTTP2: &[u8] = b"h2";

/// A server's TLS identity.
#[derive(Clone)]
pub(crate) struct Identity {
    acceptor: TlsAcceptor,
    certificate: Arc<str>,
}

impl Identity {
    /// Generates a self-signed certificate for 127.0.0.1 and localhost.
    pub(crate) fn generate() -> io::Result<Identity> {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let key = certified.signing_key.serialize_der().try_into().map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        Ok(Identity {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate: certified.cert.pem().into(),
        })
    }

    /// The PEM certificate.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Performs the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

/// Whether the client of a connection negotiated HTTP/2.
pub(crate) fn speaks_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}
