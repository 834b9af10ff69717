//! A running server, as its owner holds it: starts it, changes what it does, and stops it.

use std::fmt::{self, Debug, Formatter};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use crate::account::Account;
use crate::connections::serve;
use crate::edit::RecordError;
use crate::fault::Fault;
use crate::hold::AccountGuard;
use crate::mutation::Applied;
use crate::rate::{Limiter, RateLimit};
use crate::rate_class::RateTable;
use crate::request_log::LoggedRequest;
use crate::script::Script;
use crate::service::{Shared, lock};
use crate::tls::Identity;

/// A running server. Dropping it stops it, and propagates a panic of its thread.
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
    /// If no port or thread is available.
    #[must_use]
    pub fn start(account: Account) -> MockOrb {
        MockOrb::start_on(account, (Ipv4Addr::LOCALHOST, 0)).expect("a loopback port to listen on")
    }

    /// Serves an account on an address; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
    pub fn start_on(account: Account, address: impl ToSocketAddrs) -> io::Result<MockOrb> {
        MockOrb::listen(account, address, None)
    }

    /// Like [`MockOrb::start_on`], but with TLS and, for clients that offer it, HTTP/2. Each server
    /// has a new certificate; clients must trust [`MockOrb::certificate`].
    ///
    /// # Errors
    ///
    /// If the address cannot be bound.
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

    /// The base URL of the API: `http://127.0.0.1:PORT/v1`, or `https` with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/v1", self.address)
    }

    /// The PEM certificate of a server with TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.identity.as_ref().map(Identity::certificate)
    }

    /// The bound address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Locks the account for reading and changes. Requests wait while the guard lives, so do not
    /// hold it in the head of a loop or `match` whose body sends requests to the server.
    ///
    /// # Panics
    ///
    /// If the thread already holds a guard, as in `orb.account().f(orb.account().g())`.
    pub fn account(&self) -> AccountGuard<'_> {
        let guard = AccountGuard::take(&self.shared.account, &self.shared.holder);
        lock(&self.shared.kept).forget();
        guard
    }

    /// Renders each answer once from now on, and caches it for repeated requests until the account
    /// is locked with [`MockOrb::account`]. For measurements, where the server must not be the
    /// bottleneck.
    pub fn keep_answers(&self) {
        lock(&self.shared.kept).enable();
    }

    /// All requests since the start or the last [`MockOrb::clear_log`], in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.shared.log).requests()
    }

    /// The most requests in flight at one time since the log was cleared; latency counts, sending
    /// the body does not.
    #[must_use]
    pub fn peak_in_flight(&self) -> usize {
        lock(&self.shared.log).peak_in_flight()
    }

    /// Clears the request log. Connections are still counted from the start.
    pub fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }

    /// Stops logging requests, for servers that run for a long time.
    pub fn disable_log(&self) {
        lock(&self.shared.log).disable();
    }

    /// The number of TCP connections accepted since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The number of requests since the start, logged or not.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The number of requests that a rate limit rejected.
    #[must_use]
    pub fn refused_count(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Injects a fault from now on. Faults come before authentication, rate limits and the account.
    pub fn inject(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Adds a rate limit per API key to those set before.
    pub fn limit_rate(&self, limit: RateLimit) {
        lock(&self.shared.limiters).push(Limiter::new(limit));
    }

    /// Adds Orb's documented rate limits per API key and class of requests to the limits set
    /// before.
    pub fn limit_by_class(&self, table: RateTable) {
        lock(&self.shared.limiters).extend(table.limits().map(Limiter::new));
    }

    /// Removes all rate limits.
    pub fn clear_rate_limits(&self) {
        lock(&self.shared.limiters).clear();
    }

    /// Delays the first byte of every answer.
    pub fn set_latency(&self, delay: Duration) {
        self.set_latency_on("", delay);
    }

    /// Delays the first byte of answers under a path prefix, as sent; the longest prefix wins.
    pub fn set_latency_on(&self, path_prefix: &str, delay: Duration) {
        let mut latencies = lock(&self.shared.latencies);
        latencies.retain(|(prefix, _)| prefix != path_prefix);
        latencies.push((path_prefix.to_owned(), delay));
    }

    /// Mutates the account at moments of a read, besides what was planned before.
    pub fn plan(&self, script: Script) {
        lock(&self.shared.agenda).add(script);
    }

    /// Mutates the account at once: a mutation as scripts write it, such as `pay_invoice` or
    /// `random 7:100`. Returns what became of each.
    ///
    /// # Errors
    ///
    /// If the text is not a mutation.
    pub fn mutate(&self, text: &str) -> Result<Vec<Result<Applied, RecordError>>, RecordError> {
        Ok(self.shared.apply(&[text.parse()?]))
    }

    /// What became of the mutations of [`MockOrb::plan`] and [`MockOrb::mutate`] so far, in order.
    #[must_use]
    pub fn mutations(&self) -> Vec<Result<Applied, RecordError>> {
        lock(&self.shared.agenda).outcomes()
    }

    /// Stops the server: when this returns, the port is closed and every connection is cut, even in
    /// the middle of an answer.
    ///
    /// # Panics
    ///
    /// If the server's thread panicked.
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
