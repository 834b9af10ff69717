//! The steps of one request, in their order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::body::{Passage, read_request};
use super::coding::{Coding, TooMany};
use super::denial::{Denial, Denials};
use super::dial::NoRoute;
use super::failure::ProxyFailure;
use super::policy::{Reach, Refusal};
use super::target::Target;
use super::{AllowedHosts, Dialer, failure, head};
use crate::breach::{Breaches, Limit};
use crate::contract::Level;
use crate::limits::Limits;
use crate::obstacle::{Obstacle, Obstacles};
use crate::outbox::Outbox;
use crate::secrets::{Secrets, Unsendable};

/// What one instance of a connector needs to reach the network, and what it may reach. Clones belong to the same
/// instance.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    dialer: Dialer,
    allowed: Arc<AllowedHosts>,
    secrets: Arc<Secrets>,
    pub(crate) limits: Limits,
    pub(crate) breaches: Breaches,
    pub(crate) obstacles: Obstacles,
    pub(crate) outbox: Outbox,
    denials: Denials,
    /// As many as requests may wait for the head of their response.
    places: Arc<Semaphore>,
}

impl Door {
    /// The door of a new instance.
    pub(crate) fn new(
        dialer: Dialer,
        allowed: Arc<AllowedHosts>,
        secrets: Arc<Secrets>,
        limits: Limits,
        outbox: Outbox,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.requests.min(Semaphore::MAX_PERMITS)));
        let (breaches, obstacles, denials) = Default::default();
        Self { dialer, allowed, secrets, limits, breaches, obstacles, outbox, denials, places }
    }

    /// Sends one request and waits for the head of its response.
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>> {
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| self.broke(Limit::Requests, Error::ConnectionLimitReached))?;
        let (head, body) = request.into_parts();
        // Before anything is refused: a guest that is still writing when the host drops the body sees a reset
        // stream instead of the reason.
        let body = read_request(body, &self.limits, &self.breaches).await?;
        let target = Target::of(&head.method, &head.uri)?;
        let reach = self.judge(&target).await?;
        let mut headers = head.headers;
        self.measure(&headers).map_err(Error::HttpRequestHeaderSectionSize)?;
        let compressed = head::prepare(&mut headers);
        self.unseal(&mut headers, &target).await?;
        let outgoing = compose(head.method.clone(), &target, headers, body);

        let route = match self.dialer.route(&target, reach) {
            Ok(route) => route,
            Err(NoRoute::Client(problem)) => return Err(Error::InternalError(Some(problem))),
            Err(NoRoute::Setup(reason)) => {
                self.hinder(&target, Obstacle { of_operator: true, reason }).await;
                return Err(Error::HttpRequestDenied);
            }
        };
        let name = format!("{} {}{}", head.method, target.origin, target.url.path());
        let started = Instant::now();
        // Connections are shared, so one cannot be given up because one request wants it sooner than another: the two
        // bounds hold together.
        let patience = shorter(options.connect_timeout, self.limits.connect)
            .saturating_add(shorter(options.first_byte_timeout, self.limits.first_byte));
        let answer = match timeout(patience, route.client.execute(outgoing)).await {
            // Of a plain request, which the proxy itself answers. Within a tunnel, the server would
            // have said it.
            Ok(Ok(answer))
                if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    && route.proxy.is_some()
                    && target.origin.scheme == "http" =>
            {
                Err(self.turned_away(&ProxyFailure::Credentials, &target, route.proxy.as_deref()).await)
            }
            Ok(Ok(answer)) => {
                self.obstacles.note(None);
                Ok(answer)
            }
            Ok(Err(error)) => Err(self.explain(&error, &target, route.proxy.as_deref()).await),
            Err(_) => Err(Error::HttpResponseTimeout),
        };
        let outcome = match &answer {
            Ok(response) => response.status().as_u16().to_string(),
            Err(error) => error.to_string(),
        };
        self.outbox
            .log(Level::Debug, format!("{name} -> {outcome} ({} ms)", started.elapsed().as_millis()))
            .await;

        let response: Response<reqwest::Body> = answer?.into();
        let codings = match Coding::of(&head.method, response.status(), response.headers()) {
            _ if !compressed => Vec::new(),
            Ok(codings) => codings,
            Err(TooMany(count)) => {
                let problem = format!("the body of the answer is said to be compressed {count} times over");
                return Err(Error::InternalError(Some(problem)));
            }
        };
        self.admit(response, codings, options, name)
    }

    /// Whether a request may be made, and how far it may reach.
    async fn judge(&self, target: &Target) -> Result<Reach> {
        let judged = self.allowed.judge(&target.origin);
        let (denial, error) = match &judged {
            Ok(reach) => return Ok(*reach),
            Err(Refusal::Host) => (Denial::Host(&target.origin, &self.allowed), Error::HttpRequestDenied),
            Err(Refusal::Address(prohibited)) => {
                (Denial::Address(&target.origin, prohibited, &self.allowed), Error::DestinationIpProhibited)
            }
        };
        self.denials.tell(denial, &self.outbox).await;
        Err(error)
    }

    /// Lets a response in, whose body is still to come and compressed as `codings` say.
    fn admit(
        &self,
        mut response: Response<reqwest::Body>,
        codings: Vec<Coding>,
        options: RequestOptions,
        name: String,
    ) -> Result<Response<WasiBody>> {
        self.measure(response.headers()).map_err(Error::HttpResponseHeaderSectionSize)?;
        if !codings.is_empty() {
            // Both are about what was received.
            response.headers_mut().remove(CONTENT_ENCODING);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        self.secrets.seal(response.headers_mut());
        Ok(response.map(|body| {
            let passage = Passage {
                body,
                codings,
                patience: shorter(options.between_bytes_timeout, self.limits.between_bytes),
                encoded: self.limits.response_encoded,
                size: self.limits.response,
                target: name,
                breaches: self.breaches.clone(),
                outbox: self.outbox.clone(),
            };
            passage.open()
        }))
    }

    /// Puts secrets in the place of their tokens.
    async fn unseal(&self, headers: &mut HeaderMap, target: &Target) -> Result<()> {
        let Err(unsendable) = self.secrets.unseal(headers, target.is_private()) else { return Ok(()) };
        self.denials.tell(Denial::Secret(&target.origin, unsendable), &self.outbox).await;
        Err(match unsendable {
            Unsendable::Clear => Error::HttpRequestDenied,
            Unsendable::Characters => Error::HttpRequestHeaderSize { field_name: None, field_size: None },
        })
    }

    /// Why a request failed, in words that the guest understands. What the user can do something about is told.
    async fn explain(&self, error: &reqwest::Error, target: &Target, proxy: Option<&str>) -> Error {
        if let Some(prohibited) = failure::prohibited(error) {
            let denial = Denial::Address(&target.origin, prohibited, &self.allowed);
            self.denials.tell(denial, &self.outbox).await;
        }
        let through = proxy.and_then(|_| ProxyFailure::of(error, &target.origin.scheme));
        if let Some(refusal) = failure::certificate(error) {
            // TLS within a tunnel is the server's, that of the connection to a proxy the proxy's.
            let whose = match (proxy, &through) {
                (Some(proxy), Some(failure)) if failure.is_unreached() => format!("the proxy {proxy}"),
                _ => target.origin.to_string(),
            };
            let network = self.dialer.network();
            let hint = if refusal.is_unknown { network.trust_hint() } else { String::new() };
            let reason = format!("the certificate of {whose} is refused: {}{hint}", refusal.reason);
            self.hinder(target, Obstacle { of_operator: network.is_trust_set, reason }).await;
            return Error::TlsCertificateError;
        }
        if let Some(failure) = through {
            return self.turned_away(&failure, target, proxy).await;
        }
        if error.is_connect() && proxy.is_none() && failure::prohibited(error).is_none() {
            self.point_to_proxy(target).await;
        }
        match failure::classify(error) {
            large @ Error::HttpResponseHeaderSectionSize(_) => self.broke(Limit::Headers, large),
            other => other,
        }
    }

    /// What a proxy did that does not let a request through.
    async fn turned_away(&self, failure: &ProxyFailure, target: &Target, proxy: Option<&str>) -> Error {
        let of_operator = *failure == ProxyFailure::Credentials;
        let proxy = proxy.unwrap_or_default();
        let reason =
            format!("the proxy {proxy}, by which {} is reached, {}", target.origin, failure.reason());
        self.hinder(target, Obstacle { of_operator, reason: reason.clone() }).await;
        if of_operator {
            return Error::HttpRequestDenied;
        }
        self.obstacles.note(None);
        Error::InternalError(Some(reason))
    }

    /// Says that there is a proxy in the environment, where a host cannot be reached without one.
    async fn point_to_proxy(&self, target: &Target) {
        let unused = self.dialer.network().unused.as_ref().filter(|_| !target.is_local());
        if let Some(variable) = unused.and_then(|unused| unused.variable(&target.url)) {
            let reason = format!(
                "{} was tried directly, though {variable} is set: --proxy env goes through the proxies of the environment",
                target.origin
            );
            self.hinder(target, Obstacle { of_operator: false, reason }).await;
        }
    }

    /// Notes what a request met, and tells it once.
    async fn hinder(&self, target: &Target, obstacle: Obstacle) {
        self.denials.tell(Denial::Obstacle(&target.origin, &obstacle.reason), &self.outbox).await;
        self.obstacles.note(Some(obstacle));
    }

    /// Measures headers. The error is their size, for the guest.
    fn measure(&self, headers: &HeaderMap) -> Result<(), Option<u32>> {
        let size = head::size(headers);
        if size <= self.limits.headers {
            return Ok(());
        }
        self.breaches.report(Limit::Headers);
        Err(u32::try_from(size).ok())
    }

    /// Reports that the instance broke `limit`, of which the guest hears as `error`.
    fn broke(&self, limit: Limit, error: Error) -> Error {
        self.breaches.report(limit);
        error
    }
}

/// The request that is sent. It has a body, or the length 0, where its method promises one.
fn compose(method: Method, target: &Target, headers: HeaderMap, body: Bytes) -> reqwest::Request {
    let mut outgoing = reqwest::Request::new(method, target.url.clone());
    *outgoing.headers_mut() = headers;
    if !body.is_empty() || matches!(*outgoing.method(), Method::POST | Method::PUT | Method::PATCH) {
        outgoing.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        *outgoing.body_mut() = Some(body.into());
    }
    outgoing
}

/// What the guest asks for, but never longer than what the host allows.
fn shorter(asked: Option<Duration>, cap: Duration) -> Duration {
    asked.map_or(cap, |asked| asked.min(cap))
}

#[cfg(test)]
mod tests;
