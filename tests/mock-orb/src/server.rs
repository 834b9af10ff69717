//! The server: an account in; a listening port with its own thread, and the owner's hold on it,
//! out.

use std::fmt::{self, Debug, Formatter};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use crate::account::Account;
use crate::fault::Fault;
use crate::hold::AccountGuard;
use crate::rate::{Limiter, RateLimit};
use crate::rate_class::RateTable;
use crate::request_log::LoggedRequest;
use crate::service::{Shared, lock};
use crate::tls::{Identity, speaks_http2};

/// How long to wait when a connection cannot be accepted, for instance for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(5);

/// A running server. Dropping it stops it, and passes on a panic of its thread.
pub struct MockOrb {
    shared: Arc<Shared>,
    address: SocketAddr,
    identity: Option<Identity>,
    stop: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl MockOrb {
    /// Serves an account on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// If the machine has no such port, or no more threads.
    #[must_use]
    pub fn start(account: Account) -> MockOrb {
        MockOrb::start_on(account, (Ipv4Addr::LOCALHOST, 0)).expect("a loopback port to listen on")
    }

    /// Serves an account on an address; port 0 stands for any free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn start_on(account: Account, address: impl ToSocketAddrs) -> io::Result<MockOrb> {
        MockOrb::listen(account, address, None)
    }

    /// As [`MockOrb::start_on`], but with TLS and, for those who want it, HTTP/2. The certificate
    /// is made for this server; [`MockOrb::certificate`] is what to trust.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn start_tls_on(account: Account, address: impl ToSocketAddrs) -> io::Result<MockOrb> {
        MockOrb::listen(account, address, Some(Identity::generate()?))
    }

    fn listen(
        account: Account,
        address: impl ToSocketAddrs,
        identity: Option<Identity>,
    ) -> io::Result<MockOrb> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(account));
        let stop = Arc::new(Notify::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = {
            let (shared, stop, identity) = (Arc::clone(&shared), Arc::clone(&stop), identity.clone());
            move || runtime.block_on(serve(listener, shared, identity, &stop))
        };
        let thread = std::thread::Builder::new().name("mock-orb".to_owned()).spawn(serving)?;
        Ok(MockOrb { shared, address, identity, stop, thread: Mutex::new(Some(thread)) })
    }

    /// The base URL of the API, `http://127.0.0.1:PORT/v1`; with TLS, it begins with `https`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/v1", self.address)
    }

    /// The certificate of a server with TLS, in PEM.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.identity.as_ref().map(Identity::certificate)
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account, to be looked at and changed. No request is answered while the guard lives, so
    /// it must not live in the head of a loop or a `match` whose body asks the server for
    /// something.
    ///
    /// # Panics
    ///
    /// If the thread holds another guard already, as in `orb.account().f(orb.account().g())`.
    pub fn account(&self) -> AccountGuard<'_> {
        let guard = AccountGuard::take(&self.shared.account, &self.shared.holder);
        lock(&self.shared.kept).forget();
        guard
    }

    /// Renders each answer once from now on, and gives it again to whoever asks the same, until the
    /// account is taken with [`MockOrb::account`]. For measurements, in which the server must not
    /// be what takes time.
    pub fn keep_answers(&self) {
        lock(&self.shared.kept).enable();
    }

    /// All requests since the start or the last [`MockOrb::clear_log`], in the order of their
    /// arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.shared.log).requests()
    }

    /// The most requests that were being answered at one time since the log was cleared; latency
    /// counts, the sending of the body does not.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        lock(&self.shared.log).peak_in_flight()
    }

    /// Forgets all requests so far. Connections keep being counted.
    pub fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }

    /// Remembers no requests from now on, which a server that runs for long should not.
    pub fn disable_log(&self) {
        lock(&self.shared.log).disable();
    }

    /// How many TCP connections were accepted since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many requests have arrived since the start, whether or not they are remembered.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// How many of them a rate limit refused.
    #[must_use]
    pub fn refused_count(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Lets a fault befall requests from now on. It comes before authentication, limits and the
    /// account.
    pub fn inject(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Limits the requests of each API key from now on, beside all limits set before.
    pub fn limit_rate(&self, limit: RateLimit) {
        lock(&self.shared.limiters).push(Limiter::new(limit));
    }

    /// Limits the requests of each API key as Orb documents it, each class of requests by itself,
    /// beside all limits set before.
    pub fn limit_by_class(&self, table: RateTable) {
        lock(&self.shared.limiters).extend(table.limits().map(Limiter::new));
    }

    /// Forgets all rate limits.
    pub fn clear_rate_limits(&self) {
        lock(&self.shared.limiters).clear();
    }

    /// Waits so long before the first byte of every answer.
    pub fn set_latency(&self, delay: Duration) {
        self.set_latency_on("", delay);
    }

    /// Waits so long before the first byte of every answer under a path, as sent; the longest
    /// prefix counts.
    pub fn set_latency_on(&self, path_prefix: &str, delay: Duration) {
        let mut latencies = lock(&self.shared.latencies);
        latencies.retain(|(prefix, _)| prefix != path_prefix);
        latencies.push((path_prefix.to_owned(), delay));
    }

    /// Kills the server: the port is closed and every connection cut, answered or not, when this
    /// returns.
    ///
    /// # Panics
    ///
    /// If the server's thread did.
    pub fn stop(&self) {
        self.stop.notify_one();
        let thread = lock(&self.thread).take();
        if let Some(Err(panic)) = thread.map(JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for MockOrb {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Debug for MockOrb {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MockOrb").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Accepts connections until told to stop; then drops them all.
async fn serve(listener: TcpListener, shared: Arc<Shared>, identity: Option<Identity>, stop: &Notify) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener inside its runtime");
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.notified() => break,
            Some(ended) = connections.join_next() => pass_on_panic(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    connections.spawn(welcome(stream, number, Arc::clone(&shared), identity.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    connections.abort_all();
    while let Some(ended) = connections.join_next().await {
        pass_on_panic(ended);
    }
}

fn pass_on_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

async fn welcome(stream: TcpStream, number: u64, shared: Arc<Shared>, identity: Option<Identity>) {
    // Small answers must not wait for the client's acknowledgements.
    let _ = stream.set_nodelay(true);
    let Some(identity) = identity else { return converse(stream, number, shared, false).await };
    if let Ok(stream) = identity.accept(stream).await {
        let is_http2 = speaks_http2(&stream);
        converse(stream, number, shared, is_http2).await;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    number: u64,
    shared: Arc<Shared>,
    is_http2: bool,
) {
    let stream = TokioIo::new(stream);
    // Requests of one connection of HTTP/2 are answered at the same time, each by a task of its
    // own.
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { shared.respond(number, request).await }
    });
    // A client may leave at any time, and some connections are cut on request.
    if is_http2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(stream, service).await;
    }
}
