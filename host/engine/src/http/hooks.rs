//! Receives the requests that a guest makes through `wasi:http`.

use http::{Request, Response};
use wasmtime_wasi_http::{RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::OutboundHttp;
use super::exchange::Exchange;
use crate::account::{Full, Held};
use crate::limits::Limit;

/// Bytes that a guest may write to the body of a request at once.
const CHUNK: usize = 64 * 1024;
/// Bytes of a body that may be written before the host takes them: two chunks, because
/// `wasmtime-wasi-http` adds one to those that it is told to keep.
pub(super) const BODY_BUFFER: usize = 2 * CHUNK;

/// Sends what a guest asks for through its [`OutboundHttp`].
#[derive(Debug)]
pub(crate) struct Hooks {
    http: OutboundHttp,
    /// Of the request that is about to be sent.
    exchange: Option<Exchange>,
}

impl Hooks {
    pub(crate) fn new(http: OutboundHttp) -> Self {
        Self { http, exchange: None }
    }

    /// Prepares to send a request, for which `held` is held.
    ///
    /// # Errors
    ///
    /// If too many are in flight.
    pub(super) fn begin(&mut self, held: Held) -> Result<(), Full> {
        self.exchange = Some(self.http.begin(held)?);
        Ok(())
    }

    /// Forgets what was prepared, if the request turned out not to be sent.
    pub(super) fn begun(&mut self) {
        self.exchange = None;
    }

    /// Reports a request whose method, authority and path alone exceed the limit.
    pub(super) fn head_is_too_large(&self) -> Full {
        Full::report(Limit::Headers, &self.http.exceeded)
    }
}

/// What remains of an exchange after the head of its response.
type Rest = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Hooks {
    /// The client writes the header that fits the connection: none in HTTP/2.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Rest)>> + Send> {
        let http = self.http.clone();
        let exchange = self.exchange.take();
        Box::new(async move {
            let exchange = exchange.ok_or(wasmtime_wasi_http::Error::ConnectionLimitReached)?;
            let response = http.send(request, options.unwrap_or_default(), exchange).await?;
            Ok((response, Box::new(std::future::ready(Ok(()))) as Rest))
        })
    }
}
