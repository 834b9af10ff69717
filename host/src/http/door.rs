//! The steps of one request, in their order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, HOST};
use http::{Method, Request, Response, Uri};
use reqwest::Url;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::body::{Passage, read_request};
use super::{AllowedHosts, Dialer, Origin, failure};
use crate::breach::Breaches;
use crate::contract::Level;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::secrets::Secrets;

/// What one instance of a connector needs to reach the network, and what it may reach.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) dialer: Dialer,
    pub(crate) allowed: Arc<AllowedHosts>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) limits: Limits,
    pub(crate) breaches: Breaches,
    pub(crate) outbox: Outbox,
}

impl Door {
    /// Sends one request and waits for the head of its response.
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>> {
        let (head, body) = request.into_parts();
        // Before anything is refused: a guest that is still writing when the host drops the body sees a reset
        // stream instead of the reason.
        let body = read_request(body, &self.limits).await?;
        let url = self.judge(&head.method, &head.uri).await?;
        let target = format!("{} {}{}", head.method, url.origin().ascii_serialization(), url.path());

        let mut outgoing = reqwest::Request::new(head.method, url);
        *outgoing.headers_mut() = head.headers;
        // Both follow from what is sent: the URL that was judged and the body that was read.
        outgoing.headers_mut().remove(HOST);
        outgoing.headers_mut().remove(CONTENT_LENGTH);
        if !body.is_empty() || matches!(*outgoing.method(), Method::POST | Method::PUT | Method::PATCH) {
            outgoing.headers_mut().insert(CONTENT_LENGTH, body.len().into());
            *outgoing.body_mut() = Some(body.into());
        }

        let client = self.dialer.client(outgoing.url()).map_err(|error| Error::InternalError(Some(error)))?;
        let started = Instant::now();
        let connect = shorter(options.connect_timeout, self.limits.connect);
        let first_byte = shorter(options.first_byte_timeout, self.limits.first_byte);
        let answer = match timeout(connect + first_byte, client.execute(outgoing)).await {
            Ok(answer) => answer.map_err(|error| failure::classify(&error)),
            Err(_) => Err(Error::HttpResponseTimeout),
        };
        let outcome = match &answer {
            Ok(response) => response.status().as_u16().to_string(),
            Err(error) => error.to_string(),
        };
        self.outbox
            .log(Level::Debug, format!("{target} -> {outcome} ({} ms)", started.elapsed().as_millis()))
            .await;

        let response: Response<reqwest::Body> = answer?.into();
        Ok(response.map(|body| {
            let left = self.limits.response;
            let patience = shorter(options.between_bytes_timeout, self.limits.between_bytes);
            Passage { body, left, patience, target, outbox: self.outbox.clone() }.open()
        }))
    }

    /// The URL that will be dialled, if it may be.
    async fn judge(&self, method: &Method, uri: &Uri) -> Result<Url> {
        // Normalised once, and from then on the only form there is: host in lower case and punycode, numbers of
        // any base as an address, dots resolved.
        let url = Url::parse(&uri.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::HttpRequestUriInvalid);
        }
        if *method == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        if self.allowed.permit(&url) {
            return Ok(url);
        }
        let origin = Origin::of(&url).map_or_else(|| url.scheme().to_owned(), |origin| origin.to_string());
        self.outbox
            .log(
                Level::Warn,
                format!("denied: the connector tried to reach {origin}, but may reach {}", self.allowed),
            )
            .await;
        Err(Error::HttpRequestDenied)
    }
}

/// What the guest asks for, but never longer than what the host allows.
fn shorter(asked: Option<Duration>, cap: Duration) -> Duration {
    asked.map_or(cap, |asked| asked.min(cap))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::Mutex;

    use http_body_util::{BodyExt, Empty, Full};

    use super::*;
    use crate::message::Message;
    use crate::outbox::Inbox;

    /// A server that answers every request with `ok`: at once, or as its path says.
    struct Server {
        address: SocketAddr,
        /// The requests of each connection, as their lines.
        connections: Arc<Mutex<Vec<Vec<String>>>>,
    }

    impl Server {
        fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = Self { address: listener.local_addr().unwrap(), connections: Arc::default() };
            let connections = server.connections.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    connections.lock().unwrap().push(Vec::new());
                    let index = connections.lock().unwrap().len() - 1;
                    let connections = connections.clone();
                    std::thread::spawn(move || serve(stream.unwrap(), &connections, index));
                }
            });
            server
        }

        fn door(&self, limits: Limits) -> (Door, Inbox) {
            let url = Url::parse(&format!("http://{}", self.address)).unwrap();
            let (outbox, inbox) = Outbox::new(Level::Info);
            let allowed = Arc::new(Origin::of(&url).into_iter().collect());
            let secrets = Arc::default();
            let breaches = Breaches::default();
            (Door { dialer: Dialer::new(&limits), allowed, secrets, limits, breaches, outbox }, inbox)
        }

        fn request(&self, path: &str) -> http::request::Builder {
            Request::get(format!("http://{}{path}", self.address))
        }
    }

    fn serve(stream: TcpStream, connections: &Mutex<Vec<Vec<String>>>, index: usize) {
        let mut answer = stream.try_clone().unwrap();
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        while let Some(first) = lines.next() {
            let head: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            connections.lock().unwrap()[index].extend([vec![first.clone()], head].concat());
            match first.split(' ').nth(1) {
                Some("/silent") => continue,
                Some("/stuck") => answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no").unwrap(),
                Some("/elsewhere") => answer
                    .write_all(
                        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
                    )
                    .unwrap(),
                _ => answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap(),
            }
        }
    }

    fn empty() -> WasiBody {
        Empty::new().map_err(|never| match never {}).boxed_unsync()
    }

    async fn send(door: &Door, request: http::request::Builder) -> Result<(u16, String)> {
        let response = door.send(request.body(empty()).unwrap(), RequestOptions::default()).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8(body.into()).unwrap()))
    }

    fn impatient() -> Limits {
        let patience = Duration::from_millis(20);
        Limits { connect: patience, first_byte: patience, between_bytes: patience, ..Limits::default() }
    }

    #[tokio::test]
    async fn requests_share_a_connection() {
        let server = Server::start();
        let (door, _inbox) = server.door(Limits::default());
        for _ in 0..5 {
            assert_eq!(send(&door.clone(), server.request("/")).await.unwrap(), (200, "ok".to_owned()));
        }
        assert_eq!(server.connections.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn headers_pass_and_the_host_introduces_itself_unless_the_guest_does() {
        let server = Server::start();
        let (door, _inbox) = server.door(Limits::default());
        send(&door, server.request("/a?b=c").header("authorization", "Bearer key")).await.unwrap();
        send(&door, server.request("/").header("user-agent", "orb/1")).await.unwrap();
        let lines = server.connections.lock().unwrap()[0].clone();
        for expected in [
            "GET /a?b=c HTTP/1.1",
            "authorization: Bearer key",
            concat!("user-agent: host/", env!("CARGO_PKG_VERSION")),
            &format!("host: {}", server.address),
            "user-agent: orb/1",
        ] {
            assert_eq!(
                lines.iter().filter(|line| *line == expected).count().min(1),
                1,
                "{expected} in {lines:?}"
            );
        }
        assert!(!lines.iter().any(|line| line.starts_with("content-length")), "{lines:?}");
    }

    #[tokio::test]
    async fn a_body_is_sent_with_its_length() {
        let server = Server::start();
        let (door, _inbox) = server.door(Limits::default());
        let body = Full::new("".into()).map_err(|never| match never {}).boxed_unsync();
        let request = Request::post(format!("http://{}/", server.address)).body(body).unwrap();
        door.send(request, RequestOptions::default()).await.unwrap();
        assert!(server.connections.lock().unwrap()[0].contains(&"content-length: 0".to_owned()));
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_denied_and_told_before_anything_is_dialled() {
        let server = Server::start();
        let (mut door, mut inbox) = server.door(Limits::default());
        door.allowed = Arc::default();
        let error = send(&door, server.request("/?key=secret")).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestDenied));
        let Some(Message::Log { level: Level::Warn, message }) = inbox.next().await else {
            panic!("no warning");
        };
        assert_eq!(
            message,
            format!("denied: the connector tried to reach http://{}, but may reach no host", server.address)
        );
        assert!(server.connections.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer() {
        let server = Server::start();
        let (door, _inbox) = server.door(Limits::default());
        assert_eq!(send(&door, server.request("/elsewhere")).await.unwrap().0, 302);
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up() {
        let server = Server::start();
        let (door, _inbox) = server.door(impatient());
        let error = send(&door, server.request("/silent")).await.unwrap_err();
        assert!(matches!(error, Error::HttpResponseTimeout), "{error:?}");
        let error = send(&door, server.request("/stuck")).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionReadTimeout), "{error:?}");
    }

    #[tokio::test]
    async fn a_guest_may_be_less_patient_but_not_more() {
        assert_eq!(shorter(None, Duration::from_secs(60)), Duration::from_secs(60));
        assert_eq!(shorter(Some(Duration::from_secs(1)), Duration::from_secs(60)), Duration::from_secs(1));
        assert_eq!(shorter(Some(Duration::MAX), Duration::from_secs(60)), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn neither_a_tunnel_nor_a_user_in_a_url_is_possible() {
        let server = Server::start();
        let (door, _inbox) = server.door(Limits::default());
        let error = send(&door, server.request("/").method(Method::CONNECT)).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestMethodInvalid));
        let error = send(&door, Request::get(format!("http://user@{}/", server.address))).await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestUriInvalid));
    }
}
