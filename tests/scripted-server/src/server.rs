//! Runs a server and records its requests.

use std::fmt;
use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring;
use rustls::{HandshakeKind, ServerConfig};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::{Answer, Peer, Request};

/// Computes the answer to a request.
type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server on a free port, which runs until the test's process ends.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    certificate: String,
    seen: Arc<Seen>,
}

/// What a server has recorded, and the signal for those who wait for more.
#[derive(Default)]
struct Seen {
    notes: Mutex<Notes>,
    changed: Condvar,
}

#[derive(Default)]
struct Notes {
    connections: usize,
    closed: usize,
    handshakes: Vec<HandshakeKind>,
    requests: Vec<Request>,
}

impl Server {
    /// Starts an HTTP server.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", None, script)
    }

    /// Starts an HTTP server that answers every request with `ok`.
    pub fn ok() -> Self {
        Self::start(|_| Answer::ok("ok"))
    }

    /// Starts an HTTP server that also serves TLS as `name` within an [`Answer::Tunnel`].
    pub fn proxy(name: &str, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", Some(Identity::new(&params(name), &[])), script)
    }

    /// Starts an HTTPS server as `name` that offers the ALPN protocols `alpn`. It speaks only
    /// HTTP/1.1.
    pub fn tls(
        name: &str,
        alpn: &[&str],
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen("https", Some(Identity::new(&params(name), alpn)), script)
    }

    /// Starts an HTTPS server with a self-signed certificate from these parameters.
    pub fn with_certificate(
        certificate: &CertificateParams,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen("https", Some(Identity::new(certificate, &[])), script)
    }

    fn listen(
        scheme: &'static str,
        identity: Option<Identity>,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (certificate, tls) = identity.map(|identity| (identity.certificate, identity.config)).unzip();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let connection =
            Connection { is_tls: scheme == "https", tls, script: Arc::new(script), seen: seen.clone() };
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let connection = connection.clone();
                connection.seen.note(|notes| notes.connections += 1);
                thread::spawn(move || {
                    // Ignore errors: many tests disconnect early on purpose.
                    let _ = connection.serve(socket);
                    connection.seen.note(|notes| notes.closed += 1);
                });
            }
        });
        Self { address, scheme, certificate: certificate.unwrap_or_default(), seen }
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL, with an IP address and without a path.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The URL of a path, which must start with a slash.
    pub fn at(&self, path: &str) -> String {
        self.url() + path
    }

    /// The PEM certificate to trust; empty without TLS.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The number of connections made.
    pub fn connections(&self) -> usize {
        self.seen.notes().connections
    }

    /// Waits until this many connections have ended.
    pub fn wait_closed(&self, count: usize) {
        drop(self.seen.changed.wait_while(self.seen.notes(), |notes| notes.closed < count).unwrap());
    }

    /// The TLS handshakes so far.
    pub fn handshakes(&self) -> Vec<HandshakeKind> {
        self.seen.notes().handshakes.clone()
    }

    /// One of the requests so far, by index.
    pub fn request(&self, index: usize) -> Request {
        self.seen.notes().requests[index].clone()
    }

    /// The requests so far, in the order in which they were read.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.notes().requests.clone()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Seen {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut self.notes());
        self.changed.notify_all();
    }
}

/// A server's TLS identity.
struct Identity {
    certificate: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    fn new(params: &CertificateParams, alpn: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self { certificate: certificate.pem(), config: Arc::new(config) }
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    // Certificates need distinct names; otherwise one appears to be signed by another.
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// What a connection's thread needs.
#[derive(Clone)]
struct Connection {
    is_tls: bool,
    tls: Option<Arc<ServerConfig>>,
    script: Arc<Script>,
    seen: Arc<Seen>,
}

impl Connection {
    fn serve(&self, socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        let peer = if self.is_tls { self.secure(socket)? } else { Peer::plain(socket) };
        let mut reader = BufReader::new(peer);
        while let Some(request) = Request::read(&mut reader)? {
            self.seen.note(|notes| notes.requests.push(request.clone()));
            match (self.script)(&request) {
                Answer::Keep(bytes) => reader.get_mut().write_all(&bytes)?,
                Answer::Act(act) => {
                    let ahead = reader.buffer().to_vec();
                    let mut peer = reader.into_inner();
                    peer.give_back(&ahead);
                    return act(&mut peer).and_then(|()| peer.flush());
                }
                Answer::Tunnel => {
                    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                    // The client has sent nothing yet: it waits for this answer.
                    reader = BufReader::new(self.secure(reader.get_ref().socket().try_clone()?)?);
                }
            }
            reader.get_mut().flush()?;
        }
        Ok(())
    }

    fn secure(&self, socket: TcpStream) -> io::Result<Peer> {
        let config = self.tls.as_ref().expect("the server was started with a name for TLS");
        let (peer, kind) = Peer::tls(socket, config)?;
        self.seen.note(|notes| notes.handshakes.push(kind));
        Ok(peer)
    }
}
