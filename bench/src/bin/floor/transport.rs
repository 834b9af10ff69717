//! Implements the SDK's seams natively: a pooled HTTP client and the system's clock.

use std::cell::RefCell;
use std::future::ready;
use std::time::{Duration, SystemTime};

use elt_sdk::clock::Clock;
use elt_sdk::http::{Request, Response, Transport, TransportError};
use elt_sdk::instant::instant_of;
use elt_sdk::log::{Level, Log};
use elt_sdk::progress::Progress;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use time::Timestamp;
use tokio::runtime::Handle;

use crate::client::body;

/// The native connector's transport.
pub(crate) struct Outside {
    pub(crate) client: Client,
    /// Drives requests while the connector computes.
    pub(crate) runtime: Handle,
    /// The URLs of all requests, if they are recorded.
    pub(crate) asked: Option<RefCell<Vec<String>>>,
}

impl Transport for Outside {
    fn send(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().push(request.url.clone());
        }
        let Some(outgoing) = compose(request) else {
            return Box::pin(ready(Err(TransportError::Refused("a request that cannot be sent".into()))));
        };
        let client = self.client.clone();
        let exchange = self.runtime.spawn(async move { receive(client.execute(outgoing).await?).await });
        let broken = |error: String| TransportError::Broken(error);
        Box::pin(exchange.map(move |done| match done {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(broken(error.to_string())),
            Err(error) => Err(broken(error.to_string())),
        }))
    }
}

fn compose(request: Request) -> Option<reqwest::Request> {
    let method = Method::from_bytes(request.method.as_bytes()).ok()?;
    let mut outgoing = reqwest::Request::new(method, Url::parse(&request.url).ok()?);
    for (name, value) in request.headers {
        outgoing.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(value).ok()?);
    }
    *outgoing.body_mut() = request.body.map(reqwest::Body::from);
    Some(outgoing)
}

async fn receive(response: reqwest::Response) -> reqwest::Result<Response> {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = response.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect();
    Ok(Response { status: response.status().as_u16(), headers, body: body(response).await? })
}

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        instant_of(SystemTime::now())
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

impl Log for Outside {
    fn log(&self, _: Level, _: &str) {}
}

impl Progress for Outside {
    fn rate_limited(&self, _: Timestamp) {}

    fn slices(&self, _: u64, _: Option<u64>) {}
}
