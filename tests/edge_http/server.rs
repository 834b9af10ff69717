//! Serves the component as a server of `wasi:http/proxy` does: an instance per request.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Runtime, sync::oneshot, task::JoinHandle, time::timeout};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, Result, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    io::TokioIo,
    p2::{
        add_to_linker_async,
        bindings::{ProxyPre, http::types::Scheme},
    },
};

use crate::support::artifacts;

/// Far longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

fn product(name: &str) -> PathBuf {
    let target = artifacts::host().ancestors().nth(2).unwrap();
    let path = target.join("edge").join("http").join(name);
    assert!(path.exists(), "{} is missing; run `make edge-http`", path.display());
    path
}

fn engine() -> Engine {
    Engine::new(Config::new().wasm_component_model(true)).unwrap()
}

/// The names of what the closed connector imports and exports.
pub(super) fn closed() -> (Vec<String>, Vec<String>) {
    let engine = engine();
    let component = Component::from_file(&engine, product("orb-closed.wasm")).unwrap();
    let names = component.component_type();
    let imports = names.imports(&engine).map(|(name, _)| name.to_owned()).collect();
    (imports, names.exports(&engine).map(|(name, _)| name.to_owned()).collect())
}

/// A server of the composed component.
pub(super) struct Server {
    pre: ProxyPre<Data>,
    in_flight: Arc<AtomicUsize>,
    runtime: Runtime,
}

impl Server {
    pub(super) fn start() -> Self {
        let engine = engine();
        let path: &Path = &product("orb-proxy.wasm");
        let component = Component::from_file(&engine, path).unwrap();
        let mut linker = Linker::new(&engine);
        add_to_linker_async(&mut linker).unwrap();
        let pre = ProxyPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        Self { pre, in_flight: Arc::default(), runtime: Runtime::new().unwrap() }
    }

    pub(super) fn get(&self, path: &str) -> (u16, String) {
        self.send("GET", path, "")
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> (u16, String) {
        self.send("POST", path, &body.to_string())
    }

    /// Sends a request, and reads the whole response.
    pub(super) fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let length = body.len().to_string();
        let request = request(method, path).header("content-length", length);
        self.finish(request.body(whole(Bytes::copy_from_slice(body.as_bytes()))).unwrap())
    }

    /// Sends a body without a length that does not end by itself.
    pub(super) fn send_endless(&self, path: &str) -> (u16, String) {
        let frame = || Ok(http_body::Frame::data(Bytes::from_static(&[b' '; 64 * 1024])));
        let body = StreamBody::new(futures_util::stream::repeat_with(frame)).boxed_unsync();
        self.finish(request("POST", path).body(body).unwrap())
    }

    /// Sends a request, reads the first part of the response, goes away, and waits for the
    /// instance to end.
    pub(super) fn read_a_part(&self, path: &str, body: &Value) -> String {
        let body = whole(Bytes::from(body.to_string()));
        self.runtime.block_on(async {
            let (response, instance) = self.answer(request("POST", path).body(body).unwrap()).await;
            let mut body = response.into_body();
            let part = body.frame().await.unwrap().unwrap().into_data().unwrap();
            drop(body);
            timeout(PATIENCE, instance).await.expect("the instance ends").unwrap();
            String::from_utf8(part.to_vec()).unwrap()
        })
    }

    /// Waits until no request of the component is in flight.
    pub(super) fn wait_until_idle(&self) {
        let idle = async {
            while self.in_flight.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        self.runtime.block_on(async { timeout(PATIENCE, idle).await.expect("no request is in flight") });
    }

    fn finish(&self, request: Request<WasiBody>) -> (u16, String) {
        self.runtime.block_on(async {
            let (response, instance) = self.answer(request).await;
            let status = response.status().as_u16();
            let body = timeout(PATIENCE, response.into_body().collect()).await.unwrap().unwrap();
            timeout(PATIENCE, instance).await.expect("the instance ends").unwrap();
            (status, String::from_utf8(body.to_bytes().to_vec()).unwrap())
        })
    }

    async fn answer(&self, request: Request<WasiBody>) -> (Response<WasiBody>, JoinHandle<()>) {
        let data = Data {
            table: ResourceTable::new(),
            wasi: WasiCtx::builder().build(),
            http: WasiHttpCtx::new(),
            client: Client(self.in_flight.clone()),
        };
        let mut store = Store::new(self.pre.engine(), data);
        let (sender, receiver) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request).unwrap();
        let out = store.data_mut().http().new_response_outparam(sender).unwrap();
        let pre = self.pre.clone();
        let instance = tokio::spawn(async move {
            let proxy = pre.instantiate_async(&mut store).await.unwrap();
            proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await.unwrap();
        });
        let response = timeout(PATIENCE, receiver).await.unwrap().unwrap().unwrap();
        (response, instance)
    }
}

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://service{path}"))
}

fn whole(bytes: Bytes) -> WasiBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

struct Data {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    client: Client,
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Data {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.client, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Sends requests, each over a connection of its own, and counts those in flight.
struct Client(Arc<AtomicUsize>);

struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Rest = Box<dyn Future<Output = Result<()>> + Send>;

impl WasiHttpHooks for Client {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Rest,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Rest)>> + Send> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let in_flight = InFlight(self.0.clone());
        Box::new(async move {
            let failed = |error: &dyn std::fmt::Display| Error::InternalError(Some(error.to_string()));
            let address = request.uri().authority().unwrap().as_str().to_owned();
            let (mut parts, body) = request.into_parts();
            parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
            let connection = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(connection))
                .await
                .map_err(|e| failed(&e))?;
            tokio::spawn(connection);
            let response =
                sender.send_request(Request::from_parts(parts, body)).await.map_err(|e| failed(&e))?;
            let response = response.map(|body| {
                let body = body.map_err(move |error| {
                    // In flight until the body is dropped.
                    let _ = &in_flight;
                    Error::InternalError(Some(error.to_string()))
                });
                body.boxed_unsync()
            });
            Ok((response, Box::new(std::future::ready(Ok(()))) as Rest))
        })
    }
}
