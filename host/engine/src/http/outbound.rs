//! Sends one request of a connector, step by step.
//!
//! The file is long because whatever goes wrong at a step is explained here, by what only the step
//! knows: the destination, the way to it, and the limits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, Result, WasiBody};

use super::address::Prohibited;
use super::address::Reach;
use super::allowed_hosts::Refusal;
use super::body::{ResponseBody, read_request};
use super::clients::NoRoute;
use super::coding::{Coding, TooMany};
use super::denial::{Denial, Denials};
use super::exchange::Exchange;
use super::failure::{ProxyFailure, too_much};
use super::hosts::Hosts;
use super::target::Target;
use super::{AllowedHosts, HttpClients, failure, head, holdings};
use crate::account::{Account, Full, Held, Total};
use crate::deadline::timeout;
use crate::error::Remedy;
use crate::events::Level;
use crate::exceeded::ExceededLimit;
use crate::limits::{Limit, Limits};
use crate::obstacle::{Obstacle, Obstacles};
use crate::reporter::Reporter;
use crate::secrets::{SecretProblem, Secrets};

/// The access of one instance to the network. Clones belong to the same instance.
#[derive(Clone, Debug)]
pub(crate) struct OutboundHttp {
    clients: HttpClients,
    allowed: Arc<AllowedHosts>,
    secrets: Arc<Secrets>,
    pub(crate) limits: Limits,
    pub(crate) exceeded: ExceededLimit,
    pub(crate) obstacles: Obstacles,
    pub(crate) reporter: Reporter,
    denials: Denials,
    hosts: Arc<Mutex<Hosts>>,
    /// A permit for each request that may be in flight.
    places: Arc<Semaphore>,
    /// What the host holds for the instance.
    pub(crate) account: Account,
    /// What all instances take together.
    pub(crate) total: Total,
}

/// Bytes that the host holds of a response until its body has arrived: what a client reads ahead of
/// the guest. hyper reads up to 408 KiB of HTTP/1. Answers by HTTP/2 share 5 MiB for a connection.
const ANSWER: usize = 512 * 1024;

/// What is held of the head of a response until the guest takes it.
#[derive(Clone, Debug)]
struct HeadHeld {
    _held: Arc<Held>,
}

impl OutboundHttp {
    /// The access of a new instance.
    pub(crate) fn new(
        clients: HttpClients,
        allowed: Arc<AllowedHosts>,
        secrets: Arc<Secrets>,
        limits: Limits,
        reporter: Reporter,
        total: Total,
    ) -> Self {
        let places = Arc::new(Semaphore::new(limits.requests.min(Semaphore::MAX_PERMITS)));
        let (exceeded, obstacles, denials) = <(ExceededLimit, _, _)>::default();
        let hosts = Arc::new(Mutex::new(Hosts::new(clients.clone())));
        let account = Account::new(Limit::HostMemory, limits.host_memory, total.clone(), exceeded.clone());
        Self {
            clients,
            allowed,
            secrets,
            limits,
            exceeded,
            obstacles,
            reporter,
            denials,
            hosts,
            places,
            account,
            total,
        }
    }

    /// Begins to send a request, for which `held` is held.
    ///
    /// # Errors
    ///
    /// If too many are in flight.
    pub(super) fn begin(&self, held: Held) -> Result<Exchange, Full> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Full::report(Limit::Requests, &self.exceeded))?;
        Ok(Exchange::new(held, place))
    }

    /// Sends one request and waits for the head of its response.
    pub(super) async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
        mut exchange: Exchange,
    ) -> Result<Response<WasiBody>> {
        let (head, body) = request.into_parts();
        // Before anything is rejected: if the host drops the body while the guest still writes, the
        // guest sees a reset stream instead of the reason.
        let body = read_request(body, &self.limits, &self.exceeded, &mut exchange.held).await?;
        let target = Target::of(&head.method, &head.uri)?;
        let reach = self.judge(&target).await?;
        let mut headers = head.headers;
        let line = head.method.as_str().len() + target.url.as_str().len();
        // Secrets may be much longer than their tokens, so nothing is put in before it is known to
        // fit.
        let size = line + head::size(&headers) + self.secrets.growth(&headers);
        self.measure(size).map_err(Error::HttpRequestHeaderSectionSize)?;
        let compressed = head::prepare(&mut headers);
        self.unseal(&mut headers, &target).await?;
        self.measure(line + head::size(&headers)).map_err(Error::HttpRequestHeaderSectionSize)?;
        exchange.held.grow(holdings::weigh(&headers)).map_err(too_much)?;
        let outgoing = compose(head.method.clone(), &target, headers, body);

        // What is read ahead of the guest begins with the head.
        exchange.held.grow(ANSWER).map_err(too_much)?;
        let clients = self.hosts.lock().unwrap_or_else(PoisonError::into_inner).to(&target.origin);
        let route = match clients.route(&target, reach) {
            Ok(route) => route,
            Err(NoRoute::Client(problem)) => return Err(Error::InternalError(Some(problem))),
            Err(NoRoute::Setup(obstacle)) => {
                self.hinder(&target, obstacle).await;
                return Err(Error::HttpRequestDenied);
            }
        };
        let name = format!("{} {}{}", head.method, target.origin, target.url.path());
        let started = Instant::now();
        // Connections are shared, so a connection cannot be abandoned because one request is less
        // patient than another. The two timeouts are added instead.
        let patience = shorter(options.connect_timeout, self.limits.timeouts.connect)
            .saturating_add(shorter(options.first_byte_timeout, self.limits.timeouts.first_byte));
        let answer = match timeout(patience, route.execute(outgoing)).await {
            // This answers a plain request, so it is from the proxy. Within a tunnel, it would be
            // from the server.
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
        let took = started.elapsed().as_millis();
        self.reporter.log(Level::Debug, || format!("{name} -> {outcome} ({took} ms)")).await;

        let response: Response<reqwest::Body> = answer?.into();
        let codings = match Coding::of(&head.method, response.status(), response.headers()) {
            _ if !compressed => Vec::new(),
            Ok(codings) => codings,
            Err(TooMany(count)) => {
                let problem = format!("the body of the answer is said to be compressed {count} times over");
                return Err(Error::InternalError(Some(problem)));
            }
        };
        self.admit(response, codings, options, name, exchange)
    }

    /// Decides whether a request may be sent, and to which addresses.
    async fn judge(&self, target: &Target) -> Result<Reach> {
        let judged = self.allowed.judge(&target.origin);
        let (denial, error) = match &judged {
            Ok(reach) => return Ok(*reach),
            Err(Refusal::Host) => {
                let (origin, allowed) = (target.origin.clone(), self.allowed.clone());
                (Denial::Host { origin, allowed }, Error::HttpRequestDenied)
            }
            Err(Refusal::Address(prohibited)) => {
                (self.prohibited(target, prohibited), Error::DestinationIpProhibited)
            }
        };
        self.denials.report(&denial, &self.reporter).await;
        Err(error)
    }

    /// Passes a response on to the guest. Its body, compressed by `codings`, is still to arrive.
    fn admit(
        &self,
        mut response: Response<reqwest::Body>,
        codings: Vec<Coding>,
        options: RequestOptions,
        name: String,
        exchange: Exchange,
    ) -> Result<Response<WasiBody>> {
        self.measure(head::size(response.headers())).map_err(Error::HttpResponseHeaderSectionSize)?;
        if !codings.is_empty() {
            // Both are about the compressed body.
            response.headers_mut().remove(CONTENT_ENCODING);
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        self.secrets.seal(response.headers_mut());
        let held = self.account.hold(holdings::weigh(response.headers())).map_err(too_much)?;
        response.extensions_mut().insert(HeadHeld { _held: Arc::new(held) });
        Ok(response.map(|body| {
            // Nothing is left of an exchange without a body, even if the guest keeps it.
            let ended = http_body::Body::is_end_stream(&body);
            let response_body = ResponseBody {
                body,
                codings,
                patience: shorter(options.between_bytes_timeout, self.limits.timeouts.between_bytes),
                encoded: self.limits.response_encoded,
                size: self.limits.response,
                target: name,
                exceeded: self.exceeded.clone(),
                reporter: self.reporter.clone(),
                account: self.account.clone(),
                exchange: Some(exchange).filter(|_| !ended),
            };
            response_body.open()
        }))
    }

    /// Replaces tokens by secrets.
    async fn unseal(&self, headers: &mut HeaderMap, target: &Target) -> Result<()> {
        let Err(problem) = self.secrets.unseal(headers, target.is_private()) else { return Ok(()) };
        let denial = Denial::Secret { origin: target.origin.clone(), problem };
        self.denials.report(&denial, &self.reporter).await;
        Err(match problem {
            SecretProblem::Unencrypted => Error::HttpRequestDenied,
            SecretProblem::Characters => Error::HttpRequestHeaderSize { field_name: None, field_size: None },
        })
    }

    /// The error code for a failed request. What the user can change is reported.
    async fn explain(&self, error: &reqwest::Error, target: &Target, proxy: Option<&str>) -> Error {
        if let Some(prohibited) = failure::prohibited(error) {
            self.denials.report(&self.prohibited(target, prohibited), &self.reporter).await;
        }
        let through = proxy.and_then(|_| ProxyFailure::of(error, &target.origin.scheme));
        if let Some(refusal) = failure::certificate(error) {
            // Within a tunnel, the certificate is the server's; on the connection to a proxy, the
            // proxy's.
            let whose = match (proxy, &through) {
                (Some(proxy), Some(failure)) if failure.is_unreached() => format!("the proxy {proxy}"),
                _ => target.origin.to_string(),
            };
            let network = self.clients.network();
            let reason = format!("the certificate of {whose} is refused: {}", refusal.reason);
            let remedy = network.trust_remedy().filter(|_| refusal.is_unknown);
            let of_operator = network.is_trust_set;
            self.hinder(target, Obstacle { of_operator, reason, remedy }).await;
            return Error::TlsCertificateError;
        }
        if let Some(failure) = through {
            return self.turned_away(&failure, target, proxy).await;
        }
        if let Some(problem) = failure::too_many_lookups(error) {
            let reason = format!("the name of {} was not resolved: {problem}", target.origin);
            self.hinder(target, Obstacle { of_operator: false, reason, remedy: None }).await;
            return failure::classify(error);
        }
        if error.is_connect() && proxy.is_none() && failure::prohibited(error).is_none() {
            self.point_to_proxy(target).await;
        }
        match failure::classify(error) {
            large @ Error::HttpResponseHeaderSectionSize(_) => self.exceeds(Limit::Headers, large),
            other => other,
        }
    }

    /// The error code for a request that a proxy did not pass on.
    async fn turned_away(&self, failure: &ProxyFailure, target: &Target, proxy: Option<&str>) -> Error {
        let of_operator = *failure == ProxyFailure::Credentials;
        let proxy = proxy.unwrap_or_default();
        let reason =
            format!("the proxy {proxy}, by which {} is reached, {}", target.origin, failure.reason());
        self.hinder(target, Obstacle { of_operator, reason: reason.clone(), remedy: None }).await;
        if of_operator {
            return Error::HttpRequestDenied;
        }
        self.obstacles.note(None);
        Error::InternalError(Some(reason))
    }

    /// If a host cannot be reached directly, points to the proxy in the environment.
    async fn point_to_proxy(&self, target: &Target) {
        let unused = self.clients.network().unused.as_ref().filter(|_| !target.is_local());
        if let Some(variable) = unused.and_then(|unused| unused.variable(&target.url)) {
            let reason = format!("{} was tried directly, though {variable} is set", target.origin);
            let remedy = Some(Remedy::UseEnvironmentProxy);
            self.hinder(target, Obstacle { of_operator: false, reason, remedy }).await;
        }
    }

    /// The denial of a request to a host whose address is not allowed.
    fn prohibited(&self, target: &Target, Prohibited { address, range }: &Prohibited) -> Denial {
        let (origin, allowed) = (target.origin.clone(), self.allowed.clone());
        Denial::Address { origin, address: *address, purpose: range.to_string(), allowed }
    }

    /// Notes what a request met, and reports it once.
    async fn hinder(&self, target: &Target, obstacle: Obstacle) {
        let denial = Denial::Obstacle { origin: target.origin.clone(), obstacle: obstacle.clone() };
        self.denials.report(&denial, &self.reporter).await;
        self.obstacles.note(Some(obstacle));
    }

    /// Checks the size of a head. The error is the size, for the guest.
    fn measure(&self, size: usize) -> Result<(), Option<u32>> {
        if size <= self.limits.headers {
            return Ok(());
        }
        self.exceeded.report(Limit::Headers);
        Err(u32::try_from(size).ok())
    }

    /// Reports that the instance exceeded `limit`. The guest sees `error`.
    fn exceeds(&self, limit: Limit, error: Error) -> Error {
        self.exceeded.report(limit);
        error
    }
}

/// The request as it is sent. If its method expects a body, it has one, or the length 0.
fn compose(method: Method, target: &Target, headers: HeaderMap, body: Bytes) -> reqwest::Request {
    let mut outgoing = reqwest::Request::new(method, target.url.clone());
    *outgoing.headers_mut() = headers;
    if !body.is_empty() || matches!(*outgoing.method(), Method::POST | Method::PUT | Method::PATCH) {
        outgoing.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        *outgoing.body_mut() = Some(body.into());
    }
    outgoing
}

/// The timeout that the guest asks for, but at most `cap`.
fn shorter(asked: Option<Duration>, cap: Duration) -> Duration {
    asked.map_or(cap, |asked| asked.min(cap))
}

#[cfg(test)]
mod tests;
