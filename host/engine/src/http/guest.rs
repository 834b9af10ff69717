//! The functions of `wasi:http` as a guest calls them: those of `wasmtime-wasi-http`, with the
//! bytes counted that they make the host hold.
//!
//! A function that makes, changes or drops a resource does the same to what is held for it
//! (`holdings`). The file is long because the interface has 45 functions.

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler;
use wasmtime_wasi_http::p2::bindings::http::types::{self, Duration as Nanos, ErrorCode, Method, Scheme};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{
    HostFutureIncomingResponse, HostIncomingRequest, HostIncomingResponse, HostOutgoingRequest,
    HostOutgoingResponse, HostResponseOutparam,
};
use wasmtime_wasi_http::p2::{HeaderError, HeaderResult, HttpError, HttpResult};
use wasmtime_wasi_http::{FieldMap, RequestOptions, WasiHttpCtx, WasiHttpCtxView};

use super::holdings::{BODY, FIELD, Holdings, weigh};
use super::hooks::{BODY_BUFFER, Hooks};

/// What the functions of `wasi:http` work on.
pub(crate) struct GuestHttp<'a> {
    pub(crate) hooks: &'a mut Hooks,
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) ctx: &'a mut WasiHttpCtx,
    pub(crate) holdings: &'a mut Holdings,
}

struct HasHttp;

impl HasData for HasHttp {
    type Data<'a> = GuestHttp<'a>;
}

/// Offers guests `wasi:http`, to send requests.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    http: fn(&mut T) -> GuestHttp<'_>,
) -> Result<()> {
    outgoing_handler::add_to_linker::<T, HasHttp>(linker, http)?;
    types::add_to_linker::<T, HasHttp>(linker, &LinkOptions::default().into(), http)
}

/// Bytes of what a request says before its fields.
fn line(request: &HostOutgoingRequest) -> usize {
    let method = if let Method::Other(name) = &request.method { name.len() } else { 0 };
    let scheme = if let Some(Scheme::Other(name)) = &request.scheme { name.len() } else { 0 };
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    method + scheme + text(&request.authority) + text(&request.path_with_query)
}

impl GuestHttp<'_> {
    /// The same for the functions that do the work.
    fn inner(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: self.hooks, table: self.table, ctx: self.ctx }
    }

    /// Counts these fields as they are now.
    fn count_fields(&mut self, fields: u32) -> Result<()> {
        let bytes = weigh(self.table.get(&Resource::<FieldMap>::new_borrow(fields))?);
        Ok(self.holdings.set(fields, bytes)?)
    }

    /// Counts this request as it is now.
    fn count_request(&mut self, request: u32) -> Result<()> {
        let outgoing = self.table.get(&Resource::<HostOutgoingRequest>::new_borrow(request))?;
        let line = line(outgoing);
        if line > self.holdings.head {
            return Err(self.hooks.head_is_too_large().into());
        }
        let body = outgoing.body.as_ref().map_or(0, |_| BODY_BUFFER);
        let bytes = line + weigh(&outgoing.headers) + body;
        Ok(self.holdings.set(request, bytes)?)
    }
}

/// Functions that hold nothing new.
macro_rules! pass {
    ($trait:ident: $(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(fn $name(&mut self, $($argument: $type),*) -> $answer {
            types::$trait::$name(&mut self.inner(), $($argument),*)
        })+
    };
}

/// What can only be asked of a component that serves requests. A connector has no such resource.
macro_rules! no_server {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(fn $name(&mut self, $(_: $type),*) -> $answer {
            Err(wasmtime::format_err!("a connector serves no requests").into())
        })+
    };
}

impl types::Host for GuestHttp<'_> {
    pass! { Host:
        fn convert_error_code(error: HttpError) -> Result<ErrorCode>;
        fn convert_header_error(error: HeaderError) -> Result<types::HeaderError>;
        fn http_error_code(error: Resource<types::IoError>) -> Result<Option<ErrorCode>>;
    }
}

impl types::HostFields for GuestHttp<'_> {
    fn new(&mut self) -> Result<Resource<FieldMap>> {
        let fields = types::HostFields::new(&mut self.inner())?;
        self.count_fields(fields.rep())?;
        Ok(fields)
    }

    fn from_list(&mut self, entries: Vec<(String, Vec<u8>)>) -> HeaderResult<Resource<FieldMap>> {
        let fields = types::HostFields::from_list(&mut self.inner(), entries)?;
        self.count_fields(fields.rep()).map_err(HeaderError::trap)?;
        Ok(fields)
    }

    fn set(&mut self, fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>) -> HeaderResult<()> {
        let number = fields.rep();
        types::HostFields::set(&mut self.inner(), fields, name, values)?;
        self.count_fields(number).map_err(HeaderError::trap)
    }

    fn delete(&mut self, fields: Resource<FieldMap>, name: String) -> HeaderResult<()> {
        let number = fields.rep();
        types::HostFields::delete(&mut self.inner(), fields, name)?;
        self.count_fields(number).map_err(HeaderError::trap)
    }

    fn append(&mut self, fields: Resource<FieldMap>, name: String, value: Vec<u8>) -> HeaderResult<()> {
        // Counting all fields again would take a time that grows with the square of their number.
        let (number, bytes) = (fields.rep(), FIELD + name.len() + value.len());
        types::HostFields::append(&mut self.inner(), fields, name, value)?;
        self.holdings.of(number).grow(bytes).map_err(HeaderError::trap)
    }

    fn clone(&mut self, fields: Resource<FieldMap>) -> Result<Resource<FieldMap>> {
        let fields = types::HostFields::clone(&mut self.inner(), fields)?;
        self.count_fields(fields.rep())?;
        Ok(fields)
    }

    fn drop(&mut self, fields: Resource<FieldMap>) -> Result<()> {
        self.holdings.take(fields.rep());
        types::HostFields::drop(&mut self.inner(), fields)
    }

    pass! { HostFields:
        fn get(fields: Resource<FieldMap>, name: String) -> Result<Vec<Vec<u8>>>;
        fn has(fields: Resource<FieldMap>, name: String) -> Result<bool>;
        fn entries(fields: Resource<FieldMap>) -> Result<Vec<(String, Vec<u8>)>>;
    }
}

impl types::HostOutgoingRequest for GuestHttp<'_> {
    fn new(&mut self, headers: Resource<FieldMap>) -> Result<Resource<HostOutgoingRequest>> {
        self.holdings.take(headers.rep());
        let request = types::HostOutgoingRequest::new(&mut self.inner(), headers)?;
        self.count_request(request.rep())?;
        Ok(request)
    }

    fn set_method(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        method: Method,
    ) -> Result<Result<(), ()>> {
        let number = request.rep();
        let set = types::HostOutgoingRequest::set_method(&mut self.inner(), request, method)?;
        self.count_request(number)?;
        Ok(set)
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        path: Option<String>,
    ) -> Result<Result<(), ()>> {
        let number = request.rep();
        let set = types::HostOutgoingRequest::set_path_with_query(&mut self.inner(), request, path)?;
        self.count_request(number)?;
        Ok(set)
    }

    fn set_scheme(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> Result<Result<(), ()>> {
        let number = request.rep();
        let set = types::HostOutgoingRequest::set_scheme(&mut self.inner(), request, scheme)?;
        self.count_request(number)?;
        Ok(set)
    }

    fn set_authority(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        authority: Option<String>,
    ) -> Result<Result<(), ()>> {
        let number = request.rep();
        let set = types::HostOutgoingRequest::set_authority(&mut self.inner(), request, authority)?;
        self.count_request(number)?;
        Ok(set)
    }

    fn headers(&mut self, request: Resource<HostOutgoingRequest>) -> Result<Resource<FieldMap>> {
        let fields = types::HostOutgoingRequest::headers(&mut self.inner(), request)?;
        self.count_fields(fields.rep())?;
        Ok(fields)
    }

    fn body(
        &mut self,
        request: Resource<HostOutgoingRequest>,
    ) -> Result<Result<Resource<HostOutgoingBody>, ()>> {
        let number = request.rep();
        let body = types::HostOutgoingRequest::body(&mut self.inner(), request)?;
        self.count_request(number)?;
        if let Ok(body) = &body {
            self.holdings.set(body.rep(), BODY)?;
        }
        Ok(body)
    }

    fn drop(&mut self, request: Resource<HostOutgoingRequest>) -> Result<()> {
        self.holdings.take(request.rep());
        types::HostOutgoingRequest::drop(&mut self.inner(), request)
    }

    pass! { HostOutgoingRequest:
        fn method(request: Resource<HostOutgoingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<HostOutgoingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<HostOutgoingRequest>) -> Result<Option<Scheme>>;
        fn authority(request: Resource<HostOutgoingRequest>) -> Result<Option<String>>;
    }
}

impl types::HostOutgoingBody for GuestHttp<'_> {
    /// Trailers are dropped. No API needs them.
    fn finish(
        &mut self,
        body: Resource<HostOutgoingBody>,
        trailers: Option<Resource<FieldMap>>,
    ) -> HttpResult<()> {
        if let Some(trailers) = trailers {
            types::HostFields::drop(self, trailers).map_err(HttpError::trap)?;
        }
        self.holdings.take(body.rep());
        types::HostOutgoingBody::finish(&mut self.inner(), body, None)
    }

    fn drop(&mut self, body: Resource<HostOutgoingBody>) -> Result<()> {
        self.holdings.take(body.rep());
        types::HostOutgoingBody::drop(&mut self.inner(), body)
    }

    pass! { HostOutgoingBody:
        fn write(body: Resource<HostOutgoingBody>) -> Result<Result<Resource<DynOutputStream>, ()>>;
    }
}

impl outgoing_handler::Host for GuestHttp<'_> {
    /// From here on, the request is held by whatever sends it.
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        let held = self.holdings.take(request.rep());
        self.hooks.begin(held).map_err(HttpError::trap)?;
        let response = outgoing_handler::Host::handle(&mut self.inner(), request, options);
        self.hooks.begun();
        response
    }
}

impl types::HostFutureIncomingResponse for GuestHttp<'_> {
    fn get(
        &mut self,
        response: Resource<HostFutureIncomingResponse>,
    ) -> Result<Option<Result<Result<Resource<HostIncomingResponse>, ErrorCode>, ()>>> {
        let answer = types::HostFutureIncomingResponse::get(&mut self.inner(), response)?;
        if let Some(Ok(Ok(response))) = &answer {
            let bytes = weigh(&self.table.get(response)?.headers);
            self.holdings.set(response.rep(), bytes)?;
        }
        Ok(answer)
    }

    pass! { HostFutureIncomingResponse:
        fn subscribe(response: Resource<HostFutureIncomingResponse>) -> Result<Resource<DynPollable>>;
        fn drop(response: Resource<HostFutureIncomingResponse>) -> Result<()>;
    }
}

impl types::HostIncomingResponse for GuestHttp<'_> {
    fn headers(&mut self, response: Resource<HostIncomingResponse>) -> Result<Resource<FieldMap>> {
        let fields = types::HostIncomingResponse::headers(&mut self.inner(), response)?;
        self.count_fields(fields.rep())?;
        Ok(fields)
    }

    fn drop(&mut self, response: Resource<HostIncomingResponse>) -> Result<()> {
        self.holdings.take(response.rep());
        types::HostIncomingResponse::drop(&mut self.inner(), response)
    }

    pass! { HostIncomingResponse:
        fn status(response: Resource<HostIncomingResponse>) -> Result<types::StatusCode>;
        fn consume(response: Resource<HostIncomingResponse>) -> Result<Result<Resource<HostIncomingBody>, ()>>;
    }
}

impl types::HostIncomingBody for GuestHttp<'_> {
    pass! { HostIncomingBody:
        fn stream(body: Resource<HostIncomingBody>) -> Result<Result<Resource<DynInputStream>, ()>>;
        fn finish(body: Resource<HostIncomingBody>) -> Result<Resource<HostFutureTrailers>>;
        fn drop(body: Resource<HostIncomingBody>) -> Result<()>;
    }
}

/// What `future-trailers.get` returns.
type Trailers = Option<Result<Result<Option<Resource<FieldMap>>, ErrorCode>, ()>>;

impl types::HostFutureTrailers for GuestHttp<'_> {
    pass! { HostFutureTrailers:
        fn subscribe(trailers: Resource<HostFutureTrailers>) -> Result<Resource<DynPollable>>;
        fn get(trailers: Resource<HostFutureTrailers>) -> Result<Trailers>;
        fn drop(trailers: Resource<HostFutureTrailers>) -> Result<()>;
    }
}

impl types::HostRequestOptions for GuestHttp<'_> {
    pass! { HostRequestOptions:
        fn new() -> Result<Resource<RequestOptions>>;
        fn connect_timeout(options: Resource<RequestOptions>) -> Result<Option<Nanos>>;
        fn set_connect_timeout(options: Resource<RequestOptions>, time: Option<Nanos>) -> Result<Result<(), ()>>;
        fn first_byte_timeout(options: Resource<RequestOptions>) -> Result<Option<Nanos>>;
        fn set_first_byte_timeout(options: Resource<RequestOptions>, time: Option<Nanos>) -> Result<Result<(), ()>>;
        fn between_bytes_timeout(options: Resource<RequestOptions>) -> Result<Option<Nanos>>;
        fn set_between_bytes_timeout(options: Resource<RequestOptions>, time: Option<Nanos>) -> Result<Result<(), ()>>;
        fn drop(options: Resource<RequestOptions>) -> Result<()>;
    }
}

impl types::HostIncomingRequest for GuestHttp<'_> {
    no_server! {
        fn method(request: Resource<HostIncomingRequest>) -> Result<Method>;
        fn path_with_query(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn scheme(request: Resource<HostIncomingRequest>) -> Result<Option<Scheme>>;
        fn authority(request: Resource<HostIncomingRequest>) -> Result<Option<String>>;
        fn headers(request: Resource<HostIncomingRequest>) -> Result<Resource<FieldMap>>;
        fn consume(request: Resource<HostIncomingRequest>) -> Result<Result<Resource<HostIncomingBody>, ()>>;
        fn drop(request: Resource<HostIncomingRequest>) -> Result<()>;
    }
}

impl types::HostOutgoingResponse for GuestHttp<'_> {
    no_server! {
        fn new(headers: Resource<FieldMap>) -> Result<Resource<HostOutgoingResponse>>;
        fn status_code(response: Resource<HostOutgoingResponse>) -> Result<types::StatusCode>;
        fn set_status_code(response: Resource<HostOutgoingResponse>, status: types::StatusCode) -> Result<Result<(), ()>>;
        fn headers(response: Resource<HostOutgoingResponse>) -> Result<Resource<FieldMap>>;
        fn body(response: Resource<HostOutgoingResponse>) -> Result<Result<Resource<HostOutgoingBody>, ()>>;
        fn drop(response: Resource<HostOutgoingResponse>) -> Result<()>;
    }
}

impl types::HostResponseOutparam for GuestHttp<'_> {
    /// A connector serves no requests.
    fn send_informational(
        &mut self,
        _: Resource<HostResponseOutparam>,
        _: u16,
        _: Resource<FieldMap>,
    ) -> HttpResult<()> {
        Err(HttpError::trap(wasmtime::format_err!("a connector serves no requests")))
    }

    no_server! {
        fn set(response: Resource<HostResponseOutparam>, answer: Result<Resource<HostOutgoingResponse>, ErrorCode>) -> Result<()>;
        fn drop(response: Resource<HostResponseOutparam>) -> Result<()>;
    }
}
