//! What the tests of the door share: doors that lead to a server which answers as a script says.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use scripted_server::Server;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::{AllowedHosts, Dialer, Door, Network};
use crate::contract::Level;
use crate::limits::Limits;
use crate::message::Message;
use crate::outbox::{Inbox, Outbox};
use crate::secrets::{Secret, Secrets};

/// How a server is reached from here.
pub(super) trait Reached {
    /// A network whose only peculiarity is that the server's certificate, if it has one, is trusted.
    fn network(&self) -> Network;

    /// A door that leads to the server, by its address.
    fn door(&self, limits: Limits) -> (Door, Inbox);
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

    fn door(&self, limits: Limits) -> (Door, Inbox) {
        Setup { allow: vec![self.url()], limits, network: self.network(), ..Setup::default() }.open()
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
