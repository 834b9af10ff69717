//! A server and what it has seen.

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

/// How a server answers a request.
type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server on a port of its own, which lives as long as the test's process.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    certificate: String,
    seen: Arc<Seen>,
}

/// What a server has seen, and who waits for more.
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
    /// A server that speaks HTTP.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", None, script)
    }

    /// A server that speaks HTTP, and answers every request with `ok`.
    pub fn ok() -> Self {
        Self::start(|_| Answer::ok("ok"))
    }

    /// A server that speaks HTTP, and TLS under `name` within an [`Answer::Tunnel`].
    pub fn proxy(name: &str, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen("http", Some(Identity::new(&params(name), &[])), script)
    }

    /// A server that speaks HTTPS under `name`, and says that it can speak the protocols `alpn`. It
    /// can speak HTTP/1.1.
    pub fn tls(
        name: &str,
        alpn: &[&str],
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::listen("https", Some(Identity::new(&params(name), alpn)), script)
    }

    /// A server that speaks HTTPS, and shows a certificate like this, which it signed itself.
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
                    // A client that goes away in the middle is what many a test is about.
                    let _ = connection.serve(socket);
                    connection.seen.note(|notes| notes.closed += 1);
                });
            }
        });
        Self { address, scheme, certificate: certificate.unwrap_or_default(), seen }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its URL, with an address in it and without a path.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The URL of a path, which begins with a slash.
    pub fn at(&self, path: &str) -> String {
        self.url() + path
    }

    /// The certificate to trust in PEM form; empty if the server has no TLS.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.seen.notes().connections
    }

    /// Waits until so many connections have ended.
    pub fn wait_closed(&self, count: usize) {
        drop(self.seen.changed.wait_while(self.seen.notes(), |notes| notes.closed < count).unwrap());
    }

    /// The TLS handshakes so far.
    pub fn handshakes(&self) -> Vec<HandshakeKind> {
        self.seen.notes().handshakes.clone()
    }

    /// One of the requests so far.
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

/// Who a server is by TLS.
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
    // Otherwise all have one name, and one seems to be signed by another.
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// What a connection is served with.
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
            let peer = reader.get_mut();
            match (self.script)(&request) {
                Answer::Keep(bytes) => peer.write_all(&bytes)?,
                Answer::Act(act) => return act(peer).and_then(|()| peer.flush()),
                Answer::Tunnel => {
                    peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
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
