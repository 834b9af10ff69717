//! What the tests of outbound HTTP share: a way to a server that answers as a script says, and what
//! is reported.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use scripted_server::Server;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::{AllowedHosts, Denial, HttpClients, Network, OutboundHttp};
use crate::account::{Account, Total};
use crate::events::{Events, Handled, Level, handled};
use crate::exceeded::ExceededLimit;
use crate::limits::{Limit, Limits};
use crate::redaction::Redaction;
use crate::reporter::Reporter;
use crate::secrets::{Secret, Secrets};

/// How a server is reached from here.
pub(super) trait Reached {
    /// A network whose only peculiarity is that the server's certificate, if it has one, is
    /// trusted.
    fn network(&self) -> Network;

    /// Outbound HTTP that leads to the server, by its address.
    fn http(&self, limits: Limits) -> (OutboundHttp, Arc<Reported>);
}

impl Reached for Server {
    fn network(&self) -> Network {
        if self.certificate().is_empty() {
            return Network::default();
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.certificate().as_bytes()).unwrap();
        Network::default().trust(file.path()).unwrap()
    }

    fn http(&self, limits: Limits) -> (OutboundHttp, Arc<Reported>) {
        Setup { allow: vec![self.url()], limits, network: self.network(), ..Setup::default() }.open()
    }
}

/// What outbound HTTP is made of.
#[derive(Default)]
pub(super) struct Setup {
    pub(super) allow: Vec<String>,
    pub(super) private_net: bool,
    pub(super) limits: Limits,
    pub(super) network: Network,
    pub(super) secret: Option<Secret>,
    pub(super) clients: Option<HttpClients>,
}

impl Setup {
    pub(super) fn open(self) -> (OutboundHttp, Arc<Reported>) {
        let patterns = self.allow.iter().map(|pattern| pattern.parse().unwrap()).collect();
        let allowed = Arc::new(AllowedHosts::granted(patterns, self.private_net));
        let events = Arc::new(Reported::default());
        let reporter = Reporter::new(events.clone(), Redaction::default());
        let clients = self.clients.unwrap_or_else(|| HttpClients::new(&self.limits, self.network));
        let secrets = Arc::new(Secrets::new(self.secret.into_iter().collect()));
        let total = Total::new(self.limits.total_memory);
        (OutboundHttp::new(clients, allowed, secrets, self.limits, reporter, total), events)
    }
}

/// An account of so many bytes.
pub(super) fn account(most: usize) -> Account {
    Account::new(Limit::HostMemory, most, Total::new(usize::MAX), ExceededLimit::default())
}

/// A body of a guest.
pub(super) fn body(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A request as a guest makes it.
pub(super) fn get(url: &str) -> Request<WasiBody> {
    Request::get(url).body(body("")).unwrap()
}

/// An answer whose body is still to arrive.
pub(super) async fn start(
    http: &OutboundHttp,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let exchange = http.begin(http.account.open()).map_err(|_| Error::ConnectionLimitReached)?;
    http.send(request, options, exchange).await
}

/// What a guest sees of an answer.
pub(super) async fn send(http: &OutboundHttp, request: Request<WasiBody>) -> Result<Response<Bytes>, Error> {
    let (head, body) = start(http, request, RequestOptions::default()).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

/// What was reported, in its order: log lines and denials as their texts.
#[derive(Debug, Default)]
pub(super) struct Reported(Mutex<VecDeque<String>>);

impl Events for Reported {
    fn log(&self, level: Level, message: String) -> Handled<'_> {
        assert_eq!(level, Level::Warn, "{message}");
        self.0.lock().unwrap().push_back(message);
        handled()
    }

    fn denied(&self, denial: &Denial) -> Handled<'_> {
        self.0.lock().unwrap().push_back(denial.to_string());
        handled()
    }
}

impl Reported {
    /// Whether nothing else was reported.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

/// The next warning.
pub(super) fn warning(events: &Reported) -> String {
    events.0.lock().unwrap().pop_front().expect("a warning")
}
