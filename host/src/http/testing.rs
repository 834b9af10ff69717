//! What the tests of the door share: a server that answers as a script says, and doors that lead to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::ring;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::{AllowedHosts, Dialer, Door, Network};
use crate::contract::Level;
use crate::limits::Limits;
use crate::message::Message;
use crate::outbox::{Inbox, Outbox};
use crate::secrets::{Secret, Secrets};

/// What a server does with a request.
pub(super) enum Reply {
    /// Writes this and waits for the next request.
    Keep(Vec<u8>),
    /// Writes this and closes the connection.
    Close(Vec<u8>),
    /// Writes nothing, and waits until the client gives up.
    Silence,
}

impl Reply {
    /// `200` with these headers (lines with an end) and this body.
    pub(super) fn ok(headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        Self::Keep([head.as_bytes(), body].concat())
    }
}

/// A server on a port of its own.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) notes: Arc<Mutex<Notes>>,
    /// A permit for each connection that has ended.
    pub(super) closed: Arc<Semaphore>,
    scheme: &'static str,
    /// The certificate to trust, in PEM form.
    pub(super) certificate: String,
}

/// What a server has seen.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) connections: usize,
    pub(super) handshakes: Vec<HandshakeKind>,
    /// The head of each request, as its lines.
    pub(super) requests: Vec<Vec<String>>,
}

/// How a server answers a request, of which it is given the target.
type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

impl Server {
    /// A server that speaks HTTP, and TLS for `name` within a tunnel.
    pub(super) fn plain(name: &str, script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start("http", name, &[], Arc::new(script))
    }

    /// A server that speaks HTTPS, under `name`, with the protocols `alpn`.
    pub(super) fn tls(
        name: &str,
        alpn: &[&str],
        script: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start("https", name, alpn, Arc::new(script))
    }

    fn start(scheme: &'static str, name: &str, alpn: &[&str], script: Script) -> Self {
        let mut certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        certificate.distinguished_name.push(DnType::CommonName, name);
        Self::show(scheme, &certificate, alpn, script)
    }

    /// A server that speaks HTTPS, and shows a certificate like this, which it signed itself.
    pub(super) fn with_certificate(
        certificate: &CertificateParams,
        script: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::show("https", certificate, &[], Arc::new(script))
    }

    fn show(scheme: &'static str, certificate: &CertificateParams, alpn: &[&str], script: Script) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let notes = Arc::<Mutex<Notes>>::default();
        let closed = Arc::new(Semaphore::new(0));
        let connection = Connection { config: Arc::new(config), notes: notes.clone(), script };
        let ended = closed.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (connection, ended) = (connection.clone(), ended.clone());
                connection.notes.lock().unwrap().connections += 1;
                std::thread::spawn(move || {
                    // Connections end when clients want them to, so their errors are nobody's.
                    let _ = match scheme {
                        "https" => connection.secure(stream.unwrap()),
                        _ => connection.serve(stream.unwrap()),
                    };
                    ended.add_permits(1);
                });
            }
        });
        Self { address, notes, closed, scheme, certificate: certificate.pem() }
    }

    /// Where it is, by its address.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// A network whose only peculiarity is that the server's certificate is trusted.
    pub(super) fn network(&self) -> Network {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.certificate.as_bytes()).unwrap();
        Network::default().trust(file.path()).unwrap()
    }

    /// A door that leads to the server, by its address.
    pub(super) fn door(&self, limits: Limits) -> (Door, Inbox) {
        Setup { allow: vec![self.origin()], limits, network: self.network(), ..Setup::default() }.open()
    }

    pub(super) fn connections(&self) -> usize {
        self.notes.lock().unwrap().connections
    }

    /// The lines of the head of a request.
    pub(super) fn request(&self, index: usize) -> Vec<String> {
        self.notes.lock().unwrap().requests[index].clone()
    }

    pub(super) fn requests(&self) -> usize {
        self.notes.lock().unwrap().requests.len()
    }
}

#[derive(Clone)]
struct Connection {
    config: Arc<ServerConfig>,
    notes: Arc<Mutex<Notes>>,
    script: Script,
}

impl Connection {
    fn secure(&self, stream: TcpStream) -> Option<()> {
        let mut stream = StreamOwned::new(ServerConnection::new(self.config.clone()).unwrap(), stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).ok()?;
        }
        self.notes.lock().unwrap().handshakes.push(stream.conn.handshake_kind().unwrap());
        self.serve(stream)
    }

    /// Answers requests until the client or the script has enough.
    fn serve(&self, stream: impl Wire) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                match line.trim_end() {
                    "" => break,
                    line => head.push(line.to_owned()),
                }
            }
            let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            stream.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
            let target = head[0].split(' ').nth(1).unwrap().to_owned();
            self.notes.lock().unwrap().requests.push(head);
            match (self.script)(&target) {
                Reply::Keep(bytes) => stream.get_mut().write_all(&bytes).ok()?,
                Reply::Close(bytes) => return stream.get_mut().write_all(&bytes).ok(),
                Reply::Silence => {}
            }
            stream.get_mut().flush().ok()?;
            if let Some(tunnelled) = stream.get_ref().tcp().filter(|_| target == "tunnelled.example:443") {
                return self.secure(tunnelled);
            }
        }
    }
}

/// A stream, and the socket below it if there is nothing between.
trait Wire: Read + Write {
    fn tcp(&self) -> Option<TcpStream>;
}

impl Wire for TcpStream {
    fn tcp(&self) -> Option<TcpStream> {
        self.try_clone().ok()
    }
}

impl Wire for StreamOwned<ServerConnection, TcpStream> {
    fn tcp(&self) -> Option<TcpStream> {
        None
    }
}

/// What a door is made of.
#[derive(Default)]
pub(super) struct Setup {
    pub(super) allow: Vec<String>,
    pub(super) private_net: bool,
    pub(super) limits: Limits,
    pub(super) network: Network,
    pub(super) secret: Option<Secret>,
    pub(super) dialer: Option<Dialer>,
}

impl Setup {
    pub(super) fn open(self) -> (Door, Inbox) {
        let patterns = self.allow.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let allowed = Arc::new(AllowedHosts::granted(patterns, self.private_net));
        let (outbox, inbox) = Outbox::new(Level::Info);
        let dialer = self.dialer.unwrap_or_else(|| Dialer::new(&self.limits, self.network));
        let secrets = Arc::new(Secrets::new(self.secret.into_iter().collect()));
        (Door::new(dialer, allowed, secrets, self.limits, outbox), inbox)
    }
}

/// A body of a guest.
pub(super) fn body(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A request as a guest makes it.
pub(super) fn get(url: &str) -> Request<WasiBody> {
    Request::get(url).body(body("")).unwrap()
}

/// What a guest sees of an answer.
pub(super) async fn send(door: &Door, request: Request<WasiBody>) -> Result<Response<Bytes>, Error> {
    let (head, body) = door.send(request, RequestOptions::default()).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// The next line of the log.
pub(super) async fn warning(inbox: &mut Inbox) -> String {
    match inbox.next().await {
        Some(Message::Log { level: Level::Warn, message }) => message,
        other => panic!("not a warning: {other:?}"),
    }
}
