//! Receives the requests that a guest makes through `wasi:http`.

use http::{Request, Response};
use wasmtime_wasi_http::{RequestOptions, Result, WasiBody, WasiHttpHooks};

use super::OutboundHttp;

/// Sends what a guest asks for through its [`OutboundHttp`].
#[derive(Debug)]
pub(crate) struct Hooks {
    http: OutboundHttp,
}

impl Hooks {
    pub(crate) fn new(http: OutboundHttp) -> Self {
        Self { http }
    }
}

/// What remains of an exchange after the head of its response.
type Rest = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Hooks {
    /// The client writes the header that fits the connection: none in HTTP/2.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Rest)>> + Send> {
        let http = self.http.clone();
        Box::new(async move {
            let response = http.send(request, options.unwrap_or_default()).await?;
            Ok((response, Box::new(std::future::ready(Ok(()))) as Rest))
        })
    }
}
